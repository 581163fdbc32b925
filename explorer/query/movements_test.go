package query

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// concerns reports whether a movement has an entry in an account's books.
func (m *moved) concerns(a crypto.Address) bool {
	if m.Type == ledger.EventHoldCreated || m.Type == ledger.EventHoldReleased {
		return m.From == a
	}
	return m.From == a || m.To == a
}

func (f *MovementFilter) takes(m *moved) bool {
	return (f.Account == nil || m.concerns(*f.Account)) && (f.Asset == nil || m.Asset == *f.Asset) && (f.Type == "" || m.Type.Name() == f.Type) &&
		(f.Reference == "" || strings.EqualFold(f.Reference, m.SenderReference())) && (f.From == nil || m.time >= *f.From) && (f.To == nil || m.time <= *f.To)
}

// Every filter of movements, alone and together, gives what the blocks say, each
// movement once and in order, in pages of any size, both ways.
func TestMovements(t *testing.T) {
	eachBook(t, 51, func(t *testing.T, r *Reader, b *book) {
		filters := []MovementFilter{{}, {Reference: "INV-1"}, {Reference: "rechnung Ä"}, {Reference: "nothing"}, {Type: "clawback"}, {Type: "holdCaptured"}}
		alice, gone := ledgertest.Address("alice"), ledger.UnixTime(0)
		top := b.chain.At(b.chain.Top()).Time
		early, late := b.chain.At(9).Time, b.chain.At(50).Time
		between, future := b.chain.At(pausedAfter).Time+100, top+1000 // of which no block is
		end := between + 100
		greatest := ^ledger.UnixTime(0)
		for _, a := range b.accounts() {
			filters = append(filters, MovementFilter{Account: &a})
		}
		for p := range b.lines {
			if p.account == alice || p.account == ledgertest.Address("bob") {
				filters = append(filters, MovementFilter{Account: &p.account, Asset: &p.asset}, MovementFilter{Asset: &p.asset}, MovementFilter{Asset: &p.asset, Type: "issue"},
					MovementFilter{Account: &p.account, Asset: &p.asset, Type: "transfer"}, MovementFilter{Account: &p.account, Asset: &p.asset, Reference: "inv-1", From: &early})
			}
		}
		for _, f := range []MovementFilter{{}, {Account: &alice}, {Account: &alice, Reference: "inv-1"}, {Account: &alice, Type: "holdCreated"}, {Type: "transfer"}} {
			for _, period := range [][2]*ledger.UnixTime{{&early, &late}, {&early, &early}, {&between, &end}, {&future, nil}, {nil, &gone}, {&late, &early}, {&greatest, nil}, {nil, &greatest}, {&gone, &top}} {
				f.From, f.To = period[0], period[1]
				filters = append(filters, f)
			}
		}
		for _, f := range filters {
			b.compareMovements(t, r, f)
		}
	})
}

// aFew is the length of short pages: n, or ten times as much under -short, where there
// are to be fewer of them.
func aFew(n int) int {
	if testing.Short() {
		return 10 * n
	}
	return n
}

func (b *book) compareMovements(t *testing.T, r *Reader, f MovementFilter) {
	t.Helper()
	want := []string{}
	for i := range b.moved {
		if f.takes(&b.moved[i]) {
			want = append(want, b.moved[i].String())
		}
	}
	for _, limit := range []int{aFew(3), 1000} {
		for _, ascending := range []bool{true, false} {
			got := []string{}
			for _, m := range pages(t, limit, ascending, func(p Page) (*List[Movement], error) { return r.Movements(t.Context(), f, p) }) {
				got = append(got, textOf(&m))
			}
			if !ascending {
				slices.Reverse(got)
			}
			sameList(t, fmt.Sprintf("%s, %d a page, ascending %t", f.text(), limit, ascending), got, want)
		}
	}
}

func (f *MovementFilter) text() string {
	time := func(t *ledger.UnixTime) string {
		if t == nil {
			return "…"
		}
		return fmt.Sprint(*t)
	}
	return fmt.Sprintf("account %s, asset %s, %q, %q, %s to %s", orZero(f.Account), orZero(f.Asset), f.Reference, f.Type, time(f.From), time(f.To))
}

