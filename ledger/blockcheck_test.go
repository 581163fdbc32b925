package ledger_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

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

// TestBlockNewAccounts: a block that could create more accounts than one may is
// refused before anybody's nonce is spent on it. What would alone create too
// many stands in any block, and is refused there.
func TestBlockNewAccounts(t *testing.T) {
	pay := func(c *ledgertest.Chain, from string, nonce ledger.Nonce, to ...string) *ledger.Tx {
		op := &ledger.Transfer{}
		for _, name := range to {
			op.Legs = append(op.Legs, ledger.Leg{From: ledgertest.Address(from), To: ledgertest.Address(name), Asset: c.Asset("GOLD"), Amount: ledger.NewAmount(1)})
		}
		tx, code := ledger.Sign(c.Net, ledger.Body{Sender: ledgertest.Address(from), Nonce: nonce, Op: op}, ledger.SchemeBodyHash, ledgertest.Key(from))
		if code != ledger.Applied {
			t.Fatal(code)
		}
		return tx
	}
	chain := func(policy ledger.AccountPolicy) (*ledgertest.Chain, *ledger.BlockCheck) {
		g := ledgertest.Genesis(policy, "alice", "bob")
		g.Params.MaxNewAccounts = 3
		c := ledgertest.NewChain(t, g)
		check, err := ledger.NewBlockCheck(c.Net, c.Time+1, c.State)
		if err != nil {
			t.Fatal(err)
		}
		return c, check
	}
	c, check := chain(ledger.PolicyOpen)
	var block []*ledger.Tx
	for i, step := range []struct {
		tx   *ledger.Tx
		want ledger.Code
	}{
		{pay(c, "alice", 0, "x", "bob", "y", "x", "alice", "y"), ledger.Applied}, // two
		{pay(c, "bob", 0, "v", "w"), ledger.CodeBlockLimit},
		{pay(c, "bob", 1, "p", "q", "r", "s"), ledger.Applied}, // never
		{pay(c, "bob", 0, "x"), ledger.Applied},                // the third, as far as one can tell before
		{pay(c, "bob", 2, "y"), ledger.CodeBlockLimit},
		{pay(c, "bob", 3, "alice"), ledger.Applied},
	} {
		if got, err := check.Admit(step.tx); got != step.want || err != nil {
			t.Errorf("step %d: %s %v, want %s", i, got, err, step.want)
		}
		if step.want == ledger.Applied {
			block = append(block, step.tx)
		}
	}
	over := append(block[:len(block):len(block)], pay(c, "alice", 9, "z"))
	verdict, err := ledger.CheckBlock(c.Net, ledger.Block{Time: c.Time + 1, Txs: over}, c.State)
	if err != nil || verdict != (ledger.BlockVerdict{Code: ledger.CodeBlockLimit, Index: len(block)}) {
		t.Errorf("one too many: %+v %v", verdict, err)
	}
	want := []ledger.Code{ledger.Applied, ledger.CodeNewAccountLimit, ledger.Applied, ledger.Applied}
	for i, got := range ledgertest.Codes(c.Apply(t, block...)) {
		if got != want[i] {
			t.Errorf("transaction %d: %s, want %s", i, got, want[i])
		}
	}
	c, check = chain(ledger.PolicyAdmitted)
	for nonce := range ledger.Nonce(5) {
		if got, err := check.Admit(pay(c, "alice", nonce, "x", "y")); got != ledger.Applied || err != nil {
			t.Errorf("nobody is created where accounts are admitted: %s %v", got, err)
		}
	}
}

