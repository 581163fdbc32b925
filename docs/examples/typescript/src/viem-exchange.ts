// Delivery against payment with viem: two parties sign one transaction, and
// either both legs happen or neither.
import { createClient, formatUnits, http, parseUnits, rpcSchema } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { type Account, type Asset, type Call, type Hex, type Receipt, type Signed, type Status, type Transfer, type TypedData, check, settle, structTypes } from "./ledger.js";
import { keyA, keyB, nodes } from "./settings.js";

// The native methods that are used, so that the compiler checks each call.
type Ledger = [
  { Method: "ledger_status"; Parameters: []; ReturnType: Status },
  { Method: "ledger_getAsset"; Parameters: [string]; ReturnType: Asset },
  { Method: "ledger_getAccount"; Parameters: [Hex]; ReturnType: Account },
  { Method: "ledger_getBalance"; Parameters: [Hex, Hex]; ReturnType: { available: string } },
  { Method: "ledger_typedData"; Parameters: [Transfer]; ReturnType: { typedData: TypedData } },
  { Method: "ledger_sendTransaction"; Parameters: [Signed]; ReturnType: Hex },
  { Method: "ledger_waitReceipt"; Parameters: [Hex, number]; ReturnType: Receipt },
];
const clients = new Map(nodes.map((url) => [url, createClient({ transport: http(url, { timeout: 15_000 }), rpcSchema: rpcSchema<Ledger>() })]));
const client = clients.get(nodes[0]!)!;
const call: Call = (node, method, params) => clients.get(node)!.request({ method, params } as never);

const seller = privateKeyToAccount(keyA);
const buyer = privateKeyToAccount(keyB);
const safe = privateKeyToAccount(generatePrivateKey()).address; // where the buyer wants the goods
const status = await client.request({ method: "ledger_status", params: [] });
const usd = await client.request({ method: "ledger_getAsset", params: ["USD"] });
const goods = await client.request({ method: "ledger_getAsset", params: [status.settlementAsset] });
const { nextNonce } = await client.request({ method: "ledger_getAccount", params: [seller.address] });

const tx: Transfer = {
  sender: seller.address,
  nonce: nextNonce,
  validUntil: Math.floor(Date.now() / 1000) + 3600, // needed where somebody else signs too
  memo: "",
  transfer: {
    legs: [
      { from: buyer.address, to: seller.address, asset: usd.asset, amount: parseUnits("99.5", usd.decimals).toString(), reference: "deal-7" },
      { from: seller.address, to: safe, asset: goods.asset, amount: parseUnits("2", goods.decimals).toString(), reference: "deal-7" },
    ],
  },
};

// Each party does this on its own machine, with its own wallet, and checks for
// itself what it signs.
async function sign(party: typeof seller) {
  const { typedData } = await client.request({ method: "ledger_typedData", params: [tx] });
  check(tx, typedData, status.chainId);
  const signature = await party.signTypedData({
    domain: typedData.domain, types: structTypes(typedData), primaryType: typedData.primaryType, message: typedData.message as never,
  });
  return { scheme: 0 as const, signature };
}

const half = { tx, signatures: [await sign(seller)] };
try {
  await settle(call, nodes, half);
  throw new Error("one signature was enough");
} catch (e: any) {
  const data = e.cause?.data ?? e.data;
  if (data?.name !== "unauthorized") throw e;
  console.log("one signature is not enough: unauthorized");
}

const receipt = await settle(call, nodes, { tx, signatures: [await sign(buyer), await sign(seller)] });
const got = await client.request({ method: "ledger_getBalance", params: [safe, goods.asset] });
console.log(`${receipt.status} in block ${receipt.height}: ${safe} has ${formatUnits(BigInt(got.available), goods.decimals)} ${goods.symbol}`);
