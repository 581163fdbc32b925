package bench

import (
	"encoding/json"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holiman/uint256"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// small is a run of 60 transactions in 0.2 s over two nodes of one ledger.
func small(t *testing.T) (Config, *fakeLedger, []*fakeNode) {
	t.Helper()
	funder, err := deriveKey("funder", 0)
	if err != nil {
		t.Fatal(err)
	}
	l := newLedger(t, funder.Address())
	nodes := []*fakeNode{l.start(t), l.start(t)}
	return Config{
		URLs: []string{nodes[0].url, nodes[1].url}, Rate: 30, Duration: 2 * time.Second, Legs: 1, Accounts: 6,
		Funder: client.NewLocalSigner(funder), Seed: t.Name(), Grace: 20 * time.Second, Verify: true,
	}, l, nodes
}

func run(t *testing.T, cfg Config) *Result {
	t.Helper()
	r, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if r.Submitted != r.Committed+r.Refused+r.Lost {
		t.Errorf("submitted %d is not committed %d + refused %d + lost %d", r.Submitted, r.Committed, r.Refused, r.Lost)
	}
	return r
}

func TestRunEverySchemeAndShape(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"typed data":   func(*Config) {},
		"body hash":    func(c *Config) { c.Scheme = SchemeBodyHash },
		"ethereum":     func(c *Config) { c.Scheme = SchemeEthereum },
		"many legs":    func(c *Config) { c.Legs = 40 },
		"two accounts": func(c *Config) { c.Accounts = 2 },
		"one node":     func(c *Config) { c.URLs = c.URLs[:1] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, l, nodes := small(t)
			change(&cfg)
			r := run(t, cfg)
			if r.Submitted != 60 || r.Committed != 60 || !r.Verified || len(r.Differences) != 0 {
				t.Errorf("result %+v", r)
			}
			if l.applied != 61 {
				t.Errorf("%d transactions on the ledger, want 60 and one that funds", l.applied)
			}
			if len(cfg.URLs) == 2 && (nodes[0].sent < 20 || nodes[1].sent < 20) {
				t.Errorf("the nodes got %d and %d transactions: not spread", nodes[0].sent, nodes[1].sent)
			}
		})
	}
}

func TestRunInFlight(t *testing.T) {
	cfg, _, nodes := small(t)
	cfg.Rate, cfg.Inflight = 0, 4
	var now, most atomic.Int64
	for _, n := range nodes {
		n.hook = func(int, []byte) (ledger.Code, error) {
			defer now.Add(-1)
			for v := now.Add(1); v > most.Load(); v = now.Load() {
				most.Store(v)
			}
			return ledger.Applied, nil
		}
	}
	r := run(t, cfg)
	if r.Committed < 5 || r.Lost+r.Refused != 0 || len(r.Differences) != 0 {
		t.Errorf("result %+v", r)
	}
	if most.Load() > 4 {
		t.Errorf("%d in flight, at most 4 were asked for", most.Load())
	}
}

// The same seed again goes on where the accounts are.
func TestRunAgain(t *testing.T) {
	cfg, l, _ := small(t)
	run(t, cfg)
	r := run(t, cfg)
	if r.Committed != 60 || len(r.Differences) != 0 || l.applied < 121 {
		t.Errorf("result %+v, %d on the ledger", r, l.applied)
	}
}

func TestRefusalsAreCounted(t *testing.T) {
	cfg, _, nodes := small(t)
	cfg.URLs = cfg.URLs[:1]
	// The first is the funding; of the rest a third is refused at the door and
	// a third in a block.
	nodes[0].hook = func(n int, _ []byte) (ledger.Code, error) {
		switch {
		case n > 1 && n%3 == 0:
			return 0, rejected(ledger.CodeAssetPaused)
		case n > 1 && n%3 == 1:
			return ledger.CodeInsufficientBalance, nil
		}
		return ledger.Applied, nil
	}
	r := run(t, cfg)
	if r.Committed != 20 || r.Refused != 40 || r.Reasons["assetPaused"] != 20 || r.Reasons["insufficientBalance"] != 20 {
		t.Errorf("result %+v", r)
	}
	if len(r.Differences) != 0 {
		t.Errorf("refused transactions were taken to move something: %+v", r.Differences)
	}
}

