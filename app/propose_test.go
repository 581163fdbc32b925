package app

import (
	"bytes"
	"testing"

	"github.com/cometbft/cometbft/types"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/ledger"
)

func wantTxs(t testing.TB, what string, got [][]byte, want ...[]byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d transactions, want %d", what, len(got), len(want))
	}
	for i := range got {
		if !bytes.Equal(got[i], want[i]) {
			t.Errorf("%s: transaction %d is another", what, i)
		}
	}
}

// Senders keep their places; within them nonces ascend.
func TestPrepareProposalOrder(t *testing.T) {
	c := newChain(t, Options{}, nil)
	c.block()
	a := func(n uint64) []byte { return c.pay("alice", n, "bob", 1) }
	b := func(n uint64) []byte { return c.pay("bob", n, "alice", 1) }
	wantTxs(t, "order", c.propose(1<<20, a(9), b(2), a(0), a(4), b(1)), a(0), b(1), a(4), a(9), b(2))
	wantTxs(t, "nothing waits", c.propose(1<<20))
}

func TestPrepareProposalFilters(t *testing.T) {
	c := newChain(t, Options{}, nil)
	c.block(c.pay("dave", 0, "bob", 1))
	good := c.pay("bob", 0, "alice", 1)
	for _, tc := range hostile(c) {
		pool := append([][]byte{good}, tc.txs...)
		if tc.reason == "duplicateNonce" {
			wantTxs(t, tc.name, c.propose(1<<20, tc.txs...), tc.txs[0])
			continue
		}
		wantTxs(t, tc.name, c.propose(1<<20, pool...), good)
	}
}

// What CometBFT allows in bytes is kept as CometBFT counts it.
func TestPrepareProposalMaxTxBytes(t *testing.T) {
	c := newChain(t, Options{}, nil)
	c.block()
	big := c.transfer("alice", 0, "bob", 1)
	legs := big.Op.(*ledger.Transfer)
	for range 50 {
		legs.Legs = append(legs.Legs, legs.Legs[0])
	}
	pool := [][]byte{c.pay("bob", 0, "alice", 1), c.sign(big, ledger.SchemeBodyHash, "alice"), c.pay("carol", 0, "alice", 1)}
	size := types.ComputeProtoSizeForTxs(types.ToTxs(pool))
	wantTxs(t, "all fit", c.propose(size, pool...), pool...)
	wantTxs(t, "one byte short", c.propose(size-1, pool...), pool[0], pool[1])
	wantTxs(t, "the big one does not fit", c.propose(size/2, pool...), pool[0], pool[2])
	wantTxs(t, "none fits", c.propose(0, pool...))
	for _, n := range []int{0, 1, 127, 128, 16383, 16384, 1 << 19} {
		if got, want := wireSize(make([]byte, n)), types.ComputeProtoSizeForTxs([]types.Tx{make([]byte, n)}); got != want {
			t.Errorf("%d bytes take %d, CometBFT says %d", n, got, want)
		}
	}
}

// New accounts over the block's cap are left for the next block; what exceeds
// it alone is refused in any block and may stand.
func TestPrepareProposalNewAccounts(t *testing.T) {
	c := newChain(t, Options{}, func(g *ledger.Genesis) { g.Params.MaxNewAccounts = 2 })
	c.block()
	many := c.transfer("dave", 0, "new 1", 1)
	legs := many.Op.(*ledger.Transfer)
	for _, to := range []string{"new 2", "new 3"} {
		leg := legs.Legs[0]
		leg.To = address(to)
		legs.Legs = append(legs.Legs, leg)
	}
	pool := [][]byte{
		c.pay("alice", 0, "new 4", 1), c.pay("bob", 0, "new 5", 1), c.pay("carol", 0, "new 6", 1), c.pay("alice", 1, "bob", 1),
	}
	wantTxs(t, "two of three", c.propose(1<<20, pool...), pool[0], pool[1], pool[3])
	alone := c.sign(many, ledger.SchemeBodyHash, "dave")
	wantTxs(t, "too many alone", c.propose(1<<20, alone), alone)
	wantCode(t, "at admission", c.check(alone), ledger.CodeNewAccountLimit)
	if got := codesOf(c.block(alone))[0]; got != ledger.CodeNewAccountLimit {
		t.Errorf("in a block: %s", got)
	}
	for _, code := range codesOf(c.block(c.propose(1<<20, pool...)...)) {
		if code != ledger.Applied {
			t.Errorf("proposed and then %s", code)
		}
	}
}

// A pool far larger than a block fills one, and the rest keeps its place.
func TestPrepareProposalLongPool(t *testing.T) {
	c := newChain(t, Options{}, func(g *ledger.Genesis) { g.Params.MaxBlockSignatures = ledger.MaxSignatures })
	c.block()
	var pool [][]byte
	for n := range uint64(4 * ledger.MaxSignatures) {
		pool = append(pool, c.pay("alice", n, "bob", 1))
		wantCode(t, "new", c.offer(pool[n]), ledger.Applied)
	}
	got := c.prepare()
	wantTxs(t, "a full block", got, pool[:ledger.MaxSignatures]...)
	c.block(got...)
	wantTxs(t, "the next", c.prepare(), pool[len(got):2*len(got)]...)
}

// Whatever waits in the pool, what is proposed is accepted, by the proposer and
// by a node that saw none of it before, and nothing in it fails to stand.
func TestProposedIsAccepted(t *testing.T) {
	mine := newChain(t, Options{}, func(g *ledger.Genesis) {
		g.Params.MaxBlockSignatures, g.Params.MaxNewAccounts = ledger.MaxSignatures, 3
	})
	theirs := newChain(t, Options{Workers: 1, SignerCacheBytes: 1}, func(g *ledger.Genesis) {
		g.Params.MaxBlockSignatures, g.Params.MaxNewAccounts = ledger.MaxSignatures, 3
	})
	mine.block(mine.pay("dave", 0, "bob", 1))
	theirs.block(theirs.pay("dave", 0, "bob", 1))
	var bad [][]byte
	for _, tc := range hostile(mine) {
		for _, raw := range tc.txs {
			if len(raw) < 10_000 {
				bad = append(bad, raw)
			}
		}
	}
	people := append([]string{"newcomer", "other newcomer", "mallory", "fourth", "fifth"}, everybody...)
	rapid.Check(t, func(r *rapid.T) {
		one := rapid.Custom(func(r *rapid.T) []byte {
			if rapid.IntRange(0, 4).Draw(r, "bad") == 0 {
				return rapid.SampledFrom(bad).Draw(r, "which")
			}
			next := uint64(mine.account("alice").Window.Next)
			return mine.pay(rapid.SampledFrom(people).Draw(r, "from"), rapid.Uint64Range(0, next+6).Draw(r, "nonce"),
				rapid.SampledFrom(people).Draw(r, "to"), rapid.SampledFrom([]uint64{1, 2, funds / 2}).Draw(r, "amount"))
		})
		pool := rapid.SliceOfN(one, 0, 90).Draw(r, "pool")
		proposed := mine.propose(rapid.Int64Range(0, 20_000).Draw(r, "bytes"), pool...)
		p := mine.proposal(proposed...)
		if !mine.accepts(p) || !theirs.accepts(p) {
			r.Fatal("what was proposed is rejected")
		}
		x, y := mine.finalize(p), theirs.finalize(p)
		same(t, "results", x, y)
		for _, code := range codesOf(x) {
			if !code.SpendsNonce() {
				r.Errorf("proposed and then %s", code)
			}
		}
		mine.commit()
		theirs.commit()
	})
}
