// Members of a devnet decide with wallets that know nothing of this project, and
// holds go through such a wallet too.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { HDNodeWallet, Wallet, keccak256, toUtf8Bytes } from "ethers";
import { createWalletClient, custom } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { call, startDevnet } from "./devnet.mjs";

const phrase = "test test test test test test test test test test test junk";
const firstAdmin = 100; // the devnet's members' admin accounts begin here

let devnet, info, node;

before(async () => {
  devnet = await startDevnet(Number(process.env.TALLY_E2E_PORT ?? 18545) + 400);
  info = devnet.info;
  node = info.rpc[0];
});

after(async () => {
  if (devnet) assert.equal(await devnet.stop(), 0, "Ctrl-C ends the devnet with code 0");
});

const ethersAdmin = (i) => HDNodeWallet.fromPhrase(phrase, undefined, `m/44'/60'/0'/0/${firstAdmin + i}`);
const viemAdmin = (i) => mnemonicToAccount(phrase, { addressIndex: firstAdmin + i });

async function unsigned(sender, operation) {
  const { nextNonce } = await call(node, "ledger_getAccount", sender);
  return { sender, nonce: nextNonce, ...operation };
}

async function commit(tx, signature) {
  const hash = await call(node, "ledger_sendTransaction", { tx, signatures: [{ scheme: 0, signature }] });
  const receipt = await call(node, "ledger_waitReceipt", hash, 60000);
  assert.equal(receipt.status, "applied", JSON.stringify(receipt));
  return receipt;
}

async function byEthers(wallet, operation) {
  const tx = await unsigned(wallet.address, operation);
  const { typedData } = await call(node, "ledger_typedData", tx);
  const { EIP712Domain, ...types } = typedData.types;
  return commit(tx, await wallet.signTypedData(typedData.domain, types, typedData.message));
}

async function byViem(account, operation) {
  const client = createWalletClient({ account, transport: custom({ request: async () => assert.fail("no call is needed") }) });
  const tx = await unsigned(account.address, operation);
  const { typedData } = await call(node, "ledger_typedData", tx);
  const { EIP712Domain, ...types } = typedData.types;
  return commit(tx, await client.signTypedData({ ...typedData, types }));
}

test("members propose by ethers and vote by viem", async () => {
  const members = (await call(node, "ledger_listMembers")).items;
  assert.equal(members.length, 4);
  const actions = [
    { setParameter: { name: "maxNewAccounts", value: 500 } },
    { resolution: { text: "We meet again in spring.", hash: keccak256(toUtf8Bytes("minutes")) } },
    { setPower: { member: ethersAdmin(3).address, power: 2000000 } },
  ];
  const proposed = await byEthers(ethersAdmin(0), { propose: { actions, votingPeriod: 3600, delay: 0 } });
  const id = proposed.events.find((e) => e.type === "proposalCreated").proposal;
  let proposal = await call(node, "ledger_getProposal", id);
  assert.equal(proposal.status, "open");
  assert.deepEqual(proposal.actions, actions);
  assert.deepEqual(proposal.tally, { active: 4, yes: 1, no: 0, veto: 0, needed: 3 });
  await byViem(viemAdmin(1), { castVote: { proposal: id, choice: 1 } });
  const last = await byViem(viemAdmin(2), { castVote: { proposal: id, choice: 1 } });
  assert.ok(last.events.some((e) => e.type === "proposalEnded" && e.status === "executed"), JSON.stringify(last.events));
  for (const url of info.rpc) {
    await call(url, "ledger_waitReceipt", last.hash, 60000);
    proposal = await call(url, "ledger_getProposal", id);
    assert.equal(proposal.status, "executed");
    const { parameters } = await call(url, "ledger_getParams");
    assert.equal(parameters.find((p) => p.name === "maxNewAccounts").value, 500);
  }
  for (let i = 0; ; i++) {
    const validators = (await call(node, "ledger_listValidators")).items;
    if (validators.some((v) => v.power === 2000000)) break;
    assert.ok(i < 600, JSON.stringify(validators));
    await new Promise((r) => setTimeout(r, 200));
  }
});

test("a hold is made by ethers and captured by viem", async () => {
  const payer = new Wallet(info.accounts[7].privateKey);
  const payee = mnemonicToAccount(phrase, { addressIndex: 8 });
  const asset = info.assets[1].asset;
  const { blockTime } = await call(node, "ledger_status");
  const hold = { from: payer.address, to: payee.address, asset, amount: "500", expiry: blockTime + 3600, reference: "order 7" };
  const made = await byEthers(payer, { createHold: hold });
  const id = made.events.find((e) => e.type === "holdCreated").hold;
  assert.equal((await call(node, "ledger_getBalance", payer.address, asset)).held, "500");
  await byViem(payee, { captureHold: { hold: id, amount: "200" } });
  const released = await byViem(payee, { releaseHold: { hold: id } });
  for (const url of info.rpc) {
    await call(url, "ledger_waitReceipt", released.hash, 60000);
    assert.equal((await call(url, "ledger_getBalance", payer.address, asset)).held, "0");
  }
});
