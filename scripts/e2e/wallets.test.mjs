// A transfer signed by libraries that know nothing of this project is
// committed and visible on all four nodes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Transaction, Wallet } from "ethers";
import { createWalletClient, custom, parseSignature, serializeSignature } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { call, startDevnet } from "./devnet.mjs";

let devnet, info, node;

before(async () => {
  devnet = await startDevnet(Number(process.env.TALLY_E2E_PORT ?? 18545));
  info = devnet.info;
  node = info.rpc[0];
});

after(async () => {
  if (devnet) assert.equal(await devnet.stop(), 0, "Ctrl-C ends the devnet with code 0");
});

// transfer is an unsigned transfer of one leg in JSON.
async function transfer(from, to, asset, amount, reference) {
  const account = await call(node, "ledger_getAccount", from);
  return {
    sender: from,
    nonce: account.nextNonce,
    memo: "for the coffee",
    transfer: { legs: [{ from, to, asset, amount, reference }] },
  };
}

// settle sends, waits, and sees the effect on every node.
async function settle(hash, to, asset, amount) {
  const receipt = await call(node, "ledger_waitReceipt", hash, 60000);
  assert.equal(receipt.status, "applied", JSON.stringify(receipt));
  assert.equal(receipt.code, 0);
  assert.equal(receipt.hash, hash);
  for (const url of info.rpc) {
    assert.deepEqual(await call(url, "ledger_waitReceipt", hash, 60000), receipt);
    const balance = await call(url, "ledger_getBalance", to, asset);
    assert.deepEqual(balance, { available: amount, held: "0" });
  }
  return receipt;
}

// without EIP712Domain: ethers derives that type itself.
function structTypes(types) {
  const { EIP712Domain, ...rest } = types;
  assert.ok(EIP712Domain, "eth_signTypedData_v4 wants the domain's type");
  return rest;
}

test("ethers signs typed data", async () => {
  const wallet = new Wallet(info.accounts[1].privateKey);
  const to = Wallet.createRandom().address;
  const asset = info.assets[1].asset;
  const tx = await transfer(wallet.address, to, asset, "1250", "INV-2026-0042");
  const { typedData, digest } = await call(node, "ledger_typedData", tx);
  const signature = await wallet.signTypedData(typedData.domain, structTypes(typedData.types), typedData.message);
  assert.equal(wallet.signingKey.sign(digest).serialized, signature, "the digest is what was signed");
  const signed = { tx, signatures: [{ scheme: 0, signature }] };
  const hash = await call(node, "ledger_sendTransaction", signed);
  const receipt = await settle(hash, to, asset, "1250");
  assert.equal(receipt.kind, "transfer");
  assert.equal(await call(node, "ledger_sendTransaction", signed), hash, "the same bytes again give the same hash");

  const { typedData: other } = await call(node, "ledger_typedData", { ...tx, memo: "another" });
  const second = await wallet.signTypedData(other.domain, structTypes(other.types), other.message);
  await assert.rejects(
    call(info.rpc[2], "ledger_sendTransaction", { tx: { ...tx, memo: "another" }, signatures: [{ scheme: 0, signature: second }] }),
    (e) => e.code === -32003 && e.data.name === "nonceSpent" && e.data.hash === hash && e.data.bodyHash === receipt.bodyHash,
  );
});

test("viem signs typed data", async () => {
  const account = privateKeyToAccount(info.accounts[2].privateKey);
  const client = createWalletClient({ account, transport: custom({ request: async () => assert.fail("no call is needed") }) });
  const to = Wallet.createRandom().address;
  const asset = info.assets[0].asset;
  const tx = await transfer(account.address, to, asset, "340282366920938463", "");
  const { typedData } = await call(node, "ledger_typedData", tx);
  const { EIP712Domain, ...types } = typedData.types;
  const signature = await client.signTypedData({ ...typedData, types });
  assert.equal(serializeSignature(parseSignature(signature)), signature);
  const hash = await call(node, "ledger_sendTransaction", { tx, signatures: [{ scheme: 0, signature }] });
  await settle(hash, to, asset, "340282366920938463");
});

test("a delivery against payment has two signers", async () => {
  const seller = new Wallet(info.accounts[3].privateKey);
  const buyer = new Wallet(info.accounts[4].privateKey);
  const fresh = Wallet.createRandom().address;
  const { blockTime } = await call(node, "ledger_status");
  const tx = {
    sender: seller.address,
    nonce: (await call(node, "ledger_getAccount", seller.address)).nextNonce,
    validUntil: blockTime + 3600,
    transfer: {
      legs: [
        { from: seller.address, to: buyer.address, asset: info.assets[1].asset, amount: "5" },
        { from: buyer.address, to: fresh, asset: info.assets[0].asset, amount: "7" },
      ],
    },
  };
  const { typedData } = await call(node, "ledger_typedData", tx);
  const sign = async (w) => ({ scheme: 0, signature: await w.signTypedData(typedData.domain, structTypes(typedData.types), typedData.message) });
  await assert.rejects(
    call(node, "ledger_sendTransaction", { tx, signatures: [await sign(seller)] }),
    (e) => e.code === -32003 && e.data.name === "unauthorized",
  );
  const hash = await call(node, "ledger_sendTransaction", { tx, signatures: [await sign(buyer), await sign(seller)] });
  await settle(hash, fresh, info.assets[0].asset, "7");
});

// An Ethereum wallet's Send button: legacy and EIP-1559.
for (const [name, fields] of [
  ["legacy", { type: 0, gasPrice: 0n }],
  ["EIP-1559", { type: 2, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n }],
]) {
  test(`an ethers ${name} transaction moves the settlement asset`, async () => {
    const wallet = new Wallet(info.accounts[5].privateKey);
    const to = Wallet.createRandom().address;
    const { nextNonce } = await call(node, "ledger_getAccount", wallet.address);
    const raw = await wallet.signTransaction({ ...fields, chainId: info.chainId, nonce: nextNonce, gasLimit: 21000, to, value: 12345n });
    const hash = await call(node, "ledger_sendRawTransaction", raw);
    assert.equal(hash, Transaction.from(raw).hash, "one hash everywhere");
    await settle(hash, to, info.assets[0].asset, "12345");
  });
}

test("an ERC-20 transfer call moves that asset", async () => {
  const wallet = new Wallet(info.accounts[6].privateKey);
  const to = Wallet.createRandom().address;
  const { nextNonce } = await call(node, "ledger_getAccount", wallet.address);
  const data = "0xa9059cbb" + to.slice(2).toLowerCase().padStart(64, "0") + (99n).toString(16).padStart(64, "0");
  const raw = await wallet.signTransaction({ type: 2, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n, chainId: info.chainId, nonce: nextNonce, gasLimit: 90000, to: info.assets[1].asset, data });
  const receipt = await call(node, "ledger_sendRawTransactionSync", raw, 60000);
  await settle(receipt.hash, to, info.assets[1].asset, "99");
});
