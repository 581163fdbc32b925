// What any program for Ethereum does, unchanged: ethers' provider and contract
// move the settlement asset as the coin, and every other asset as an ERC-20.
import { Contract, JsonRpcProvider, Wallet, formatEther, formatUnits, parseEther, parseUnits } from "ethers";
import { keyA, nodes } from "./settings.js";

const erc20 = [
  "function symbol() view returns (string)",
  "function decimals() view returns (uint8)",
  "function balanceOf(address) view returns (uint256)",
  "function transfer(address to, uint256 amount) returns (bool)",
  "event Transfer(address indexed from, address indexed to, uint256 value)",
];

const provider = new JsonRpcProvider(nodes[0]!, undefined, { polling: true, pollingInterval: 250 });
const wallet = new Wallet(keyA, provider);
const to = Wallet.createRandom().address;

// The coin.
const payment = await wallet.sendTransaction({ to, value: parseEther("0.25") });
const paid = await payment.wait();
if (paid?.status !== 1) throw new Error("the payment failed");
console.log(`coin: ${formatEther(await provider.getBalance(to))}, fee ${formatEther(paid.fee)}`);

// A token: its address is the asset's, as `tally asset show USD` prints it.
const usdAddress = process.env.USD ?? (await provider.send("ledger_getAsset", ["USD"])).asset;
const usd = new Contract(usdAddress, erc20, wallet);
const decimals = await usd.getFunction("decimals").staticCall();
const transfer = await usd.getFunction("transfer").send(to, parseUnits("12.34", decimals));
const receipt = await transfer.wait();
const log = usd.interface.parseLog(receipt!.logs[0]!)!;
console.log(`token: ${formatUnits(log.args.value, decimals)} ${await usd.getFunction("symbol").staticCall()} to ${log.args.to === to ? "the recipient" : log.args.to}`);

// What the ledger would refuse fails before it is sent, with the reason.
try {
  await usd.getFunction("transfer").estimateGas(to, parseUnits("999999999999", decimals));
  throw new Error("an impossible payment was estimated");
} catch (e: any) {
  if (!e.reason && e.code !== "CALL_EXCEPTION") throw e;
  console.log(`refused: ${e.reason}`);
}
provider.destroy();
