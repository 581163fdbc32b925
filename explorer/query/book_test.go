package query

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/explorertest"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// book is what a chain's events come to, kept by the tests themselves: a plain walk
// over blocks, proven right at every height by the ledger's own state. Nothing of it
// is the index's.
type book struct {
	chain *explorertest.Chain
	moved []moved
	lines map[purse][]bookLine
	holds int // that were made
}

// moved is an event that moves an amount, and where.
type moved struct {
	ledger.Event
	height ledger.Height
	time   ledger.UnixTime
	index  int // of the transaction; -1 for the block
	n      int
	hash   *crypto.Hash
}

type purse struct{ account, asset crypto.Address }

// bookLine is a line of a statement.
type bookLine struct {
	moved
	side            string
	other           crypto.Address
	available, held ledger.Amount
}

func newBook(t *testing.T, chain *explorertest.Chain) *book {
	t.Helper()
	b := &book{chain: chain, lines: map[purse][]bookLine{}}
	for h := ledger.Height(0); h <= chain.Top(); h++ {
		block := chain.At(h)
		b.enter(t, moved{height: h, time: block.Time, index: -1}, block.Events)
		for i, tx := range block.Txs {
			b.enter(t, moved{height: h, time: block.Time, index: i, hash: &tx.Hash}, block.Results[i].Events)
		}
		b.prove(t, h)
	}
	return b
}

func (b *book) enter(t *testing.T, at moved, events []ledger.Event) {
	t.Helper()
	for n, e := range events {
		at.Event, at.n = e, n
		switch e.Type {
		case ledger.EventTransfer, ledger.EventClawback:
			b.line(t, at, e.From, "out", e.To)
			b.line(t, at, e.To, "in", e.From)
		case ledger.EventIssue:
			b.line(t, at, e.To, "in", crypto.Address{})
		case ledger.EventRedeem:
			b.line(t, at, e.From, "out", crypto.Address{})
		case ledger.EventHoldCreated:
			b.line(t, at, e.From, "hold", e.To)
			b.holds++
		case ledger.EventHoldReleased:
			b.line(t, at, e.From, "unhold", e.To)
		case ledger.EventHoldCaptured:
			b.line(t, at, e.From, "heldOut", e.To)
			b.line(t, at, e.To, "in", e.From)
		default:
			continue
		}
		b.moved = append(b.moved, at)
	}
}

func (b *book) line(t *testing.T, at moved, account crypto.Address, side string, other crypto.Address) {
	t.Helper()
	p := purse{account, at.Asset}
	l := bookLine{moved: at, side: side, other: other}
	if before := b.lines[p]; len(before) > 0 {
		l.available, l.held = before[len(before)-1].available, before[len(before)-1].held
	}
	ok1, ok2 := true, true
	switch side {
	case "in":
		l.available, ok1 = l.available.Add(at.Amount)
	case "out":
		l.available, ok1 = l.available.Sub(at.Amount)
	case "hold":
		l.available, ok1 = l.available.Sub(at.Amount)
		l.held, ok2 = l.held.Add(at.Amount)
	case "unhold":
		l.available, ok1 = l.available.Add(at.Amount)
		l.held, ok2 = l.held.Sub(at.Amount)
	case "heldOut":
		l.held, ok1 = l.held.Sub(at.Amount)
	}
	if !ok1 || !ok2 {
		t.Fatalf("the book does not add up at block %d", at.height)
	}
	b.lines[p] = append(b.lines[p], l)
}

// prove compares the book with the ledger's state after a block.
func (b *book) prove(t *testing.T, h ledger.Height) {
	t.Helper()
	for p, lines := range b.lines {
		last := lines[len(lines)-1]
		want := balanceIn(t, b.chain.State(h), p)
		if last.available != want.Available || last.held != want.Held {
			t.Fatalf("at %d the book says %s and %s of %v, the state %+v", h, last.available, last.held, p, want)
		}
	}
	for key := range b.chain.State(h) {
		if p, ok := purseOf(key); ok && len(b.lines[p]) == 0 {
			t.Fatalf("at %d the book has nothing of %v", h, p)
		}
	}
}

func purseOf(key string) (p purse, ok bool) {
	if len(key) != 48 || !strings.HasPrefix(key, "balance/") {
		return p, false
	}
	return purse{crypto.Address([]byte(key[8:28])), crypto.Address([]byte(key[28:]))}, true
}