// A node that says "not now", or breaks off before or after it has committed,
// loses nothing.
func TestNothingIsLostByANodeThatFails(t *testing.T) {
	for name, hook := range map[string]func(*fakeNode) func(int, []byte) (ledger.Code, error){
		"busy": func(*fakeNode) func(int, []byte) (ledger.Code, error) {
			return func(n int, _ []byte) (ledger.Code, error) {
				if n%2 == 0 {
					return 0, unavailable("busy")
				}
				return 0, nil
			}
		},
		"times out": func(*fakeNode) func(int, []byte) (ledger.Code, error) {
			return func(n int, _ []byte) (ledger.Code, error) {
				if n%5 == 0 {
					return 0, unavailable("timeout")
				}
				return 0, nil
			}
		},
		"hangs up": func(node *fakeNode) func(int, []byte) (ledger.Code, error) {
			return func(n int, _ []byte) (ledger.Code, error) {
				if n == 10 || n == 30 {
					node.hangUp()
				}
				return 0, nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, _, nodes := small(t)
			nodes[1].hook = hook(nodes[1])
			r := run(t, cfg)
			if r.Committed != 60 || len(r.Differences) != 0 {
				t.Errorf("result %+v", r)
			}
			if len(r.Retries) == 0 {
				t.Error("nothing was sent again, so the node did not fail")
			}
		})
	}
}

// A transaction that no node answers is lost, unless it is found on the ledger
// in the end.
func TestLost(t *testing.T) {
	for name, committed := range map[string]bool{"swallowed": false, "committed without a word": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, l, nodes := small(t)
			cfg.Grace = 5 * time.Second
			release := make(chan struct{})
			t.Cleanup(func() { close(release) })
			var mu sync.Mutex
			var mute crypto.Hash
			for _, node := range nodes {
				node.hook = func(n int, raw []byte) (ledger.Code, error) {
					mu.Lock()
					if n == 7 && mute == (crypto.Hash{}) {
						mute = crypto.Keccak256(raw)
					}
					silent := mute == crypto.Keccak256(raw)
					mu.Unlock()
					if silent && committed {
						if _, err := l.commit(raw, ledger.Applied); err != nil {
							t.Error(err)
						}
					}
					if silent {
						<-release
					}
					return ledger.Applied, nil
				}
			}
			r := run(t, cfg)
			if len(r.Differences) != 0 {
				t.Errorf("differences %+v", r.Differences)
			}
			switch {
			case committed && (r.Lost != 0 || r.Committed != 60):
				t.Errorf("it was found on the ledger, yet the result is %+v", r)
			case !committed && (r.Lost != 1 || r.Committed != 59 || r.LostHashes[0] != mute):
				t.Errorf("%s was lost, yet the result is %+v", mute, r)
			}
		})
	}
}

// What is due while no node can be reached waits, and its clock runs.
func TestLatencyRunsFromTheDueTime(t *testing.T) {
	const away = time.Second
	cfg, l, _ := small(t)
	cfg.Rate, cfg.Duration = 300, 200*time.Millisecond
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	cfg.URLs = []string{"http://" + address}
	p := fixedPlan(t, &cfg, l)
	e := newEngine(&cfg, p)
	time.AfterFunc(away, func() {
		again, err := net.Listen("tcp", address)
		if err != nil {
			t.Error(err)
			return
		}
		(&fakeNode{ledger: l}).serve(t, again)
	})
	e.drive(t.Context())
	r := e.result()
	if r.Committed != 60 {
		t.Fatalf("result %+v", r)
	}
	// The first was due at 0 and the last at 0.2 s: all of them waited 0.8 s, and the
	// first of them all the time, less what went by before the engine began.
	if r.LatencyMs.P50 < 600 || r.LatencyMs.Max < 700 {
		t.Errorf("latencies %+v leave out the time for which no node could be reached", r.LatencyMs)
	}
}

