package network

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/node"
)

// refuseWithin is how long a validator may take to see that it must not start.
const refuseWithin = 30 * time.Second

// damage is something wrong in a validator's directory.
type damage struct {
	name string
	do   func(t *testing.T, home node.Home)
	want []string // all of which the error must say
}

func replace(path func(node.Home) string, old, new string) func(*testing.T, node.Home) {
	return func(t *testing.T, home node.Home) {
		t.Helper()
		data, err := os.ReadFile(path(home))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(data), old) {
			t.Fatalf("%s has no %q", path(home), old)
		}
		write(t, path(home), strings.Replace(string(data), old, new, 1))
	}
}

func overwrite(path func(node.Home) string, text string) func(*testing.T, node.Home) {
	return func(t *testing.T, home node.Home) { t.Helper(); write(t, path(home), text) }
}

func remove(path func(node.Home) string) func(*testing.T, node.Home) {
	return func(t *testing.T, home node.Home) {
		t.Helper()
		if err := os.Remove(path(home)); err != nil {
			t.Fatal(err)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

var damages = []damage{
	{"no genesis", remove(node.Home.GenesisFile), []string{"genesis.json"}},
	{"empty genesis", overwrite(node.Home.GenesisFile, ""), []string{"genesis.json"}},
	{"genesis cut off", func(t *testing.T, home node.Home) {
		if err := os.Truncate(home.GenesisFile(), 200); err != nil {
			t.Fatal(err)
		}
	}, []string{"genesis.json"}},
	{"genesis is an array", overwrite(node.Home.GenesisFile, "[1, 2]"), []string{"genesis.json"}},
	{"misspelt field", replace(node.Home.GenesisFile, `"genesis_time"`, `"genesisTime"`), []string{"genesis.json", "genesisTime"}},
	{"misspelt field of the ledger", replace(node.Home.GenesisFile, `"settlement"`, `"setlement"`), []string{"genesis.json", "setlement"}},
	{"no genesis time", replace(node.Home.GenesisFile, `"genesis_time": "2`, `"genesis_time": "0001-01-01T00:00:00Z", "app_hash": "2`), []string{"genesis.json"}},
	{"two names of the network", replace(node.Home.GenesisFile, `"chain_id": "test-`, `"chain_id": "toast-`), []string{"genesis.json", "chain_id", "networkId"}},
	{"validator without power", replace(node.Home.GenesisFile, `"power": "1000000"`, `"power": "0"`), []string{"genesis.json", "power"}},
	{"negative power", replace(node.Home.GenesisFile, `"power": "1000000"`, `"power": "-5"`), []string{"genesis.json", "power"}},
	{"blocks bounded twice", replace(node.Home.GenesisFile, `"max_bytes": "-1"`, `"max_bytes": "1000"`), []string{"genesis.json", "max_bytes"}},
	{"amount with a sign", replace(node.Home.GenesisFile, `"1000000000000"`, `"-1000000000000"`), []string{"genesis.json"}},
	{"amount too large", replace(node.Home.GenesisFile, `"1000000000000"`, `"1`+strings.Repeat("0", 40)+`"`), []string{"genesis.json"}},
	{"unknown policy", replace(node.Home.GenesisFile, `"open"`, `"ajar"`), []string{"genesis.json", "accountPolicy"}},
	{"number of Ethereum", func(t *testing.T, home node.Home) {
		g, err := node.CheckGenesis(home.GenesisFile())
		if err != nil {
			t.Fatal(err)
		}
		replace(node.Home.GenesisFile, fmt.Sprintf(`"chainId": %d`, g.ChainID), `"chainId": 1`)(t, home)
	}, []string{"genesis.json", "Ethereum"}},
	{"another genesis", replace(node.Home.GenesisFile, `"1000000000000"`, `"1000000000001"`), []string{"genesis.json", "not the one"}},

	{"no configuration", remove(node.Home.ConfigFile), []string{"tally init"}},
	{"configuration is no TOML", overwrite(node.Home.ConfigFile, "rpc = [\n"), []string{"config.toml"}},
	{"unknown key", replace(node.Home.ConfigFile, "heartbeat_interval", "hartbeat_interval"), []string{"hartbeat_interval", "heartbeat_interval"}},
	{"value out of range", replace(node.Home.ConfigFile, "max_batch = 100\n", "max_batch = -3\n"), []string{"max_batch", "-3"}},
	{"value of a wrong type", replace(node.Home.ConfigFile, "max_batch = 100\n", "max_batch = \"many\"\n"), []string{"max_batch"}},
	{"unknown setting of CometBFT", func(t *testing.T, home node.Home) {
		appendTo(t, home.ConfigFile(), "\n[comet.mempool]\nrechekc = true\n")
	}, []string{"rechekc"}},
	{"setting of CometBFT that is the node's", func(t *testing.T, home node.Home) {
		appendTo(t, home.ConfigFile(), "\n[comet.p2p]\npex = true\n")
	}, []string{"p2p.pex"}},

	{"no node key", remove(node.Home.NodeKeyFile), []string{"node_key.json"}},
	{"node key is no key", overwrite(node.Home.NodeKeyFile, "{}"), []string{"node_key.json"}},
	{"node key cut off", overwrite(node.Home.NodeKeyFile, `{"priv_key":{"type":"tendermint/PrivKeyEd25519","value":"AAAA"}}`), []string{"node_key.json"}},
	{"no validator key", remove(node.Home.ValidatorKeyFile), []string{"priv_validator_key.json"}},
	{"validator key is no key", overwrite(node.Home.ValidatorKeyFile, "{}"), []string{"priv_validator_key.json"}},
	{"validator key is garbage", overwrite(node.Home.ValidatorKeyFile, "\x00\x01"), []string{"priv_validator_key.json"}},
	{"validator key of two bytes", overwrite(node.Home.ValidatorKeyFile, `{"priv_key":{"type":"tendermint/PrivKeyEd25519","value":"AAE="}}`), []string{"priv_validator_key.json"}},
	{"no validator state", remove(node.Home.ValidatorStateFile), []string{"priv_validator_state.json"}},
	{"validator state is garbage", overwrite(node.Home.ValidatorStateFile, "{"), []string{"priv_validator_state.json"}},
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(data)+text)
}

// A validator that cannot start as it should does not start: it says why, with
// an exit code, and leaves its directory as it was. What was wrong once mended,
// it goes on.
func TestRefusesToStart(t *testing.T) {
	t.Parallel()
	n := New(t, 1, Options{})
	n.StartAll()
	load := n.StartLoad(LoadOptions{})
	load.WaitReceipts(20)
	load.Stop()
	n.Stop(0)
	before := contents(t, n.Home(0))
	for _, d := range slices.Concat(damages, accessDamages) {
		t.Run(d.name, func(t *testing.T) {
			d.do(t, n.Home(0))
			defer restore(t, n.Home(0), before)
			damaged := contents(t, n.Home(0))
			n.Start(0)
			code, log := n.WaitExit(0, refuseWithin)
			if code <= 0 || strings.Contains(log, "panic:") || strings.Contains(log, "goroutine ") {
				t.Errorf("exit code %d, want an error and no panic", code)
			}
			for _, want := range d.want {
				if !strings.Contains(log, want) {
					t.Errorf("the error does not say %q", want)
				}
			}
			for _, path := range changed(damaged, contents(t, n.Home(0))) {
				t.Errorf("%s has changed", path)
			}
			if t.Failed() {
				t.Logf("its output:\n%s", log)
			}
		})
	}
	n.Start(0)
	n.WaitCaughtUp(0)
	load.Verify(0)
}

// contents holds every file of a home but those of the databases, which may
// tidy themselves up when they are opened.
func contents(t *testing.T, home node.Home) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(string(home), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && filepath.Dir(path) == home.DataDir() {
			return filepath.SkipDir
		}
		if entry.Type().IsRegular() {
			data, err := os.ReadFile(path)
			files[path] = string(data)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// restore puts back what contents held.
func restore(t *testing.T, home node.Home, files map[string]string) {
	t.Helper()
	for _, path := range changed(files, contents(t, home)) {
		text, was := files[path]
		if !was {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			continue
		}
		write(t, path, text)
	}
}

// changed lists the files that are not the same in both.
func changed(before, after map[string]string) (paths []string) {
	for path, text := range before {
		if now, is := after[path]; !is || now != text {
			paths = append(paths, path)
		}
	}
	for path := range after {
		if _, was := before[path]; !was {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// A second process on a home is refused by the lock, and the first goes on.
func TestRefusesSecondProcess(t *testing.T) {
	t.Parallel()
	n := New(t, 1, Options{})
	n.StartAll()
	second, err := launch(filepath.Join(t.TempDir(), "second.log"), []string{Build(t), "start", "--home", string(n.Home(0))}, nil)
	if err != nil {
		t.Fatal(err)
	}
	n.Until(refuseWithin, "the second process has ended", func() error {
		if !second.ended() {
			return errors.New("it runs")
		}
		return nil
	})
	log, err := os.ReadFile(second.log)
	if err != nil {
		t.Fatal(err)
	}
	if second.code <= 0 || !strings.Contains(string(log), "another process") {
		t.Errorf("exit code %d, and the error does not say that another process has the home:\n%s", second.code, log)
	}
	n.WaitHeight(0, n.Height()+1)
}

// A validator whose consensus cannot go on ends, with an exit code, and says
// why. When the cause is gone it goes on where it was.
func TestConsensusFailureEndsProcess(t *testing.T) {
	t.Parallel()
	n := New(t, 4, Options{})
	n.StartAll()
	load := n.StartLoad(LoadOptions{})
	load.WaitReceipts(20)
	const victim = 2
	state := n.Home(victim).ValidatorStateFile()
	// A directory where the file was: what the validator signs can no longer be
	// noted, so it must not sign.
	kept := state + ".kept"
	for {
		if err := os.Rename(state, kept); err != nil {
			t.Fatal(err)
		}
		err := os.Mkdir(state, 0o700)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrExist) { // it has just been written again
			t.Fatal(err)
		}
	}
	code, log := n.WaitExit(victim, refuseWithin)
	if code <= 0 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"consensus stopped at height", "priv_validator_state.json"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log does not say %q:\n%s", want, lastLines(log, shownLines))
		}
	}
	load.WaitReceipts(20)
	if err := os.Remove(state); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(kept, state); err != nil {
		t.Fatal(err)
	}
	n.Start(victim)
	n.WaitCaughtUp(victim)
	load.Stop()
	load.Verify(n.All()...)
	n.SameChain(n.All()...)
}
