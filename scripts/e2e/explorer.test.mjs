// The explorer of a real devnet under load, as a reader's browser has it: every page in
// both themes, on a phone and a wide screen, with and without JavaScript, by axe, with
// nothing wrong on the console and nothing asked of others. Screenshots stay in
// TALLY_SCREENSHOTS.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import jsQR from "jsqr";
import { chromium } from "playwright-core";
import { startDevnet } from "./devnet.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const base = Number(process.env.TALLY_E2E_PORT ?? 18545) + 4000;
const pictures = process.env.TALLY_SCREENSHOTS;
const maxPage = 100_000;
let devnet, site, browser, paths;

const api = async (where, of = site) => {
  const response = await fetch(`${of}/api/v1${where}`);
  assert.ok(response.ok, `${where}: ${response.status}`);
  return response.json();
};

// until waits for a condition, up to three minutes.
async function until(what, condition) {
  for (const end = Date.now() + 180_000; ; ) {
    const found = await condition();
    if (found) return found;
    assert.ok(Date.now() < end, `never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const first = (where, fits = () => true) =>
  until(`something at ${where}`, async () => (await api(where).catch(() => ({ items: [] }))).items.find(fits));

before(async () => {
  devnet = await startDevnet(base, "--demo");
  site = devnet.info.explorer;
  const tx = await first("/transactions?kind=transfer&status=applied&limit=100", (t) => t.memo && t.height > 1);
  const applied = async (kind, fits) => (await first(`/transactions?kind=${kind}&status=applied&limit=100`, fits)).hash;
  const board = (await first("/transactions?kind=setKeys&status=applied")).sender;
  const hold = await first("/holds"), member = await first("/members"), validator = await first("/validators");
  const firm = await first("/accounts?limit=100", (a) => a.memberName && a.member !== a.address);
  const proposal = await first("/proposals", (p) => p.status === "executed");
  paths = {
    home: "/", blocks: "/blocks", "blocks-filtered": "/blocks?nonempty=1", block: `/blocks/${tx.height}`, genesis: "/blocks/0", latest: "/blocks/latest",
    transactions: "/transactions", "transactions-refused": "/transactions?result=refused", transaction: `/transactions/${tx.hash}`,
    refused: `/transactions/${(await first("/transactions?status=refused")).hash}`,
    "many-signers": `/transactions/${await applied("transfer", (t) => t.sender === board)}`, board: `/transactions/${await applied("setKeys")}`,
    propose: `/transactions/${await applied("propose")}`, vote: `/transactions/${await applied("castVote")}`, "hold-made": `/transactions/${await applied("createHold")}`,
    accounts: "/accounts", account: `/accounts/${tx.sender}`, "account-of-board": `/accounts/${board}`, "account-of-member": `/accounts/${firm.address}`, "account-admin": `/accounts/${member.member}`,
    assets: "/assets", asset: "/assets/USD", holds: "/holds", hold: `/holds/${hold.hold}`,
    members: "/members", member: `/members/${member.member}`, validators: "/validators", validator: `/validators/${validator.consensusAddress}`,
    proposals: "/proposals", proposal: `/proposals/${proposal.proposal}`,
    search: "/search?q=invoice", "search-none": "/search?q=zzzznothing", "search-empty": "/search", network: "/network", "network-hour": "/network?period=hour",
    reference: "/api", missing: "/nothing-here", "missing-block": "/blocks/999999999",
  };
  browser = await chromium.launch({ executablePath: process.env.TALLY_CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
});

after(async () => {
  await browser?.close();
  assert.equal(await devnet?.stop(), 0);
});

const gone = (name) => name.startsWith("missing");

// watched opens a page whose faults are kept: what its console says, what it asks
// others for. Only that a page which is not there is not there is no fault.
async function watched(options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const faults = [];
  page.on("console", (m) => m.type() === "error" && !(m.text().includes("404 (Not Found)") && m.location().url === page.url()) && faults.push(`${page.url()}: ${m.text()}`));
  page.on("pageerror", (e) => faults.push(`${page.url()}: ${e.message}`));
  page.on("request", (r) => new URL(r.url()).origin !== site && faults.push(`${page.url()} asks for ${r.url()}`));
  return { context, page, faults };
}

// keep leaves a picture for a person to look at.
async function keep(page, name, fullPage = true) {
  if (!pictures) return;
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: path.join(pictures, `${name}.png`), fullPage });
}

// show goes to a page and keeps its picture.
async function show(page, name, mode) {
  const response = await page.goto(site + paths[name], { waitUntil: "load" });
  assert.equal(response.status(), gone(name) ? 404 : 200, name);
  await keep(page, `${mode}-${name}`);
}

for (const [width, device] of [[1280, "wide"], [390, "phone"]]) {
  for (const colorScheme of ["light", "dark"]) {
    test(`every page, ${device} and ${colorScheme}: nothing scrolls sideways, axe finds nothing`, async () => {
      // axe is put into the page from outside, which the policy is there to forbid; the
      // console is watched under the policy by the next test.
      const { context, page } = await watched({ viewport: { width, height: 900 }, colorScheme, bypassCSP: true });
      const found = [];
      for (const name of Object.keys(paths)) {
        await show(page, name, `${device}-${colorScheme}`);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (over > 0) found.push(`${name} scrolls sideways by ${over}`);
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"] }));
        found.push(...violations.map((v) => `${name}: ${v.id} ${v.nodes[0].html}`));
      }
      assert.deepEqual(found, []);
      await context.close();
    });
  }
}

for (const [width, what] of [[320, "a small phone"], [1920, "a large screen"]]) {
  test(`nothing scrolls sideways on ${what}`, async () => {
    const { context, page } = await watched({ viewport: { width, height: 900 } });
    for (const name of ["home", "block", "transaction", "many-signers", "account", "asset", "member", "validator", "proposal", "hold", "search", "network", "reference", "missing"]) {
      await page.goto(site + paths[name]);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), name);
    }
    await context.close();
  });
}

test("every page keeps to its policy, asks nobody else, and says nothing wrong on the console", async () => {
  const { context, page, faults } = await watched({});
  for (const [name, where] of Object.entries(paths)) {
    const response = await page.goto(site + where, { waitUntil: "load" });
    const policy = response.headers()["content-security-policy"] ?? "";
    assert.match(policy, /default-src 'none'/, name);
    assert.doesNotMatch(policy, /unsafe|\*|https?:/, name);
    const inline = await page.evaluate(() => document.querySelectorAll("[style], style, script:not([src])").length);
    assert.equal(inline, 0, `${name} has styles or scripts of its own`);
  }
  assert.deepEqual(faults, []);
  await context.close();
});

test("every page is below 100 KB", async (t) => {
  let slowest = { ms: 0 };
  for (const [name, where] of Object.entries(paths)) {
    const begun = performance.now();
    const response = await fetch(site + where);
    const size = (await response.arrayBuffer()).byteLength;
    const ms = performance.now() - begun;
    assert.ok(size < maxPage, `${name}: ${size} bytes`);
    if (ms > slowest.ms) slowest = { name, ms };
  }
  // How fast they are is measured, not tested: scripts/explorer-load.
  t.diagnostic(`the slowest was ${slowest.name}, ${slowest.ms.toFixed(0)} ms`);
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

// freePort is one that nothing listens on.
const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

test("live updates go on by themselves after the server was away, without a gap", async () => {
  const dir = mkdtempSync(path.join(tmpdir(), "tally-explorer-"));
  const port = await freePort();
  const own = `http://127.0.0.1:${port}`;
  let child;
  const start = async () => {
    const { height } = await api("/status");
    child = spawn(process.env.TALLY_BINARY, ["explorer", "--rpc", devnet.info.rpc[0], "--db", path.join(dir, "explorer.db"), "--listen", `127.0.0.1:${port}`], { stdio: ["ignore", "ignore", "inherit"] });
    await until("the explorer is ready and up to date", async () => {
      const status = await api("/status", own).catch(() => undefined);
      return status?.behind === false && status.height >= height; // it is not behind before it has asked the node either
    });
  };
  const stop = async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGINT");
    await exited;
  };
  const context = await browser.newContext();
  try {
    await start();
    const page = await context.newPage();
    await page.goto(own);
    const top = async () => Number((await page.locator("#live-blocks a").first().textContent()).replaceAll(",", ""));
    const begun = await top();
    await until("a newer block", async () => (await top()) > begun);
    await page.evaluate(() => (globalThis.unbroken = true));
    await stop();
    await until("the page says that it is not connected", async () => (await page.locator("#livesays").textContent()) === "Connecting again…");
    const held = await top();
    await start();
    await until("blocks that came after", async () => (await top()) > held + 20);
    const shown = (await page.locator("#live-blocks a").allTextContents()).map((t) => Number(t.replaceAll(",", "")));
    assert.deepEqual(shown, shown.map((_, i) => shown[0] - i), "a block is missing or stands twice");
    assert.ok(await page.evaluate(() => globalThis.unbroken), "the page was loaded again");
  } finally {
    await context.close();
    await stop();
    rmSync(dir, { recursive: true, force: true });
  }
});

