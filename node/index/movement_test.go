package index

import (
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// moved follows what an event moves: from whom and to whom, the zero address being
// that from which an asset is issued and to which it is redeemed. What is set aside
// stays its owner's until it is captured.
func moved(e *ledger.Event) (from, to crypto.Address, ok bool) {
	switch e.Type {
	case ledger.EventTransfer, ledger.EventClawback, ledger.EventHoldCaptured:
		return e.From, e.To, true
	case ledger.EventIssue:
		return from, e.To, true
	case ledger.EventRedeem:
		return e.From, to, true
	}
	return from, to, false
}

// At every height the movements that an asset's history leads to, from the genesis
// on, add up to the balances that the index has there, and to its supply.
func TestMovementsOfAnAssetAddUpToItsBalances(t *testing.T) {
	const height = 80
	c := newChain(t, 46)
	x, stop := follow(t, t.TempDir(), c)
	defer stop()
	growTo(t, x, c, height)
	happened := map[Place][]ledger.Event{}
	for _, h := range c.happenings() {
		happened[h.at] = h.events
	}
	kinds := map[ledger.EventType]int{}
	for _, asset := range c.assets(c.states[height]) {
		balances := map[crypto.Address]ledger.Amount{}
		places, err := x.Places(Query{Asset: &asset, From: Place{0, OwnEvents}, To: Place{height, OwnEvents - 1}, Limit: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		for h := range ledger.Height(height + 1) {
			for ; len(places) > 0 && places[0].Height == h; places = places[1:] {
				for _, e := range happened[places[0]] {
					if from, to, ok := moved(&e); ok && e.Asset == asset {
						kinds[e.Type]++
						if !from.IsZero() {
							balances[from] = must(t)(balances[from].Sub(e.Amount))
						}
						if !to.IsZero() {
							balances[to] = must(t)(balances[to].Add(e.Amount))
						}
					}
				}
			}
			var supply ledger.Amount
			for account, want := range balances {
				got, err := x.BalanceAt(account, asset, h)
				if err != nil || must(t)(got.Available.Add(got.Held)) != want {
					t.Fatalf("height %d: %s has %s and %s held of %s, and its movements come to %s (%v)", h, account, got.Available, got.Held, asset, want, err)
				}
				supply = must(t)(supply.Add(want))
			}
			if a, err := x.AssetAt(asset, h); err != nil || a != nil && a.Supply != supply || a == nil && !supply.IsZero() {
				t.Fatalf("height %d: asset %s is %+v, and all movements come to %s (%v)", h, asset, a, supply, err)
			}
		}
	}
	for _, kind := range []ledger.EventType{ledger.EventTransfer, ledger.EventIssue, ledger.EventRedeem, ledger.EventHoldCaptured, ledger.EventClawback} {
		if kinds[kind] == 0 {
			t.Errorf("the chain has no %s", kind.Name())
		}
	}
}

// must takes the result of arithmetic that cannot fail.
func must(t *testing.T) func(ledger.Amount, bool) ledger.Amount {
	return func(a ledger.Amount, ok bool) ledger.Amount {
		t.Helper()
		if !ok {
			t.Fatal("a balance below zero, or above all bounds")
		}
		return a
	}
}
