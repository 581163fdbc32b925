// The life of a wallet with ethers 6, which has no special case for this ledger.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Contract, JsonRpcProvider, Wallet, WebSocketProvider, ZeroAddress, isError, parseEther } from "ethers";
import { call, startDevnet } from "./devnet.mjs";
import { erc20, until } from "./erc20.mjs";

let devnet, info, provider, socket, euro;

before(async () => {
  devnet = await startDevnet(Number(process.env.TALLY_E2E_PORT ?? 18545) + 1200);
  info = devnet.info;
  provider = new JsonRpcProvider(info.rpc[0], undefined, { pollingInterval: 100, cacheTimeout: -1 }); // ethers else remembers reads for longer than a block takes
  socket = new WebSocketProvider(info.rpc[1].replace("http", "ws"));
  euro = new Contract(info.assets[1].asset, erc20, provider);
});

after(async () => {
  provider?.destroy();
  await socket?.destroy();
  if (devnet) assert.equal(await devnet.stop(), 0, "Ctrl-C ends the devnet with code 0");
});

const wallet = (i) => new Wallet(info.accounts[i].privateKey, provider);

test("the network", async () => {
  assert.equal((await provider.getNetwork()).chainId, BigInt(info.chainId));
  assert.equal(await provider.send("net_version", []), String(info.chainId));
  assert.ok((await provider.getBlockNumber()) > 0);
  assert.deepEqual(await provider.listAccounts(), []);
  const fees = await provider.getFeeData();
  for (const fee of [fees.gasPrice, fees.maxFeePerGas, fees.maxPriorityFeePerGas]) assert.ok(!fee, "nothing is charged");
});

test("the coin is sent, and what it cost is nothing", async () => {
  const from = wallet(0);
  const to = Wallet.createRandom().address;
  const before = await provider.getBalance(from.address);
  const sent = await from.sendTransaction({ to, value: parseEther("1.25") });
  const receipt = await sent.wait();
  assert.equal(receipt.status, 1);
  assert.equal(receipt.hash, sent.hash);
  assert.equal(receipt.fee, 0n);
  assert.equal(await provider.getBalance(to), parseEther("1.25"));
  assert.equal(await provider.getBalance(from.address), before - parseEther("1.25"));
  assert.equal(await provider.getBalance(to, receipt.blockNumber - 1), 0n, "as it was before");
  const found = await provider.getTransaction(sent.hash);
  assert.deepEqual([found.from, found.to, found.value, found.nonce], [from.address, to, parseEther("1.25"), sent.nonce]);
  const block = await provider.getBlock(receipt.blockNumber, true);
  assert.equal(block.hash, receipt.blockHash);
  assert.ok(block.prefetchedTransactions.some((tx) => tx.hash === sent.hash));
  const native = await call(info.rpc[0], "ledger_getReceipt", sent.hash);
  assert.equal(native.blockHash, block.hash, "one block hash everywhere");
  const parent = await provider.getBlock(receipt.blockNumber - 1);
  assert.equal(block.parentHash, parent.hash);
});

test("an asset is an ERC-20", async () => {
  const { asset, symbol, decimals } = info.assets[1];
  assert.equal(await euro.symbol(), symbol);
  assert.equal(await euro.decimals(), BigInt(decimals));
  assert.ok((await euro.name()).length > 0);
  assert.ok((await euro.totalSupply()) > 0n);
  assert.equal(await euro.allowance(info.accounts[0].address, info.accounts[1].address), 0n);
  assert.equal(await euro.supportsInterface("0x36372b07"), true);
  assert.notEqual(await provider.getCode(asset), "0x");
  assert.equal(await provider.getCode(info.accounts[0].address), "0x");
  assert.equal(BigInt(await provider.getStorage(asset, 0)), 0n);

  const from = wallet(1);
  const to = Wallet.createRandom().address;
  const sent = await euro.connect(from).transfer(to, 1234n);
  const receipt = await sent.wait();
  assert.equal(receipt.status, 1);
  assert.equal(await euro.balanceOf(to), 1234n);
  assert.equal(await euro.balanceOf(to, { blockTag: receipt.blockNumber - 1 }), 0n);
  const parsed = euro.interface.parseLog(receipt.logs[0]);
  assert.deepEqual([...parsed.args], [from.address, to, 1234n]);
  const logs = await euro.queryFilter(euro.filters.Transfer(null, to), 0);
  assert.equal(logs.length, 1);
  assert.equal(logs[0].transactionHash, sent.hash);
  const granted = await euro.queryFilter(euro.filters.Transfer(ZeroAddress, from.address), 0, 0);
  assert.equal(granted.length, 1, "block 0 has the balances of the genesis");
});

