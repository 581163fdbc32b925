// The native API's JSON, as far as the examples use it (docs/RPC.md has all of
// it), and the one rule that keeps money safe: sign once, send as often as it
// takes.

export type Hex = `0x${string}`;

export interface Status { networkId: string; chainId: number; height: number; blockTime: number; settlementAsset: Hex }
export interface Asset { asset: Hex; symbol: string; decimals: number }
export interface Account { address: Hex; nextNonce: number; balances: { asset: Hex; symbol: string; available: string }[] }
export interface Receipt { hash: Hex; status: "applied" | "refused"; code: number; message?: string; height: number }

// A transfer moves several assets at once, all of it or nothing. Amounts are
// whole numbers of the asset's smallest unit, as text.
export interface Leg { from: Hex; to: Hex; asset: Hex; amount: string; reference?: string }
export interface Transfer { sender: Hex; nonce: number; validUntil: number; memo: string; transfer: { legs: Leg[] } }

export interface TypedData {
  types: Record<string, { name: string; type: string }[]>;
  primaryType: string;
  domain: { name: string; version: string; chainId: number; verifyingContract: Hex };
  message: { sender: Hex; nonce: string; validUntil: string; memo: string; legs: Required<Leg>[] };
}
export interface Signed { tx: Transfer; signatures: { scheme: 0; signature: Hex }[] }

// call is one call to one node: ethers and viem each bring their own.
export type Call = (node: string, method: string, params: unknown[]) => Promise<unknown>;

// The two errors that decide what to do next, whichever library found them.
const unavailable = -32002; // not now: ask again, or another node
const rejected = -32003; // the ledger's rules are against it: it will not happen

// codeOf finds the JSON-RPC code in an error of ethers or viem.
export function codeOf(e: unknown): number | undefined {
  for (let at: any = e; at; at = at.cause ?? at.error) {
    if (typeof at.code === "number") return at.code;
  }
  return undefined;
}

// settle sends what was signed to one node after the other until one has its
// receipt. The bytes hold sender and nonce, which can be spent once: so however
// often and to however many nodes they go, they happen once. What must never be
// done is to sign the same payment again under another nonce.
export async function settle(call: Call, nodes: string[], signed: Signed, deadlineMs = 60_000): Promise<Receipt> {
  const end = Date.now() + deadlineMs;
  let last: unknown;
  for (let i = 0; Date.now() < end; i++) {
    const node = nodes[i % nodes.length]!;
    try {
      const hash = await call(node, "ledger_sendTransaction", [signed]);
      return (await call(node, "ledger_waitReceipt", [hash, 5_000])) as Receipt;
    } catch (e) {
      const code = codeOf(e);
      if (code === rejected) throw e;
      if (code !== undefined && code !== unavailable) throw e;
      last = e; // a node that is away, busy or slow: the next may do better
      if (i % nodes.length === nodes.length - 1) await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
  throw new Error("no receipt yet, and the payment may still happen: run this again with the same signed bytes", { cause: last });
}

// check makes sure that what a node wants signed is what was meant: a program
// that signs whatever it is given signs anything.
export function check(meant: Transfer, data: TypedData, chainId: number): void {
  const m = data.message;
  const legs = meant.transfer.legs;
  const same =
    data.domain.name === "Tallystick" &&
    Number(data.domain.chainId) === chainId &&
    data.primaryType === "Transfer" &&
    sameAddress(m.sender, meant.sender) &&
    m.nonce === String(meant.nonce) &&
    m.validUntil === String(meant.validUntil) &&
    m.memo === meant.memo &&
    m.legs.length === legs.length &&
    m.legs.every((l, i) => {
      const w = legs[i]!;
      return sameAddress(l.from, w.from) && sameAddress(l.to, w.to) && sameAddress(l.asset, w.asset) && l.amount === w.amount && l.reference === (w.reference ?? "");
    });
  if (!same) throw new Error("the node wants something else signed than was asked for");
}

const sameAddress = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

// structTypes is without EIP712Domain, which both libraries derive themselves.
export function structTypes(data: TypedData): TypedData["types"] {
  const { EIP712Domain, ...rest } = data.types;
  return rest;
}