test("a newcomer goes from search to transfer, block, account, member and proposal by links alone", async () => {
  const { context, page, faults } = await watched({});
  const hash = paths["many-signers"].split("/").at(-1);
  await page.goto(site);
  await page.getByRole("searchbox").fill(hash);
  await page.getByRole("searchbox").press("Enter");
  await page.waitForURL(`**/transactions/${hash}`);
  assert.match(await page.locator(".sentences").first().textContent(), /paid .* to /);
  assert.equal(await page.locator("dt:text-is('Signed by') + dd li").count(), 2);
  await page.locator(".verdict a").click();
  await page.waitForURL("**/blocks/*");
  const payer = await page.locator(`tr:has(a[href="/transactions/${hash}"]) a.who`).first().getAttribute("href");
  await page.locator(`tr:has(a[href="/transactions/${hash}"]) a.who`).first().click();
  await page.waitForURL(`**${payer}`);
  assert.ok(await page.locator("svg.qr").count());
  await page.locator('.pagehead a[href^="/members/"]').click();
  await page.waitForURL("**/members/*");
  await until("a proposal of this member or another", async () => {
    const own = page.getByRole("link", { name: /^Proposal \d+$/ });
    if (!(await own.count())) await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Proposals" }).click();
    return own.count();
  });
  await page.getByRole("link", { name: /^Proposal \d+$/ }).last().click();
  await page.waitForURL("**/proposals/*");
  assert.match(await page.locator("main").textContent(), /How members voted/);
  assert.deepEqual(faults, []);
  await context.close();
});

