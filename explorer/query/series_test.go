package query

import (
	"errors"
	"math"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// spans are periods of a chain for series, those without a block among them.
func (b *book) spans() []Span {
	top, mid := b.chain.At(b.chain.Top()).Time, b.chain.At(pausedAfter).Time
	return []Span{{}, {Points: 1}, {Points: 2}, {Points: 7}, {Points: MaxPoints}, {From: 1}, {To: 1}, {From: mid, To: mid, Points: 5}, {From: mid + 100, To: mid + 103}, {From: mid + 100, To: mid + 5000, Points: 33},
		{From: top}, {From: top + 1}, {From: top - 1, To: ^ledger.UnixTime(0)}, {From: mid, To: mid - 1}, {From: ^ledger.UnixTime(0)}, {To: b.chain.At(0).Time, Points: 3}}
}

// checkTimes wants samples from the beginning to the end of a span, as far as there
// are blocks, evenly spread.
func (b *book) checkTimes(t *testing.T, s Span, times []uint64) {
	t.Helper()
	from, to := uint64(max(s.From, b.chain.At(0).Time)), uint64(b.chain.At(b.chain.Top()).Time)
	if s.To > 0 {
		to = min(to, uint64(s.To))
	}
	points := uint64(s.Points)
	if points == 0 {
		points = 100
	}
	if from > to {
		points = 0
	} else {
		points = min(points, to-from+1)
	}
	if uint64(len(times)) != points {
		t.Fatalf("%+v: %d points, want %d", s, len(times), points)
	}
	for i, time := range times {
		if points == 1 && time != to || points > 1 && math.Abs(float64(time)-(float64(from)+float64(to-from)*float64(i)/float64(points-1))) > 1 {
			t.Fatalf("%+v: point %d is at %d, between %d and %d", s, i, time, from, to)
		}
	}
}

// Each sample of a series is what the ledger's state had at its time.
func TestSeries(t *testing.T) {
	eachBook(t, 53, func(t *testing.T, r *Reader, b *book) {
		for p := range b.lines {
			for _, p := range []purse{p, {somebody, p.asset}} {
				if a := ledgertest.Address("alice"); p.account != a && p.account != somebody && p.account != ledgertest.Address("issuer") {
					continue
				}
				for _, s := range b.spans() {
					b.compareSeries(t, r, p, s)
				}
			}
		}
		for name, ask := range map[string]func(asset crypto.Address, s Span) error{
			"balance": func(a crypto.Address, s Span) error {
				_, err := r.BalanceSeries(t.Context(), somebody, a, s)
				return err
			},
			"supply": func(a crypto.Address, s Span) error { _, err := r.SupplySeries(t.Context(), a, s); return err },
		} {
			var invalid *InvalidError
			for _, n := range []int{-1, MaxPoints + 1, math.MinInt, math.MaxInt} {
				if err := ask(b.moved[0].Asset, Span{Points: n}); !errors.As(err, &invalid) {
					t.Errorf("%s: %d points: %v", name, n, err)
				}
			}
			if err := ask(somebody, Span{}); !errors.Is(err, ErrNotFound) {
				t.Errorf("%s of an asset that is not: %v", name, err)
			}
		}
	})
}

func (b *book) compareSeries(t *testing.T, r *Reader, p purse, s Span) {
	t.Helper()
	balances, err := r.BalanceSeries(t.Context(), p.account, p.asset, s)
	if err != nil {
		t.Fatal(err)
	}
	supplies, err := r.SupplySeries(t.Context(), p.asset, s)
	if err != nil {
		t.Fatal(err)
	}
	var times, others []uint64
	for _, point := range balances {
		times = append(times, point.Time)
		h, _ := heightAt(b.chain, ledger.UnixTime(point.Time))
		want := balanceIn(t, b.chain.State(h), p)
		if total, _ := want.Available.Add(want.Held); point.Available != want.Available || point.Held != want.Held || point.Total != total {
			t.Fatalf("%+v: %+v, want %+v", s, point, want)
		}
	}
	for _, point := range supplies {
		others = append(others, point.Time)
		h, _ := heightAt(b.chain, ledger.UnixTime(point.Time))
		want := ledger.Amount{}
		if value := b.chain.State(h)[string(ledger.KeyAsset(p.asset))]; value != nil {
			asset, err := ledger.DecodeAsset(value)
			if err != nil {
				t.Fatal(err)
			}
			want = asset.Supply
		}
		if point.Supply != want {
			t.Fatalf("%+v: a supply of %s at %d, want %s", s, point.Supply, point.Time, want)
		}
	}
	b.checkTimes(t, s, times)
	b.checkTimes(t, s, others)
}

// What an account had at any date, and after any block, is what the ledger's state
// had then: all of it, and nothing besides.
func TestBalancesThen(t *testing.T) {
	eachBook(t, 54, func(t *testing.T, r *Reader, b *book) {
		chain := b.chain
		times := []ledger.UnixTime{0, 1, chain.At(0).Time - 1, ^ledger.UnixTime(0), ^ledger.UnixTime(0) - 1, ledger.UnixTime(ledger.MaxJSONInteger), ledger.UnixTime(ledger.MaxJSONInteger) - 1}
		heights := []ledger.Height{0, 1, chain.Top()}
		for h := ledger.Height(0); h <= chain.Top(); h += 6 {
			times = append(times, chain.At(h).Time, chain.At(h).Time+1)
			heights = append(heights, h)
		}
		for _, account := range b.accounts() {
			for _, time := range times {
				h, ok := heightAt(chain, time)
				b.compareBalances(t, r, account, Moment{Time: &time}, h, ok)
			}
			for _, h := range heights {
				b.compareBalances(t, r, account, Moment{Height: &h}, h, true)
			}
			b.compareBalances(t, r, account, Moment{}, chain.Top(), true)
		}
		later, never, zero := chain.Top()+1, ^ledger.Height(0), ledger.UnixTime(0)
		var invalid *InvalidError
		if _, err := r.Balances(t.Context(), somebody, Moment{Height: &later}, Page{}); !errors.Is(err, ErrNotFound) {
			t.Errorf("after a block that is not there yet: %v", err)
		}
		for _, m := range []Moment{{Height: &never}, {Height: &later, Time: &zero}} {
			if _, err := r.Balances(t.Context(), somebody, m, Page{}); !errors.As(err, &invalid) {
				t.Errorf("%+v is taken: %v", m, err)
			}
		}
	})
}

func (b *book) compareBalances(t *testing.T, r *Reader, account crypto.Address, at Moment, h ledger.Height, any bool) {
	t.Helper()
	want := map[crypto.Address]ledger.Balance{}
	for p := range b.lines {
		if balance := balanceIn(t, b.chain.State(h), p); any && p.account == account && !balance.IsZero() {
			want[p.asset] = balance
		}
	}
	limit := 1000
	if h%4 == 0 {
		limit = 2
	}
	got := pages(t, limit, true, func(p Page) (*List[Balance], error) { return r.Balances(t.Context(), account, at, p) })
	for i, balance := range got {
		total, _ := balance.Available.Add(balance.Held)
		if w := want[balance.Asset]; balance.Available != w.Available || balance.Held != w.Held || balance.Total != total || i > 0 && string(got[i-1].Asset[:]) >= string(balance.Asset[:]) {
			t.Fatalf("after %d %s has %+v, want %+v", h, account, balance, w)
		}
		since := uint64(0)
		for _, l := range b.lines[purse{account, balance.Asset}] {
			if l.height <= h {
				since = uint64(l.height)
			}
		}
		if balance.Since != since {
			t.Fatalf("%s of %s at %d is since %d, want %d", account, balance.Asset, h, balance.Since, since)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("after %d %s has %d balances, want %d", h, account, len(got), len(want))
	}
	account2, err := r.Account(t.Context(), account, at)
	exists := any && b.chain.State(h)[string(ledger.KeyAccount(account))] != nil
	if exists != (err == nil) || err != nil && !errors.Is(err, ErrNotFound) {
		t.Fatalf("after %d account %s is %+v (%v)", h, account, account2, err)
	}
}

// BlockAt is the last block that is not later.
func TestBlockAt(t *testing.T) {
	eachBook(t, 55, func(t *testing.T, r *Reader, b *book) {
		top := b.chain.Top()
		for h := ledger.Height(0); h <= top; h++ {
			for _, time := range []ledger.UnixTime{b.chain.At(h).Time, b.chain.At(h).Time + 1, b.chain.At(h).Time - 1} {
				want, ok := heightAt(b.chain, time)
				got, err := r.BlockAt(t.Context(), time)
				if ok != (err == nil) || err == nil && got.Height != uint64(want) {
					t.Fatalf("at %d: %+v (%v), want %d", time, got, err, want)
				}
			}
		}
		for _, time := range []ledger.UnixTime{^ledger.UnixTime(0), ledger.UnixTime(ledger.MaxJSONInteger), math.MaxInt64} {
			if got, err := r.BlockAt(t.Context(), time); err != nil || got.Height != uint64(top) {
				t.Errorf("at %d: %+v (%v)", time, got, err)
			}
		}
		if _, err := r.BlockAt(t.Context(), 0); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
	})
}
