package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var (
	peerA = strings.Repeat("a", 40) + "@bank-a.example:26656"
	peerB = strings.Repeat("b", 40) + "@bank-b.example:26656"
	peerC = strings.Repeat("c", 40) + "@10.0.0.7:26656"
)

// Peers are added, and nothing else in the file changes.
func TestAddPeers(t *testing.T) {
	moved := strings.Repeat("a", 40) + "@elsewhere.example:1"
	for _, c := range []struct {
		name, file string
		add, want  []string
		line       string // that must be in the file
	}{
		{"none yet", "# mine\n[p2p]\nlisten = \"0.0.0.0:7\"\npeers = []\n\n[rpc]\nmax_batch = 7 # few\n", []string{peerA, peerB}, []string{peerA, peerB}, "max_batch = 7 # few"},
		{"one more", "[p2p]\npeers = [\"" + peerA + "\"]\n", []string{peerB}, []string{peerA, peerB}, "[p2p]"},
		{"moved", "[p2p]\npeers = [\"" + peerB + "\", \"" + peerA + "\"] # as of May\n", []string{moved}, []string{peerB, moved}, "[p2p]"},
		{"no such line", "[p2p]\nlisten = \"0.0.0.0:7\"\n[rpc]\n", []string{peerC}, []string{peerC}, `listen = "0.0.0.0:7"`},
		{"no such table", "moniker = \"x\"\n", []string{peerC}, []string{peerC}, `moniker = "x"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "config.toml")
			if err := os.WriteFile(path, []byte(c.file), 0o600); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second time there is nothing to do
				if err := AddPeers(path, c.add); err != nil {
					t.Fatal(err)
				}
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Load(path)
			if err != nil || !slices.Equal(got.P2P.Peers, c.want) || !strings.Contains(string(data), c.line) {
				t.Errorf("%v, %v:\n%s", got.P2P.Peers, err, data)
			}
		})
	}
}

// A file that init has written keeps its every other line.
func TestAddPeersToWrittenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := Write(path, Default()); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := AddPeers(path, []string{peerA}); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(string(before), "peers = []", `peers = ["`+peerA+`"]`, 1); string(after) != want {
		t.Errorf("got\n%s", after)
	}
}

// What cannot be changed for sure is left alone.
func TestAddPeersRefuses(t *testing.T) {
	for name, file := range map[string]string{
		"several lines": "[p2p]\npeers = [\n  \"" + peerA + "\",\n]\n",
		"dotted":        "p2p.peers = []\n",
		"no TOML":       "[p2p\n",
		"no list":       "[p2p]\npeers = \"" + peerA + "\"\n",
	} {
		path := filepath.Join(t.TempDir(), "config.toml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		err := AddPeers(path, []string{peerB})
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v", name, err)
		}
		if after, _ := os.ReadFile(path); string(after) != file {
			t.Errorf("%s: the file was changed to %s", name, after)
		}
	}
	if err := AddPeers(filepath.Join(t.TempDir(), "config.toml"), []string{peerB}); err == nil {
		t.Error("no file, and no error")
	}
}
