// The explorer of a real devnet under load, as a reader's browser has it: every page
// in both themes, on a phone and a wide screen, with and without JavaScript, by axe,
// and with nothing wrong on the console. Screenshots stay in TALLY_SCREENSHOTS.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { startDevnet } from "./devnet.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const base = Number(process.env.TALLY_E2E_PORT ?? 18545) + 4000;
const pictures = process.env.TALLY_SCREENSHOTS;
const maxPage = 100_000;
let devnet, site, browser, paths;

const api = async (where) => {
  const response = await fetch(`${site}/api/v1${where}`);
  assert.ok(response.ok, `${where}: ${response.status}`);
  return response.json();
};

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
  const list = async (where) => (await api(where)).items;
  const first = (where) => until(`something at ${where}`, async () => (await list(where).catch(() => []))[0]);
  const tx = await first("/transactions?kind=transfer&status=applied");
  const [proposal, hold, member, validator] = [await first("/proposals"), await first("/holds"), await first("/members"), await first("/validators")];
  paths = {
    home: "/", blocks: "/blocks", block: `/blocks/${tx.height}`, genesis: "/blocks/0", transactions: "/transactions", transaction: `/transactions/${tx.hash}`,
    accounts: "/accounts", account: `/accounts/${tx.sender}`, assets: "/assets", asset: "/assets/USD", holds: "/holds", hold: `/holds/${hold.hold}`,
    members: "/members", member: `/members/${member.member}`, validators: "/validators", validator: `/validators/${validator.consensusAddress}`,
    proposals: "/proposals", proposal: `/proposals/${proposal.proposal}`, search: "/search?q=invoice", network: "/network", reference: "/api", missing: "/nothing-here",
  };
  browser = await chromium.launch({ executablePath: process.env.TALLY_CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
});

after(async () => {
  await browser?.close();
  assert.equal(await devnet?.stop(), 0);
});

// watched opens a page whose faults are kept: what its console says, what it asks
// others for.
async function watched(options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const faults = [];
  page.on("console", (m) => m.type() === "error" && !m.text().includes("404 (Not Found)") && faults.push(`${page.url()}: ${m.text()}`));
  page.on("pageerror", (e) => faults.push(`${page.url()}: ${e.message}`));
  page.on("request", (r) => !r.url().startsWith(site) && !r.url().startsWith("data:") && faults.push(`${page.url()} asks for ${r.url()}`));
  return { context, page, faults };
}

// show goes to a page and keeps its picture.
async function show(page, name, mode) {
  const response = await page.goto(site + paths[name], { waitUntil: "load" });
  assert.equal(response.status(), name === "missing" ? 404 : 200, name);
  assert.ok((await response.body()).length < maxPage, `${name} is too large`);
  if (pictures) {
    mkdirSync(pictures, { recursive: true });
    await page.screenshot({ path: path.join(pictures, `${mode}-${name}.png`), fullPage: true });
  }
}

for (const [mode, width, colorScheme] of [["wide-light", 1280, "light"], ["phone-dark", 390, "dark"]]) {
  test(`every page, ${mode}: whole, nothing wrong, axe finds nothing`, async () => {
    // axe is put into the page from outside, which the policy is there to forbid; the
    // console is watched under the policy by the other tests.
    const { context, page, faults } = await watched({ viewport: { width, height: 900 }, colorScheme, bypassCSP: true });
    for (const name of Object.keys(paths)) {
      await show(page, name, mode);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${name} scrolls sideways by ${over}`);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      assert.deepEqual(violations.map((v) => `${name}: ${v.id} ${v.nodes[0].html}`), []);
    }
    assert.deepEqual(faults, []);
    await context.close();
  });
}

test("every page keeps to its policy", async () => {
  const { context, page, faults } = await watched({});
  for (const where of Object.values(paths)) await page.goto(site + where, { waitUntil: "load" });
  assert.deepEqual(faults, []);
  await context.close();
});

test("new blocks and transactions come by themselves, and can be paused", async () => {
  const { context, page, faults } = await watched({});
  await page.goto(site);
  const top = () => page.locator("#live-blocks a").first().textContent();
  const begun = await top();
  await until("a newer block", async () => (await top()) !== begun);
  await until("a transaction that came", () => page.locator("#live-transactions tr.new").count());
  await page.getByRole("button", { name: "Pause" }).click();
  const held = await top();
  const { height } = await api("/status");
  await until("three more blocks", async () => (await api("/status")).height >= height + 3);
  assert.equal(await top(), held);
  await page.getByRole("button", { name: "Go on" }).click();
  await until("the blocks since", async () => (await top()) !== held);
  assert.deepEqual(faults, []);
  await context.close();
});

test("a reader follows a transfer from search to block to account to proposal", async () => {
  const { context, page, faults } = await watched({});
  const hash = paths.transaction.split("/").at(-1);
  await page.goto(site);
  await page.getByRole("searchbox").fill(hash);
  await page.getByRole("searchbox").press("Enter");
  await page.waitForURL(`**/transactions/${hash}`);
  assert.match(await page.locator(".sentences").first().textContent(), /paid .* to /);
  await page.locator(".verdict a").click();
  await page.waitForURL("**/blocks/*");
  await page.locator("main .who").first().click();
  await page.waitForURL("**/accounts/*");
  assert.ok(await page.locator("svg.qr").count());
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Proposals" }).click();
  await page.getByRole("link", { name: /^Proposal \d+$/ }).last().click();
  await page.waitForURL("**/proposals/*");
  assert.match(await page.locator("main").textContent(), /How members voted/);
  assert.deepEqual(faults, []);
  await context.close();
});

test("without JavaScript everything is there, the theme too", async () => {
  const { context, page } = await watched({ javaScriptEnabled: false });
  for (const [name, where] of Object.entries(paths)) {
    await page.goto(site + where);
    assert.equal(await page.locator("h1").count(), 1, name);
    assert.equal(await page.locator("button.copy:visible").count(), 0, `${name}: a button that does nothing`);
  }
  await page.goto(`${site}/blocks`);
  assert.match(await page.locator("time").first().textContent(), /UTC$/);
  await page.getByRole("button", { name: "Use dark colours" }).click();
  await page.waitForURL("**/blocks");
  assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
  await context.close();
});

test("times are the reader's, with UTC beside; hashes can be copied", async () => {
  const { context, page } = await watched({ timezoneId: "Asia/Tokyo", locale: "en-GB", permissions: ["clipboard-read", "clipboard-write"] });
  await page.goto(site + paths.transaction);
  const time = page.locator(".verdict time");
  assert.match(await time.getAttribute("title"), /UTC$/);
  const instant = new Date(await time.getAttribute("datetime"));
  const there = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium", timeZone: "Asia/Tokyo" }).format(instant);
  assert.equal(await time.textContent(), there);
  await page.locator("h1 button.copy").click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), paths.transaction.split("/").at(-1));
  await context.close();
});

test("the keyboard alone is enough to begin", async () => {
  const { context, page } = await watched({});
  await page.goto(site);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the content");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "content");
  await context.close();
});
