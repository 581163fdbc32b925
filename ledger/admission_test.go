package ledger_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// TestAdmissionsFitTheirBlock: of a block that is accepted no admission is
// refused for want of room, under either policy, whatever payments create
// beside it.
func TestAdmissionsFitTheirBlock(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		policy := rapid.SampledFrom([]ledger.AccountPolicy{ledger.PolicyOpen, ledger.PolicyAdmitted}).Draw(rt, "policy")
		g := ledgertest.MemberGenesis(policy, "alice")
		g.Params.MaxNewAccounts = rapid.Uint64Range(1, 4).Draw(rt, "most")
		c := ledgertest.NewChain(t, g)
		check, err := ledger.NewBlockCheck(c.Net, c.Time+1, c.State)
		if err != nil {
			rt.Fatal(err)
		}
		var block []*ledger.Tx
		for nonce := range ledger.Nonce(rapid.IntRange(1, 8).Draw(rt, "transactions")) {
			sender := rapid.SampledFrom([]string{"bank", "bank", "desk", "alice"}).Draw(rt, "sender")
			to := ledgertest.Address(rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "alice"}).Draw(rt, "account"))
			var op ledger.Operation = &ledger.AdmitAccount{Account: to}
			if sender == "alice" {
				op = &ledger.Transfer{Legs: []ledger.Leg{{From: ledgertest.Address("alice"), To: to, Asset: c.Asset("GOLD"), Amount: ledger.NewAmount(1)}}}
			}
			tx, _ := ledger.Sign(c.Net, ledger.Body{Sender: ledgertest.Address(sender), Nonce: nonce, Op: op}, ledger.SchemeBodyHash, ledgertest.Key(sender))
			code, err := check.Admit(tx)
			if err != nil || code != ledger.Applied && code != ledger.CodeBlockLimit {
				rt.Fatal(code, err)
			}
			if code == ledger.Applied {
				block = append(block, tx)
			}
		}
		made := map[crypto.Address]bool{}
		for i, r := range c.Apply(t, block...).Results {
			if r.Code == ledger.CodeNewAccountLimit {
				rt.Fatalf("transaction %d has no room", i)
			}
			for _, e := range r.Events {
				if e.Type == ledger.EventAccountCreated {
					made[e.Account] = true
				}
			}
		}
		if uint64(len(made)) > g.Params.MaxNewAccounts {
			rt.Fatalf("%d accounts are made, at most %d may be", len(made), g.Params.MaxNewAccounts)
		}
	})
}

// TestRotatedKeysSignBothSchemes: after a rotation the new keys act through both
// native schemes, and the old one through none.
func TestRotatedKeysSignBothSchemes(t *testing.T) {
	for _, scheme := range []ledger.Scheme{ledger.SchemeTypedData, ledger.SchemeBodyHash} {
		c := ledgertest.NewChain(t, ledgertest.Genesis(ledger.PolicyAdmitted, "alice"))
		alice := ledgertest.Address("alice")
		send := func(nonce ledger.Nonce, op ledger.Operation, signers ...string) ledger.Code {
			var keys []*crypto.PrivateKey
			for _, name := range signers {
				keys = append(keys, ledgertest.Key(name))
			}
			tx, code := ledger.Sign(c.Net, ledger.Body{Sender: alice, Nonce: nonce, Op: op}, scheme, keys...)
			if code != ledger.Applied {
				t.Fatal(code)
			}
			return c.Apply(t, tx).Results[0].Code
		}
		cancel := &ledger.Transfer{Legs: []ledger.Leg{{From: alice, To: alice, Asset: c.Net.Settlement}}}
		keys := []ledger.Key{{Address: ledgertest.Address("phone"), Weight: 1}, {Address: ledgertest.Address("laptop"), Weight: 2}}
		sortKeys(keys)
		for i, step := range []struct {
			op      ledger.Operation
			signers []string
			want    ledger.Code
		}{
			{&ledger.SetKeys{Threshold: 3, Keys: keys}, []string{"alice"}, ledger.Applied},
			{cancel, []string{"alice"}, ledger.CodeUnauthorized},
			{cancel, []string{"phone"}, ledger.CodeUnauthorized},
			{cancel, []string{"laptop"}, ledger.CodeUnauthorized},
			{cancel, []string{"phone", "laptop"}, ledger.Applied},
			{&ledger.SetKeys{}, []string{"alice"}, ledger.CodeUnauthorized},
			{&ledger.SetKeys{}, []string{"phone", "laptop"}, ledger.Applied},
			{cancel, []string{"phone", "laptop"}, ledger.CodeTooManySignatures},
			{cancel, []string{"alice"}, ledger.Applied},
		} {
			if got := send(ledger.Nonce(i), step.op, step.signers...); got != step.want {
				t.Errorf("scheme %d, step %d: %s, want %s", scheme, i, got, step.want)
			}
		}
	}
}
