package config

import (
	"bytes"
	"flag"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// checkGolden compares got with a file in testdata.
func checkGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (rewrite it with -update and review):\n%s", path, got)
	}
}

// full is a Config with something in every place.
func full() Config {
	c := Default()
	c.Moniker = `north "1" \ bank`
	c.P2P.External = "ledger.north.example:26656"
	c.P2P.Peers = []string{someID + "@a.example:1", "a" + someID[1:] + "@[::1]:2"}
	c.Metrics.Listen = ""
	c.RPC.IdleTimeout = time.Hour
	c.RPC.TLSCert, c.RPC.TLSKey, c.RPC.KeysFile = "tls/cert.pem", "/etc/tls/key.pem", "apikeys.toml"
	c.RPC.AllowedOrigins = []string{"https://app.example", "http://localhost:3000"}
	c.RPC.Rate, c.RPC.Burst, c.RPC.TrustedProxies = 100, 300, []string{"10.0.0.0/8"}
	c.Comet = map[string]any{
		"filter_peers": true,
		"p2p":          map[string]any{"send_rate": int64(1), "libp2p": map[string]any{"scaler": map[string]any{}}},
		"lists":        []any{int64(1), "two\n", 3.0, []any{}, map[string]any{"four": 4e300}},
	}
	return c
}

func TestGoldenFiles(t *testing.T) {
	clearEnvironment(t)
	for name, c := range map[string]Config{"default.toml": Default(), "full.toml": full()} {
		path := filepath.Join(t.TempDir(), "config.toml")
		if err := Write(path, c); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		checkGolden(t, name, data)
		if got, err := Load(path); err != nil || !reflect.DeepEqual(got, c) {
			t.Errorf("%s: read back as %+v, %v", name, got, err)
		}
	}
}

func TestGoldenShow(t *testing.T) {
	clearEnvironment(t)
	t.Setenv("TALLY_LOG_LEVEL", "debug")
	path := fileOf(t, "[rpc]\nmax_batch = 3\n[comet]\nfilter_peers = true\n[comet.p2p]\nallow = ['a', 1.0, {b = 2}]\n")
	shown, err := Show(path)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, s := range shown {
		b.WriteString(strings.TrimSpace(strings.Join([]string{s.Key, "=", s.Value, "#", string(s.Source), s.Variable}, " ")) + "\n")
	}
	checkGolden(t, "show.txt", b.Bytes())
	if _, err := Show(fileOf(t, "x = 1")); err == nil {
		t.Error("showed a file with an unknown key")
	}
}

func TestWriteReplacesInOneStep(t *testing.T) {
	clearEnvironment(t)
	path := fileOf(t, "precious")
	bad := Default()
	bad.RPC.MaxBatch = 0
	if err := Write(path, bad); err == nil || !strings.Contains(err.Error(), "rpc.max_batch = 0") {
		t.Errorf("wrote an invalid config: %v", err)
	}
	large := Default()
	large.Comet = map[string]any{"x": strings.Repeat("x", MaxFileBytes)}
	if err := Write(path, large); err == nil || !strings.Contains(err.Error(), "more than the 65536") {
		t.Errorf("wrote a file that Load refuses: %v", err)
	}
	if data, _ := os.ReadFile(path); string(data) != "precious" {
		t.Errorf("a refused write left %q", data)
	}
	if err := Write(path, Default()); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if err := Write(filepath.Join(path, "below", "config.toml"), Default()); err == nil {
		t.Error("wrote below a file")
	}
	if err := Write(filepath.Dir(path), Default()); err == nil {
		t.Error("wrote over a directory")
	}
}

