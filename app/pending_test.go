package app

import (
	"errors"
	"testing"

	"github.com/ethereum/go-ethereum/rlp"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// pendingNow lists what waits, in order of arrival.
func (c *chain) pendingNow() (raws [][]byte) {
	c.WaitingAfter(0, func(w Waiting) bool {
		raws = append(raws, w.Tx.Raw)
		return true
	})
	return raws
}

// A commit lets go what can stand in no block any more, and nothing else: what
// would be refused stays, so that its sender gets a receipt.
func TestCommitDropsTheDead(t *testing.T) {
	c := newChain(t, Options{}, nil)
	c.block()
	short := c.transfer("bob", 0, "carol", 5)
	short.ValidUntil = ledger.UnixTime(c.time + 1)
	expiring := c.sign(short, ledger.SchemeBodyHash, "bob")
	poor, loser, kept := c.pay("alice", 1, "bob", funds), c.pay("carol", 0, "bob", 5), c.pay("carol", 1, "bob", 5)
	for _, raw := range [][]byte{expiring, poor, loser, kept} {
		wantCode(t, "new", c.check(raw), ledger.Applied)
	}
	c.block(c.pay("alice", 0, "carol", 1), c.pay("carol", 0, "bob", 6)) // alice can no longer pay it all
	wantTxs(t, "after a rival won", c.pendingNow(), expiring, poor, kept)
	c.block()
	wantTxs(t, "after one expired", c.pendingNow(), poor, kept)
	if res := c.block(poor, kept); codesOf(res)[0] != ledger.CodeInsufficientBalance {
		t.Errorf("the poor transaction: %v", codesOf(res))
	}
	wantTxs(t, "after all stood in a block", c.pendingNow())
	wantCode(t, "the nonce of the expired one", c.check(c.pay("bob", 0, "carol", 7)), ledger.Applied)
}

// What stood in a block and was not includable there waits no more, and may
// come again.
func TestFailedInABlockMayComeAgain(t *testing.T) {
	c := newChain(t, Options{}, nil)
	c.block()
	raw := c.pay("alice", 1500, "bob", 1)
	if res := c.block(raw); codesOf(res)[0] != ledger.CodeNonceTooHigh {
		t.Fatal(codesOf(res))
	}
	c.block(c.pay("alice", 1000, "bob", 1))
	wantCode(t, "again", c.check(raw), ledger.Applied)
	wantTxs(t, "waits", c.pendingNow(), raw)
}

// A nonce that falls out of its account's window takes what waits for it along.
func TestCommitDropsWhatFallsOutOfTheWindow(t *testing.T) {
	c := newChain(t, Options{}, nil)
	c.block()
	low, high := c.pay("alice", 0, "bob", 1), c.pay("alice", 100, "bob", 1)
	for _, raw := range [][]byte{low, high} {
		wantCode(t, "new", c.check(raw), ledger.Applied)
	}
	for nonce := uint64(1000); nonce <= 4000; nonce += 1000 {
		c.block(c.pay("alice", nonce, "bob", 1))
	}
	wantTxs(t, "both still fit", c.pendingNow(), low, high)
	c.block(c.pay("alice", ledger.WindowBelow, "bob", 1))
	wantTxs(t, "the lower one fell out", c.pendingNow(), high)
	c.block(c.pay("alice", ledger.WindowBelow+100, "bob", 1))
	wantTxs(t, "both fell out", c.pendingNow())
}

// The changes of a block lead to those that must be judged again: what waits
// of an account that may act otherwise than before, and what needs others'
// signatures; after other parameters all; after a mere payment none.
func TestSuspects(t *testing.T) {
	c := newChain(t, Options{}, nil)
	c.block()
	delivery := c.sign(c.delivery(0), ledger.SchemeBodyHash, "alice", "bob")
	payment := c.pay("carol", 0, "bob", 1)
	for _, raw := range [][]byte{delivery, payment} {
		wantCode(t, "new", c.check(raw), ledger.Applied)
	}
	record := c.changed
	freeze := func(a *ledger.Account) { a.Status = ledger.StatusFrozen }
	for _, test := range []struct {
		name    string
		changes []ledger.Change
		want    [][]byte
	}{
		{"nothing", nil, nil},
		{"the same", []ledger.Change{record("carol", func(*ledger.Account) {})}, nil},
		{"other keys", []ledger.Change{record("carol", func(a *ledger.Account) {
			a.Authority = ledger.Authority{Keys: []ledger.Key{{Address: address("dave"), Weight: 1}}, Threshold: 1}
		})}, [][]byte{delivery, payment}},
		{"the sender", []ledger.Change{record("alice", freeze)}, [][]byte{delivery}},
		{"who must agree", []ledger.Change{record("bob", freeze)}, [][]byte{delivery}},
		{"several", []ledger.Change{record("alice", freeze), record("bob", freeze)}, [][]byte{delivery}},
		{"the parameters", []ledger.Change{{Key: []byte(ledger.KeyParams), Value: []byte{1}}}, [][]byte{delivery, payment}},
		{"a newcomer", []ledger.Change{{Key: ledger.KeyAccount(address("newcomer")), Value: record("carol", freeze).Value}}, nil},
		{"a balance", []ledger.Change{{Key: ledger.KeyBalance(address("alice"), c.Network().Settlement), Value: []byte{1}}}, nil},
	} {
		now := c.latest.Load()
		found, err := c.pending.suspects(test.changes, now, now)
		if err != nil {
			t.Fatal(err)
		}
		var raws [][]byte
		for _, e := range found {
			raws = append(raws, e.tx.Raw)
		}
		wantTxs(t, test.name, raws, test.want...)
	}
}

// changed is a change of somebody's account.
func (c *chain) changed(name string, change func(*ledger.Account)) ledger.Change {
	c.t.Helper()
	a := c.account(name)
	change(&a)
	value, err := rlp.EncodeToBytes([]any{uint64(a.Status), uint64(a.Window.Next), []byte{}, a.Authority.Threshold, a.Authority.Keys, memberBytes(a.Member), a.Balances, a.Holds})
	if err != nil {
		c.t.Fatal(err)
	}
	return ledger.Change{Key: ledger.KeyAccount(address(name)), Value: value}
}

// What an own block could not hold is judged again after it, whatever the
// reason: nothing that is dead stays because nobody thought of its cause.
func TestDoubted(t *testing.T) {
	c := newChain(t, Options{}, nil)
	c.block()
	now := c.latest.Load()
	hopeless := c.Decode(c.sign(c.transfer("alice", 0, "bob", 1), ledger.SchemeBodyHash, "bob"))
	c.pending.add(hopeless, crypto.Address{}, now.height, "")
	wantTxs(t, "proposed", c.prepare())
	if c.pending.len() != 1 {
		t.Fatal("it waits no more before the commit")
	}
	c.block()
	if c.pending.len() != 0 {
		t.Error("it waits still")
	}
}

// Both bounds hold, and what leaves makes room.
func TestPendingIsBounded(t *testing.T) {
	for name, o := range map[string]Options{"number": {PendingTxs: 2}, "bytes": {PendingBytes: 5000}} {
		c := newChain(t, o, nil)
		c.block()
		first, second, third := c.pay("alice", 0, "bob", 1), c.pay("alice", 1, "bob", 1), c.pay("alice", 2, "bob", 1)
		wantCode(t, name, c.check(first), ledger.Applied)
		wantCode(t, name, c.check(second), ledger.Applied)
		if _, err := c.Admit(third); !errors.Is(err, ErrPoolFull) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := c.Offer(third, "a peer"); !errors.Is(err, ErrPoolFull) || c.Room() {
			t.Errorf("%s: from a peer: %v, %v", name, err, c.Room())
		}
		wantCode(t, "what waits already", c.check(first), ledger.Applied)
		c.block(first)
		wantCode(t, name, c.check(third), ledger.Applied)
	}
	c := newChain(t, Options{MaxTxBytes: 100}, nil)
	c.block()
	wantCode(t, "one too large", c.check(c.pay("alice", 0, "bob", 1)), ledger.CodeTooLarge)
}

// What was judged on a state that a commit has replaced is not let in.
func TestAddRefusesStaleJudgements(t *testing.T) {
	c := newChain(t, Options{}, nil)
	c.block()
	tx := c.Decode(c.pay("alice", 0, "bob", 1))
	before := c.latest.Load().height
	c.block(tx.Raw)
	if what, _, _ := c.pending.add(tx, crypto.Address{}, before, ""); what != stale || c.pending.len() != 0 {
		t.Errorf("answered %d, %d wait", what, c.pending.len())
	}
}

// roomy are limits without quotas.
func roomy(txs int) pendingLimits {
	all := bound{txs, 16 << 20}
	return pendingLimits{all, all, all}
}

// numberedTx is a transaction with nothing but what the table looks at.
func numberedTx(sender byte, nonce uint64, until uint64) *ledger.Tx {
	return &ledger.Tx{
		Hash: crypto.Keccak256([]byte{sender, byte(nonce), byte(until)}), Raw: make([]byte, 10),
		Body: ledger.Body{Sender: crypto.Address{sender}, Nonce: ledger.Nonce(nonce), ValidUntil: ledger.UnixTime(until)},
	}
}

// The table and a list without any index agree, whatever happens to them, and
// nothing is left behind of what is gone.
func TestPendingTableIsAList(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p := newPendingTable(roomy(1000), newPace(0))
		var list []*ledger.Tx
		drop := func(dead func(*ledger.Tx) bool) {
			var kept []*ledger.Tx
			for _, tx := range list {
				if !dead(tx) {
					kept = append(kept, tx)
				}
			}
			list = kept
		}
		draw := func(r *rapid.T) *ledger.Tx {
			return numberedTx(byte(rapid.IntRange(1, 3).Draw(r, "sender")), rapid.Uint64Range(0, 5).Draw(r, "nonce"), rapid.Uint64Range(0, 4).Draw(r, "until"))
		}
		r.Repeat(map[string]func(*rapid.T){
			"add": func(r *rapid.T) {
				tx := draw(r)
				what, _, first := p.add(tx, crypto.Address{tx.Sender[0] % 2}, 0, "")
				if (what == added) != p.has(tx, list) || first != (what == added && len(list) == 0) {
					r.Fatalf("added: %d, first %v", what, first)
				}
				if what == added {
					list = append(list, tx)
				}
			},
			"spend": func(r *rapid.T) {
				tx := draw(r)
				p.spend([]*ledger.Tx{tx}, []ledger.Code{ledger.Applied})
				drop(func(x *ledger.Tx) bool { return x.Sender == tx.Sender && x.Nonce == tx.Nonce })
			},
			"expire": func(r *rapid.T) {
				now := ledger.UnixTime(rapid.Uint64Range(0, 4).Draw(r, "now"))
				p.expire(now)
				drop(func(x *ledger.Tx) bool { return x.ValidUntil != 0 && x.ValidUntil < now })
			},
			"sweep": func(*rapid.T) { p.sweep() },
			"": func(r *rapid.T) {
				var got []*ledger.Tx
				p.after(0, func(e *pendingTx) bool { got = append(got, e.tx); return true })
				if len(got) != len(list) || p.len() != len(list) || p.size() != PendingBytes(10)*int64(len(list)) {
					r.Fatalf("%d wait, %d are counted, want %d", len(got), p.len(), len(list))
				}
				until, nonces := 0, 0
				for i, tx := range list {
					if got[i] != tx || p.get(tx.Hash) != tx || p.byNonce(tx.Sender, tx.Nonce) != tx {
						r.Fatalf("transaction %d is another", i)
					}
					if tx.ValidUntil != 0 {
						until++
					}
				}
				for _, s := range p.senders {
					nonces += len(s.nonces)
				}
				if len(p.expiring) != until || nonces != len(list) || len(p.shared) != len(list) {
					r.Fatal("something that is gone has left a trace")
				}
			},
		})
	})
}

