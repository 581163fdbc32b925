// Every native operation, signed as typed data by ethers and by viem, which know
// nothing of this project and make the same signature; web3.js, which signs no typed
// data by itself, makes the same digest.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { HDNodeWallet, Wallet, id, keccak256, toUtf8Bytes } from "ethers";
import { privateKeyToAccount } from "viem/accounts";
import { getEncodedEip712Data } from "web3-eth-abi";
import { call, startDevnet } from "./devnet.mjs";

const phrase = "test test test test test test test test test test test junk";
const firstAdmin = 100; // the devnet's members' admin accounts begin here
const flags = { freezable: 1, clawback: 2, restricted: 4 };

let devnet, info, node, accounts, admins;
const seen = new Set();

before(async () => {
  devnet = await startDevnet(Number(process.env.TALLY_E2E_PORT ?? 18545) + 800);
  info = devnet.info;
  node = info.rpc[0];
  accounts = info.accounts.map((a) => new Wallet(a.privateKey));
  admins = [0, 1, 2, 3].map((i) => HDNodeWallet.fromPhrase(phrase, undefined, `m/44'/60'/0'/0/${firstAdmin + i}`));
});

after(async () => {
  if (devnet) assert.equal(await devnet.stop(), 0, "Ctrl-C ends the devnet with code 0");
});

// sign lets both libraries sign what the node says is to be signed.
async function sign(wallet, typedData) {
  const { EIP712Domain, ...types } = typedData.types;
  const byEthers = await wallet.signTypedData(typedData.domain, types, typedData.message);
  const byViem = await privateKeyToAccount(wallet.privateKey).signTypedData({ ...typedData, types });
  assert.equal(byEthers, byViem, "both libraries sign the same");
  return { scheme: 0, signature: byEthers };
}

// operate sends an operation of signers[0], which all of them sign, and returns its receipt.
async function operate(operation, ...signers) {
  const [kind] = Object.keys(operation);
  const [sender] = signers;
  const { nextNonce } = await call(node, "ledger_getAccount", sender.address);
  const tx = { sender: sender.address, nonce: nextNonce, memo: `e2e: ${kind}`, ...operation };
  if (signers.length > 1) tx.validUntil = (await call(node, "ledger_status")).blockTime + 3600;
  const { typedData, digest } = await call(node, "ledger_typedData", tx);
  assert.equal(typedData.domain.chainId, info.chainId);
  assert.equal(getEncodedEip712Data(typedData, true), digest, "web3.js");
  const signatures = await Promise.all(signers.map((s) => sign(s, typedData)));
  const hash = await call(node, "ledger_sendTransaction", { tx, signatures });
  const receipt = await call(node, "ledger_waitReceipt", hash, 60000);
  assert.equal(receipt.status, "applied", `${kind}: ${JSON.stringify(receipt)}`);
  assert.equal(receipt.kind, kind);
  seen.add(kind);
  return receipt;
}

const event = (receipt, type) => {
  const found = receipt.events.find((e) => e.type === type);
  assert.ok(found, `${type} in ${JSON.stringify(receipt.events)}`);
  return found;
};

const balance = (of, asset) => call(node, "ledger_getBalance", of.address, asset);

