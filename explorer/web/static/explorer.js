// What the pages do beyond HTML: times in the reader's zone, copying, the theme
// without a reload, and new blocks as they come. Without it everything still works.
"use strict";

const UNITS = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
const zoned = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const short = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "always", style: "short" });
const whole = new Intl.NumberFormat("en");

const utc = (date) => date.toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC");

// age says how long ago a moment was; after a day it says when it was.
function age(date) {
  const seconds = Math.max(0, Math.round((Date.now() - date) / 1000));
  if (seconds >= 86400) return zoned.format(date);
  const [size, unit] = UNITS.find(([size]) => seconds >= size) ?? UNITS.at(-1);
  return relative.format(-Math.floor(seconds / size), unit);
}

function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const date = new Date(time.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    time.title = utc(date);
    time.textContent = time.classList.contains("age") ? age(date) : zoned.format(date);
  }
  for (const place of root.querySelectorAll("[data-unix]")) {
    const date = new Date(Number(place.dataset.unix) * 1000);
    if (Number.isNaN(date.getTime())) continue;
    place.title = utc(date);
    place.textContent = (place.tagName === "TIME" ? zoned : short).format(date);
  }
}

function ages() {
  for (const time of document.querySelectorAll("time.age[datetime]")) {
    const text = age(new Date(time.dateTime));
    if (time.textContent !== text) time.textContent = text;
  }
}

// offerCopies puts a button beside every shortened hash and address: they would do
// nothing without this script, so they are not in the HTML. Within a text the button
// takes no room, and comes to the pointer and the keyboard.
function offerCopies(root) {
  if (!navigator.clipboard) return;
  for (const hash of root.querySelectorAll(".hash[title]")) addCopy(hash);
}

function addCopy(hash) {
  const place = hash.closest("a") ?? hash;
  if (place.nextElementSibling?.classList.contains("copy")) return;
  const button = document.getElementById("copybutton").content.firstElementChild.cloneNode(true);
  button.classList.toggle("within", Boolean(place.closest(`.flow, .sentences, .lead, [data-label="What"]`)));
  button.dataset.copy = hash.title;
  button.querySelector(".unseen").textContent = `Copy ${hash.querySelector(".short").textContent}`;
  place.after(button);
}

function copying() {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("button.copy")) button.hidden = false;
  offerCopies(document);
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      return say("It could not be copied");
    }
    const mark = button.querySelector("use");
    mark.setAttribute("href", "#doneicon");
    button.classList.add("done");
    say("Copied");
    setTimeout(() => {
      mark.setAttribute("href", "#copyicon");
      button.classList.remove("done");
    }, 1500);
  });
}

const say = (text) => (document.getElementById("spoken").textContent = text);