// TestNobodyElseLosesANonce: whatever a proposer puts into a block that is
// accepted, newAccountLimit meets only who alone creates too many.
func TestNobodyElseLosesANonce(t *testing.T) {
	people := []string{"alice", "bob", "carol"}
	rapid.Check(t, func(rt *rapid.T) {
		g := ledgertest.Genesis(ledger.PolicyOpen, people...)
		g.Params.MaxNewAccounts = rapid.Uint64Range(1, 4).Draw(rt, "most")
		c := ledgertest.NewChain(t, g)
		check, err := ledger.NewBlockCheck(c.Net, c.Time+1, c.State)
		if err != nil {
			rt.Fatal(err)
		}
		var block []*ledger.Tx
		var absent []int
		for nonce := range ledger.Nonce(rapid.IntRange(1, 8).Draw(rt, "transactions")) {
			from := rapid.SampledFrom(people).Draw(rt, "from")
			op, fresh := &ledger.Transfer{}, map[string]bool{}
			for _, to := range rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "bob"}), 1, 6).Draw(rt, "to") {
				op.Legs = append(op.Legs, ledger.Leg{From: ledgertest.Address(from), To: ledgertest.Address(to), Asset: c.Asset("GOLD"), Amount: ledger.NewAmount(1)})
				fresh[to] = to != "bob"
			}
			delete(fresh, "bob")
			tx, _ := ledger.Sign(c.Net, ledger.Body{Sender: ledgertest.Address(from), Nonce: nonce, Op: op}, ledger.SchemeBodyHash, ledgertest.Key(from))
			code, err := check.Admit(tx)
			if err != nil || (code != ledger.Applied && code != ledger.CodeBlockLimit) {
				rt.Fatal(code, err)
			}
			if code == ledger.Applied {
				block, absent = append(block, tx), append(absent, len(fresh))
			}
		}
		for i, got := range ledgertest.Codes(c.Apply(t, block...)) {
			if tooMany := uint64(absent[i]) > g.Params.MaxNewAccounts; (got == ledger.CodeNewAccountLimit) != tooMany {
				rt.Fatalf("transaction %d with %d new accounts: %s", i, absent[i], got)
			}
		}
	})
}

// TestProposalsWeighTheirActions: a proposal counts as many legs as it has
// actions, one for each alike, so that a block's cap bounds what it costs.
func TestProposalsWeighTheirActions(t *testing.T) {
	g := ledgertest.CouncilGenesis(million)
	g.Params.MaxBlockLegs = ledger.MaxLegs
	c := ledgertest.NewCouncilOf(t, g)
	check, err := ledger.NewBlockCheck(c.Net, c.Time+1, c.State)
	if err != nil {
		t.Fatal(err)
	}
	left := ledger.MaxLegs
	for _, actions := range []int{1, 2, ledger.MaxActions} {
		tx := c.Sign(t, "m0", proposing(slices.Repeat(ledger.ActionList{resolving("We agree.")}, actions)...))
		if tx.Legs() != actions {
			t.Errorf("%d actions weigh %d legs", actions, tx.Legs())
		}
		if code, err := check.Admit(tx); code != ledger.Applied || err != nil {
			t.Fatalf("%d actions: %s %v", actions, code, err)
		}
		left -= actions
	}
	for left > 0 {
		actions := min(left, ledger.MaxActions)
		if code, err := check.Admit(c.Sign(t, "m0", proposing(slices.Repeat(ledger.ActionList{resolving("We agree.")}, actions)...))); code != ledger.Applied || err != nil {
			t.Fatalf("with room for %d legs: %s %v", left, code, err)
		}
		left -= actions
	}
	if code, err := check.Admit(c.Sign(t, "m0", casting(1, ledger.ChoiceYes))); code != ledger.CodeBlockLimit || err != nil {
		t.Errorf("a vote more: %s %v", code, err)
	}
	if faulty, _ := ledger.Decode(c.Net, nil); faulty.Legs() != 1 {
		t.Errorf("no transaction weighs %d legs", faulty.Legs())
	}
	if vote := c.Sign(t, "m0", casting(1, ledger.ChoiceYes)); vote.Legs() != 1 {
		t.Errorf("a vote weighs %d legs", vote.Legs())
	}
}