// fixedPlan is a plan whose accounts are funded without a node.
func fixedPlan(t *testing.T, cfg *Config, l *fakeLedger) *plan {
	t.Helper()
	p := &plan{network: l.network, address: settlement, legs: cfg.Legs, total: 60, accounts: make([]account, cfg.Accounts)}
	for i := range p.accounts {
		key, err := deriveKey(cfg.Seed, i)
		if err != nil {
			t.Fatal(err)
		}
		p.accounts[i] = account{key: key, address: key.Address(), opening: ledger.NewAmount(1 << 40)}
		l.balances[key.Address()] = uint256.NewInt(1 << 40)
	}
	cfg.Stage = func(string, int, int) {}
	if err := p.presign(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestVerifyFindsDifferences(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*fakeLedger, []*fakeNode)
		want  string
		count int
	}{
		"a node shows another balance": {func(_ *fakeLedger, n []*fakeNode) {
			var once sync.Once
			var whose crypto.Address
			n[1].lie = func(a crypto.Address, b *uint256.Int) {
				once.Do(func() { whose = a })
				if a == whose {
					b.AddUint64(b, 1)
				}
			}
		}, "balance of", 1},
		"a node has another app hash": {func(_ *fakeLedger, n []*fakeNode) { n[1].fork = crypto.Hash{1} }, "app hash in block", 50},
		"all nodes agree on what no receipt says": {func(l *fakeLedger, n []*fakeNode) {
			n[0].hook = func(count int, _ []byte) (ledger.Code, error) {
				if count == 10 {
					l.mu.Lock()
					defer l.mu.Unlock()
					key, err := deriveKey("TestVerifyFindsDifferences/all_nodes_agree_on_what_no_receipt_says", 0)
					if err == nil {
						l.balances[key.Address()].SubUint64(l.balances[key.Address()], 1)
					}
					return 0, err
				}
				return 0, nil
			}
		}, "balance of", 2},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, l, nodes := small(t)
			c.spoil(l, nodes)
			r := run(t, cfg)
			if len(r.Differences) < c.count || !strings.Contains(r.Differences[0].What, c.want) {
				t.Errorf("%d differences, want at least %d about %q: %+v", len(r.Differences), c.count, c.want, r.Differences)
			}
		})
	}
}

func TestRunRefuses(t *testing.T) {
	good, _, _ := small(t)
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"no node":           {func(c *Config) { c.URLs = nil }, "no node"},
		"node down":         {func(c *Config) { c.URLs = []string{"http://127.0.0.1:1"} }, "refused"},
		"negative rate":     {func(c *Config) { c.Rate = -1 }, "rate"},
		"too fast":          {func(c *Config) { c.Rate = MaxRate + 1 }, "rate"},
		"neither":           {func(c *Config) { c.Rate = 0 }, "in flight 0"},
		"both":              {func(c *Config) { c.Inflight = 5 }, "one of them"},
		"too many":          {func(c *Config) { c.Rate, c.Inflight = 0, MaxInflight+1 }, "in flight"},
		"no legs":           {func(c *Config) { c.Legs = 0 }, "legs 0"},
		"too many legs":     {func(c *Config) { c.Legs = ledger.MaxLegs + 1 }, "legs 4097"},
		"legs for ethereum": {func(c *Config) { c.Scheme, c.Legs = SchemeEthereum, 2 }, "must be 1"},
		"one account":       {func(c *Config) { c.Accounts = 1 }, "accounts 1"},
		"no time":           {func(c *Config) { c.Duration = 0 }, "duration"},
		"too much to sign":  {func(c *Config) { c.Rate, c.Duration = 1000, time.Hour }, "can be signed"},
		"no funder":         {func(c *Config) { c.Funder = nil }, "no key"},
		"funder without money": {func(c *Config) {
			poor, err := deriveKey("poor", 0)
			if err != nil {
				t.Fatal(err)
			}
			c.Funder = client.NewLocalSigner(poor)
		}, "has 0 TALLY"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := good
			c.change(&cfg)
			r, err := Run(t.Context(), cfg)
			if err == nil || !strings.Contains(err.Error(), c.want) || r != nil {
				t.Errorf("result %+v, error %v, want %q", r, err, c.want)
			}
		})
	}
}

func TestResultJSON(t *testing.T) {
	text, err := json.Marshal(Result{Submitted: 4, Committed: 2, Refused: 1, Lost: 1, TransfersPerSecond: 2.5, LatencyMs: LatencyMs{1, 2, 3, 4}, Retries: map[string]uint64{"busy": 1}})
	want := `{"submitted":4,"committed":2,"refused":1,"lost":1,"transfersPerSecond":2.5,"latencyMs":{"p50":1,"p90":2,"p99":3,"max":4}}`
	if err != nil || string(text) != want {
		t.Errorf("%s, %v; want %s", text, err, want)
	}
}
