package app

import (
	"fmt"
	"testing"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// outlook lists everything that waits.
func (c *chain) outlook(sender *crypto.Address) []Outlook {
	c.t.Helper()
	list, all, err := c.Outlooks(sender, 0, 1<<20)
	if err != nil || all != c.pending.len() {
		c.t.Fatalf("%d of %d wait: %v", all, c.pending.len(), err)
	}
	return list
}

// prospectsOf counts the prospects.
func prospectsOf(list []Outlook) map[Prospect]int {
	count := map[Prospect]int{}
	for _, o := range list {
		count[o.Prospect]++
	}
	return count
}

// forgetOutlook lets the turns be worked out anew.
func (c *chain) forgetOutlook() {
	c.pending.mu.Lock()
	c.pending.outlook = nil
	c.pending.mu.Unlock()
}

// Where everything fits a block, everything has its turn in the next one; and who
// is asked about alone is listed alone, in the order of arrival.
func TestAFewHaveTheirTurnNext(t *testing.T) {
	c := newChain(t, Options{}, nil)
	if list, all, err := c.Outlooks(nil, 0, 10); len(list) != 0 || all != 0 || err != nil {
		t.Errorf("before anything waits: %v, %d, %v", list, all, err)
	}
	c.block()
	raws := [][]byte{c.pay("alice", 3, "bob", 1), c.pay("bob", 0, "carol", 1), c.pay("alice", 1, "bob", 1)}
	for _, raw := range raws {
		wantCode(t, "new", c.check(raw), ledger.Applied)
	}
	list := c.outlook(nil)
	for i, o := range list {
		if string(o.Tx.Raw) != string(raws[i]) || o.Prospect != ProspectNext || time.Since(o.Since) > time.Hour || o.Seq != uint64(i+1) {
			t.Errorf("%d: %+v", i, o)
		}
	}
	alice, stranger := address("alice"), crypto.Address{9}
	if own := c.outlook(&alice); len(own) != 2 || own[0].Tx.Nonce != 3 || own[1].Tx.Nonce != 1 {
		t.Errorf("alice's: %+v", own)
	}
	if own := c.outlook(&stranger); len(own) != 0 {
		t.Errorf("a stranger's: %+v", own)
	}
	for after, want := range []int{3, 2, 1, 0, 0} {
		if rest, _, err := c.Outlooks(nil, uint64(after), 10); err != nil || len(rest) != want {
			t.Errorf("after %d: %d, want %d (%v)", after, len(rest), want, err)
		}
	}
	if some, all, err := c.Outlooks(&alice, 1, 1); err != nil || len(some) != 1 || some[0].Seq != 3 || all != 3 {
		t.Errorf("alice's after the first: %+v of %d (%v)", some, all, err)
	}
}

// Where more waits than fits a block, exactly what is said to have its turn in the
// next block stands in the block that this node then makes.
func TestWhoHasTheTurnStandsInTheBlock(t *testing.T) {
	c := small(t, append(customers("alice", 4), "bob 0", "carol 0")...)
	c.flood("alice", 4, 0, 40)
	late := c.pay("bob 0", 0, "bob", 1)
	wantCode(t, "late", c.check(late), ledger.Applied)
	list := c.outlook(nil)
	block := map[string]bool{}
	for _, raw := range c.prepare() {
		block[string(raw)] = true
	}
	for _, o := range list {
		want := ProspectQueued
		if block[string(o.Tx.Raw)] {
			want = ProspectNext
		}
		if o.Prospect != want {
			t.Errorf("transaction %d of %s is said to be %d, want %d", o.Seq, o.Tx.Sender, o.Prospect, want)
		}
	}
	if !block[string(late)] || len(block) != ledger.MaxSignatures {
		t.Errorf("the block has %d transactions", len(block))
	}
	if after, _, err := c.Outlooks(nil, 160, 1); err != nil || len(after) != 1 || after[0].Prospect != ProspectNext {
		t.Errorf("the late one by itself: %+v, %v", after, err)
	}
}

// Turns are worked out now and then only; what came since says so, until they are.
func TestTurnsAreNotWorkedOutForEveryCaller(t *testing.T) {
	c := small(t, append(customers("alice", 4), "bob 0")...)
	c.flood("alice", 4, 0, 40)
	c.outlook(nil)
	c.pending.mu.Lock()
	c.pending.outlook.at = time.Now().Add(time.Hour) // as if just now
	c.pending.mu.Unlock()
	wantCode(t, "late", c.check(c.pay("bob 0", 0, "bob", 1)), ledger.Applied)
	if n := prospectsOf(c.outlook(nil)); n[ProspectNew] != 1 || n[ProspectNext] != ledger.MaxSignatures {
		t.Errorf("prospects %v", n)
	}
	c.forgetOutlook()
	if n := prospectsOf(c.outlook(nil)); n[ProspectNew] != 0 || n[ProspectNext] != ledger.MaxSignatures {
		t.Errorf("prospects once worked out again %v", n)
	}
	c.pending.mu.Lock()
	c.pending.outlook.at = time.Now().Add(time.Hour)
	c.pending.mu.Unlock()
	c.block(c.prepare()...)
	if n := prospectsOf(c.outlook(nil)); n[ProspectNext] != ledger.MaxSignatures || n[ProspectQueued] != 161-2*ledger.MaxSignatures {
		t.Errorf("after a block the old turns are used: %v", n)
	}
}

// What could not stand in this node's block is doubted until the next commit.
func TestWhatCannotStandIsDoubted(t *testing.T) {
	c := newChain(t, Options{}, nil)
	c.block()
	raw := c.pay("alice", 0, "bob", 1)
	wantCode(t, "new", c.check(raw), ledger.Applied)
	c.pending.doubt(c.pending.get(crypto.Keccak256(raw)))
	if n := prospectsOf(c.outlook(nil)); n[ProspectDoubted] != 1 {
		t.Errorf("prospects %v", n)
	}
	c.block()
	if n := prospectsOf(c.outlook(nil)); n[ProspectNext] != 1 || len(n) != 1 {
		t.Errorf("after a commit %v", n)
	}
}

// While blocks are paced, what would fit an unpaced one is said to wait for that.
func TestPacedIsSaid(t *testing.T) {
	params := ledger.DefaultParams()
	params.MaxBlockBytes, params.MaxBlockSignatures, params.MaxBlockLegs = 64_000, 64, 64_000
	p := newPendingTable(roomy(1000), newPace(0))
	p.weights = weightsOf(&params)
	for n := range uint64(100) {
		p.add(tableTx(1, n, 100, 1), crypto.Address{1}, 0, "")
	}
	look := p.look(&params, 20_000, time.Now()) // of 1000 each
	count := map[Prospect]int{}
	for seq := uint64(1); seq <= 101; seq++ {
		count[look.of(seq)]++
	}
	if fmt.Sprint(count) != fmt.Sprint(map[Prospect]int{ProspectNext: 20, ProspectPaced: 44, ProspectQueued: 36, ProspectNew: 1}) {
		t.Errorf("prospects %v", count)
	}
	p.outlook = nil
	if look := p.look(&params, 1<<40, time.Now()); look.of(64) != ProspectNext || look.of(65) != ProspectQueued {
		t.Errorf("without a pace %v", look.turns)
	}
}

// A paced block is foreseen as it comes.
func TestPacedBlocksAreForeseen(t *testing.T) {
	c := openChain(t, t.TempDir(), Options{Pace: 150})
	c.initChain(banks(nil, append(customers("alice", 40), "bob 0")...))
	c.block()
	c.block(c.pay("bob 0", 0, "bob", 1))
	c.pace.committed(smallBlock(50 * ms))
	c.pace.limit = leastPace
	c.flood("alice", 40, 0, 10)
	wantCode(t, "quiet", c.check(c.pay("bob 0", 1, "bob", 1)), ledger.Applied)
	list := c.outlook(nil)
	block := map[string]bool{}
	for _, raw := range c.prepare() {
		block[string(raw)] = true
	}
	n := prospectsOf(list)
	if n[ProspectNext] != len(block) || n[ProspectPaced] != 401-len(block) || len(block) == 401 {
		t.Errorf("prospects %v, and a block of %d", n, len(block))
	}
	for _, o := range list {
		if (o.Prospect == ProspectNext) != block[string(o.Tx.Raw)] {
			t.Errorf("transaction %d: %d", o.Seq, o.Prospect)
		}
	}
}
