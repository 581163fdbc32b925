package index

import (
	"encoding/json"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// TestRegulatedEvents: what each event of a regulated asset does to the
// current state, and that it comes back whole from a receipt.
func TestRegulatedEvents(t *testing.T) {
	c := newChain(t, 31)
	x, err := Open(t.TempDir(), c.options())
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	asset, from, to := c.genesis.Network.Settlement, c.keys[1].Address(), c.keys[4].Address()
	w := &writer{state: x.current.begin(), db: x.db}
	for _, step := range []struct {
		event ledger.Event
		want  ledger.AssetStatus
	}{
		{ledger.Event{Type: ledger.EventAssetPaused}, ledger.AssetPaused},
		{ledger.Event{Type: ledger.EventAssetPausedByNetwork}, ledger.AssetPausedByBoth},
		{ledger.Event{Type: ledger.EventAssetResumed}, ledger.AssetPausedByNetwork},
		{ledger.Event{Type: ledger.EventAssetResumedByNetwork}, ledger.AssetActive},
		{ledger.Event{Type: ledger.EventMetadataChanged, Name: "https://example.org", Hash: crypto.Hash{1}}, ledger.AssetActive},
		{ledger.Event{Type: ledger.EventHolderApproved, Account: from}, ledger.AssetActive},
		{ledger.Event{Type: ledger.EventHolderRevoked, Account: from}, ledger.AssetActive},
		{ledger.Event{Type: ledger.EventHolderFrozen, Account: from, Reference: "r"}, ledger.AssetActive},
		{ledger.Event{Type: ledger.EventHolderUnfrozen, Account: from, Reference: "r"}, ledger.AssetActive},
		{ledger.Event{Type: ledger.EventBalanceFrozen, Account: from, Amount: ledger.NewAmount(7)}, ledger.AssetActive},
		{ledger.Event{Type: ledger.EventIssuerChanged, Account: to}, ledger.AssetActive},
		{ledger.Event{Type: ledger.EventAssetRetired}, ledger.AssetRetired},
		{ledger.Event{Type: ledger.EventClawback, From: from, To: to, Amount: ledger.NewAmount(300), Number: 9, Reference: "r"}, ledger.AssetRetired},
	} {
		e := step.event
		e.Asset = asset
		w.apply(&e)
		a, err := w.state.asset(asset)
		if w.err != nil || err != nil || a.Status != step.want {
			t.Fatalf("%s: status %s, errors %v %v", e.Type.Name(), a.Status, w.err, err)
		}
		tx := c.transaction()
		again, err := recordOf(tx, &ledger.TxResult{Events: []ledger.Event{e}}).Events[0].event()
		if err != nil || again != e {
			text, _ := json.Marshal(e.Attributes())
			t.Errorf("%s %s came back as %+v, %v", e.Type.Name(), text, again, err)
		}
	}
	a, _ := w.state.asset(asset)
	left, _ := w.state.balance(balanceID{from, asset})
	got, _ := w.state.balance(balanceID{to, asset})
	if a.Issuer != to || left.Available != ledger.NewAmount(700) || got.Available != ledger.NewAmount(300) {
		t.Errorf("issuer %s, %s left, %s got", a.Issuer, left.Available, got.Available)
	}
}
