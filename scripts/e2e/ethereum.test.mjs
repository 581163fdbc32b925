// The whole life of a wallet by Ethereum's methods alone: balances, sending coin
// and tokens, waiting, receipts, logs and errors, with each library as its users
// use it and with nothing of this project.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Contract, JsonRpcProvider, Wallet, parseEther } from "ethers";
import { createPublicClient, createWalletClient, defineChain, erc20Abi, http, parseAbiItem } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { Web3 } from "web3";
import { call, startDevnet } from "./devnet.mjs";

let devnet, info, node, token;

before(async () => {
  devnet = await startDevnet(Number(process.env.TALLY_E2E_PORT ?? 18545) + 2800);
  info = devnet.info;
  node = info.rpc[0];
  token = info.assets[1].asset;
});

after(async () => {
  if (devnet) assert.equal(await devnet.stop(), 0, "Ctrl-C ends the devnet with code 0");
});

const abi = [
  "function name() view returns (string)",
  "function decimals() view returns (uint8)",
  "function balanceOf(address) view returns (uint256)",
  "function allowance(address,address) view returns (uint256)",
  "function transfer(address,uint256) returns (bool)",
  "function approve(address,uint256) returns (bool)",
  "event Transfer(address indexed from, address indexed to, uint256 value)",
];

test("ethers lives a wallet's life", async () => {
  const provider = new JsonRpcProvider(node, undefined, { cacheTimeout: -1, pollingInterval: 200 });
  try {
    const wallet = new Wallet(info.accounts[0].privateKey, provider);
    const to = Wallet.createRandom().address;
    assert.equal((await provider.getNetwork()).chainId, BigInt(info.chainId));
    const fees = await provider.getFeeData();
    assert.deepEqual([fees.gasPrice, fees.maxFeePerGas], [0n, null]);

    const before = await provider.getBalance(wallet.address);
    const sent = await (await wallet.sendTransaction({ to, value: parseEther("1.5") })).wait();
    assert.equal(sent.status, 1);
    assert.equal(sent.fee, 0n);
    assert.equal(await provider.getBalance(wallet.address), before - parseEther("1.5"));
    assert.equal(await provider.getBalance(wallet.address, sent.blockNumber - 1), before);
    const typed = await wallet.sendTransaction({ to, value: parseEther("1"), type: 2, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n });
    assert.equal((await typed.wait()).type, 2);

    const contract = new Contract(token, abi, wallet);
    assert.equal(await contract.decimals(), 2n);
    assert.equal(await contract.allowance(wallet.address, to), 0n);
    const moved = await (await contract.transfer(to, 25n)).wait();
    assert.equal(moved.logs[0].fragment.name, "Transfer");
    assert.equal(await contract.balanceOf(to), 25n);
    const events = await contract.queryFilter(contract.filters.Transfer(null, to), 0);
    assert.deepEqual(events.map((e) => e.args.value), [25n]);

    const all = await contract.queryFilter(contract.filters.Transfer(), 0);
    const sum = all.reduce((s, e) => s + (e.args.to === to ? e.args.value : 0n) - (e.args.from === to ? e.args.value : 0n), 0n);
    assert.equal(sum, 25n);
    for (let height = 0; height <= moved.blockNumber; height++) {
      const block = await provider.getBlock(height, true);
      assert.equal(block.number, height);
      if (height > 0) assert.equal(block.parentHash, (await provider.getBlock(height - 1)).hash);
    }

    const code = (code) => (error) => error.code === code;
    await assert.rejects(wallet.sendTransaction({ to, value: 10n ** 40n }), code("INSUFFICIENT_FUNDS"));
    await assert.rejects(wallet.sendTransaction({ to, value: parseEther("1"), nonce: 0 }), code("NONCE_EXPIRED"));
    await assert.rejects(contract.transfer(to, 10n ** 30n), (e) => code("CALL_EXCEPTION")(e) && /available balance/.test(e.reason));
    await assert.rejects(contract.approve(to, 1n), (e) => code("CALL_EXCEPTION")(e) && /no allowances/.test(e.reason));
    assert.equal(await provider.getTransaction("0x" + "11".repeat(32)), null);
    assert.equal(await provider.getTransactionReceipt("0x" + "11".repeat(32)), null);
  } finally {
    provider.destroy();
  }
});

test("ethers reads what was signed natively", async () => {
  const provider = new JsonRpcProvider(node, undefined, { cacheTimeout: -1, pollingInterval: 200 });
  try {
    const wallet = new Wallet(info.accounts[1].privateKey, provider);
    const to = Wallet.createRandom().address;
    const leg = (asset, amount) => ({ from: wallet.address, to, asset, amount });
    const legs = [leg(token, "7"), leg(info.assets[0].asset, "3")];
    const { nextNonce } = await call(node, "ledger_getAccount", wallet.address);
    const tx = { sender: wallet.address, nonce: nextNonce, transfer: { legs } };
    const simulated = await call(node, "ledger_simulate", tx);
    assert.equal(simulated.status, "applied");
    assert.deepEqual(simulated.authorisers.map((a) => a.account), [wallet.address]);
    const { typedData } = await call(node, "ledger_typedData", tx);
    const { EIP712Domain, ...types } = typedData.types;
    assert.ok(EIP712Domain);
    const signature = await wallet.signTypedData(typedData.domain, types, typedData.message);
    const hash = await call(node, "ledger_sendTransaction", { tx, signatures: [{ scheme: 0, signature }] });
    const native = await call(node, "ledger_waitReceipt", hash, 20000);
    assert.deepEqual(native.events, simulated.events);

    const shown = await provider.getTransaction(hash);
    assert.equal(shown.hash, hash);
    assert.equal(shown.from, wallet.address);
    assert.equal(shown.type, 0);
    const receipt = await shown.wait();
    assert.equal(receipt.status, 1);
    assert.equal(receipt.logs.length, 2);
    assert.equal(receipt.blockHash, native.blockHash);
    const block = await provider.getBlock(receipt.blockNumber, true);
    assert.ok(block.prefetchedTransactions.some((t) => t.hash === hash));
  } finally {
    provider.destroy();
  }
});