test("what is not there is null", async () => {
  const nowhere = "0x" + "12".repeat(32);
  assert.equal(await provider.getTransaction(nowhere), null);
  assert.equal(await provider.getTransactionReceipt(nowhere), null);
  assert.equal(await provider.getBlock(nowhere), null);
  assert.equal(await provider.getBlock(1_000_000_000), null);
});

test("a wallet hears over a WebSocket", async () => {
  const heads = [];
  const transfers = [];
  const pending = [];
  await socket.on("block", (n) => heads.push(n));
  await socket.on("pending", (hash) => pending.push(hash));
  const watched = new Contract(info.assets[1].asset, erc20, socket);
  const to = Wallet.createRandom().address;
  await watched.on(watched.filters.Transfer(null, to), (e) => transfers.push([e.args.from, e.args.value, e.log.transactionHash]));
  await socket.send("eth_chainId", []); // the subscriptions before it are in place
  const from = new Wallet(info.accounts[2].privateKey, socket);
  const sent = await watched.connect(from).transfer(to, 77n);
  await sent.wait();
  await until(() => transfers.length > 0 && heads.length > 0 && pending.includes(sent.hash), "the head, the log and the pending hash");
  assert.deepEqual(transfers, [[from.address, 77n, sent.hash]]);
  await call(info.rpc[0], "ledger_waitReceipt", sent.hash, 60000); // for the tests that follow, there
  await socket.removeAllListeners();
  await watched.removeAllListeners();
});

test("a filter is polled", async () => {
  const id = await provider.send("eth_newFilter", [{ address: info.assets[1].asset }]);
  const blocks = await provider.send("eth_newBlockFilter", []);
  assert.deepEqual(await provider.send("eth_getFilterChanges", [id]), []);
  const sent = await euro.connect(wallet(3)).transfer(info.accounts[4].address, 5n);
  const receipt = await sent.wait();
  const changes = await provider.send("eth_getFilterChanges", [id]);
  assert.deepEqual(changes.map((l) => l.transactionHash), [sent.hash]);
  assert.deepEqual(await provider.send("eth_getFilterChanges", [id]), [], "each log once");
  assert.ok((await provider.send("eth_getFilterChanges", [blocks])).includes(receipt.blockHash));
  assert.equal(await provider.send("eth_uninstallFilter", [id]), true);
  assert.equal(await provider.send("eth_uninstallFilter", [id]), false);
  await assert.rejects(provider.send("eth_getFilterChanges", [id]), /filter not found/);
});

