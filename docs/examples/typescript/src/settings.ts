// What the examples are run with. Without any of these variables they use a
// devnet on this machine: `tally devnet`.

// The nodes, with commas between. Several are better than one: what one node
// leaves open, the next may answer.
export const nodes = (process.env.RPC_URLS ?? "http://127.0.0.1:8545,http://127.0.0.1:8546").split(",");

// Keys of two accounts that have funds: the devnet's second and third, which all
// the world knows. Never put a key of worth into a program's environment; a
// program that moves money signs with a hardware module or a key service.
export const keyA = hex(process.env.KEY_A ?? "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d");
export const keyB = hex(process.env.KEY_B ?? "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a");

function hex(text: string): `0x${string}` {
  if (!/^0x[0-9a-f]{64}$/i.test(text)) throw new Error("a key is 0x and 64 hexadecimal digits");
  return text as `0x${string}`;
}