test("viem lives a wallet's life", async () => {
  const chain = defineChain({
    id: info.chainId, name: "devnet", nativeCurrency: { name: "Coin", symbol: "COIN", decimals: 18 }, rpcUrls: { default: { http: [node] } },
  });
  const account = privateKeyToAccount(info.accounts[2].privateKey);
  const pub = createPublicClient({ chain, transport: http(node, { batch: true }), pollingInterval: 200 });
  const wallet = createWalletClient({ chain, account, transport: http(node), pollingInterval: 200 });
  const to = Wallet.createRandom().address;
  const one = 10n ** 18n;
  for (const [type, shown] of [[undefined, "eip1559"], ["legacy", "legacy"], ["eip1559", "eip1559"]]) {
    const hash = await wallet.sendTransaction({ to, value: one, type });
    const receipt = await pub.waitForTransactionReceipt({ hash });
    assert.deepEqual([receipt.status, receipt.type, receipt.effectiveGasPrice], ["success", shown, 0n]);
  }
  assert.equal(await pub.getBalance({ address: to }), 3n * one);
  const request = await wallet.prepareTransactionRequest({ to, value: one });
  const serializedTransaction = await wallet.signTransaction(request);
  assert.equal((await wallet.sendRawTransactionSync({ serializedTransaction })).status, "success");

  const simulated = await pub.simulateContract({ account, abi: erc20Abi, address: token, functionName: "transfer", args: [to, 5n] });
  assert.equal(simulated.result, true);
  const hash = await wallet.writeContract(simulated.request);
  assert.equal((await pub.waitForTransactionReceipt({ hash })).status, "success");
  assert.equal(await pub.readContract({ abi: erc20Abi, address: token, functionName: "balanceOf", args: [to] }), 5n);
  const event = parseAbiItem("event Transfer(address indexed from, address indexed to, uint256 value)");
  const logs = await pub.getLogs({ address: token, event, args: { to }, fromBlock: 0n, strict: true });
  assert.deepEqual(logs.map((l) => l.args.value), [5n]);
  const history = await pub.getFeeHistory({ blockCount: 4, rewardPercentiles: [25, 75] });
  assert.ok(history.baseFeePerGas.every((fee) => fee === 0n) && history.reward.flat().every((fee) => fee === 0n));

  const names = (...wanted) => (error) => {
    const found = [];
    for (let e = error; e; e = e.cause) found.push(e.name);
    return wanted.every((name) => found.includes(name)) || assert.fail(found.join());
  };
  await assert.rejects(wallet.sendTransaction({ to, value: 10n ** 40n }), names("InsufficientFundsError"));
  await assert.rejects(wallet.sendTransaction({ to, value: one, nonce: 0 }), names("NonceTooLowError"));
  await assert.rejects(
    pub.simulateContract({ account, abi: erc20Abi, address: token, functionName: "approve", args: [to, 5n] }),
    (e) => names("ContractFunctionRevertedError")(e) && /no allowances/.test(e.message),
  );
});

test("web3.js lives a wallet's life", async () => {
  const web3 = new Web3(node);
  web3.eth.accounts.wallet.add(info.accounts[3].privateKey);
  const from = web3.eth.accounts.wallet[0].address;
  const to = Wallet.createRandom().address;
  assert.equal(await web3.eth.getChainId(), BigInt(info.chainId));
  assert.equal(await web3.eth.net.getId(), BigInt(info.chainId));
  assert.equal(await web3.eth.isSyncing(), false);
  const sent = await web3.eth.sendTransaction({ from, to, value: "1000000000000000000" });
  assert.equal(sent.status, 1n);
  const shown = await web3.eth.getTransaction(sent.transactionHash);
  assert.deepEqual([shown.type, shown.maxFeePerGas], [2n, 0n]);
  assert.equal(await web3.eth.getBalance(to), 10n ** 18n);
  const contract = new web3.eth.Contract(erc20Abi, token);
  const moved = await contract.methods.transfer(to, "3").send({ from });
  assert.equal(moved.events.Transfer.returnValues.value, 3n);
  assert.equal(await contract.methods.balanceOf(to).call(), 3n);
  const past = await contract.getPastEvents("Transfer", { filter: { to }, fromBlock: 0 });
  assert.deepEqual(past.map((e) => e.returnValues.value), [3n]);
  const block = await web3.eth.getBlock(sent.blockNumber, true);
  assert.ok(block.transactions.some((t) => t.hash === sent.transactionHash));
  const says = (words) => (error) => words.test(`${error.message} ${error.reason} ${error.cause?.message}`);
  await assert.rejects(web3.eth.sendTransaction({ from, to, value: "1" + "0".repeat(40) }), says(/insufficient funds/));
  await assert.rejects(contract.methods.transfer(to, "1" + "0".repeat(30)).send({ from }), says(/available balance/));
});