test("a regulated asset lives its whole life", async () => {
  const [issuer, alice, bob, heir] = accounts;
  const created = await operate(
    { createAsset: { symbol: "REG", name: "Regulated", decimals: 2, cap: "1000000", flags: flags.freezable | flags.clawback | flags.restricted } },
    issuer,
  );
  const { asset } = event(created, "assetCreated");
  for (const holder of [alice, bob]) await operate({ approveHolder: { asset, account: holder.address } }, issuer);
  await operate({ setMetadata: { asset, uri: "https://example.org/reg.pdf", hash: id("the prospectus") } }, issuer);
  await operate({ issue: { asset, to: alice.address, amount: "5000", reference: "tranche 1" } }, issuer);
  await operate({ transfer: { legs: [{ from: alice.address, to: bob.address, asset, amount: "1000", reference: "INV-7" }] } }, alice);
  await operate({ freezeHolder: { asset, account: bob.address, reference: "case 1" } }, issuer);
  await operate({ clawback: { asset, from: bob.address, to: alice.address, amount: "100", reason: 3, reference: "order 17" } }, issuer);
  await operate({ unfreezeHolder: { asset, account: bob.address, reference: "case 1" } }, issuer);
  await operate({ freezeBalance: { asset, account: alice.address, amount: "50", reference: "case 2" } }, issuer);
  await operate({ freezeBalance: { asset, account: alice.address, amount: "0", reference: "case 2" } }, issuer);
  await operate({ pauseAsset: { asset } }, issuer);
  await operate({ resumeAsset: { asset } }, issuer);
  assert.deepEqual(await balance(alice, asset), { available: "4100", held: "0" });
  assert.deepEqual(await balance(bob, asset), { available: "900", held: "0" });

  const expiry = (await call(node, "ledger_status")).blockTime + 3600;
  const none = "0x0000000000000000000000000000000000000000";
  const held = await operate({ createHold: { from: alice.address, to: bob.address, arbiter: none, asset, amount: "600", expiry, reference: "order 7" } }, alice);
  const { hold } = event(held, "holdCreated");
  await operate({ captureHold: { hold, amount: "100", reference: "part 1" } }, bob);
  const settled = await operate(
    {
      settle: {
        captures: [{ hold, by: bob.address, amount: "200" }],
        legs: [{ from: bob.address, to: alice.address, asset: info.assets[1].asset, amount: "5", reference: "the price" }],
        holds: [{ from: bob.address, to: alice.address, arbiter: none, asset, amount: "10", expiry, reference: "warranty" }],
      },
    },
    bob,
  );
  await operate({ releaseHold: { hold } }, bob);
  await operate({ releaseHold: { hold: event(settled, "holdCreated").hold } }, alice);
  assert.deepEqual(await balance(alice, asset), { available: "3800", held: "0" });
  assert.deepEqual(await balance(bob, asset), { available: "1200", held: "0" });

  await operate({ revokeHolder: { asset, account: bob.address } }, issuer);
  await operate({ redeem: { asset, from: bob.address, amount: "1200", reference: "paid out" } }, issuer, bob);
  await operate({ changeIssuer: { asset, to: heir.address } }, issuer, heir);
  await operate({ retireAsset: { asset } }, heir);
  assert.equal((await call(node, "ledger_getAsset", "REG")).status, "retired");
});

test("an account changes its keys, and the new ones sign", async () => {
  const account = accounts[4];
  const keys = [accounts[5], accounts[6]]
    .map((w) => ({ address: w.address, weight: 1 }))
    .sort((a, b) => (a.address.toLowerCase() < b.address.toLowerCase() ? -1 : 1));
  await operate({ setKeys: { threshold: 2, keys } }, account);
  const { nextNonce } = await call(node, "ledger_getAccount", account.address);
  const tx = {
    sender: account.address,
    nonce: nextNonce,
    transfer: { legs: [{ from: account.address, to: accounts[5].address, asset: info.assets[0].asset, amount: "1" }] },
  };
  const { typedData } = await call(node, "ledger_typedData", tx);
  await assert.rejects(
    call(node, "ledger_sendTransaction", { tx, signatures: [await sign(account, typedData)] }),
    (e) => e.code === -32003 && e.data.name === "unauthorized",
    "the rotated-out key",
  );
  const signatures = [await sign(accounts[5], typedData), await sign(accounts[6], typedData)];
  const hash = await call(node, "ledger_sendTransaction", { tx, signatures });
  assert.equal((await call(node, "ledger_waitReceipt", hash, 60000)).status, "applied");
});

test("a registrar looks after an account", async () => {
  const account = Wallet.createRandom().address;
  await operate({ admitAccount: { account } }, admins[0]);
  await operate({ freezeAccount: { account, reference: "case 3" } }, admins[0]);
  await operate({ unfreezeAccount: { account, reference: "case 3" } }, admins[0]);
  await operate({ closeAccount: { account } }, admins[0]);
  assert.equal((await call(node, "ledger_getAccount", account)).status, "closed");
});

test("members decide, and look after their own", async () => {
  const propose = { propose: { actions: [{ resolution: { text: "We meet in spring.", hash: keccak256(toUtf8Bytes("minutes")) } }], votingPeriod: 3600, delay: 0 } };
  const { proposal } = event(await operate(propose, admins[0]), "proposalCreated");
  await operate({ castVote: { proposal, choice: 1 } }, admins[1]);
  const again = event(await operate(propose, admins[0]), "proposalCreated");
  await operate({ withdrawProposal: { proposal: again.proposal } }, admins[0]);
  const member = await call(node, "ledger_getMember", admins[3].address);
  await operate({ setNodes: { nodeIds: [...member.nodeIds, "ff".repeat(20)].sort() } }, admins[3]);
  await operate({ rotateValidatorKey: { consensusKey: id("a key that no node of this test has") } }, admins[3]);
});

test("every operation of the ledger has been signed", async () => {
  const { methods, components } = await call(node, "rpc.discover");
  const { schema } = methods.find((m) => m.name === "ledger_typedData").params[0];
  const body = components.schemas[schema.$ref.split("/").at(-1)];
  const kinds = Object.keys(body.properties).filter((p) => !["sender", "nonce", "validUntil", "memo"].includes(p));
  assert.deepEqual([...seen].sort(), kinds.sort());
});
