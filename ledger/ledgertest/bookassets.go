package ledgertest

import (
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// enterRegulated enters what issuers say about their assets and holders; it
// answers false for any other event.
func (b *book) enterRegulated(t testing.TB, e ledger.Event) bool {
	t.Helper()
	if b.enterHolder(t, e) {
		return true
	}
	a := b.assets[e.Asset]
	switch e.Type {
	case ledger.EventAssetRetired:
		turn(t, &e, &a.retired, true)
	case ledger.EventAssetPausedByNetwork:
		turn(t, &e, &a.pausedByNetwork, true)
	case ledger.EventAssetResumedByNetwork:
		turn(t, &e, &a.pausedByNetwork, false)
	case ledger.EventIssuerChanged:
		if a.issuer == e.Account {
			t.Fatalf("the issuer of %s changes to itself", e.Asset)
		}
		a.issuer = e.Account
	case ledger.EventMetadataChanged:
		a.metadata = ledger.Metadata{URI: e.Name, Hash: e.Hash}
	case ledger.EventClawback:
		b.add(e.From, e.Asset, e.Amount, -1)
		b.add(e.To, e.Asset, e.Amount, 1)
	default:
		return false
	}
	return true
}

func (b *book) enterHolder(t testing.TB, e ledger.Event) bool {
	t.Helper()
	id := [2]crypto.Address{e.Asset, e.Account}
	h := b.holders[id]
	if h == nil {
		h = &ledger.Holder{}
	}
	switch e.Type {
	case ledger.EventHolderApproved:
		turn(t, &e, &h.Approved, true)
	case ledger.EventHolderRevoked:
		turn(t, &e, &h.Approved, false)
	case ledger.EventHolderFrozen:
		turn(t, &e, &h.Frozen, true)
	case ledger.EventHolderUnfrozen:
		turn(t, &e, &h.Frozen, false)
	case ledger.EventBalanceFrozen:
		h.FrozenAmount = e.Amount
	default:
		return false
	}
	b.holders[id] = h
	return true
}

// turn sets what an event says must have been otherwise.
func turn(t testing.TB, e *ledger.Event, at *bool, to bool) {
	t.Helper()
	if *at == to {
		t.Fatalf("event %s of %s changes nothing", e.Type.Name(), e.Asset)
	}
	*at = to
}

// status is what the events make of the asset.
func (a *bookAsset) status() ledger.AssetStatus {
	switch {
	case a.retired && a.pausedByNetwork:
		return ledger.AssetRetiredAndPaused
	case a.retired:
		return ledger.AssetRetired
	case a.paused && a.pausedByNetwork:
		return ledger.AssetPausedByBoth
	case a.pausedByNetwork:
		return ledger.AssetPausedByNetwork
	case a.paused:
		return ledger.AssetPaused
	}
	return ledger.AssetActive
}

// checkHolders compares the holders' records and the metadata with the book.
func (c *Chain) checkHolders(t testing.TB) {
	t.Helper()
	told := 0
	for id, want := range c.book.holders {
		value, _ := c.State.Get(ledger.KeyHolder(id[0], id[1]))
		got, err := ledger.DecodeHolder(value)
		if err != nil || got != *want {
			t.Fatalf("holder %s of %s is %+v (error %v), the events make %+v", id[1], id[0], got, err, *want)
		}
		if value != nil {
			told++
		}
	}
	if entries := c.State.Under("holder/"); len(entries) != told {
		t.Fatalf("the state has %d holders, the events made %d", len(entries), told)
	}
	told = 0
	for address, a := range c.book.assets {
		value, _ := c.State.Get(ledger.KeyMetadata(address))
		got, err := ledger.DecodeMetadata(value)
		if err != nil || got != a.metadata {
			t.Fatalf("metadata of %s is %+v (error %v), the events make %+v", address, got, err, a.metadata)
		}
		if value != nil {
			told++
		}
	}
	if entries := c.State.Under("metadata/"); len(entries) != told {
		t.Fatalf("the state has metadata of %d assets, the events made %d", len(entries), told)
	}
}

// checkCounts: every account counts its balances.
func (c *Chain) checkCounts(t testing.TB) {
	t.Helper()
	counts := map[crypto.Address]uint64{}
	for _, e := range c.State.Under("balance/") {
		counts[crypto.Address([]byte(e.Key[:20]))]++
	}
	for _, e := range c.State.Under("account/") {
		address := crypto.Address([]byte(e.Key))
		a, err := ledger.DecodeAccount(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		if a.Balances != counts[address] {
			t.Fatalf("account %s counts %d balances and has %d", address, a.Balances, counts[address])
		}
	}
}
