package ledger_test

import (
	"testing"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// blockLimitCodes are what TestBlockLimits and TestBlockDuplicates produce.
var blockLimitCodes = []ledger.Code{ledger.CodeBlockLimit, ledger.CodeDuplicateNonce}

// TestBlockLimits fills a block to each of its caps: what does not fit is
// refused, what is smaller still fits.
func TestBlockLimits(t *testing.T) {
	small := func(c *ledgertest.Chain, nonce ledger.Nonce) *ledger.Tx {
		return cancel(t, c, "payer 0", nonce)
	}
	for _, one := range []struct {
		name         string
		payers, legs int
		limit        func(*ledger.GenesisParams, *ledger.Tx)
	}{
		{"signatures", 64, 64, func(p *ledger.GenesisParams, tx *ledger.Tx) { p.MaxBlockSignatures = 64 }},
		{"legs", 1, 4096, func(p *ledger.GenesisParams, tx *ledger.Tx) { p.MaxBlockLegs = 4096 }},
		{"bytes", 1, 4000, func(p *ledger.GenesisParams, tx *ledger.Tx) { p.MaxBlockBytes = ledger.MaxTxBytes }},
	} {
		c, big := manyPayers(t, one.payers, one.legs, ledger.SchemeBodyHash)
		params := ledger.NewGenesisParams(c.Params)
		one.limit(&params, big)
		g := ledgertest.Genesis(ledger.PolicyAdmitted)
		g.Params = params
		limited, err := g.Build()
		if err != nil {
			t.Fatal(err)
		}
		for _, change := range limited.Changes {
			if string(change.Key) == ledger.KeyParams {
				c.State.Write([]ledger.Change{change})
			}
		}
		check, err := ledger.NewBlockCheck(c.Net, c.Time+1, c.State)
		if err != nil {
			t.Fatal(err)
		}
		if code, err := check.Admit(big); code != ledger.Applied || err != nil {
			t.Fatalf("%s: %s %v", one.name, code, err)
		}
		nonce, room := ledger.Nonce(1), 0
		for ; room < 2000; room++ {
			code, err := check.Admit(small(c, nonce))
			if err != nil {
				t.Fatal(err)
			}
			if code == ledger.CodeBlockLimit {
				break
			}
			nonce++
			if nonce == 1000 {
				t.Fatalf("%s: no limit", one.name)
			}
		}
		if one.name != "bytes" && room != 0 {
			t.Errorf("%s: %d more fitted", one.name, room)
		}
		txs := []*ledger.Tx{big, small(c, 1)}
		for n := ledger.Nonce(2); n <= nonce; n++ {
			txs = append(txs, small(c, n))
		}
		verdict, err := ledger.CheckBlock(c.Net, ledger.Block{Time: c.Time + 1, Txs: txs}, c.State)
		if err != nil || verdict.Code != ledger.CodeBlockLimit || verdict.Index != room+1 {
			t.Errorf("%s: %+v %v, want blockLimit at %d", one.name, verdict, err, room+1)
		}
	}
}

func cancel(t testing.TB, c *ledgertest.Chain, name string, nonce ledger.Nonce) *ledger.Tx {
	t.Helper()
	a := ledgertest.Address(name)
	body := ledger.Body{Sender: a, Nonce: nonce, Op: &ledger.Transfer{Legs: []ledger.Leg{{From: a, To: a, Asset: c.Net.Settlement}}}}
	tx, code := ledger.Sign(c.Net, body, ledger.SchemeBodyHash, ledgertest.Key(name))
	if code != ledger.Applied {
		t.Fatal(code)
	}
	return tx
}

// TestBlockDuplicates: the second of a pair is the fault of a proposal, also
// when the two are the same bytes; a refused one leaves no trace in the check.
func TestBlockDuplicates(t *testing.T) {
	c := ledgertest.NewChain(t, ledgertest.Genesis(ledger.PolicyAdmitted, "alice", "bob"))
	a0, a1, b0 := cancel(t, c, "alice", 0), cancel(t, c, "alice", 1), cancel(t, c, "bob", 0)
	check, err := ledger.NewBlockCheck(c.Net, c.Time+1, c.State)
	if err != nil {
		t.Fatal(err)
	}
	broken, _ := ledger.Decode(c.Net, []byte{1})
	for i, step := range []struct {
		tx   *ledger.Tx
		want ledger.Code
	}{
		{a0, ledger.Applied}, {a0, ledger.CodeDuplicateNonce}, {b0, ledger.Applied}, {broken, ledger.CodeUnsupportedType},
		{a1, ledger.Applied}, {b0, ledger.CodeDuplicateNonce}, {a1, ledger.CodeDuplicateNonce},
	} {
		if got, err := check.Admit(step.tx); got != step.want || err != nil {
			t.Errorf("step %d: %s %v, want %s", i, got, err, step.want)
		}
	}
	got := ledgertest.Codes(c.Apply(t, a0, a0, b0, broken, a1))
	want := []ledger.Code{ledger.Applied, ledger.CodeNonceSpent, ledger.Applied, ledger.CodeUnsupportedType, ledger.Applied}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("transaction %d of the block: %s, want %s", i, got[i], want[i])
		}
	}
}

// TestNewAccounts counts each recipient without an account once, under the
// open policy only.
func TestNewAccounts(t *testing.T) {
	for policy, want := range map[ledger.AccountPolicy]int{ledger.PolicyOpen: 2, ledger.PolicyAdmitted: 0} {
		c := ledgertest.NewChain(t, ledgertest.Genesis(policy, "alice", "bob"))
		op := &ledger.Transfer{}
		for _, to := range []string{"x", "bob", "y", "x", "alice", "y"} {
			op.Legs = append(op.Legs, ledger.Leg{From: ledgertest.Address("alice"), To: ledgertest.Address(to), Asset: c.Asset("GOLD"), Amount: ledger.NewAmount(1)})
		}
		tx, _ := ledger.Sign(c.Net, ledger.Body{Sender: ledgertest.Address("alice"), Op: op}, ledger.SchemeTypedData, ledgertest.Key("alice"))
		check, err := ledger.NewBlockCheck(c.Net, c.Time+1, c.State)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := check.NewAccounts(tx); got != want || err != nil {
			t.Errorf("%s: %d %v, want %d", policy, got, err, want)
		}
		if check.MaxNewAccounts() != c.Params.MaxNewAccounts {
			t.Error("MaxNewAccounts is not the parameter")
		}
	}
}
