// A native payment with ethers: typed data, so that a wallet shows what is
// signed; an idempotent retry over several nodes; a receipt.
import { FetchRequest, Wallet, formatUnits, parseUnits } from "ethers";
import { type Account, type Asset, type Call, type Hex, type Status, type Transfer, type TypedData, check, settle, structTypes } from "./ledger.js";
import { keyA, nodes } from "./settings.js";

const call: Call = async (node, method, params) => {
  const request = new FetchRequest(node);
  request.timeout = 15_000;
  request.body = { jsonrpc: "2.0", id: 1, method, params };
  const response = await request.send();
  response.assertOk();
  const { result, error } = response.bodyJson;
  if (error) throw Object.assign(new Error(error.message), { code: error.code, data: error.data });
  return result;
};
const ask = <T>(method: string, ...params: unknown[]) => call(nodes[0]!, method, params) as Promise<T>;

const wallet = new Wallet(keyA);
const to = (process.env.TO ?? Wallet.createRandom().address) as Hex;
const status = await ask<Status>("ledger_status");
const usd = await ask<Asset>("ledger_getAsset", "USD");
const me = await ask<Account>("ledger_getAccount", wallet.address);

const tx: Transfer = {
  sender: wallet.address as Hex,
  nonce: me.nextNonce,
  validUntil: Math.floor(Date.now() / 1000) + 600, // after that it can never happen
  memo: "rent for March",
  transfer: {
    legs: [
      { from: wallet.address as Hex, to, asset: usd.asset, amount: parseUnits("12.34", usd.decimals).toString(), reference: "invoice-17" },
      { from: wallet.address as Hex, to, asset: status.settlementAsset, amount: "1", reference: "a token of thanks" },
    ],
  },
};

const { typedData } = await ask<{ typedData: TypedData }>("ledger_typedData", tx);
check(tx, typedData, status.chainId);
const signature = (await wallet.signTypedData(typedData.domain, structTypes(typedData), typedData.message)) as Hex;

// Keep this before it is sent: with it the payment can be completed by anybody,
// after a crash too, and never twice.
const signed = { tx, signatures: [{ scheme: 0 as const, signature }] };

const receipt = await settle(call, nodes, signed);
console.log(`${receipt.status} in block ${receipt.height}: ${receipt.hash}`);
const again = await settle(call, [...nodes].reverse(), signed);
console.log(`sent again: ${again.hash === receipt.hash && again.height === receipt.height ? "the same receipt" : "another receipt"}`);
const balance = await ask<{ available: string }>("ledger_getBalance", to, usd.asset);
console.log(`${to} has ${formatUnits(balance.available, usd.decimals)} USD`);

// The same nonce for something else is refused, and the error says what has it.
const other: Transfer = { ...tx, memo: "rent for April" };
const { typedData: otherData } = await ask<{ typedData: TypedData }>("ledger_typedData", other);
const second = (await wallet.signTypedData(otherData.domain, structTypes(otherData), otherData.message)) as Hex;
try {
  await settle(call, nodes, { tx: other, signatures: [{ scheme: 0, signature: second }] });
  throw new Error("a nonce was spent twice");
} catch (e: any) {
  if (e.data?.name !== "nonceSpent" || e.data.hash !== receipt.hash) throw e;
  console.log(`nonceSpent: the nonce belongs to ${e.data.hash}`);
}