test("a refused transaction says why, and an address that is not there says so", async () => {
  const { context, page } = await watched({});
  await page.goto(site + paths.refused);
  assert.match(await page.locator(".verdict-refused").textContent(), /^Refused: \S.{10,}/);
  await page.goto(site + paths["missing-block"]);
  assert.match(await page.locator(".lead").textContent(), /is not in the index.*blocks up to/);
  await context.close();
});

test("search finds things of every kind, says what each is, and goes to what is certain", async () => {
  const { context, page, faults } = await watched({});
  const look = async (words) => {
    await page.getByRole("searchbox").fill(words);
    await page.getByRole("button", { name: "Search" }).click();
    await page.waitForLoadState("load");
  };
  await page.goto(site);
  const { items: [member] } = await api("/members");
  for (const [words, place] of [[paths.block.split("/").at(-1), paths.block], [paths.account.split("/").at(-1), paths.account], [paths.hold.split("/").at(-1), paths.hold]]) {
    await look(words);
    const chips = page.locator(`.hits a[href="${place}"]`);
    assert.ok(page.url() === site + place || (await chips.count()), `${words} finds ${place}, not ${page.url()}`);
  }
  const prefix = paths.transaction.split("/").at(-1).slice(0, 14);
  await look(prefix);
  assert.ok(page.url() === site + paths.transaction || (await page.locator(`a[href="${paths.transaction}"]`).count()), prefix);
  for (const [words, kind] of [["US Dolar", "asset"], [member.name, "member"], ["invoice", "memo"], ["CAPITAL", "reference"], ["audit report", "proposal"]]) {
    await look(words);
    const at = page.url();
    const kinds = await page.locator(".hits .chip").allTextContents();
    assert.ok(kinds.includes(kind) || at.includes(`/${kind}s/`), `${words}: ${kinds} at ${at}`);
  }
  await look("zzzznothing");
  assert.match(await page.locator("main").textContent(), /Nothing was found/);
  await look("<img src=x onerror=alert(1)> ' OR 1=1 --");
  assert.equal(await page.locator("main img").count(), 0);
  assert.deepEqual(faults, []);
  await context.close();
});

