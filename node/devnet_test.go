package node

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/crypto"
)

// runDevnet runs a devnet until it is ready, and then stops it.
func runDevnet(t *testing.T, o DevnetOptions) (Devnet, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var ready *Devnet
	o.Configure, o.Log = quick, testLog()
	o.Ready = func(d Devnet) {
		ready = &d
		cancel()
	}
	if o.BasePort == 0 {
		o.BasePort = freePorts(t, DevnetOptions{Validators: max(o.Validators, 1)})
	}
	err := RunDevnet(ctx, o)
	if err == nil && ready == nil {
		t.Fatal("the devnet was never ready")
	}
	if ready == nil {
		ready = &Devnet{}
	}
	return *ready, err
}

func TestDevnet(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "devnet")
	var out bytes.Buffer
	first, err := runDevnet(t, DevnetOptions{Dir: dir, Validators: 1, JSON: true, Out: &out})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(out.String(), "\n") != 1 {
		t.Errorf("not one line: %q", out.String())
	}
	var fields map[string]any
	if err := json.Unmarshal(out.Bytes(), &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"networkId", "chainId", "rpc", "metrics", "explorer", "accounts", "assets"} {
		if fields[name] == nil {
			t.Errorf("no %s in %s", name, out.String())
		}
		delete(fields, name)
	}
	if len(fields) != 0 {
		t.Errorf("more fields than asked for: %v", fields)
	}
	checkDevnet(t, first, 1)

	out.Reset()
	again, err := runDevnet(t, DevnetOptions{Dir: dir, Out: &out})
	if err != nil || again.NetworkID != first.NetworkID {
		t.Errorf("run again it is network %s, was %s (%v)", again.NetworkID, first.NetworkID, err)
	}
	for _, line := range []string{again.RPC[0], again.Metrics[0], again.NetworkID, again.Accounts[9].PrivateKey, "public knowledge", "curl -s", "tally key import", "tally transfer", dir, "Ctrl-C", "--reset"} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("the screen does not show %q", line)
		}
	}
	for line := range strings.Lines(out.String()) {
		if len(line) > 81 && !strings.Contains(line, dir) {
			t.Errorf("a line of the screen is wider than 80 columns: %q", line)
		}
	}

	if _, err := runDevnet(t, DevnetOptions{Dir: dir, Validators: 2}); err == nil || !strings.Contains(err.Error(), "--reset") {
		t.Errorf("with another number of validators: %v", err)
	}
	reset, err := runDevnet(t, DevnetOptions{Dir: dir, Validators: 2, Reset: true})
	if err != nil || reset.NetworkID == first.NetworkID || len(reset.RPC) != 2 {
		t.Errorf("reset: %+v, %v", reset, err)
	}
}

func checkDevnet(t *testing.T, d Devnet, validators int) {
	t.Helper()
	if len(d.RPC) != validators || len(d.Metrics) != validators || len(d.Accounts) != devnetAccounts || len(d.Assets) != 2 {
		t.Fatalf("%+v", d)
	}
	// The account that every Ethereum developer knows.
	if d.Accounts[0].Address.String() != "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266" ||
		d.Accounts[0].PrivateKey != "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80" {
		t.Errorf("account 0 is %+v", d.Accounts[0])
	}
	if d.Assets[0].Symbol != "TALLY" || d.Assets[0].Decimals != 18 || d.Assets[1].Decimals != 2 {
		t.Errorf("assets %+v", d.Assets)
	}
}

