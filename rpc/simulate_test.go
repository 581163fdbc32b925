package rpc

import (
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// An unsigned transaction is said to do what it then does.
func TestSimulateSaysWhatHappens(t *testing.T) {
	h := newHarness(t, Options{})
	h.sendEth(t, 0, 1)
	body := h.payment(1, 250)
	var s wire.Simulation
	h.result(t, &s, "ledger_simulate", body)
	if s.Code != 0 || s.Status != "applied" || s.Message != "" || s.Height != 1 || s.BodyHash != h.node.net.BodyHash(&body) {
		t.Fatalf("%+v", s)
	}
	if len(s.Authorisers) != 1 || s.Authorisers[0].Account != alice || s.Authorisers[0].Threshold != 1 || s.Authorisers[0].Keys[0] != (ledger.Key{Address: alice, Weight: 1}) {
		t.Errorf("%+v", s.Authorisers)
	}
	var receipt wire.Receipt
	h.result(t, &receipt, "ledger_sendRawTransactionSync", hexOf(h.signed(t, body).Raw))
	if len(receipt.Events) != len(s.Events) || receipt.Events[0] != s.Events[0] {
		t.Errorf("%+v, said to be %+v", receipt.Events, s.Events)
	}
	h.result(t, &s, "ledger_simulate", body)
	if s.Code != uint32(ledger.CodeNonceSpent) || s.Status != "notIncludable" {
		t.Errorf("%+v", s)
	}
	h.result(t, &s, "ledger_simulate", body, 1)
	if s.Code != 0 || s.Height != 1 {
		t.Errorf("%+v", s)
	}
}

// Who must sign, and why it would not be applied.
func TestSimulateTellsReasons(t *testing.T) {
	h := newHarness(t, Options{})
	h.sendEth(t, 0, 1)
	pays := func(from crypto.Address, amount uint64) ledger.Body {
		return ledger.Body{Sender: alice, Nonce: 7, ValidUntil: genesisTime + 1000, Op: &ledger.Transfer{Legs: []ledger.Leg{
			{From: from, To: alice, Asset: h.euro(), Amount: ledger.NewAmount(amount)},
		}}}
	}
	zero := pays(bob, 0)
	late := pays(bob, 1)
	late.ValidUntil = 0
	for _, c := range []struct {
		name    string
		body    ledger.Body
		status  string
		code    ledger.Code
		signers int
		keys    int // of the last signer
	}{
		{"delivered by another", pays(bob, 50), "applied", ledger.Applied, 2, 1},
		{"too much", pays(bob, 50_001), "refused", ledger.CodeInsufficientBalance, 2, 1},
		{"of nobody", pays(strangerAddress, 1), "notIncludable", ledger.CodeUnauthorized, 2, 0},
		{"without an end", late, "notIncludable", ledger.CodeLifetimeRequired, 2, 1},
		{"nothing", zero, "notIncludable", ledger.CodeZeroAmount, 0, 0},
	} {
		var s wire.Simulation
		h.result(t, &s, "ledger_simulate", c.body)
		if s.Status != c.status || s.Code != uint32(c.code) || len(s.Authorisers) != c.signers {
			t.Errorf("%s: %+v", c.name, s)
		}
		if c.code != ledger.Applied && (s.Message != c.code.Info().Meaning || len(s.Events) != 0) {
			t.Errorf("%s: %+v", c.name, s)
		}
		if c.signers > 0 && len(s.Authorisers[c.signers-1].Keys) != c.keys {
			t.Errorf("%s: %+v", c.name, s.Authorisers)
		}
	}
	h.refused(t, wire.CodeNotFound, "unknownHeight", "ledger_simulate", pays(bob, 1), 99)
}
