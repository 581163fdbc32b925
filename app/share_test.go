package app

import (
	"fmt"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// small is a network of banks whose blocks hold 64 transfers.
func small(t testing.TB, names ...string) *chain {
	t.Helper()
	c := openChain(t, t.TempDir(), Options{})
	c.initChain(banks(func(g *ledger.Genesis) { g.Params.MaxBlockSignatures = ledger.MaxSignatures }, names...))
	c.block()
	return c
}

// flood lets each of so many customers of a member wait with payments of the
// nonces from first.
func (c *chain) flood(of string, senders int, first, nonces uint64) {
	c.t.Helper()
	for nonce := range nonces {
		for _, from := range customers(of, senders) {
			wantCode(c.t, "flood", c.check(c.pay(from, first+nonce, "bob", 1)), ledger.Applied)
		}
	}
}

// sendersOf counts the transactions of each sender among raws.
func (c *chain) sendersOf(raws [][]byte) map[crypto.Address]int {
	count := map[crypto.Address]int{}
	for _, raw := range raws {
		count[c.Decode(raw).Sender]++
	}
	return count
}

// However much of one member waits, and waited before, another's one
// transaction stands in the very next block; and so does that of an account of
// the flooding member that does not flood.
func TestFloodDelaysNobodyElse(t *testing.T) {
	for _, of := range []string{"alice", "free"} {
		c := small(t, append(customers(of, 4), "bob 0", "carol 0", of+" quiet")...)
		c.flood(of, 4, 0, 60) // almost four blocks
		for round := range uint64(3) {
			quiet := [][]byte{c.pay("bob 0", round, "bob", 1), c.pay("carol 0", round, "bob", 1), c.pay(of+" quiet", round, "bob", 1)}
			for _, raw := range quiet {
				wantCode(t, "quiet", c.check(raw), ledger.Applied)
			}
			block := c.prepare()
			if len(block) != ledger.MaxSignatures {
				t.Fatalf("%d transactions in a full block", len(block))
			}
			for i, raw := range quiet {
				if string(block[len(block)-len(quiet)+i]) != string(raw) {
					t.Errorf("round %d: quiet transaction %d does not stand last, where it came", round, i)
				}
			}
			for n, code := range codesOf(c.block(block...)) {
				if code != ledger.Applied {
					t.Fatalf("transaction %d: %s", n, code)
				}
			}
		}
	}
}

// Two members of which more waits than fits have half of a block each, however
// many accounts they send from, and what one leaves the other has.
func TestMembersShareABlock(t *testing.T) {
	c := small(t, append(customers("alice", 20), customers("bob", 2)...)...)
	c.flood("alice", 20, 0, 5)
	c.flood("bob", 2, 0, 40)
	for _, want := range []map[string]int{{"alice": 32, "bob": 32}, {"alice": 32, "bob": 32}, {"alice": 36, "bob": 16}} {
		block := c.prepare()
		count := map[string]int{}
		for sender, n := range c.sendersOf(block) {
			a, err := c.latest.Load().memberOf(sender)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range everybody {
				if a == address(name) {
					count[name] += n
				}
			}
		}
		if fmt.Sprint(count) != fmt.Sprint(want) {
			t.Errorf("the block has %v, want %v", count, want)
		}
		c.block(block...)
	}
	wantTxs(t, "after all", c.prepare())
}

// Accounts of one member have their turns, and those that a block did not reach
// are the first in the next.
func TestAccountsTakeTurns(t *testing.T) {
	c := small(t, customers("alice", 100)...)
	c.flood("alice", 100, 0, 2)
	for block, want := range [][2]int{{0, 64}, {64, 100}} {
		raws := c.prepare()
		count := c.sendersOf(raws)
		for i, name := range customers("alice", 100) {
			if i >= want[0] && i < want[1] && count[address(name)] != 1 {
				t.Errorf("block %d: %d of %s", block, count[address(name)], name)
			}
		}
		c.block(raws...)
	}
}

// When everything fits it stands in order of arrival, but each sender's by nonce.
func TestEverythingFitsInOrder(t *testing.T) {
	c := newBanks(t, Options{}, "alice 0", "bob 0", "free 0")
	pay := func(from string, nonce uint64) []byte { return c.pay(from, nonce, "bob", 1) }
	for _, raw := range [][]byte{
		pay("free 0", 0), pay("alice 0", 2), pay("alice 0", 1), pay("bob 0", 0), pay("alice 0", 0), pay("free 0", 1),
	} {
		wantCode(t, "new", c.check(raw), ledger.Applied)
	}
	wantTxs(t, "order", c.prepare(),
		pay("free 0", 0), pay("alice 0", 0), pay("alice 0", 1), pay("bob 0", 0), pay("alice 0", 2), pay("free 0", 1))
}

// tableTx is a transaction of a size and number of signatures, of the only
// account of a member.
func tableTx(member byte, nonce uint64, size, signatures int) *ledger.Tx {
	return &ledger.Tx{
		Hash: crypto.Keccak256([]byte{member, byte(nonce)}), Raw: make([]byte, size),
		Body:     ledger.Body{Sender: crypto.Address{member}, Nonce: ledger.Nonce(nonce), Op: &ledger.Transfer{Legs: make([]ledger.Leg, 1)}},
		Envelope: ledger.EnvelopeNative, Signatures: make([]ledger.Signature, signatures),
	}
}

// The share is of what a block is short of: many signatures weigh what they
// keep others from, though they are few bytes, and so do large transactions.
func TestShareIsByWeight(t *testing.T) {
	params := ledger.DefaultParams()
	params.MaxBlockBytes, params.MaxBlockSignatures, params.MaxBlockLegs = 64_000, 64, 64_000
	p := newPendingTable(roomy(1000), newPace(0))
	for n := range uint64(40) {
		p.add(tableTx(1, n, 100, 4), crypto.Address{1}, 0, "")
		p.add(tableTx(2, n, 100, 1), crypto.Address{2}, 0, "")
		p.add(tableTx(3, n, 2000, 1), crypto.Address{3}, 0, "")
	}
	count := map[byte]int{}
	for _, e := range p.candidates(&params, params.MaxBlockBytes, params.MaxBlockSignatures) {
		count[e.tx.Sender[0]]++
	}
	// The weights are 4, 1 and 2 signatures' worth; 64 signatures are to be had.
	if fmt.Sprint(count) != "map[1:6 2:25 3:13]" && fmt.Sprint(count) != "map[1:7 2:24 3:12]" {
		t.Errorf("listed of each member: %v", count)
	}
}

// Within a member too: an account with large transactions has fewer.
func TestTurnsAreByWeight(t *testing.T) {
	params := ledger.DefaultParams()
	params.MaxBlockBytes, params.MaxBlockSignatures, params.MaxBlockLegs = 64_000, 64, 64_000
	p := newPendingTable(roomy(1000), newPace(0))
	for n := range uint64(40) {
		p.add(tableTx(1, n, 5000, 1), crypto.Address{}, 0, "")
		p.add(tableTx(2, n, 100, 1), crypto.Address{}, 0, "")
	}
	count := map[byte]int{}
	for _, e := range p.candidates(&params, params.MaxBlockBytes, params.MaxBlockSignatures) {
		count[e.tx.Sender[0]]++
	}
	if count[1] < 8 || count[1] > 12 || count[2] != 40 {
		t.Errorf("listed of each account: %v", count)
	}
}

// What is listed is all that waits, each once, if there is room, and a walk
// leaves the table as it was.
func TestCandidatesAreAll(t *testing.T) {
	p := newPendingTable(roomy(1000), newPace(0))
	params := ledger.DefaultParams()
	for n := range uint64(50) {
		for member := range byte(7) {
			p.add(tableTx(member, n, 10+int(n)*int(member)*10, 1+int(n%3)), crypto.Address{member % 3}, 0, "")
		}
	}
	for range 2 {
		seen := map[*pendingTx]bool{}
		for _, e := range p.candidates(&params, 1<<30, 1<<30) {
			seen[e] = true
		}
		if len(seen) != 350 || p.len() != 350 {
			t.Errorf("%d are listed of %d", len(seen), p.len())
		}
	}
}

// BenchmarkChoose prepares a full block while one member floods and three others
// have 50 transactions waiting each. The cost must not depend on the flood.
func BenchmarkChoose(b *testing.B) {
	for _, flood := range []int{40_000, 100_000} {
		b.Run(fmt.Sprint(flood), func(b *testing.B) {
			const senders = 200
			c := openChain(b, b.TempDir(), Options{PendingTxs: 300_000, PendingBytes: 1 << 30})
			c.initChain(banks(nil, append(customers("alice", senders), "bob 0", "carol 0", "free 0")...))
			c.block()
			wait := func(from, member string, n int) {
				tx, code := ledger.Sign(c.Network(), c.transfer(from, uint64(n), "bob", 1), ledger.SchemeBodyHash, key(from))
				if code != ledger.Applied {
					b.Fatal(code)
				}
				var of crypto.Address
				if member != "" {
					of = address(member)
				}
				if what, _, _ := c.pending.add(tx, of, c.latest.Load().height, ""); what != added {
					b.Fatal(what)
				}
			}
			for n := range flood / senders {
				for _, from := range customers("alice", senders) {
					wait(from, "alice", n)
				}
			}
			for n := range 50 {
				wait("bob 0", "bob", n)
				wait("carol 0", "carol", n)
				wait("free 0", "", n)
			}
			b.ReportAllocs()
			for b.Loop() {
				if got := c.prepare(); len(got) < 10_000 {
					b.Fatal(len(got))
				}
			}
			b.StopTimer()
			if got := c.sendersOf(c.prepare()); got[address("bob 0")] != 50 || got[address("free 0")] != 50 {
				b.Error("the others' transactions are not all in the block")
			}
		})
	}
}