func TestDevnetRefuses(t *testing.T) {
	t.Parallel()
	made := filepath.Join(t.TempDir(), "made")
	o := DevnetOptions{Dir: made, Validators: 1}
	files, err := openDevnet(&o)
	if err != nil {
		t.Fatal(err)
	}
	record := filepath.Join(made, devnetRecord)
	for _, c := range []struct {
		name   string
		change func(*testing.T, *DevnetOptions)
		want   string
	}{
		{"running already", func(*testing.T, *DevnetOptions) {}, "another process runs it"},
		{"no directory", func(_ *testing.T, o *DevnetOptions) { o.Dir = "" }, "directory"},
		{"too many", func(_ *testing.T, o *DevnetOptions) { o.Validators = MaxDevnetValidators + 1 }, "validators"},
		{"negative", func(_ *testing.T, o *DevnetOptions) { o.Validators = -1 }, "validators"},
		{"port too high", func(_ *testing.T, o *DevnetOptions) { o.BasePort = 65535 }, "base port"},
		{"port negative", func(_ *testing.T, o *DevnetOptions) { o.BasePort = -1 }, "base port"},
		{"somebody's files", func(t *testing.T, o *DevnetOptions) {
			o.Dir, o.Reset = t.TempDir(), true
			if err := os.WriteFile(filepath.Join(o.Dir, "thesis.tex"), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "thesis.tex"},
		{"a file", func(t *testing.T, o *DevnetOptions) { o.Dir = record }, "devnet.json"},
		{"made by a newer version", func(t *testing.T, _ *DevnetOptions) {
			files.unlock()
			replace(t, record, []byte(`{"format":3,"networkId":"x","validators":9,"more":true}`))
		}, "newer version"},
		{"made by an earlier version", func(t *testing.T, _ *DevnetOptions) {
			replace(t, record, []byte(`{"format":1,"networkId":"x","validators":1}`))
		}, "start over with --reset"},
		{"damaged", func(t *testing.T, _ *DevnetOptions) { replace(t, record, []byte(`{"format":1`)) }, "damaged"},
		{"senseless", func(t *testing.T, _ *DevnetOptions) { replace(t, record, []byte(`{"format":2,"validators":0}`)) }, "damaged"},
		{"a key is gone", func(t *testing.T, _ *DevnetOptions) { replace(t, files.home(0).NodeKeyFile(), nil) }, "node_key.json"},
		{"port taken", func(t *testing.T, o *DevnetOptions) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
			o.BasePort = l.Addr().(*net.TCPAddr).Port
		}, "--base-port"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := DevnetOptions{Dir: made, Out: &bytes.Buffer{}}
			c.change(t, &o)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			err := RunDevnet(ctx, o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want something with %q", err, c.want)
			}
		})
	}
	if _, err := os.Stat(record); err != nil {
		t.Errorf("a refused start has removed the network: %v", err)
	}
}

// A devnet that was interrupted while it was made, or removed, is made anew.
func TestHalfMadeDevnet(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := Init(Home(filepath.Join(dir, "node0")), config.Default()); err != nil {
		t.Fatal(err)
	}
	if _, err := runDevnet(t, DevnetOptions{Dir: dir, Validators: 1}); err != nil {
		t.Error(err)
	}
}

// The devnet ends, and says which, when a validator fails.
func TestDevnetFails(t *testing.T) {
	t.Parallel()
	n := newTestnet(t, 1)
	n.startAll()
	done := make(chan error, 1)
	go func() { done <- serveDevnet(t.Context(), n.o, n.files, n.nodes) }()
	n.nodes[0].fail(fmt.Errorf("broken"))
	if err := <-done; err == nil || !strings.Contains(err.Error(), "validator 0: broken") {
		t.Errorf("got %v", err)
	}
}

// The validators of a devnet are members, founded by cards like any others.
func TestDevnetMembers(t *testing.T) {
	t.Parallel()
	o := DevnetOptions{Dir: t.TempDir(), Validators: 4, BasePort: defaultBasePort}
	files, err := openDevnet(&o)
	if err != nil {
		t.Fatal(err)
	}
	files.unlock()
	report, err := DescribeGenesis(files.home(2).GenesisFile())
	if err != nil {
		t.Fatal(err)
	}
	if !report.Signed || len(report.Members) != 4 || report.StoppedBy != 2 || report.AccountPolicy != "open" {
		t.Errorf("%+v", report)
	}
	for i := range 4 {
		organisation, err := ReadOrganisation(files.home(i))
		if err != nil {
			t.Fatal(err)
		}
		secret, err := os.ReadFile(filepath.Join(files.home(i).KeysDir(), devnetAdmin))
		if err != nil {
			t.Fatal(err)
		}
		key, err := crypto.ParsePrivateKey(strings.TrimSpace(string(secret)))
		if err != nil || key.Address() != organisation.Admin || report.memberName(organisation.Admin) != fmt.Sprint("Devnet ", i+1) {
			t.Errorf("validator %d is of %+v, %v", i, organisation, err)
		}
	}
}

// --reset throws away what an earlier version has made.
func TestEarlierDevnetReset(t *testing.T) {
	t.Parallel()
	o := DevnetOptions{Dir: t.TempDir(), Reset: true, BasePort: defaultBasePort}
	record := filepath.Join(o.Dir, devnetRecord)
	if err := os.WriteFile(record, []byte(`{"format":1,"networkId":"old","validators":2}`), 0o600); err != nil {
		t.Fatal(err)
	}
	files, err := openDevnet(&o)
	if err != nil {
		t.Fatal(err)
	}
	files.unlock()
	if g, err := CheckGenesis(files.home(3).GenesisFile()); err != nil || g.NetworkID == "old" {
		t.Errorf("%v, %v", g, err)
	}
}
