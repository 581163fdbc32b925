package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gethaccounts "github.com/ethereum/go-ethereum/accounts"
	gethkeystore "github.com/ethereum/go-ethereum/accounts/keystore"
	gethcrypto "github.com/ethereum/go-ethereum/crypto"

	"github.com/tallystick/tallystick/crypto"
)

// tallyHere runs a command in this process and wants it to work.
func tallyHere(t *testing.T, arguments ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := execute(t.Context(), arguments, &out, &errs); code != exitOK {
		t.Fatalf("tally %s: exit code %d: %s", strings.Join(arguments, " "), code, errs.String())
	}
	return out.String()
}

// What `tally key export` prints, geth's own key store imports and signs with;
// and what geth has made and exported, `tally key import` reads.
func TestKeysGoToGethAndBack(t *testing.T) {
	t.Setenv("TALLY_PASSPHRASE", "correct horse é")
	dir := t.TempDir()
	ours := filepath.Join(dir, "ours")
	secret := filepath.Join(dir, "secret.txt")
	if err := os.WriteFile(secret, []byte(strings.Repeat("0b", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	tallyHere(t, "key", "import", "--light", "--keys", ours, secret)
	address := strings.Fields(tallyHere(t, "key", "list", "--keys", ours))[0]
	exported := tallyHere(t, "key", "export", "--keys", ours, address)

	geth := gethkeystore.NewKeyStore(filepath.Join(dir, "geth"), 2, 1)
	account, err := geth.Import([]byte(exported), "correct horse é", "another")
	if err != nil || account.Address.Hex() != address {
		t.Fatalf("geth imports %s, %v; want %s", account.Address.Hex(), err, address)
	}
	if _, err := geth.Import([]byte(exported), "correct horse e", "another"); err == nil {
		t.Error("geth opens it with another passphrase")
	}
	digest := crypto.Keccak256([]byte("signed by geth"))
	signature, err := geth.SignHashWithPassphrase(account, "another", digest[:])
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := crypto.ParseSignature(signature)
	if err != nil {
		t.Fatal(err)
	}
	if signer, err := crypto.Recover(digest, parsed); err != nil || signer.String() != address {
		t.Errorf("geth signs as %s, %v", signer, err)
	}

	backToUs(t, dir, geth, account)
}

// backToUs imports what geth exports, and what it keeps in its directory.
func backToUs(t *testing.T, dir string, geth *gethkeystore.KeyStore, known gethaccounts.Account) {
	t.Helper()
	fresh, err := gethcrypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	account, err := geth.ImportECDSA(fresh, "geth's own")
	if err != nil {
		t.Fatal(err)
	}
	exported, err := geth.Export(account, "geth's own", "geth's own")
	if err != nil {
		t.Fatal(err)
	}
	file, old := filepath.Join(dir, "from-geth.json"), filepath.Join(dir, "old.txt")
	for name, data := range map[string][]byte{file: exported, old: []byte("geth's own\n")} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	theirs := filepath.Join(dir, "theirs")
	if out := tallyHere(t, "key", "import", "--light", "--keys", theirs, "--from-passphrase-file", old, file); !strings.Contains(out, account.Address.Hex()) {
		t.Errorf("imported %s, want %s", out, account.Address.Hex())
	}
	tallyHere(t, "key", "show", "--check", "--keys", theirs, account.Address.Hex())
	// geth's directory can be used as it stands.
	list := tallyHere(t, "key", "list", "--keys", filepath.Join(dir, "geth"))
	if !strings.Contains(list, account.Address.Hex()) || !strings.Contains(list, known.Address.Hex()) {
		t.Errorf("of geth's directory it lists\n%s", list)
	}
}
