package app

import (
	"bytes"
	"errors"
	"sync/atomic"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tallystick/tallystick/ledger"
)

// executions reads how often FinalizeBlock came to its execution in one way.
func executions(t testing.TB, r *prometheus.Registry, kind string) float64 {
	t.Helper()
	return counter(t, r, "tallystick_app_executions_total", kind)
}

// counter reads a counter with one label.
func counter(t testing.TB, r *prometheus.Registry, name, label string) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			if m.GetLabel()[0].GetValue() == label {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func wantExecutions(t testing.TB, r *prometheus.Registry, joined, late, dropped float64) {
	t.Helper()
	j, l, d := executions(t, r, "joined"), executions(t, r, "late"), executions(t, r, "dropped")
	if j != joined || l != late || d != dropped {
		t.Errorf("executions joined %v, late %v, dropped %v; want %v, %v, %v", j, l, d, joined, late, dropped)
	}
}

// What was executed early and what was executed late is the same, byte for byte.
func TestEarlyExecutionIsJoined(t *testing.T) {
	r := prometheus.NewRegistry()
	early, late := newChain(t, Options{Metrics: r}, nil), newChain(t, Options{Workers: 1}, nil)
	for n := range uint64(3) {
		p := early.proposal(early.pay("alice", n, "bob", 5), early.pay("alice", n+100, "newcomer", funds))
		for range 2 { // the second time in a later round
			if !early.accepts(p) {
				t.Fatal("rejected")
			}
		}
		first := early.finalize(p)
		same(t, "early against late", first, late.finalize(p))
		same(t, "asked again", first, early.finalize(p))
		early.commit()
		late.commit()
		if root := early.store.Root(); !bytes.Equal(root[:], first.AppHash) {
			t.Fatalf("committed root %x, answered %x", root, first.AppHash)
		}
	}
	if j := executions(t, r, "joined"); j != 6 {
		t.Errorf("%v executions joined", j)
	}
	wantExecutions(t, r, 6, 0, 0)
}

// Of several proposals only the decided one counts, whichever was executed.
func TestLostRounds(t *testing.T) {
	r := prometheus.NewRegistry()
	c, plain := newChain(t, Options{Metrics: r}, nil), newChain(t, Options{}, nil)
	c.block()
	plain.block()
	one := c.proposal(c.pay("alice", 0, "bob", 5))
	two := c.proposal(c.pay("alice", 0, "bob", 6))
	three := c.proposal(c.pay("alice", 0, "bob", 7))
	for _, p := range []*abci.RequestProcessProposal{one, two, one, two} {
		if !c.accepts(p) {
			t.Fatal("rejected")
		}
	}
	// None of them wins, as when this node slept through a round.
	same(t, "a block never judged here", c.finalize(three), plain.finalize(three))
	// CometBFT asks about the decided block of a height only, but nothing
	// depends on that.
	same(t, "another", c.finalize(one), plain.finalize(one))
	c.commit()
	plain.commit()
	if c.balance("bob") != funds+5 || c.store.Root() != plain.store.Root() {
		t.Errorf("bob has %d", c.balance("bob"))
	}
	wantExecutions(t, r, 0, 3, 5)
}

// A big execution is cancelled in its midst, by the next round and by Close.
func TestCancelledExecutions(t *testing.T) {
	n := uint64(900)
	if testing.Short() {
		n = 100
	}
	c := newChain(t, Options{}, nil)
	c.block()
	var txs [][]byte
	for i := range n {
		txs = append(txs, c.pay("alice", i, "bob", 1))
	}
	for i := range 5 {
		if !c.accepts(c.proposal(txs[i:]...)) {
			t.Fatal("rejected")
		}
	}
	p := c.proposal(txs...)
	c.finalize(p)
	if !c.accepts(c.proposal(txs[1:]...)) {
		t.Error("a good proposal is rejected between FinalizeBlock and Commit")
	}
	c.commit()
	if got := c.balance("bob"); got != funds+n {
		t.Errorf("bob has %d", got)
	}
	more := c.proposal(c.pay("carol", 0, "bob", 1))
	if !c.accepts(more) {
		t.Fatal("rejected")
	}
	c.Close()
	if _, err := c.FinalizeBlock(ctx, decidedBlock(more)); !errors.Is(err, errClosed) {
		t.Errorf("after Close: %v", err)
	}
	c.Close()
	if c.Err() != nil {
		t.Errorf("closing stopped the application: %v", c.Err())
	}
}

// A crash between FinalizeBlock and Commit loses nothing: the same block gives
// the same answer.
func TestReplayAfterCrashBeforeCommit(t *testing.T) {
	c := newChain(t, Options{}, nil)
	c.block(c.pay("alice", 0, "bob", 5))
	p := c.proposal(c.pay("alice", 1, "newcomer", 5), c.pay("bob", 0, "alice", 2*funds))
	want := c.finalize(p)
	c = c.reopen()
	if c.Network() == nil || c.Network().ID != networkID {
		t.Fatalf("network after restart: %v", c.Network())
	}
	same(t, "replay", want, c.finalize(p))
	c.commit()
	c = c.reopen()
	info, err := c.Info(ctx, &abci.RequestInfo{})
	if err != nil || info.LastBlockHeight != 2 || !bytes.Equal(info.LastBlockAppHash, want.AppHash) {
		t.Errorf("info %+v, %v", info, err)
	}
}

// Committed is called once a block, when reads already see it.
func TestCommittedCallback(t *testing.T) {
	var c *chain
	var last atomic.Uint64
	c = newChain(t, Options{Committed: func(h ledger.Height) {
		if uint64(h) != last.Add(1) || c.latest.Load().height != h || c.store.Height() != h {
			t.Errorf("called for height %d while reads see %d", h, c.latest.Load().height)
		}
	}}, nil)
	for range 3 {
		c.block()
	}
	if last.Load() != 3 {
		t.Errorf("called %d times", last.Load())
	}
}

// After the machine beneath has failed nothing is answered and nothing is
// written.
func TestMachineErrorsStop(t *testing.T) {
	calls := map[string]func(*chain, *abci.RequestProcessProposal) error{
		"FinalizeBlock": func(c *chain, p *abci.RequestProcessProposal) error {
			_, err := c.FinalizeBlock(ctx, decidedBlock(p))
			return err
		},
		"ProcessProposal": func(c *chain, p *abci.RequestProcessProposal) error {
			_, err := c.ProcessProposal(ctx, p)
			return err
		},
		"PrepareProposal": func(c *chain, p *abci.RequestProcessProposal) error {
			_, err := c.PrepareProposal(ctx, &abci.RequestPrepareProposal{Height: p.Height, Time: p.Time, Txs: p.Txs, MaxTxBytes: 1 << 20})
			return err
		},
		"Commit": func(c *chain, p *abci.RequestProcessProposal) error {
			_, err := c.Commit(ctx, &abci.RequestCommit{})
			return err
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			c := newChain(t, Options{}, nil)
			c.block()
			p := c.proposal(c.pay("alice", 0, "bob", 1))
			wantCode(t, "something to propose", c.check(c.pay("carol", 0, "bob", 1)), ledger.Applied)
			if name == "Commit" {
				c.finalize(p)
			}
			if c.Err() != nil {
				t.Fatal(c.Err())
			}
			c.store.Close() // the disk is gone
			if err := call(c, p); err == nil {
				t.Fatal("no error")
			}
			<-c.Failed()
			if c.Err() == nil {
				t.Fatal("the failure is not kept")
			}
			for other, again := range calls {
				if err := again(c, p); err == nil {
					t.Errorf("%s goes on", other)
				}
			}
			if c.latest.Load().height != 1 {
				t.Errorf("height %d is published", c.latest.Load().height)
			}
		})
	}
}

