// Starts a real devnet of four validators in a new directory, and stops it.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import readline from "node:readline";

const binary = process.env.TALLY_BINARY;
if (!binary) throw new Error("TALLY_BINARY is not set: run scripts/check-e2e");

// startDevnet resolves to { info, dir, stop } of a devnet in dir with further flags, with info the line that
// `tally devnet --json` prints when it is ready.
export async function startDevnet(basePort, ...flags) {
  const dir = mkdtempSync(path.join(tmpdir(), "tally-e2e-"));
  const child = spawn(binary, ["devnet", "--json", "--dir", dir, "--base-port", String(basePort), ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const lines = readline.createInterface({ input: child.stdout });
  const first = new Promise((resolve) => lines.once("line", resolve));
  const line = await Promise.race([
    first,
    exited.then((code) => {
      throw new Error(`the devnet ended with code ${code} before it was ready`);
    }),
  ]);
  const stop = async () => {
    child.kill("SIGINT");
    const code = await exited;
    rmSync(dir, { recursive: true, force: true });
    return code;
  };
  return { info: JSON.parse(line), dir, stop };
}

// call makes one JSON-RPC call. An error answer is thrown with its code and data.
export async function call(url, method, ...params) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  const answer = await response.json();
  if (answer.error) {
    throw Object.assign(new Error(answer.error.message), { code: answer.error.code, data: answer.error.data });
  }
  return answer.result;
}