test("without JavaScript everything is there, the theme too", async () => {
  const { context, page } = await watched({ javaScriptEnabled: false });
  for (const [name, where] of Object.entries(paths)) {
    const response = await page.goto(site + where);
    assert.equal(response.status(), gone(name) ? 404 : 200, name);
    assert.equal(await page.locator("h1").count(), 1, name);
    assert.equal(await page.locator("button.copy:visible").count(), 0, `${name}: a button that does nothing`);
    if (["home", "transaction", "account"].includes(name)) await keep(page, `no-javascript-${name}`);
  }
  await page.goto(site);
  await page.getByRole("searchbox").fill("invoice");
  await page.getByRole("button", { name: "Search" }).click();
  await until("a hit", () => page.locator(".hits li").count());
  await page.goto(`${site}/transactions`);
  await page.getByLabel("Result").selectOption("refused");
  await page.getByRole("button", { name: "Show" }).click();
  await until("what was refused", () => page.locator("tbody .chip-refused").count());
  await page.goto(`${site}/blocks`);
  assert.match(await page.locator("time").first().textContent(), /UTC$/);
  await page.getByRole("button", { name: "Use dark colours" }).click();
  await until("dark colours", async () => (await page.locator("html").getAttribute("data-theme")) === "dark");
  await context.close();
});