func balanceIn(t *testing.T, state ledger.MapState, p purse) ledger.Balance {
	t.Helper()
	value := state[string(ledger.KeyBalance(p.account, p.asset))]
	if value == nil {
		return ledger.Balance{}
	}
	b, err := ledger.DecodeBalance(value)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// heightAt is the last block that is not later than a time; ok is false before all.
func heightAt(chain *explorertest.Chain, time ledger.UnixTime) (h ledger.Height, ok bool) {
	for i := ledger.Height(0); i <= chain.Top() && chain.At(i).Time <= time; i++ {
		h, ok = i, true
	}
	return h, ok
}

// pausedAfter is a block of every moneyChain behind which there is none for two hours.
const pausedAfter = 44

// moneyChain has pauses with periods of no blocks in them, amounts as great as they
// can be, somebody who pays himself, and more places of one account than a page of
// its movements looks at.
func moneyChain(t *testing.T, seed uint64) *explorertest.Chain {
	chain := explorertest.Hostile(t, seed, 0)
	alice, bob := ledgertest.Address("alice"), ledgertest.Address("bob")
	coin := purse{}
	for key := range chain.State(0) {
		if p, ok := purseOf(key); ok && p.account == alice && string(p.asset[:]) > string(coin.asset[:]) {
			coin = p
		}
	}
	to := func(a crypto.Address, n uint64) *ledger.Transfer {
		return &ledger.Transfer{Legs: []ledger.Leg{{From: alice, To: a, Asset: coin.asset, Amount: ledger.NewAmount(n)}, {From: alice, To: bob, Asset: coin.asset, Amount: ledger.NewAmount(1), Reference: "inv-1"}}}
	}
	for i := range 6 {
		var txs []*ledger.Tx
		for range 40 {
			txs = append(txs, chain.Sign("alice", to(alice, 1), ""))
		}
		chain.Block(txs...)
		chain.Pause(ledger.UnixTime(i * 90))
	}
	chain.Grow(pausedAfter - int(chain.Top()))
	chain.Pause(7300)
	chain.Grow(5)
	chain.Pause(90_000)
	for _, by := range []string{"issuer", "alice"} { // whoever is the issuer by now
		owner := ledgertest.Address(by)
		for _, key := range slices.Sorted(maps.Keys(chain.State(0))) {
			if asset, ok := strings.CutPrefix(key, "asset/"); ok {
				a := crypto.Address([]byte(asset))
				chain.Block(chain.Sign(by, &ledger.ResumeAsset{Asset: a}, ""), chain.Sign(by, &ledger.Issue{Asset: a, To: owner, Amount: ledger.NewAmount(5)}, ""),
					chain.Sign(by, &ledger.Redeem{Asset: a, From: owner, Amount: ledger.NewAmount(3)}, ""),
					chain.Sign(by, &ledger.Clawback{Asset: a, From: bob, To: owner, Amount: ledger.NewAmount(1), Reason: 7, Reference: "order"}, ""))
			}
		}
	}
	chain.Grow(20)
	return chain
}

func eachBook(t *testing.T, seed uint64, test func(*testing.T, *Reader, *book)) {
	chain := moneyChain(t, seed)
	b := newBook(t, chain)
	b.showsEnough(t)
	explorertest.Each(t, func(t *testing.T, d explorertest.Database) {
		r, _ := indexed(t, d, chain)
		test(t, r, b)
	})
}

// showsEnough fails for a chain that would prove too little.
func (b *book) showsEnough(t *testing.T) {
	t.Helper()
	seen, most, greatest, genesis := map[string]int{}, map[purse]int{}, false, false
	for i := range b.moved {
		m := &b.moved[i]
		seen[m.Type.Name()]++
		greatest, genesis = greatest || m.Amount == ledger.MaxAmount, genesis || m.height == 0
		most[purse{m.From, m.Asset}]++
	}
	for _, kind := range movementTypes {
		if seen[kind.Name()] == 0 {
			t.Fatalf("the chain has no %s", kind.Name())
		}
	}
	places := 0
	for _, n := range most {
		places = max(places, n)
	}
	if places <= 2*placesAPage || !greatest || !genesis {
		t.Fatalf("the chain shows too little: %d movements of one account, the greatest amount %t, of genesis %t", places, greatest, genesis)
	}
}

// somebody never was in the chain.
var somebody = crypto.Address{0xee, 1}

// accounts of the book, the one that never was among them.
func (b *book) accounts() []crypto.Address {
	all := map[crypto.Address]bool{somebody: true, ledgertest.Address("m3"): true}
	for p := range b.lines {
		all[p.account] = true
	}
	return slices.SortedFunc(maps.Keys(all), func(a, b crypto.Address) int { return strings.Compare(string(a[:]), string(b[:])) })
}

func (m *moved) String() string {
	hash := "-"
	if m.hash != nil {
		hash = m.hash.String()
	}
	return fmt.Sprintf("%d/%d/%d %s at %d: %s of %s from %s to %s %q hold %s", m.height, m.index, m.n, hash, m.time, m.Type.Name()+" "+m.Amount.String(), m.Asset, m.From, m.To, m.SenderReference(), m.Other)
}

func textOf(m *Movement) string {
	return fmt.Sprintf("%d/%d/%d %s at %d: %s of %s from %s to %s %q hold %s", m.Height, indexOf(m.Place), m.Order, hashText(m.Hash), m.Time, m.Type+" "+m.Amount.String(), m.Asset,
		orZero(m.From), orZero(m.To), m.Reference, orZero(m.Hold))
}

func indexOf(p Place) int {
	if p.Index == nil {
		return -1
	}
	return int(*p.Index)
}

func hashText(h *crypto.Hash) string {
	if h == nil {
		return "-"
	}
	return h.String()
}

func orZero(a *crypto.Address) crypto.Address {
	if a == nil {
		return crypto.Address{}
	}
	return *a
}
