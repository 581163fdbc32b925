// Keys go from here to ethers, and to the library by which MetaMask imports key
// files (its KeyringController uses ethereumjs-wallet), and back.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import MetaMaskWallet from "ethereumjs-wallet";
import { HDNodeWallet, Mnemonic, Wallet, encryptKeystoreJson } from "ethers";

const dir = mkdtempSync(path.join(tmpdir(), "tally-keys-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const passphrase = "correct horse é";

// tally runs a command with the passphrase, and keys in a directory of that name.
function tally(keys, ...args) {
  return execFileSync(process.env.TALLY_BINARY, [...args, "--keys", path.join(dir, keys)], {
    encoding: "utf8",
    env: { ...process.env, TALLY_PASSPHRASE: passphrase },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function file(name, text) {
  writeFileSync(path.join(dir, name), text);
  return path.join(dir, name);
}

test("ethers opens what tally exports", async () => {
  const made = JSON.parse(tally("ours", "key", "new", "--light", "--json"));
  const exported = tally("ours", "key", "export", made.address);
  const opened = await Wallet.fromEncryptedJson(exported, passphrase);
  assert.equal(opened.address, made.address);
  assert.equal(opened.privateKey, tally("ours", "key", "export", "--private-key", made.address).trim());
  await assert.rejects(Wallet.fromEncryptedJson(exported, "correct horse e"), { code: "INVALID_ARGUMENT" });
});

// MetaMask's "Import account, JSON file" calls fromV3 in this way.
test("MetaMask's library opens what tally exports, and tally what it writes", async () => {
  const { default: Wallet } = MetaMaskWallet;
  const made = JSON.parse(tally("metamask", "key", "new", "--light", "--json"));
  const opened = await Wallet.fromV3(tally("metamask", "key", "export", made.address), passphrase, true);
  assert.equal(opened.getChecksumAddressString(), made.address);
  await assert.rejects(Wallet.fromV3(tally("metamask", "key", "export", made.address), "wrong", true), /wrong passphrase/);

  const theirs = Wallet.generate();
  for (const kdf of ["scrypt", "pbkdf2"]) {
    const json = JSON.stringify(await theirs.toV3(passphrase, { kdf, n: 1024, c: 1024 }));
    const imported = JSON.parse(tally(`theirs-${kdf}`, "key", "import", "--light", "--json", file(`${kdf}.json`, json)));
    assert.equal(imported.address, theirs.getChecksumAddressString(), kdf);
  }
});

// With the words in the file that ethers writes beside the key (x-ethers), or
// without, and whether it writes "crypto" or "Crypto".
test("tally imports what ethers writes", async () => {
  const scrypt = { N: 1024, r: 8, p: 1 };
  const words = HDNodeWallet.createRandom();
  const plain = Wallet.createRandom();
  for (const [name, wallet, json] of [
    ["words", words, await words.encrypt(passphrase)],
    ["plain", plain, await encryptKeystoreJson({ address: plain.address, privateKey: plain.privateKey }, passphrase, { scrypt })],
    ["renamed", plain, (await encryptKeystoreJson({ address: plain.address, privateKey: plain.privateKey }, passphrase, { scrypt })).replace('"Crypto"', '"crypto"')],
  ]) {
    const imported = JSON.parse(tally(name, "key", "import", "--light", "--json", file(`${name}.json`, json)));
    assert.equal(imported.address, wallet.address, name);
    assert.equal(tally(name, "key", "export", "--private-key", imported.address).trim(), wallet.privateKey, name);
  }
});

test("words give the same addresses", () => {
  for (const count of [12, 15, 18, 21, 24]) {
    const made = JSON.parse(tally(`new${count}`, "key", "new", "--light", "--words", String(count), "--json"));
    assert.equal(made.mnemonic.split(" ").length, count);
    assert.equal(HDNodeWallet.fromPhrase(made.mnemonic).address, made.address, "the account that MetaMask shows first");
    const salt = file("salt.txt", "salt ü\n");
    const listed = JSON.parse(tally(`from${count}`, "key", "import", "--light", "--json", "--count", "3", "--index", "1",
      "--mnemonic-passphrase-file", salt, file("words.txt", made.mnemonic)));
    const tree = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(made.mnemonic, "salt ü"), "m/44'/60'/0'/0");
    assert.deepEqual(listed.map((k) => k.address), [1, 2, 3].map((i) => tree.deriveChild(i).address));
  }
});