function themes() {
  const form = document.querySelector("form.theme");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const theme = event.submitter.value;
    document.documentElement.dataset.theme = theme;
    document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax`;
    form.querySelector(theme === "dark" ? ".to-light" : ".to-dark").focus();
  });
}

// Amounts have up to 39 digits: they are texts, and stay exact.
function decimal(units, decimals) {
  const digits = units.padStart(decimals + 1, "0");
  const at = digits.length - decimals;
  let fraction = digits.slice(at);
  while (fraction.length > 2 && fraction.endsWith("0")) fraction = fraction.slice(0, -1);
  const before = digits.slice(0, at).replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction ? `${before}.${fraction}` : before;
}

const bytes = (n) => (n < 1000 ? `${n} B` : n < 1e6 ? `${(n / 1e3).toFixed(1)} KB` : `${(n / 1e6).toFixed(1)} MB`);
const spaced = (name) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

// What others wrote never gets further than textContent.
function show(row, part, text, href) {
  const place = row.querySelector(`[data-part="${part}"]`);
  if (href) place.href = href;
  const hash = place.querySelector(".hash");
  if (hash && text.startsWith("0x")) {
    hash.title = text;
    hash.querySelector(".short").textContent = `${text.slice(0, 6)}…${text.slice(-4)}`;
    hash.querySelector(".unseen").textContent = text;
  } else {
    place.textContent = text;
  }
  return place;
}

const fresh = (name) => document.getElementById(name).content.firstElementChild.cloneNode(true);

function blockRow(block) {
  const row = fresh("row-block");
  show(row, "height", whole.format(block.height), `/blocks/${block.height}`);
  const time = row.querySelector("time");
  const date = new Date(block.time * 1000);
  time.dateTime = date.toISOString();
  time.title = utc(date);
  time.textContent = age(date);
  show(row, "transactions", whole.format(block.transactions) + (block.refused ? ` (${whole.format(block.refused)} refused)` : ""));
  show(row, "size", bytes(block.sizeBytes));
  return row;
}

function transactionRow(tx, names) {
  const row = fresh("row-transaction");
  show(row, "hash", tx.hash, `/transactions/${tx.hash}`);
  const status = show(row, "status", tx.status);
  status.classList.add(`chip-${tx.status}`);
  const party = (part, address, none) => {
    const place = show(row, part, names.get(address) ?? address ?? none, address ? `/accounts/${address}` : undefined);
    if (address) place.title = address;
  };
  const first = tx.first;
  if (first) {
    party("from", first.from, "issued");
    party("to", first.to, "redeemed");
    show(row, "amount", decimal(first.amount, first.decimals));
    show(row, "asset", first.symbol, `/assets/${first.symbol}`);
    if (first.type !== "transfer" && first.from && first.to) show(row, "kind", ` ${spaced(first.type)}`);
  } else {
    party("from", tx.sender);
    for (const extra of [".arrow", '[data-part="to"]', ".money"]) row.querySelector(extra).remove();
    show(row, "kind", ` ${spaced(tx.kind)}`);
  }
  offerCopies(row);
  return row;
}

function prepend(body, row) {
  body.querySelector(".empty")?.remove();
  body.prepend(row);
  while (body.children.length > Number(body.dataset.most)) body.lastElementChild.remove();
}

// banners makes the page anew where it should say, or no longer say, that the index is
// behind or wrong. What passes within seconds is not worth it.
async function banners() {
  const answer = await fetch("/api/v1/status").catch(() => null);
  if (!answer?.ok) return;
  const status = await answer.json();
  const wrong = status.behind || status.differences > 0 || Boolean(status.error);
  if (wrong !== Boolean(document.querySelector(".banner"))) location.reload();
}

// live follows the ledger. Several blocks a second are shown at once, and what is
// said aloud comes every ten seconds.
async function live() {
  const { height } = document.body.dataset;
  if (!("live" in document.body.dataset) || !window.EventSource) return;
  const blocks = document.getElementById("live-blocks");
  const transactions = document.getElementById("live-transactions");
  const bar = document.querySelector(".livebar");
  const newer = document.getElementById("newer");
  const names = new Map();
  let waiting = [], paused = false, seen = 0, spoken = Date.now(), newest = Number(height);
  if (blocks) {
    const members = await fetch("/api/v1/members").then((r) => (r.ok ? r.json() : { items: [] })).catch(() => ({ items: [] }));
    for (const m of members.items) names.set(m.member, m.name);
  }
  const figure = (name, by) => {
    const place = document.querySelector(`[data-figure="${name}"]`);
    if (place && by) place.textContent = whole.format(Number(place.textContent.replaceAll(",", "")) + by);
  };
  const flush = () => {
    if (paused || !waiting.length) return;
    const events = waiting;
    waiting = [];
    if (newer) {
      seen += events.length;
      newer.hidden = false;
      newer.querySelector('[data-part="n"]').textContent = `${whole.format(seen)} new ${seen === 1 ? "block" : "blocks"} since this page was made: show`;
      return;
    }
    if (!blocks) return;
    for (const { block, transactions: list } of events) {
      prepend(blocks, blockRow(block));
      for (const tx of list) prepend(transactions, transactionRow(tx, names));
      figure("height", 1);
      figure("transactions", block.transactions);
      figure("transfers", block.transfers);
    }
    const last = events.at(-1).block;
    document.getElementById("livesays").textContent = `Live, block ${whole.format(last.height)}`;
    if (Date.now() - spoken > 10_000) {
      spoken = Date.now();
      say(`Block ${last.height} with ${last.transactions} transactions`);
    }
  };
  // A browser connects again by itself, from the last event on, but gives up where
  // nothing listens or the answer is no stream: then a new stream goes on from here.
  let source;
  const connect = (after) => {
    source = new EventSource(`/api/v1/events?after=${after}`);
    source.addEventListener("open", () => {
      if (bar) bar.hidden = false;
    });
    source.addEventListener("block", (event) => {
      const data = JSON.parse(event.data);
      if (data.block.height <= newest) return; // it came again with a new connection
      newest = data.block.height;
      waiting.push(data);
      if (waiting.length > 50) waiting = waiting.slice(-50);
    });
    source.addEventListener("reset", (event) => (newest = JSON.parse(event.data).next - 1));
    source.addEventListener("status", () => setTimeout(banners, 3000));
    source.addEventListener("error", () => {
      const text = document.getElementById("livesays");
      if (text) text.textContent = "Connecting again…";
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, 3000, newest);
    });
  };
  connect(height);
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  setInterval(flush, 250);
  document.getElementById("pause")?.addEventListener("click", (event) => {
    paused = !paused;
    event.currentTarget.textContent = paused ? "Go on" : "Pause";
    event.currentTarget.setAttribute("aria-pressed", String(paused));
    bar.classList.toggle("paused", paused);
    if (paused) document.getElementById("livesays").textContent = "Paused";
    flush();
  });
}

localTimes(document);
setInterval(ages, 1000);
copying();
themes();
live();
