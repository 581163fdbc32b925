// The receipt proof that a transaction's page offers: a reader's browser saves it by the
// page's own link, and the program checks it against the genesis document and nothing else.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { startDevnet } from "./devnet.mjs";

const base = Number(process.env.TALLY_E2E_PORT ?? 18545) + 5000;
const dir = mkdtempSync(path.join(tmpdir(), "tally-proof-"));
let devnet, site, browser;

// until waits for a condition, up to a minute.
async function until(what, condition) {
  for (const end = Date.now() + 60_000; ; ) {
    const found = await condition();
    if (found) return found;
    assert.ok(Date.now() < end, `never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

before(async () => {
  devnet = await startDevnet(base, "--demo");
  site = devnet.info.explorer;
  browser = await chromium.launch({ executablePath: process.env.TALLY_CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
});

after(async () => {
  await browser?.close();
  rmSync(dir, { recursive: true, force: true });
  assert.equal(await devnet?.stop(), 0);
});

// verify runs the program on a file, with what it knows of the network.
function verify(file, ...flags) {
  try {
    return { code: 0, out: execFileSync(process.env.TALLY_BINARY, ["receipt", "verify", file, "--json", ...flags], { encoding: "utf8", stdio: "pipe" }) };
  } catch (e) {
    return { code: e.status, out: e.stdout + e.stderr };
  }
}

test("a receipt proof is saved by the page's link, with and without JavaScript, and holds", async () => {
  const tx = await until("a transfer two blocks ago", async () => {
    const status = await (await fetch(`${site}/api/v1/status`)).json();
    const list = await (await fetch(`${site}/api/v1/transactions?kind=transfer`)).json();
    return list.items?.find((t) => t.height + 1 < status.height);
  });
  for (const javaScriptEnabled of [true, false]) {
    const page = await (await browser.newContext({ javaScriptEnabled, acceptDownloads: true })).newPage();
    await page.goto(`${site}/transactions/${tx.hash}`);
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Receipt proof (JSON)" }).click()]);
    assert.equal(download.suggestedFilename(), `receipt-proof-${tx.hash}.json`);
    const file = path.join(dir, `proof-${javaScriptEnabled}.json`);
    await download.saveAs(file);
    const { code, out } = verify(file, "--genesis", path.join(devnet.dir, "node0", "genesis.json"));
    assert.equal(code, 0, out);
    const proven = JSON.parse(out);
    assert.equal(proven.hash, tx.hash);
    assert.equal(proven.status, tx.status);
    assert.equal(proven.trust.by, "founders");
    assert.equal(proven.validators.length, 4);

    const changed = JSON.parse(readFileSync(file, "utf8"));
    changed.code = changed.code === 0 ? 100 : 0;
    const wrong = path.join(dir, "changed.json");
    writeFileSync(wrong, JSON.stringify(changed));
    assert.equal(verify(wrong).code, 1);
    await page.context().close();
  }
});