// A failure beneath admission and queries is announced. Query has no error that
// CometBFT would survive.
func TestMachineErrorsInReads(t *testing.T) {
	for name, call := range map[string]func(*chain) (uint32, error){
		"Admit": func(c *chain) (uint32, error) {
			if _, err := c.Admit(c.pay("alice", 0, "bob", 1)); err == nil {
				return 0, errors.New("admission did not fail")
			}
			return CodeInternal, nil
		},
		"Query": func(c *chain) (uint32, error) {
			res, err := c.Query(ctx, &abci.RequestQuery{Path: "/store/params"})
			return res.GetCode(), err
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newChain(t, Options{}, nil)
			c.block()
			c.store.Close()
			if code, err := call(c); err != nil || code != CodeInternal {
				t.Errorf("code %d, %v", code, err)
			}
			if c.Err() == nil {
				t.Error("the failure is not kept")
			}
		})
	}
}

// A block that does not follow the committed state is CometBFT's error or a
// mixed-up directory: nothing is done.
func TestFinalizeBlockOutOfOrder(t *testing.T) {
	for name, change := range map[string]int64{"again": -1, "ahead": 1} {
		c := newChain(t, Options{}, nil)
		c.block()
		p := c.proposal()
		p.Height += change
		if _, err := c.FinalizeBlock(ctx, decidedBlock(p)); err == nil || c.Err() == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := newChain(t, Options{}, nil)
	if _, err := c.Commit(ctx, &abci.RequestCommit{}); err == nil {
		t.Error("a commit of nothing")
	}
}

// Two applications with other settings, one of them restarted all the time,
// agree on every byte of a long chain.
func TestApplicationsAgree(t *testing.T) {
	blocks := uint64(25)
	if testing.Short() {
		blocks = 6
	}
	one := newChain(t, Options{}, nil)
	two := newChain(t, Options{Workers: 1, SignerCacheBytes: 1}, nil)
	for b := range blocks {
		p := one.proposal(
			one.pay("alice", b, "bob", 3), one.pay("bob", 2*b, "newcomer", b+1),
			one.pay("newcomer", b, "alice", 1), one.pay("carol", b, "dave", funds), []byte{0x54, byte(b)},
		)
		if b%2 == 0 {
			one.accepts(p)
		}
		if b > 0 && b%3 == 0 {
			two = two.reopen()
		}
		same(t, "results", one.finalize(p), two.finalize(p))
		one.commit()
		two.commit()
		if one.store.Root() != two.store.Root() {
			t.Fatalf("height %d: the roots differ", b+1)
		}
	}
}
