package ledgertest

import (
	"encoding/binary"
	"math/big"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// The invariants of holds, checked after every block:
//
//   - the holds are exactly what events made and did not end, and so is what is
//     held of each balance;
//   - the schedule names each hold once, at its expiry, and no other;
//   - accounts count their balances and holds, and assets their holds.

func (b *book) enterHold(t testing.TB, e ledger.Event) {
	t.Helper()
	if e.Type == ledger.EventHoldCreated {
		if b.holds[e.Other] != nil {
			t.Fatalf("hold %s is created twice", e.Other)
		}
		b.holds[e.Other] = &ledger.Hold{
			From: e.From, To: e.To, Arbiter: e.Account, Asset: e.Asset, Amount: e.Amount, Expiry: e.Until, Reference: e.Reference,
		}
		return
	}
	h := b.holds[e.Other]
	if h == nil || h.From != e.From || h.To != e.To || h.Asset != e.Asset {
		t.Fatalf("event %+v of the hold %+v", e, h)
	}
	left, ok := h.Amount.Sub(e.Amount)
	if !ok || e.Type == ledger.EventHoldReleased && !left.IsZero() {
		t.Fatalf("event %+v of the hold %+v", e, h)
	}
	if e.Type == ledger.EventHoldCaptured {
		b.add(e.From, e.Asset, e.Amount, -1)
		b.add(e.To, e.Asset, e.Amount, 1)
	}
	h.Amount = left
	if left.IsZero() {
		delete(b.holds, e.Other)
	}
}

// holdsOf counts the holds that concern an account or an asset.
func (b *book) holdsOf(a crypto.Address) (count uint64) {
	for _, h := range b.holds {
		if h.From == a || h.To == a || h.Asset == a {
			count++
		}
	}
	return count
}

func (c *Chain) checkHolds(t testing.TB) {
	t.Helper()
	entries := c.State.Under("hold/")
	if len(entries) != len(c.book.holds) {
		t.Fatalf("the state has %d holds, the events make %d", len(entries), len(c.book.holds))
	}
	held := map[[2]crypto.Address]*big.Int{}
	for _, e := range entries {
		got, err := ledger.DecodeHold(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		if want := c.book.holds[crypto.Address([]byte(e.Key))]; want == nil || got != *want {
			t.Fatalf("hold %x is %+v, the events make %+v", e.Key, got, want)
		}
		due := string(binary.BigEndian.AppendUint64([]byte("due/"), uint64(got.Expiry))) + "\x01" + e.Key
		if mark, _ := c.State.Get([]byte(due)); mark == nil {
			t.Fatalf("hold %x is not scheduled", e.Key)
		}
		id := [2]crypto.Address{got.From, got.Asset}
		if held[id] == nil {
			held[id] = new(big.Int)
		}
		held[id].Add(held[id], bigOf(got.Amount))
	}
	scheduled := 0
	for _, e := range c.State.Under("due/") {
		if e.Key[8] == 1 {
			scheduled++
		}
	}
	if scheduled != len(entries) {
		t.Fatalf("%d holds are scheduled, there are %d", scheduled, len(entries))
	}
	c.checkCounters(t, held)
}

// checkCounters checks what accounts and assets count, and the held balances.
func (c *Chain) checkCounters(t testing.TB, held map[[2]crypto.Address]*big.Int) {
	t.Helper()
	balances := map[crypto.Address]uint64{}
	for _, e := range c.State.Under("balance/") {
		id := [2]crypto.Address{crypto.Address([]byte(e.Key[:20])), crypto.Address([]byte(e.Key[20:]))}
		b, err := ledger.DecodeBalance(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		want := held[id]
		if want == nil {
			want = new(big.Int)
		}
		if bigOf(b.Held).Cmp(want) != 0 {
			t.Fatalf("%s has %s of %s held, its holds make %s", id[0], b.Held, id[1], want)
		}
		balances[id[0]]++
	}
	for id := range held {
		if value, _ := c.State.Get(ledger.KeyBalance(id[0], id[1])); value == nil {
			t.Fatalf("%s has holds of %s and no balance", id[0], id[1])
		}
	}
	for _, e := range c.State.Under("account/") {
		address := crypto.Address([]byte(e.Key))
		a, err := ledger.DecodeAccount(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		if a.Balances != balances[address] || a.Holds != c.book.holdsOf(address) {
			t.Fatalf("%s counts %d balances and %d holds, not %d and %d", address, a.Balances, a.Holds, balances[address], c.book.holdsOf(address))
		}
	}
}

// checkBlockEvents: the state is committed to the last events of a block itself.
func (c *Chain) checkBlockEvents(t testing.TB, before *State, result *ledger.BlockResult) {
	t.Helper()
	was, _ := before.Get([]byte(ledger.KeyEvents))
	is, _ := c.State.Get([]byte(ledger.KeyEvents))
	if len(result.Events) == 0 {
		if string(was) != string(is) {
			t.Fatalf("block %d has no events of its own and changes their record", c.Height)
		}
		return
	}
	height, digest, err := ledger.DecodeBlockEvents(is)
	if err != nil || height != c.Height || digest != ledger.BlockEventsDigest(result.Events) {
		t.Fatalf("the record of the events of block %d says %d, %s (error %v)", c.Height, height, digest, err)
	}
}