// has reports whether tx was just added to what list has.
func (p *pendingTable) has(tx *ledger.Tx, list []*ledger.Tx) bool {
	for _, x := range list {
		if x.Sender == tx.Sender && x.Nonce == tx.Nonce {
			return false
		}
	}
	return p.get(tx.Hash) == tx
}

// A reader that goes on from where it stopped sees everything that waits once,
// however much has gone meanwhile.
func TestAfterGoesOn(t *testing.T) {
	p := newPendingTable(roomy(10_000), newPace(0))
	var seq uint64
	seen := 0
	for round := range uint64(50) {
		for n := range uint64(100) {
			p.add(numberedTx(byte(round), n, 0), crypto.Address{}, 0, "")
		}
		for more := true; more; {
			count := 0
			next := p.after(seq, func(*pendingTx) bool { count++; return count <= 30 })
			seen += min(count, 30)
			more, seq = next != seq, next
		}
		for n := range uint64(99) {
			p.spend([]*ledger.Tx{numberedTx(byte(round), n, 0)}, []ledger.Code{ledger.Applied})
		}
	}
	if seen != 5000 || p.len() != 50 || len(p.arrived) > 2*50+minSweep+1 {
		t.Errorf("saw %d of 5000; %d wait among %d", seen, p.len(), len(p.arrived))
	}
}

// memberBytes is a member as an account's record has it.
func memberBytes(m crypto.Address) []byte {
	if m.IsZero() {
		return nil
	}
	return m[:]
}
