// A node that asks for API keys, limits calls and lets one web page call, as
// published libraries meet it. They know nothing of this project.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { FetchRequest, JsonRpcProvider, Network, WebSocketProvider } from "ethers";
import { createClient, http, webSocket } from "viem";

const binary = process.env.TALLY_BINARY;
const base = Number(process.env.TALLY_E2E_PORT ?? 18545) + 2000;
const url = `http://127.0.0.1:${base}`;
const socket = `ws://127.0.0.1:${base}`;
const keysFile = () => path.join(dir, "keys.toml");
let dir, node, log = "";

// tally runs a command that ends by itself, and returns what it prints.
function tally(...args) {
  const done = spawnSync(binary, args, { encoding: "utf8" });
  assert.equal(done.status, 0, done.stderr);
  return done.stdout;
}

const newKey = (name, scope, ...more) =>
  JSON.parse(tally("apikey", "new", "--json", "--name", name, "--scope", scope, "--file", keysFile(), ...more)).secret;

// until waits for a condition, up to two minutes.
async function until(what, condition) {
  for (const end = Date.now() + 120_000; ; ) {
    if (await condition()) return;
    assert.ok(Date.now() < end, `never: ${what}\n${log}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const keys = {};

before(async () => {
  dir = mkdtempSync(path.join(tmpdir(), "tally-access-"));
  const net = path.join(dir, "net");
  // A devnet of one, made and stopped: its directory is that of an ordinary node.
  const devnet = spawn(binary, ["devnet", "--json", "--validators", "1", "--dir", net, "--base-port", String(base)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => devnet.once("exit", resolve));
  const ready = new Promise((resolve) => devnet.stdout.once("data", () => resolve("ready")));
  assert.equal(await Promise.race([ready, ended]), "ready");
  devnet.kill("SIGINT");
  assert.equal(await ended, 0);
  keys.wallet = newKey("wallet", "read,submit");
  keys.reader = newKey("reader", "read");
  keys.slow = newKey("slow", "read", "--rate", "1");
  keys.revoked = newKey("revoked", "read");
  node = spawn(binary, ["start", "--home", path.join(net, "node0")], {
    env: { ...process.env, TALLY_RPC_KEYS_FILE: keysFile(), TALLY_RPC_ALLOWED_ORIGINS: "https://app.example" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  node.stderr.on("data", (text) => (log += text));
  await until("the node answers", async () => {
    const response = await fetch(url).catch(() => null);
    return response?.ok;
  });
});

after(async () => {
  if (node) {
    const ended = new Promise((resolve) => node.once("exit", resolve));
    node.kill("SIGINT");
    assert.equal(await ended, 0, log);
  }
  for (const [name, secret] of Object.entries(keys)) assert.ok(!log.includes(secret), `the log has the key of ${name}`);
  rmSync(dir, { recursive: true, force: true });
});

// counted is viem's HTTP transport, with the number of its requests.
function counted(address, key) {
  const count = { requests: 0 };
  const transport = http(address, {
    retryDelay: 1,
    fetchOptions: key ? { headers: { authorization: `Bearer ${key}` } } : {},
    fetchFn: (...args) => (count.requests++, fetch(...args)),
  });
  return { client: createClient({ transport }), count };
}

test("viem sends a key as a header or in the path, over HTTP and WebSocket", async () => {
  for (const client of [
    counted(url, keys.reader).client,
    counted(`${url}/key/${keys.reader}`).client,
    createClient({ transport: webSocket(`${socket}/key/${keys.reader}`, { reconnect: false, keepAlive: false }) }),
  ]) {
    const status = await client.request({ method: "ledger_status", params: [] });
    assert.equal(typeof status.chainId, "number");
  }
});

test("viem does not try again what no retry cures", async () => {
  const wrong = [
    [counted(url), "keyMissing"],
    [counted(url, "tally_wrong"), "keyUnknown"],
    [counted(`${url}/key/tally_wrong`), "keyUnknown"],
  ];
  for (const [{ client, count }, name] of wrong) {
    await assert.rejects(client.request({ method: "ledger_status", params: [] }), (e) => e.walk((x) => x.data?.name).data.name === name);
    assert.equal(count.requests, 1);
  }
  const { client, count } = counted(url, keys.reader);
  await assert.rejects(client.request({ method: "ledger_sendRawTransaction", params: ["0x00"] }), (e) => {
    assert.equal(e.code, -32000);
    assert.match(e.details, /needs an API key with the scope submit/);
    return true;
  });
  assert.equal(count.requests, 1);
});

test("viem is told of a limit once, and when to come again", async () => {
  const { client, count } = counted(url, keys.slow);
  let late;
  for (let i = 0; i < 20 && !late; i++) {
    const before = count.requests;
    await client.request({ method: "ledger_status", params: [] }).catch((e) => (late = e));
    assert.equal(count.requests, before + 1);
  }
  const refused = late.walk((e) => e.data?.name);
  assert.equal(late.code, -32002);
  assert.equal(refused.data.name, "rateLimited");
  assert.ok(refused.data.retryAfterMs > 0 && refused.data.retryAfterMs <= 1000);
  await new Promise((resolve) => setTimeout(resolve, refused.data.retryAfterMs));
  await client.request({ method: "ledger_status", params: [] });
});

test("ethers sends a key as a header or in the path, and gives up without one", async () => {
  const network = Network.from(7);
  const provider = (address, key) => {
    const request = new FetchRequest(address);
    if (key) request.setHeader("authorization", `Bearer ${key}`);
    let requests = 0;
    const send = FetchRequest.createGetUrlFunc();
    request.getUrlFunc = (...args) => (requests++, send(...args));
    return { provider: new JsonRpcProvider(request, network, { staticNetwork: network }), requests: () => requests };
  };
  for (const { provider: p } of [provider(url, keys.reader), provider(`${url}/key/${keys.reader}`)]) {
    assert.equal(typeof (await p.send("ledger_status", [])).chainId, "number");
    p.destroy();
  }
  const without = provider(url);
  await assert.rejects(without.provider.send("ledger_status", []), /401/);
  assert.equal(without.requests(), 1);
  without.provider.destroy();
});

test("a web page that is allowed may send a key, and no other", async () => {
  const ask = (origin) =>
    fetch(url, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type" },
    });
  const welcome = await ask("https://app.example");
  assert.equal(welcome.headers.get("access-control-allow-origin"), "https://app.example");
  assert.match(welcome.headers.get("access-control-allow-headers"), /authorization/);
  assert.equal((await ask("https://evil.example")).status, 400);
});

test("SIGHUP revokes a key: an open WebSocket ends, and others go on", async () => {
  const network = Network.from(7);
  const open = (key) => new WebSocketProvider(`${socket}/key/${key}`, network, { staticNetwork: network });
  const [gone, stays] = [open(keys.revoked), open(keys.reader)];
  for (const p of [gone, stays]) assert.ok(await p.send("ledger_status", []));
  const closed = new Promise((resolve) => (gone.websocket.onclose = resolve));
  const entries = readFileSync(keysFile(), "utf8").split("[[key]]");
  writeFileSync(keysFile(), entries.filter((e) => !e.includes('"revoked"')).join("[[key]]"));
  node.kill("SIGHUP");
  assert.equal((await closed).code, 1008);
  const again = open(keys.revoked);
  const refused = await new Promise((resolve) => (again.websocket.onerror = resolve));
  assert.match(refused.message, /401/);
  assert.ok(await stays.send("ledger_status", []));
  await stays.destroy();
  await until("the log says what went", () => /removed=\[revoked\]/.test(log));
});
