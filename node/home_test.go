package node

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	cometjson "github.com/cometbft/cometbft/libs/json"

	"github.com/tallystick/tallystick/config"
)

func TestInit(t *testing.T) {
	home := Home(filepath.Join(t.TempDir(), "new", "node"))
	c := config.Default()
	c.Moniker = "bank-a"
	made, err := Init(home, c)
	if err != nil {
		t.Fatal(err)
	}
	read, err := ReadIdentity(home)
	if err != nil {
		t.Fatal(err)
	}
	if made.NodeID != read.NodeID || string(made.ConsensusKey) != string(read.ConsensusKey) ||
		len(made.NodeID) != 40 || len(made.ConsensusKey) != 32 || len(made.ValidatorAddress) != 40 {
		t.Errorf("made %+v, read %+v", made, read)
	}
	if back, err := config.Load(home.ConfigFile()); err != nil || back.Moniker != "bank-a" {
		t.Errorf("configuration: %+v, %v", back, err)
	}
	if _, err := loadValidator(home); err != nil {
		t.Error(err)
	}
	for _, secret := range []string{home.NodeKeyFile(), home.ValidatorKeyFile(), home.KeysDir()} {
		if info, err := os.Stat(secret); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s can be read by others: %v, %v", secret, info.Mode(), err)
		}
	}
	other, err := Init(Home(t.TempDir()), c)
	if err != nil || other.NodeID == made.NodeID || string(other.ConsensusKey) == string(made.ConsensusKey) {
		t.Errorf("two nodes have the same key (%v)", err)
	}
}

// Nothing that exists is replaced.
func TestInitRefuses(t *testing.T) {
	for _, file := range []func(Home) string{Home.ConfigFile, Home.NodeKeyFile, Home.ValidatorKeyFile, Home.ValidatorStateFile} {
		home := Home(t.TempDir())
		path := file(home)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Init(home, config.Default()); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v", path, err)
		}
		if data, err := os.ReadFile(path); string(data) != "precious" || err != nil {
			t.Errorf("%s is now %q, %v", path, data, err)
		}
	}
}

func TestInitCannotWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Init(Home(filepath.Join(file, "home")), config.Default()); err == nil {
		t.Error("a home was made inside a file")
	}
}

// A damaged or missing key file is an error that names it, and neither a panic
// nor the end of the process.
func TestDamagedKeys(t *testing.T) {
	const private = `{"priv_key":{"type":"tendermint/PrivKeyEd25519","value":"%s"}}`
	short, halves := base64.StdEncoding.EncodeToString([]byte("abc")), base64.StdEncoding.EncodeToString(make([]byte, 64))
	for _, file := range []func(Home) string{Home.NodeKeyFile, Home.ValidatorKeyFile, Home.ValidatorStateFile} {
		for _, damage := range []string{"", "{", "[]", "null", `{"priv_key":null}`, `{"priv_key":{"type":"x","value":"y"}}`, "missing",
			fmt.Sprintf(private, ""), fmt.Sprintf(private, short), fmt.Sprintf(private, halves),
			`{"priv_key":{"type":"tendermint/PrivKeySecp256k1","value":"` + short + `"}}`} {
			home := Home(t.TempDir())
			if _, err := Init(home, config.Default()); err != nil {
				t.Fatal(err)
			}
			path := file(home)
			if err := os.WriteFile(path, []byte(damage), 0o600); err != nil {
				t.Fatal(err)
			}
			if damage == "missing" {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
			_, first := readNodeKey(home)
			_, second := loadValidator(home)
			err := errors.Join(first, second)
			isState := path == home.ValidatorStateFile()
			if isState && (damage == "null" || strings.HasPrefix(damage, `{"priv_key"`)) {
				continue // reads as a state that has signed nothing
			}
			if err == nil || !strings.Contains(err.Error(), filepath.Base(path)) {
				t.Errorf("%s with %q: %v", filepath.Base(path), damage, err)
			}
		}
	}
}

// A validator key file whose halves are of two keys is refused.
func TestMixedValidatorKey(t *testing.T) {
	home, other := Home(t.TempDir()), Home(t.TempDir())
	for _, h := range []Home{home, other} {
		if _, err := Init(h, config.Default()); err != nil {
			t.Fatal(err)
		}
	}
	key, err := readValidatorKey(home)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := readValidatorKey(other)
	if err != nil {
		t.Fatal(err)
	}
	key.PubKey = foreign.PubKey
	data, err := cometjson.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(home.ValidatorKeyFile(), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadValidator(home); err == nil || !strings.Contains(err.Error(), "public half") {
		t.Errorf("got %v", err)
	}
}

// A validator that has lost what it last signed is not let go on as if it had
// signed nothing.
func TestLostSigningState(t *testing.T) {
	home := Home(t.TempDir())
	if _, err := Init(home, config.Default()); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(home.ValidatorStateFile()); err != nil {
		t.Fatal(err)
	}
	if _, err := loadValidator(home); err == nil || !strings.Contains(err.Error(), "sign twice") {
		t.Errorf("got %v", err)
	}
	// What the error advises works.
	advice := `{"height":"0","round":0,"step":0}`
	if err := os.WriteFile(home.ValidatorStateFile(), []byte(advice), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadValidator(home); err != nil {
		t.Error(err)
	}
}