// A statement has every line of the account's book in its period, with what was left
// after each, and what was there before and after; in pages of any size, both ways.
func TestStatement(t *testing.T) {
	eachBook(t, 52, func(t *testing.T, r *Reader, b *book) {
		chain := b.chain
		at := func(h ledger.Height) *ledger.UnixTime { time := chain.At(h).Time; return &time }
		plus := func(t *ledger.UnixTime, n int) *ledger.UnixTime {
			later := ledger.UnixTime(int64(*t) + int64(n))
			return &later
		}
		none, greatest := ledger.UnixTime(0), ^ledger.UnixTime(0)
		periods := [][2]*ledger.UnixTime{{nil, nil}, {at(0), nil}, {plus(at(0), 1), nil}, {at(10), at(30)}, {at(10), plus(at(30), 1)}, {plus(at(10), 1), at(30)}, {at(20), at(20)},
			{plus(at(pausedAfter), 100), plus(at(pausedAfter), 200)}, {nil, &none}, {&none, &none}, {nil, at(0)}, {at(chain.Top()), nil}, {plus(at(chain.Top()), 1), nil}, {plus(at(chain.Top()), 1), &greatest}, {nil, &greatest}}
		for p, lines := range b.lines {
			for _, period := range periods {
				limits := []int{aFew(5), 1000}
				if len(lines) < 20 {
					limits = append(limits, 1)
				}
				for _, limit := range limits {
					for _, ascending := range []bool{true, false} {
						b.compareStatement(t, r, p, period[0], period[1], limit, ascending)
					}
				}
			}
		}
		for p := range b.lines { // of an account that never was, of an asset that is
			b.compareStatement(t, r, purse{somebody, p.asset}, nil, nil, 5, true)
		}
		if _, err := r.Statement(t.Context(), StatementFilter{Account: ledgertest.Address("alice"), Asset: somebody}, Page{}); err != ErrNotFound {
			t.Errorf("a statement of an asset that is not: %v", err)
		}
		if _, err := r.Statement(t.Context(), StatementFilter{Account: ledgertest.Address("alice"), Asset: b.moved[0].Asset, From: at(9), To: at(8)}, Page{}); err == nil {
			t.Error("a period that ends before it begins is taken")
		}
	})
}

func (b *book) compareStatement(t *testing.T, r *Reader, p purse, from, to *ledger.UnixTime, limit int, ascending bool) {
	t.Helper()
	what := fmt.Sprintf("%s of %s, %v to %v, %d a page, ascending %t", p.account, p.asset, from, to, limit, ascending)
	var opening, closing ledger.Balance
	want := []string{}
	for _, l := range b.lines[p] {
		after := ledger.Balance{Available: l.available, Held: l.held}
		if from != nil && l.time < *from {
			opening = after
		}
		if to == nil || l.time < *to {
			closing = after
		}
		if (from == nil || l.time >= *from) && (to == nil || l.time < *to) {
			want = append(want, fmt.Sprintf("%d/%d/%d %s %d %s %s %s %s %q %s %s", l.height, l.index, l.n, hashText(l.hash), l.time, l.Type.Name(), l.side, l.other, l.Amount, l.SenderReference(), l.available, l.held))
		}
	}
	got := []string{}
	page := Page{Limit: limit, Ascending: ascending}
	for more := true; more; {
		s, err := r.Statement(t.Context(), StatementFilter{Account: p.account, Asset: p.asset, From: from, To: to}, page)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if s.Opening.Available != opening.Available || s.Opening.Held != opening.Held || s.Closing.Available != closing.Available || s.Closing.Held != closing.Held {
			t.Fatalf("%s: from %+v to %+v, want %+v to %+v", what, s.Opening, s.Closing, opening, closing)
		}
		for _, l := range s.Items {
			got = append(got, fmt.Sprintf("%d/%d/%d %s %d %s %s %s %s %q %s %s", l.Height, indexOf(l.Place), l.Order, hashText(l.Hash), l.Time, l.Type, l.Side, orZero(l.Counterparty), l.Amount, l.Reference, l.Available, l.Held))
		}
		if more = s.Next != nil; more {
			page.Cursor = *s.Next
		}
	}
	if !ascending {
		slices.Reverse(got)
	}
	sameList(t, what, got, want)
}
