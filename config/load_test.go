package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

const someID = "0123456789abcdef0123456789abcdef01234567"

// clearEnvironment removes the developer's own TALLY_ variables for one test.
func clearEnvironment(t testing.TB) {
	t.Helper()
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, environmentPrefix) {
			os.Unsetenv(name)
			t.Cleanup(func() { os.Setenv(name, value) })
		}
	}
}

// fileOf writes a config file and returns its path.
func fileOf(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFileReplacesDefaults(t *testing.T) {
	clearEnvironment(t)
	got, err := Load(fileOf(t, `
moniker = "north bank"
[p2p]
external = "ledger.north.example:26656"
peers = ["`+someID+`@[2001:db8::1]:26656", "a`+someID[1:]+`@south_1:1"]
[rpc]
max_batch = 7
wait_timeout = "1m30s"
[state]
cache_bytes = 1_048_576
[comet.p2p]
send_rate = 20_000_000
flush_throttle_timeout = "2ms"
[comet.tx_index]
psql-conn = ""
`))
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Moniker = "north bank"
	want.P2P.External = "ledger.north.example:26656"
	want.P2P.Peers = []string{someID + "@[2001:db8::1]:26656", "a" + someID[1:] + "@south_1:1"}
	want.RPC.MaxBatch = 7
	want.RPC.WaitTimeout = 90 * time.Second
	want.State.CacheBytes = 1 << 20
	want.Comet = map[string]any{
		"p2p":      map[string]any{"send_rate": int64(20_000_000), "flush_throttle_timeout": "2ms"},
		"tx_index": map[string]any{"psql-conn": ""},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestCommentAloneMeansEveryDefault(t *testing.T) {
	clearEnvironment(t)
	got, err := Load(fileOf(t, "# all defaults\n[comet]\n"))
	if err != nil || !reflect.DeepEqual(got, Default()) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestEnvironmentReplacesFile(t *testing.T) {
	clearEnvironment(t)
	t.Setenv("TALLY_MONIKER", "from outside")
	t.Setenv("TALLY_RPC_LISTEN", "0.0.0.0:1")
	t.Setenv("TALLY_RPC_MAX_BATCH", "9")
	t.Setenv("TALLY_STATE_CACHE_BYTES", "2097152")
	t.Setenv("TALLY_CONSENSUS_TIMEOUT_COMMIT", "25ms")
	t.Setenv("TALLY_P2P_PEERS", someID+"@a:1, b"+someID[1:]+"@b:2")
	t.Setenv("TALLY_METRICS_LISTEN", "")
	got, err := Load(fileOf(t, "moniker='x'\n[rpc]\nlisten='127.0.0.1:2'\nmax_batch=3\n[p2p]\npeers=['"+someID+"@c:3']\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Moniker = "from outside"
	want.RPC.Listen = "0.0.0.0:1"
	want.RPC.MaxBatch = 9
	want.State.CacheBytes = 2 << 20
	want.Consensus.TimeoutCommit = 25 * time.Millisecond
	want.P2P.Peers = []string{someID + "@a:1", "b" + someID[1:] + "@b:2"}
	want.Metrics.Listen = ""
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}

	t.Setenv("TALLY_P2P_PEERS", "")
	got, err = Load(fileOf(t, "[p2p]\npeers=['"+someID+"@c:3']\n"))
	if err != nil || got.P2P.Peers != nil {
		t.Errorf("an empty variable left the peers %q, %v", got.P2P.Peers, err)
	}
}

// Each file is refused with exactly these lines.
var refusedFiles = []struct{ name, file, want string }{
	{"empty", "", "the file is empty"},
	{"blank", " \n\t\n", "the file is empty"},
	{"zeros", strings.Repeat("\x00", 512), "line 1, column 1: "},
	{"binary", "\x7fELF\x02\x01\xff\xfe", "line 1, column 1: "},
	{"not UTF-8", "moniker = \"\xff\"", "line 1, column 12: "},
	{"no TOML", "moniker: x", "line 1, column 8: "},
	{"cut off", "moniker = \"no", "line 1, column 1"},
	{"key twice", "moniker='a'\nmoniker='b'", "moniker"},
	{"key twice in a table", "[rpc]\nmax_batch=1\nmax_batch=2", "max_batch"},
	{"table twice", "[rpc]\nmax_batch=1\n[rpc]\nmax_waiting=1", "rpc"},
	{"table and dotted key", "rpc.max_batch=1\n[rpc]\nmax_waiting=1", "rpc"},
	{"upper case", "[rpc]\nMax_Batch=1", `rpc."Max_Batch": want a key of lower-case letters, digits, _ and - only`},
	{"twice but for case", "[rpc]\nmax_batch=1\nMAX_BATCH=2", `rpc."MAX_BATCH": want a key of lower-case`},
	{"quoted dot", "\"rpc.max_batch\"=1", `"rpc.max_batch": want a key of lower-case`},
	{"quoted dot in comet", "[comet]\n\"p2p.pex\"=true", `comet."p2p.pex": want a key of lower-case`},
	{"empty key", "\"\"=1", `"": want a key of lower-case`},
	{"date", "[comet]\nx = 2026-01-01", "comet.x = 2026-01-01: want text"},
	{"infinity", "[comet]\nx = inf", "comet.x = +Inf: want text, a whole number, a finite number"},
	{"deep", "[comet]\nx = " + strings.Repeat("[", 40) + strings.Repeat("]", 40), "want at most 16 tables or arrays inside one another"},
	{"very deep", "x = " + strings.Repeat("[", 60_000), "line 1, column 10005: arrays and inline tables are nested more"},

	{"unknown section", "[rcp]\nlisten='a:1'", "rcp.listen: no such key; did you mean rpc.listen?"},
	{"unknown key", "[rpc]\nmax_batches=1", "rpc.max_batches: no such key; did you mean rpc.max_batch?"},
	{"unknown top key", "monicker='x'", "monicker: no such key; did you mean moniker?"},
	{"key without its section", "listen='x'", "listen: no such key; did you mean p2p.listen?"},
	{"nothing near", "zzzzzzzzzzzzzzzz=1", "zzzzzzzzzzzzzzzz: no such key"},
	{"unknown empty section", "[metric]", "metric: no such key; did you mean metrics?"},
	{"key within a key", "[rpc.max_batch]\nx=1", "rpc.max_batch = map[x:1]: want a whole number from 1 to 10000"},
	{"section as a value", "rpc = 'x'", `rpc = "x": want a table, [rpc]`},
	{"section as a list", "[[rpc]]\nmax_batch=1", "want a table, [rpc]"},
	{"comet as a value", "comet = 1", "comet = 1: want a table, [comet]"},

	{"text for a number", "[rpc]\nmax_batch='7'", `rpc.max_batch = "7": want a whole number from 1 to 10000`},
	{"fraction for a number", "[rpc]\nmax_batch=7.0", "rpc.max_batch = 7: want a whole number"},
	{"true for a number", "[rpc]\nmax_batch=true", "rpc.max_batch = true: want a whole number"},
	{"huge number", "[rpc]\nmax_batch=9223372036854775808", "line 2"},
	{"number for a text", "moniker=7", "moniker = 7: want 1 to 64 printable ASCII characters"},
	{"number for a duration", "[rpc]\nwait_timeout=30", "rpc.wait_timeout = 30: want a duration from 100ms to 10m"},
	{"duration without a unit", "[rpc]\nwait_timeout='30'", `rpc.wait_timeout = "30": want a duration`},
	{"duration of words", "[rpc]\nwait_timeout='soon'", `rpc.wait_timeout = "soon": want a duration`},
	{"huge duration", "[rpc]\nwait_timeout='9999999h'", `rpc.wait_timeout = "9999999h": want a duration`},
	{"text for a list", "[p2p]\npeers='x'", `p2p.peers = "x": want a list of "nodeID@host:port"`},
	{"number in a list", "[p2p]\npeers=[1]", "p2p.peers = [1]: want a list of"},
	{"table for a text", "[moniker]\nx=1", "moniker.x: no such key"},
	{"long value is cut", "[log]\nlevel='" + strings.Repeat("é", 5000) + "'", `…: want "debug", "info", "warn" or "error"`},
}

func TestRefusedFiles(t *testing.T) {
	clearEnvironment(t)
	for _, c := range refusedFiles {
		t.Run(c.name, func(t *testing.T) {
			path := fileOf(t, c.file)
			_, err := Load(path)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Fatalf("got %v\nwant %q", err, c.want)
			}
			if len(err.Error()) > 1000 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestEveryProblemAtOnce(t *testing.T) {
	clearEnvironment(t)
	t.Setenv("TALLY_RPC_MAX_WAITING", "many")
	t.Setenv("TALLY_LOG_LEVEL", "loud")
	t.Setenv("TALLY_RPC_MAX_BACH", "1")
	path := fileOf(t, "x=1\n[rpc]\nmax_batch=0\nlisten=5\n[comet]\n")
	_, err := Load(path)
	want := `config file ` + path + `:
x: no such key
TALLY_RPC_MAX_BACH: no such setting; did you mean TALLY_RPC_MAX_BATCH?
rpc.listen = 5: want "host:port" with a host (0.0.0.0 for every interface) and a port from 0 to 65535
TALLY_RPC_MAX_WAITING = "many": want a whole number from 1 to 1000000
rpc.max_batch = 0: want a whole number from 1 to 10000
TALLY_LOG_LEVEL = "loud": want "debug", "info", "warn" or "error"`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	directory := t.TempDir()
	if _, err := Load(filepath.Join(directory, "none.toml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := Load(directory); err == nil || !strings.Contains(err.Error(), directory) {
		t.Errorf("a directory: %v", err)
	}
	huge := fileOf(t, strings.Repeat("#", MaxFileBytes+1))
	if _, err := Load(huge); err == nil || !strings.Contains(err.Error(), "larger than 65536 bytes") {
		t.Errorf("a huge file: %v", err)
	}
}

func TestUnknownVariables(t *testing.T) {
	cases := []struct{ entry, want string }{
		{"TALLY_RPC_LISTEN=x", ""},
		{"TALLY_HOME=/x", ""},
		{"TALLY_PASSPHRASE=x", ""},
		{"TALLY_SOMETHING_ELSE=x", ""},
		{"PATH=x", ""},
		{"TALLYRPC=x", ""},
		{"TALLY_RPC_SERVICE_HOST=10.0.0.1", ""},
		{"TALLY_RPC_SERVICE_PORT=80", ""},
		{"TALLY_RPC_SERVICE_PORT_HTTP=80", ""},
		{"TALLY_RPC_PORT=tcp://10.0.0.1:80", ""},
		{"TALLY_RPC_PORT_80_TCP=tcp://10.0.0.1:80", ""},
		{"TALLY_RPC_PORT_80_TCP_PORT=80", ""},
		{"TALLY_RPC_PORT_80_TCP_ADDR=10.0.0.1", ""},

		{"TALLY_RPC_PORT=8545", "TALLY_RPC_PORT: no such setting"},
		{"TALLY_RPC_=x", "TALLY_RPC_: no such setting"},
		{"TALLY_RPC_LISTENS=x", "TALLY_RPC_LISTENS: no such setting; did you mean TALLY_RPC_LISTEN?"},
		{"TALLY_RCP_LISTEN=x", "TALLY_RCP_LISTEN: no such setting; did you mean TALLY_RPC_LISTEN?"},
		{"TALLY_rpc_listen=x", "TALLY_rpc_listen: no such setting; did you mean TALLY_RPC_LISTEN?"},
		{"TALLY_MONICKER=x", "TALLY_MONICKER: no such setting; did you mean TALLY_MONIKER?"},
		{"TALLY_COMET_P2P_PEX=true", "TALLY_COMET_P2P_PEX: CometBFT's settings are not read from the environment"},
	}
	for _, c := range cases {
		problems := unknownVariables([]string{"HOME=/x", c.entry})
		got := ""
		if len(problems) > 0 {
			got = problems[0].Error()
		}
		if len(problems) > 1 || !strings.HasPrefix(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%s: got %v, want %q", c.entry, problems, c.want)
		}
	}
}
