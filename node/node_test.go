package node

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/p2p"

	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/ledger/store"
)

// What New cannot start from is an error that says what is wrong, and the home
// stays as it was: put right, the node starts.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	net := newTestnet(t, 1)
	net.startAll()
	net.stop()
	home := net.files.home(0)
	for _, c := range []struct {
		name  string
		spoil func(*testing.T, *config.Config)
		want  string
	}{
		{"setting", func(_ *testing.T, c *config.Config) { c.RPC.MaxBatch = -1 }, "rpc.max_batch"},
		{"raw setting", func(_ *testing.T, c *config.Config) { c.Comet = map[string]any{"p2p": map[string]any{"pex": true}} }, "comet.p2p.pex"},
		{"no genesis", func(t *testing.T, _ *config.Config) { replace(t, home.GenesisFile(), nil) }, "genesis"},
		{"bad genesis", func(t *testing.T, _ *config.Config) { replace(t, home.GenesisFile(), []byte("{}")) }, "genesis"},
		{"another genesis", func(t *testing.T, _ *config.Config) {
			data, err := testSpec(t).Document()
			if err != nil {
				t.Fatal(err)
			}
			replace(t, home.GenesisFile(), data)
		}, "not the one that the chain"},
		{"no node key", func(t *testing.T, _ *config.Config) { replace(t, home.NodeKeyFile(), nil) }, "node_key.json"},
		{"no validator key", func(t *testing.T, _ *config.Config) { replace(t, home.ValidatorKeyFile(), nil) }, "priv_validator_key.json"},
		{"no signing state", func(t *testing.T, _ *config.Config) { replace(t, home.ValidatorStateFile(), nil) }, "sign twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			settings := net.o.configuration(0, net.files.identities)
			c.spoil(t, &settings)
			n, err := New(settings, string(home), Options{Logger: net.o.Log})
			if err == nil {
				n.Stop(context.Background())
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want something with %q", err, c.want)
			}
		})
	}
	net.startAll()
}

// replace puts data, or nothing, in a file's place until the test ends.
func replace(t *testing.T, path string, data []byte) {
	t.Helper()
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if data == nil {
		err = os.Remove(path)
	} else {
		err = os.WriteFile(path, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.WriteFile(path, old, 0o600); err != nil {
			t.Error(err)
		}
	})
}

func TestHomeIsLocked(t *testing.T) {
	t.Parallel()
	net := newTestnet(t, 1)
	net.startAll()
	_, err := New(net.o.configuration(0, net.files.identities), string(net.files.home(0)), Options{Logger: net.o.Log})
	if !errors.Is(err, store.ErrLocked) {
		t.Errorf("a second node in one home: %v", err)
	}
}

// A node can be stopped that was never started, and twice.
func TestStopWithoutStart(t *testing.T) {
	t.Parallel()
	net := newTestnet(t, 1)
	n, err := New(net.o.configuration(0, net.files.identities), string(net.files.home(0)), Options{Logger: net.o.Log})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := n.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if err := n.Wait(); err != nil {
		t.Errorf("Wait after Stop: %v", err)
	}
	net.startAll()
}

// Run ends without an error when its context does, at whatever moment.
func TestRunStops(t *testing.T) {
	t.Parallel()
	net := newTestnet(t, 1)
	c, home := net.o.configuration(0, net.files.identities), string(net.files.home(0))
	for _, after := range []time.Duration{0, time.Millisecond, 30 * time.Millisecond, time.Second} {
		ctx, cancel := context.WithTimeout(t.Context(), after)
		begun := time.Now()
		if err := Run(ctx, c, home, Options{Logger: net.o.Log}); err != nil {
			t.Errorf("stopped after %s: %v", after, err)
		}
		if took := time.Since(begun) - after; took > stopWithin {
			t.Errorf("stopped after %s: it took %s", after, took)
		}
		cancel()
	}
	net.startAll()
}

func TestRunFails(t *testing.T) {
	t.Parallel()
	c := config.Default()
	if err := Run(t.Context(), c, filepath.Join(t.TempDir(), "none"), Options{Logger: testLog()}); err == nil {
		t.Error("a node ran without a home")
	}
}

// A node that no member lists as its own is turned away, and they go on.
func TestStrangerIsTurnedAway(t *testing.T) {
	t.Parallel()
	net := newTestnet(t, 2)
	log := newTurnedAway()
	net.o.Log = slog.New(log)
	keyFile := net.files.home(0).NodeKeyFile()
	listed, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	other := p2p.NodeKey{PrivKey: ed25519.GenPrivKey()} // validator 0 comes with a key that no member lists
	if err := other.SaveAs(keyFile); err != nil {
		t.Fatal(err)
	}
	net.start(1)
	n := net.start(0)
	select {
	case id := <-log.ids:
		if id != n.ID() {
			t.Errorf("turned away %s, want %s", id, n.ID())
		}
	case <-time.After(patience):
		t.Fatal("nobody was turned away")
	}
	if n.Height() != 0 || net.nodes[1].chain.Switch().Peers().Size() != 0 {
		t.Error("the stranger was let in")
	}
	net.stop(0)
	replace(t, keyFile, listed)
	net.start(0)
	net.ready(0)
	net.ready(1)
}

// turnedAway is a log handler that reports the nodes that were turned away.
type turnedAway struct {
	slog.Handler
	ids chan string
}

func newTurnedAway() turnedAway { return turnedAway{testLog().Handler(), make(chan string, 100)} }

func (h turnedAway) Enabled(context.Context, slog.Level) bool { return true }
func (h turnedAway) WithAttrs([]slog.Attr) slog.Handler       { return h }
func (h turnedAway) WithGroup(string) slog.Handler            { return h }

func (h turnedAway) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "turned away") {
		r.Attrs(func(a slog.Attr) bool {
			h.ids <- a.Value.String()
			return false
		})
	}
	return nil
}