test("ethers understands every refusal", async () => {
  const from = wallet(5);
  const to = info.accounts[6].address;
  await assert.rejects(from.sendTransaction({ to, value: parseEther("1000000000000") }), (e) => isError(e, "INSUFFICIENT_FUNDS"));
  const used = await (await from.sendTransaction({ to, value: 1n })).wait();
  assert.equal(used.status, 1);
  const { nonce } = await provider.getTransaction(used.hash);
  await assert.rejects(from.sendTransaction({ to, value: 2n, nonce, gasLimit: 21000 }), (e) => isError(e, "NONCE_EXPIRED"));
  await assert.rejects(euro.connect(from).approve(to, 1n), (e) => isError(e, "CALL_EXCEPTION") && /approve/i.test(e.reason), "approve, with the reason");
  await assert.rejects(euro.connect(from).transfer(to, 10n ** 30n), (e) => isError(e, "CALL_EXCEPTION") && e.reason.length > 0);
  await assert.rejects(from.sendTransaction({ data: "0x6000", gasLimit: 100000 }), (e) => !isError(e, "SERVER_ERROR"), "no contracts");
  for (const method of ["eth_fillTransaction", "eth_sendTransaction", "eth_sign", "personal_listAccounts"]) {
    await assert.rejects(call(info.rpc[0], method, {}), (e) => e.code === -32601, method);
  }
});

test("the same bytes again do no harm", async () => {
  const from = wallet(7);
  const raw = await from.signTransaction(await from.populateTransaction({ to: info.accounts[8].address, value: 3n }));
  const [first, second] = await Promise.allSettled([
    call(info.rpc[0], "eth_sendRawTransaction", raw),
    call(info.rpc[0], "eth_sendRawTransaction", raw),
  ]);
  const refused = [first, second].filter((r) => r.status === "rejected");
  for (const r of refused) assert.match(r.reason.message, /already known|nonce too low/);
  const taken = [first, second].filter((r) => r.status === "fulfilled"); // both, where they came at the same moment
  assert.ok(taken.length > 0);
  const hash = taken[0].value;
  for (const t of taken) assert.equal(t.value, hash);
  assert.equal((await provider.waitForTransaction(hash, 1, 120000)).status, 1);
  await assert.rejects(call(info.rpc[0], "eth_sendRawTransaction", raw), /nonce too low/);
});

test("a hundred calls in a batch", async () => {
  const calls = Array.from({ length: 100 }, (_, id) => ({ jsonrpc: "2.0", id, method: "eth_getBalance", params: [info.accounts[id % 10].address, "latest"] }));
  const response = await fetch(info.rpc[0], { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(calls) });
  const answers = await response.json();
  assert.equal(answers.length, 100);
  for (const a of answers) assert.match(a.result, /^0x[1-9a-f][0-9a-f]*$/, "an unpadded quantity");
});

test("ethers reads what was signed natively", async () => {
  const sender = wallet(1);
  const to = Wallet.createRandom().address;
  const leg = (asset, amount) => ({ from: sender.address, to, asset, amount });
  const legs = [leg(info.assets[1].asset, "7"), leg(info.assets[0].asset, "3")];
  const { nextNonce } = await call(info.rpc[0], "ledger_getAccount", sender.address);
  const tx = { sender: sender.address, nonce: nextNonce, transfer: { legs } };
  const simulated = await call(info.rpc[0], "ledger_simulate", tx);
  assert.equal(simulated.status, "applied");
  assert.deepEqual(simulated.authorisers.map((a) => a.account), [sender.address]);
  const { typedData } = await call(info.rpc[0], "ledger_typedData", tx);
  const { EIP712Domain, ...types } = typedData.types;
  assert.ok(EIP712Domain);
  const signature = await sender.signTypedData(typedData.domain, types, typedData.message);
  const hash = await call(info.rpc[0], "ledger_sendTransaction", { tx, signatures: [{ scheme: 0, signature }] });
  const native = await call(info.rpc[0], "ledger_waitReceipt", hash, 60000);
  assert.deepEqual(native.events, simulated.events);

  const shown = await provider.getTransaction(hash);
  assert.equal(shown.hash, hash);
  assert.equal(shown.from, sender.address);
  assert.equal(shown.type, 0);
  const receipt = await shown.wait();
  assert.equal(receipt.status, 1);
  assert.equal(receipt.logs.length, 2);
  assert.equal(receipt.blockHash, native.blockHash);
  const block = await provider.getBlock(receipt.blockNumber, true);
  assert.ok(block.prefetchedTransactions.some((t) => t.hash === hash));
});
