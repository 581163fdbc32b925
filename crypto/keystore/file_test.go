package keystore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gethkeystore "github.com/ethereum/go-ethereum/accounts/keystore"

	"github.com/tallystick/tallystick/crypto"
)

func TestFileName(t *testing.T) {
	address, err := crypto.ParseAddress("0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b")
	if err != nil {
		t.Fatal(err)
	}
	zone := time.FixedZone("east", 2*60*60)
	made := time.Date(2026, 3, 22, 14, 57, 55, 920751759, zone)
	const want = "UTC--2026-03-22T12-57-55.920751759Z--008aeeda4d805471df9b2a5b0f38a0c3bcba786b"
	if got := FileName(address, made); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	// Zeros at the end of the fraction stay, so that names sort by time.
	if got := FileName(address, made.Truncate(time.Second)); !strings.Contains(got, "55.000000000Z") {
		t.Errorf("%s", got)
	}
}

func TestStoreAndLoad(t *testing.T) {
	key := testKey(t)
	dir := filepath.Join(t.TempDir(), "new", "keys")
	path, err := Store(dir, key, passphrase, true)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != directoryMode {
		t.Errorf("the directory has mode %v, %v", info.Mode(), err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the directory holds %v, %v", entries, err)
	}
	loaded, err := Load(path, passphrase)
	if err != nil || loaded.Address() != key.Address() {
		t.Errorf("%v, %v", loaded, err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if address, err := Address(data); err != nil || address != key.Address() {
		t.Errorf("address %s, %v", address, err)
	}
	// go-ethereum finds the account by listing the directory.
	accounts := gethkeystore.NewKeyStore(dir, 2, 1).Accounts()
	if len(accounts) != 1 || crypto.Address(accounts[0].Address) != key.Address() {
		t.Errorf("go-ethereum lists %v", accounts)
	}
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := quickFile(t, testKey(t))
	for _, c := range []struct {
		name, path, passphrase string
		want                   error
	}{
		{"missing", filepath.Join(dir, "missing"), passphrase, fs.ErrNotExist},
		{"empty", write("empty", nil), passphrase, ErrNotJSON},
		{"half", write("half", good[:len(good)/2]), passphrase, ErrNotJSON},
		{"endless", write("endless", make([]byte, 4*MaxFileSize)), passphrase, ErrTooLarge},
		{"wrong passphrase", write("good", good), "wrong", ErrPassphrase},
	} {
		key, err := Load(c.path, c.passphrase)
		if !errors.Is(err, c.want) || key != nil {
			t.Errorf("%s: %v, %v, want %v", c.name, key, err, c.want)
			continue
		}
		if !strings.Contains(err.Error(), c.path) {
			t.Errorf("%s: the error %q does not name the file", c.name, err)
		}
	}
	if _, err := Load(dir, passphrase); err == nil {
		t.Error("a directory was loaded")
	}
}

// When a file cannot appear, none is left behind, and no name is given.
func TestStoreLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	blocked := filepath.Join(dir, "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if path, err := Store(blocked, testKey(t), passphrase, true); err == nil || path != "" {
		t.Errorf("stored in a file as %q", path)
	}
	// The rename fails, because a directory that is not empty has the name.
	taken := filepath.Join(dir, "taken")
	if err := os.MkdirAll(filepath.Join(taken, "inner"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := writeAtomic(taken, []byte("data")); err == nil {
		t.Error("wrote over a directory")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("the directory holds %v, %v", entries, err)
	}
}