// Whatever is valid is read back as it was written.
func TestWriteAndLoadAreInverse(t *testing.T) {
	clearEnvironment(t)
	path := filepath.Join(t.TempDir(), "config.toml")
	rapid.Check(t, func(t *rapid.T) {
		c := Default()
		c.Moniker = rapid.StringMatching(`[!-~]([ -~]{0,62}[!-~])?`).Draw(t, "moniker")
		for range rapid.IntRange(0, 3).Draw(t, "peers") {
			c.P2P.Peers = append(c.P2P.Peers, rapid.StringMatching(`[0-9a-f]{40}@[a-z]{1,9}:[1-9][0-9]{0,3}`).Draw(t, "peer"))
		}
		c.RPC.MaxBatch = rapid.IntRange(1, 10_000).Draw(t, "batch")
		c.State.CacheBytes = rapid.Int64Range(1<<20, 1<<40).Draw(t, "cache")
		c.Consensus.TimeoutCommit = time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "commit"))
		if tree := drawTree(t, 3); len(tree) > 0 {
			c.Comet = tree
		}
		if err := c.Validate(); err != nil {
			t.Skip(err) // a node ID drawn twice
		}
		if err := Write(path, c); err != nil {
			t.Fatal(err)
		}
		if got, err := Load(path); err != nil || !reflect.DeepEqual(got, c) {
			t.Fatalf("wrote %+v\nread  %+v, %v", c, got, err)
		}
	})
}

func drawTree(t *rapid.T, depth int) map[string]any {
	tree := map[string]any{}
	for range rapid.IntRange(0, 4).Draw(t, "size") {
		tree[rapid.StringMatching(`[a-z0-9_-]{1,6}`).Draw(t, "name")] = drawValue(t, depth)
	}
	return tree
}

func drawValue(t *rapid.T, depth int) any {
	kinds := 6
	if depth == 0 {
		kinds = 4
	}
	switch rapid.IntRange(1, kinds).Draw(t, "kind") {
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return rapid.Int64().Draw(t, "int")
	case 3:
		return rapid.Float64Range(-math.MaxFloat64, math.MaxFloat64).Draw(t, "float")
	case 4:
		return rapid.String().Draw(t, "text")
	case 5:
		items := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			items = append(items, drawValue(t, depth-1))
		}
		return items
	default:
		return drawTree(t, depth-1)
	}
}

// Any text is either refused with a short error or gives a Config that is valid
// and survives being written.
func FuzzParse(f *testing.F) {
	clearEnvironment(f)
	for _, c := range refusedFiles {
		if len(c.file) < 4096 {
			f.Add([]byte(c.file))
		}
	}
	f.Add(render(Default()))
	f.Add(render(full()))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > MaxFileBytes {
			return
		}
		c, _, err := parse(data, nil)
		if err != nil {
			return
		}
		if err := c.Validate(); err != nil {
			t.Fatalf("accepted what is invalid: %v", err)
		}
		again, _, err := parse(render(c), nil)
		if err != nil || !reflect.DeepEqual(again, c) {
			t.Fatalf("wrote %+v\nread  %+v, %v", c, again, err)
		}
	})
}

// Any variable is either refused or read.
func FuzzVariable(f *testing.F) {
	clearEnvironment(f)
	f.Add("TALLY_RPC_MAX_BATCH", "1")
	f.Add("TALLY_P2P_PEERS", someID+"@a:1,")
	f.Add("TALLY_RPC_WAIT_TIMEOUT", "1h1m1s")
	f.Add("TALLY_RPC_PORT", "tcp://x")
	f.Add("TALLY_RPC_KEYS_FILE", "keys\xa8") // not UTF-8: TOML cannot hold it
	f.Fuzz(func(t *testing.T, name, value string) {
		unknownVariables([]string{name + "=" + value})
		for _, s := range settings {
			c := Default()
			if !s.parse(&c, value) || s.check(&c) != nil {
				continue
			}
			again := Default()
			if c.Validate() == nil {
				read, _, err := parse(render(c), nil)
				if err != nil || !reflect.DeepEqual(read, c) {
					t.Fatalf("%s = %q is not read as it was written: %v", s.name, value, err)
				}
			}
			if !s.parse(&again, value) || !reflect.DeepEqual(again, c) {
				t.Fatalf("%s = %q is read in two ways", s.name, value)
			}
		}
	})
}
