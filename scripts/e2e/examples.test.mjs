// The examples of docs/examples/typescript do what they say, as a reader runs
// them. They use ethers or viem alone.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { call, startDevnet } from "./devnet.mjs";

const examples = fileURLToPath(new URL("../../docs/examples/typescript", import.meta.url));
let devnet, info, wallets;

before(async () => {
  devnet = await startDevnet(Number(process.env.TALLY_E2E_PORT ?? 18545) + 1000);
  info = devnet.info;
  wallets = await call(info.rpc[0], "eth_chainId").then(() => true, (e) => {
    assert.equal(e.code, -32601);
    return false;
  });
});

after(async () => {
  if (devnet) assert.equal(await devnet.stop(), 0);
});

// run runs an example and returns its lines.
async function run(name, nodes) {
  const env = { ...process.env, RPC_URLS: nodes.join(","), KEY_A: info.accounts[1].privateKey, KEY_B: info.accounts[2].privateKey };
  const { stdout } = await promisify(execFile)("node", [path.join(examples, "build", `${name}.js`)], { env, timeout: 120_000 });
  return stdout.trim().split("\n");
}

const nobody = "http://127.0.0.1:1"; // where no node is

test("ethers-native", async () => {
  const [applied, again, balance, spent] = await run("ethers-native", info.rpc);
  assert.match(applied, /^applied in block \d+: 0x[0-9a-f]{64}$/);
  assert.equal(again, "sent again: the same receipt");
  assert.match(balance, /^0x[0-9a-fA-F]{40} has 12\.34 USD$/);
  assert.match(spent, /^nonceSpent: the nonce belongs to 0x/);
});

test("ethers-native, with a node that is away", async () => {
  const [applied, again] = await run("ethers-native", [info.rpc[0], nobody]);
  assert.match(applied, /^applied/);
  assert.equal(again, "sent again: the same receipt", "the first node of that try is away");
});

test("viem-exchange", async () => {
  const [half, applied] = await run("viem-exchange", info.rpc);
  assert.equal(half, "one signature is not enough: unauthorized");
  assert.match(applied, /^applied in block \d+: 0x[0-9a-fA-F]{40} has 2 TALLY$/);
});

for (const name of ["ethers-wallet", "viem-wallet"]) {
  test(name, async (t) => {
    if (!wallets) return t.skip("this build serves no eth_* methods yet");
    const [coin, token, refused] = await run(name, info.rpc);
    assert.match(coin, /^coin: 0\.25, fee 0(\.0)?$/);
    assert.equal(token, "token: 12.34 USD to the recipient");
    assert.match(refused, /^refused: .*balance/);
  });
}
