// The life of a wallet with web3.js 4, which has no special case for this ledger.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Web3 } from "web3";
import { startDevnet } from "./devnet.mjs";
import { erc20, until } from "./erc20.mjs";

let devnet, info, web3, listening;

before(async () => {
  devnet = await startDevnet(Number(process.env.TALLY_E2E_PORT ?? 18545) + 2000);
  info = devnet.info;
  web3 = new Web3(info.rpc[0]);
  web3.eth.transactionPollingInterval = 100;
  for (const a of info.accounts) web3.eth.accounts.wallet.add(a.privateKey);
  listening = new Web3(info.rpc[1].replace("http", "ws"));
});

after(async () => {
  listening?.currentProvider.disconnect();
  if (devnet) assert.equal(await devnet.stop(), 0, "Ctrl-C ends the devnet with code 0");
});

test("the network", async () => {
  assert.equal(await web3.eth.getChainId(), BigInt(info.chainId));
  assert.equal(await web3.eth.net.getId(), BigInt(info.chainId));
  assert.equal(await web3.eth.net.isListening(), true);
  assert.ok((await web3.eth.net.getPeerCount()) >= 0n);
  assert.equal(await web3.eth.getGasPrice(), 0n);
  assert.match(await web3.eth.getNodeInfo(), /tallystick/i);
});

test("the coin is sent", async () => {
  const from = info.accounts[0].address;
  const to = web3.eth.accounts.create().address;
  const receipt = await web3.eth.sendTransaction({ from, to, value: web3.utils.toWei("2", "ether") });
  assert.equal(receipt.status, 1n);
  assert.equal(await web3.eth.getBalance(to), BigInt(web3.utils.toWei("2", "ether")));
  assert.equal(await web3.eth.getBalance(to, receipt.blockNumber - 1n), 0n);
  const block = await web3.eth.getBlock(receipt.blockNumber, true);
  assert.equal(block.hash, receipt.blockHash);
  assert.ok(block.transactions.some((t) => t.hash === receipt.transactionHash));
  assert.equal(await web3.eth.getBlockTransactionCount(receipt.blockHash), BigInt(block.transactions.length));
  assert.equal(await web3.eth.getBlockUncleCount(receipt.blockHash), 0n);
});

test("an asset is an ERC-20", async () => {
  const euro = new web3.eth.Contract(erc20, info.assets[1].asset);
  assert.equal(await euro.methods.symbol().call(), info.assets[1].symbol);
  const from = info.accounts[1].address;
  const to = web3.eth.accounts.create().address;
  const receipt = await euro.methods.transfer(to, 321).send({ from });
  assert.equal(receipt.status, 1n);
  assert.equal(await euro.methods.balanceOf(to).call(), 321n);
  const logs = await euro.getPastEvents("Transfer", { filter: { to }, fromBlock: 0 });
  assert.deepEqual(logs.map((l) => [l.returnValues.value, l.transactionHash]), [[321n, receipt.transactionHash]]);
  await assert.rejects(euro.methods.approve(to, 1).call({ from }), (e) => /approve/i.test(e.cause?.message), "approve, with the reason");
});

test("heads and logs over a WebSocket", async () => {
  const heads = [];
  const logs = [];
  const blocks = await listening.eth.subscribe("newBlockHeaders");
  blocks.on("data", (h) => heads.push(h));
  const transfers = await listening.eth.subscribe("logs", { address: info.assets[1].asset });
  transfers.on("data", (l) => logs.push(l));
  const euro = new web3.eth.Contract(erc20, info.assets[1].asset);
  const receipt = await euro.methods.transfer(info.accounts[3].address, 4).send({ from: info.accounts[2].address });
  await until(() => heads.length > 0 && logs.some((l) => l.transactionHash === receipt.transactionHash), "a head and the log");
  assert.match(heads[0].parentHash, /^0x[0-9a-f]{64}$/);
  await blocks.unsubscribe();
  await transfers.unsubscribe();
});

test("a filter is polled", async () => {
  const ask = (method, ...params) => web3.requestManager.send({ method, params });
  const id = await ask("eth_newFilter", { address: info.assets[1].asset });
  const euro = new web3.eth.Contract(erc20, info.assets[1].asset);
  const receipt = await euro.methods.transfer(info.accounts[7].address, 9).send({ from: info.accounts[6].address });
  const changes = await ask("eth_getFilterChanges", id);
  assert.deepEqual(changes.map((l) => l.transactionHash), [receipt.transactionHash]);
  assert.equal(await ask("eth_uninstallFilter", id), true);
});

test("a refusal is told", async () => {
  const from = info.accounts[4].address;
  await assert.rejects(web3.eth.sendTransaction({ from, to: info.accounts[5].address, value: 10n ** 30n }), (e) => /insufficient/i.test(e.reason));
});
