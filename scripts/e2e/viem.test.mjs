// The life of a wallet with viem 2, which has no special case for this ledger.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  BaseError, ContractFunctionRevertedError, InsufficientFundsError, NonceTooLowError, createPublicClient, createWalletClient,
  defineChain, getContract, http, parseEther, webSocket,
} from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { call, startDevnet } from "./devnet.mjs";
import { erc20, until } from "./erc20.mjs";

let devnet, info, chain, client, listener;

before(async () => {
  devnet = await startDevnet(Number(process.env.TALLY_E2E_PORT ?? 18545) + 1600);
  info = devnet.info;
  chain = defineChain({
    id: info.chainId, name: "devnet", nativeCurrency: { name: "Tally", symbol: "TALLY", decimals: 18 },
    rpcUrls: { default: { http: info.rpc, webSocket: info.rpc.map((u) => u.replace("http", "ws")) } },
  });
  client = createPublicClient({ chain, transport: http(info.rpc[0]), pollingInterval: 100 });
  listener = createPublicClient({ chain, transport: webSocket(info.rpc[1].replace("http", "ws")) });
});

after(async () => {
  const socket = await listener?.transport.getRpcClient();
  socket?.close();
  if (devnet) assert.equal(await devnet.stop(), 0, "Ctrl-C ends the devnet with code 0");
});

const account = (i) => privateKeyToAccount(info.accounts[i].privateKey);
const wallet = (i) => createWalletClient({ account: account(i), chain, transport: http(info.rpc[0]) });
const someone = () => privateKeyToAccount(generatePrivateKey()).address;

// cause finds an error of a class among the causes of one.
const cause = (e, kind) => e instanceof BaseError && e.walk((inner) => inner instanceof kind) instanceof kind;

test("the network", async () => {
  assert.equal(await client.getChainId(), info.chainId);
  assert.equal(await client.getGasPrice(), 0n);
  assert.equal(await client.estimateMaxPriorityFeePerGas(), 0n);
  const history = await client.getFeeHistory({ blockCount: 3, rewardPercentiles: [25, 75] });
  assert.equal(history.baseFeePerGas.length, history.gasUsedRatio.length + 1);
  assert.ok(history.baseFeePerGas.every((fee) => fee === 0n));
  assert.ok(history.reward.every((row) => row.length === 2 && row.every((tip) => tip === 0n)));
});

test("the coin is sent, as a wallet prepares it", async () => {
  const to = someone();
  const hash = await wallet(0).sendTransaction({ to, value: parseEther("0.5") });
  const receipt = await client.waitForTransactionReceipt({ hash });
  assert.equal(receipt.status, "success");
  assert.equal(receipt.effectiveGasPrice, 0n);
  assert.equal(await client.getBalance({ address: to }), parseEther("0.5"));
  assert.equal(await client.getBalance({ address: to, blockNumber: receipt.blockNumber - 1n }), 0n);
  const block = await client.getBlock({ blockNumber: receipt.blockNumber, includeTransactions: true });
  assert.equal(block.hash, receipt.blockHash);
  const found = block.transactions.find((t) => t.hash === hash);
  assert.equal(found.value, parseEther("0.5"));
  assert.deepEqual(await client.getTransaction({ blockHash: block.hash, index: receipt.transactionIndex }), await client.getTransaction({ hash }));
});

for (const type of ["legacy", "eip1559"]) {
  test(`a ${type} transaction is signed, sent and waited for in one call`, async () => {
    const from = wallet(1);
    const request = await from.prepareTransactionRequest({ to: someone(), value: 7n, type });
    const serializedTransaction = await from.signTransaction(request);
    const receipt = await from.sendRawTransactionSync({ serializedTransaction });
    assert.equal(receipt.status, "success");
    assert.equal(receipt.type, type);
  });
}

test("an asset is an ERC-20", async () => {
  const euro = getContract({ address: info.assets[1].asset, abi: erc20, client: { public: client, wallet: wallet(2) } });
  assert.equal(await euro.read.symbol(), info.assets[1].symbol);
  assert.equal(await euro.read.decimals(), info.assets[1].decimals);
  const to = someone();
  const { request, result } = await client.simulateContract({ address: euro.address, abi: erc20, functionName: "transfer", args: [to, 99n], account: account(2) });
  assert.equal(result, true);
  const hash = await wallet(2).writeContract(request);
  const receipt = await client.waitForTransactionReceipt({ hash });
  assert.equal(receipt.status, "success");
  assert.equal(await euro.read.balanceOf([to]), 99n);
  const events = await client.getContractEvents({ address: euro.address, abi: erc20, eventName: "Transfer", args: { to }, fromBlock: 0n });
  assert.deepEqual(events.map((e) => [e.args.from, e.args.value, e.transactionHash]), [[account(2).address, 99n, hash]]);
});

