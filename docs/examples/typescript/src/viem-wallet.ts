// What any program for Ethereum does, unchanged: viem's clients move the
// settlement asset as the coin, and every other asset as an ERC-20.
import { createPublicClient, createWalletClient, defineChain, erc20Abi, formatEther, formatUnits, http, parseEther, parseEventLogs, parseUnits } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { keyB, nodes } from "./settings.js";

const transport = http(nodes[0]!);
const id = await createPublicClient({ transport }).getChainId();
const chain = defineChain({
  id, name: "Tallystick", nativeCurrency: { name: "Tally", symbol: "TALLY", decimals: 18 }, rpcUrls: { default: { http: nodes } },
});
const account = privateKeyToAccount(keyB);
const reads = createPublicClient({ chain, transport, pollingInterval: 250 });
const wallet = createWalletClient({ chain, transport, account });
const to = privateKeyToAccount(generatePrivateKey()).address;

// The coin.
const hash = await wallet.sendTransaction({ to, value: parseEther("0.25") });
const paid = await reads.waitForTransactionReceipt({ hash });
if (paid.status !== "success") throw new Error("the payment failed");
console.log(`coin: ${formatEther(await reads.getBalance({ address: to }))}, fee ${formatEther(paid.gasUsed * paid.effectiveGasPrice)}`);

// A token: its address is the asset's, as `tally asset show USD` prints it.
const { asset } = (await reads.request({ method: "ledger_getAsset", params: ["USD"] } as never)) as { asset: `0x${string}` };
const usd = { address: asset, abi: erc20Abi } as const;
const decimals = await reads.readContract({ ...usd, functionName: "decimals" });
const { request } = await reads.simulateContract({ ...usd, functionName: "transfer", args: [to, parseUnits("12.34", decimals)], account });
const receipt = await reads.waitForTransactionReceipt({ hash: await wallet.writeContract(request) });
const [log] = parseEventLogs({ abi: erc20Abi, eventName: "Transfer", logs: receipt.logs });
console.log(`token: ${formatUnits(log!.args.value, decimals)} ${await reads.readContract({ ...usd, functionName: "symbol" })} to ${log!.args.to === to ? "the recipient" : log!.args.to}`);

// What the ledger would refuse fails before it is sent, with the reason.
try {
  await reads.simulateContract({ ...usd, functionName: "transfer", args: [to, parseUnits("999999999999", decimals)], account });
  throw new Error("an impossible payment was simulated");
} catch (e: any) {
  if (e.name !== "ContractFunctionExecutionError") throw e;
  console.log(`refused: ${e.cause?.reason ?? e.shortMessage}`);
}
