package rpc

import (
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// apply sends an operation of alice's and wants it applied.
func (h *harness) apply(t *testing.T, nonce ledger.Nonce, op ledger.Operation) {
	t.Helper()
	tx, code := ledger.Sign(h.node.net, ledger.Body{Sender: alice, Nonce: nonce, Op: op}, ledger.SchemeBodyHash, aliceKey)
	if code != ledger.Applied {
		t.Fatal(code)
	}
	var receipt wire.Receipt
	h.result(t, &receipt, "ledger_sendRawTransactionSync", hexOf(tx.Raw))
	if receipt.Code != 0 {
		t.Fatalf("%s: %s", receipt.Kind, receipt.Message)
	}
}

// What binds accounts and balances reads as it was written.
func TestReadsOfWhatBinds(t *testing.T) {
	h := newHarness(t, Options{})
	terms := ledger.CreateHold{
		From: alice, To: bob, Arbiter: strangerAddress, Asset: h.node.net.Settlement, Amount: ledger.NewAmount(70),
		Expiry: genesisTime + 1000, Reference: "order 7",
	}
	h.apply(t, 0, &terms)
	h.apply(t, 1, &ledger.CreateAsset{Symbol: "NOTE", Name: "Note", Flags: ledger.FlagRestricted | ledger.FlagFreezable})
	note := h.node.net.AssetAddress(alice, 1)
	h.apply(t, 2, &ledger.ApproveHolder{Asset: note, Account: bob})
	h.apply(t, 3, &ledger.FreezeBalance{Asset: note, Account: bob, Amount: ledger.NewAmount(5)})
	h.apply(t, 4, &ledger.SetMetadata{Asset: note, URI: "https://example.org/terms", Hash: crypto.Hash{1}})
	h.apply(t, 5, &ledger.SetKeys{Threshold: 2, Keys: []ledger.Key{{Address: bob, Weight: 1}, {Address: alice, Weight: 1}}})

	id := h.node.net.HoldID(alice, 0, 0)
	var hold *wire.OpenHold
	h.result(t, &hold, "ledger_getHold", id)
	if hold == nil || hold.Hold != id || hold.From != alice || hold.To != bob || *hold.Arbiter != strangerAddress ||
		hold.Amount != terms.Amount || hold.Expiry != uint64(terms.Expiry) || hold.Reference != terms.Reference {
		t.Errorf("%+v", hold)
	}
	h.result(t, &hold, "ledger_getHold", alice)
	if hold != nil {
		t.Errorf("a hold that is none: %+v", hold)
	}
	var holder wire.Holder
	h.result(t, &holder, "ledger_getHolder", note, bob)
	if want := (wire.Holder{Asset: note, Account: bob, Approved: true, FrozenAmount: ledger.NewAmount(5)}); holder != want {
		t.Errorf("%+v", holder)
	}
	var metadata wire.Metadata
	h.result(t, &metadata, "ledger_getMetadata", note)
	if want := (wire.Metadata{Asset: note, URI: "https://example.org/terms", Hash: crypto.Hash{1}}); metadata != want {
		t.Errorf("%+v", metadata)
	}
	var authority *wire.Authority
	h.result(t, &authority, "ledger_getAuthority", alice)
	if authority.Threshold != 2 || len(authority.Keys) != 2 || authority.Keys[0].Address != bob || authority.Holds != 1 {
		t.Errorf("%+v", authority)
	}
	h.result(t, &authority, "ledger_getAuthority", bob)
	if authority.Threshold != 1 || len(authority.Keys) != 1 || authority.Keys[0] != (ledger.Key{Address: bob, Weight: 1}) {
		t.Errorf("the own key: %+v", authority)
	}
	h.result(t, &authority, "ledger_getAuthority", strangerAddress)
	if authority != nil {
		t.Errorf("no account: %+v", authority)
	}
}