test("times are the reader's, with UTC on hover", async () => {
  const { context, page } = await watched({ timezoneId: "Asia/Tokyo", locale: "en-GB" });
  await page.goto(site + paths.transaction);
  const time = page.locator(".verdict time");
  const instant = new Date(await time.getAttribute("datetime"));
  const there = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium", timeZone: "Asia/Tokyo" }).format(instant);
  assert.equal(await time.textContent(), there);
  assert.equal(await time.getAttribute("title"), instant.toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC"));
  await context.close();
});

test("copy buttons copy the whole of every hash and address", async () => {
  const { context, page, faults } = await watched({ permissions: ["clipboard-read", "clipboard-write"] });
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  for (const name of Object.keys(paths)) {
    await page.goto(site + paths[name]);
    const bare = await page.evaluate(
      () => [...document.querySelectorAll("main .hash")].filter((h) => !(h.closest("a") ?? h).nextElementSibling?.matches("button.copy")).map((h) => h.outerHTML),
    );
    assert.deepEqual(bare, [], `${name}: hashes without a button`);
    const buttons = page.locator("main button.copy");
    const last = (await buttons.count()) - 1;
    for (const i of last < 0 ? [] : new Set([0, last])) {
      const button = buttons.nth(i);
      await button.focus(); // in tables they appear for the pointer and the keyboard
      const want = await page.evaluate(() => document.activeElement.dataset.copy); // on a live page another may stand in its place
      assert.match(want, /^(0x)?[0-9a-fA-F]{40,}$/, name);
      await page.keyboard.press("Enter");
      await until(`${name}: ${want} is copied`, async () => (await copied()) === want);
    }
  }
  assert.deepEqual(faults, []);
  await context.close();
});

test("within a text the copy button comes to the pointer, and is there for a finger", async () => {
  const permissions = ["clipboard-read", "clipboard-write"];
  const wide = await watched({ permissions, viewport: { width: 1280, height: 900 } });
  for (const [name, where] of [["transaction", ".sentences"], ["transactions", ".flow"]]) {
    const { page } = wide;
    await page.goto(site + paths[name]);
    const hash = page.locator(`main ${where} a:has(.hash)`).first();
    const button = hash.locator("xpath=following-sibling::*[1]");
    const seen = () => button.evaluate((b) => getComputedStyle(b).opacity);
    const after = () => hash.evaluate((e) => {
      for (let next = e.nextElementSibling.nextSibling; ; next = next.nextSibling) {
        const range = document.createRange();
        range.selectNode(next);
        const { left, width } = range.getBoundingClientRect();
        if (width) return left;
      }
    });
    assert.equal(await seen(), "0", name);
    const there = await after();
    await button.evaluate((b) => (b.style.display = "none"));
    assert.equal(await after(), there, `${name}: the button takes room`);
    await button.evaluate((b) => (b.style.display = ""));
    await page.evaluate(() => navigator.clipboard.writeText(""));
    await hash.hover();
    assert.equal(await seen(), "1", name);
    assert.equal(await after(), there, `${name}: the button moves what follows`);
    const { x, y, width, height } = await button.boundingBox();
    await page.mouse.move(x + width / 2, y + height / 2, { steps: 30 });
    assert.equal(await seen(), "1", `${name}: it stays for the pointer`);
    await page.mouse.down();
    await page.mouse.up();
    const want = (await hash.getAttribute("href")).split("/").at(-1);
    await until(`${name}: ${want} is copied`, async () => (await page.evaluate(() => navigator.clipboard.readText())) === want);
    assert.equal(page.url(), site + paths[name]);
    await keep(page, `wide-light-${name}-copy`);
  }
  const phone = await watched({ permissions, viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  for (const name of ["home", "transaction", "transactions", "account", "asset", "hold", "member", "propose"]) {
    const { page } = phone;
    await page.goto(site + paths[name]);
    await keep(page, `touch-light-${name}`, false); // Chromium has a mouse while it takes a whole page
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} scrolls sideways`);
    assert.ok((await page.locator("main button.copy").count()) > 1, `${name}: there are buttons`);
    const hidden = await page.evaluate(() => [...document.querySelectorAll("main button.copy")].filter((b) => getComputedStyle(b).opacity !== "1" || !b.getBoundingClientRect().width).length);
    assert.equal(hidden, 0, `${name}: buttons that a finger cannot find`);
  }
  assert.deepEqual([...wide.faults, ...phone.faults], []);
  await wide.context.close();
  await phone.context.close();
});

test("the QR code of an account is its address", async () => {
  const { context, page } = await watched({ bypassCSP: true, colorScheme: "dark" });
  await page.goto(site + paths.account);
  // The drawing goes onto a canvas, whose pixels a decoder that is not ours reads.
  const { data, size } = await page.evaluate(async () => {
    const drawing = document.querySelector("svg.qr").cloneNode(true);
    const size = 400;
    drawing.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    drawing.setAttribute("width", size);
    drawing.setAttribute("height", size);
    for (const [part, fill] of [[".qr-paper", getComputedStyle(document.querySelector(".qr-paper")).fill], [".qr-ink", getComputedStyle(document.querySelector(".qr-ink")).fill]]) drawing.querySelector(part).setAttribute("fill", fill);
    const image = new Image();
    image.src = `data:image/svg+xml,${encodeURIComponent(drawing.outerHTML)}`;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: size, height: size });
    const on = canvas.getContext("2d");
    on.drawImage(image, 0, 0, size, size);
    return { data: [...on.getImageData(0, 0, size, size).data], size };
  });
  assert.equal(jsQR(new Uint8ClampedArray(data), size, size)?.data, paths.account.split("/").at(-1));
  await context.close();
});

test("the keyboard alone is enough: skip, search, go to a transaction, change the theme", async () => {
  const { context, page, faults } = await watched({});
  const active = (what) => page.evaluate((what) => document.activeElement[what], what);
  const tabTo = async (what, fits) => {
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press("Tab");
      const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
      assert.notEqual(ring, "none", `${what}: what has the focus cannot be seen`);
      if (await page.evaluate(fits)) return;
    }
    assert.fail(`${what} is not reached`);
  };
  await page.goto(site + paths.block);
  await page.keyboard.press("Tab");
  assert.equal(await active("textContent"), "Skip to the content");
  await page.keyboard.press("Enter");
  assert.equal(await active("id"), "content");
  await tabTo("a transaction", () => document.activeElement.matches('main a[href^="/transactions/"]'));
  await page.keyboard.press("Enter");
  await page.waitForURL("**/transactions/*");
  await tabTo("the search", () => document.activeElement.matches("#q"));
  await page.keyboard.type("US Dollar");
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => /\/(search|assets)/.test(url.pathname));
  await tabTo("the theme", () => document.activeElement.closest(".theme"));
  await page.keyboard.press("Enter");
  assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
  await page.reload();
  assert.equal(await page.locator("html").getAttribute("data-theme"), "dark", "the choice is kept");
  assert.deepEqual(faults, []);
  await context.close();
});