test("heads, logs and pending transactions over a WebSocket", async () => {
  const heads = [];
  const logs = [];
  const pending = [];
  const to = someone();
  const stops = [
    listener.watchBlocks({ onBlock: (b) => heads.push(b), onError: assert.fail }),
    listener.watchContractEvent({ address: info.assets[1].asset, abi: erc20, eventName: "Transfer", args: { to }, onLogs: (l) => logs.push(...l), onError: assert.fail }),
    createPublicClient({ chain, transport: webSocket(info.rpc[1].replace("http", "ws")) }).watchPendingTransactions({ onTransactions: (h) => pending.push(...h), onError: assert.fail }),
  ];
  await until(async () => {
    // The subscriptions are in place once a head has come.
    await wallet(3).sendTransaction({ to: someone(), value: 1n }).then((hash) => client.waitForTransactionReceipt({ hash }));
    return heads.length > 0 && pending.length > 0;
  }, "a head and a pending hash");
  const hash = await wallet(3).writeContract({ address: info.assets[1].asset, abi: erc20, functionName: "transfer", args: [to, 11n] });
  await until(() => logs.length > 0 && pending.includes(hash), "the log");
  assert.deepEqual(logs.map((l) => [l.args.value, l.transactionHash]), [[11n, hash]]);
  // Each head is asked for by itself, and may come in another order.
  await until(() => {
    const numbers = heads.map((h) => Number(h.number)).sort((a, b) => a - b);
    return numbers.every((n, i) => i === 0 || n === numbers[i - 1] + 1);
  }, "no head is missing");
  for (const stop of stops) stop();
  await client.waitForTransactionReceipt({ hash }); // for the tests that follow, on the first node
});

test("filters are polled", async () => {
  const filter = await client.createContractEventFilter({ address: info.assets[1].asset, abi: erc20, eventName: "Transfer", fromBlock: 0n });
  const hash = await wallet(4).writeContract({ address: info.assets[1].asset, abi: erc20, functionName: "transfer", args: [someone(), 12n] });
  await client.waitForTransactionReceipt({ hash });
  assert.deepEqual((await client.getFilterChanges({ filter })).map((l) => l.transactionHash), [hash]);
  const all = await client.getFilterLogs({ filter }); // from block 0 on; without fromBlock it is the newest block alone
  assert.equal(all[0].blockNumber, 0n);
  assert.equal(all.at(-1).transactionHash, hash);
  assert.equal(await client.uninstallFilter({ filter }), true);
});

test("viem understands every refusal, and retries none", async () => {
  let calls = 0;
  const counted = http(info.rpc[0], { onFetchRequest: () => void calls++ });
  const from = createWalletClient({ account: account(5), chain, transport: counted });
  await assert.rejects(from.sendTransaction({ to: someone(), value: parseEther("1000000000000") }), (e) => cause(e, InsufficientFundsError));
  const sent = await from.sendTransaction({ to: someone(), value: 1n });
  await client.waitForTransactionReceipt({ hash: sent });
  const { nonce } = await client.getTransaction({ hash: sent });
  const serializedTransaction = await from.signTransaction({ to: someone(), value: 2n, nonce, gas: 21000n, gasPrice: 0n, type: "legacy" });
  calls = 0;
  await assert.rejects(from.sendRawTransaction({ serializedTransaction }), /nonce too low/i);
  assert.equal(calls, 1, "sent once");
  await assert.rejects(from.sendTransaction({ to: someone(), value: 2n, nonce, gas: 21000n }), (e) => cause(e, NonceTooLowError));
  await assert.rejects(
    client.simulateContract({ address: info.assets[1].asset, abi: erc20, functionName: "approve", args: [someone(), 1n], account: account(5) }),
    (e) => cause(e, ContractFunctionRevertedError) && /approve/i.test(e.walk((i) => i instanceof ContractFunctionRevertedError).reason),
  );
});

test("the node's blocks say what typed clients need, whoever signed", async () => {
  // A native transaction stands in a block beside Ethereum's.
  const sender = account(6);
  const { nextNonce } = await call(info.rpc[0], "ledger_getAccount", sender.address);
  const to = someone();
  const tx = { sender: sender.address, nonce: nextNonce, transfer: { legs: [{ from: sender.address, to, asset: info.assets[1].asset, amount: "42" }] } };
  const { typedData } = await call(info.rpc[0], "ledger_typedData", tx);
  const { EIP712Domain, ...types } = typedData.types;
  const signature = await sender.signTypedData({ ...typedData, types });
  const hash = await call(info.rpc[0], "ledger_sendTransaction", { tx, signatures: [{ scheme: 0, signature }] });
  const receipt = await client.waitForTransactionReceipt({ hash });
  assert.equal(receipt.status, "success");
  assert.equal(receipt.logs.length, 1);
  const found = await client.getTransaction({ hash });
  assert.equal(found.hash, hash);
  assert.equal(found.from.toLowerCase(), sender.address.toLowerCase());
  const block = await client.getBlock({ blockHash: receipt.blockHash, includeTransactions: true });
  assert.ok(block.transactions.some((t) => t.hash === hash));
});
