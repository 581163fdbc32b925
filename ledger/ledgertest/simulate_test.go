package ledgertest

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// overSignatures are the codes that depend on how a transaction was signed.
var overSignatures = []ledger.Code{
	ledger.CodeTooManySignatures, ledger.CodeInvalidSignature, ledger.CodeSignatureOrder, ledger.CodeUnauthorized,
	ledger.CodeSuperfluous, ledger.CodeLifetimeRequired, ledger.CodeLifetimeTooLong,
}

// TestSimulateBodyAgrees plays random blocks: what an unsigned body is said to do
// is what its transaction does, alone and as the first of a block.
func TestSimulateBodyAgrees(t *testing.T) {
	seen := map[ledger.Code]int{}
	wanted := []ledger.Code{
		ledger.Applied, ledger.CodeNonceSpent, ledger.CodeExpired, ledger.CodeUnauthorized, ledger.CodeInsufficientBalance,
		ledger.CodeNotIssuer, ledger.CodeUnknownAsset, ledger.CodeRecipientIsAsset, ledger.CodeLifetimeRequired,
	}
	checkUntilSeen(t, seen, wanted, func(rt *rapid.T) {
		g := playGenesis(rt)
		p := &play{chain: NewChain(t, g), model: NewModel(g), registry: oneIn(rt, 4, "about accounts")}
		p.vote(rt, t)
		p.chain.Observe = func(before *State, block ledger.Block, result *ledger.BlockResult) {
			for i, tx := range block.Txs {
				if tx.Op == nil || len(tx.Signers) == 0 {
					continue
				}
				compareSimulations(t, p.chain.Net, block.Time, before, tx, seen)
				if i == 0 && len(result.Events) == 0 {
					got := simulateBody(t, p.chain.Net, block.Time, before, tx, tx.Signers)
					if want := result.Results[0]; tx.Envelope == ledger.EnvelopeNative && !reflect.DeepEqual(got, want) {
						t.Fatalf("%+v is %+v, simulated %+v", tx.Body, want, got)
					}
				}
			}
		}
		for range rapid.IntRange(2, 5).Draw(rt, "blocks") {
			p.block(rt, t, map[ledger.Code]int{})
		}
	})
}

func simulateBody(t *testing.T, net *ledger.Network, time ledger.UnixTime, r ledger.Reader, tx *ledger.Tx, signers []crypto.Address) ledger.TxResult {
	t.Helper()
	got, err := ledger.SimulateBody(net, time, r, &tx.Body, signers)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// compareSimulations compares the body signed as it was, and as it should be, with
// the transaction.
func compareSimulations(t *testing.T, net *ledger.Network, time ledger.UnixTime, r ledger.Reader, tx *ledger.Tx, seen map[ledger.Code]int) {
	t.Helper()
	want, err := ledger.Simulate(net, time, r, tx)
	if err != nil {
		t.Fatal(err)
	}
	seen[want.Code]++
	if got := simulateBody(t, net, time, r, tx, tx.Signers); !reflect.DeepEqual(got, want) {
		t.Fatalf("signed by %v, %+v is %+v, simulated %+v", tx.Signers, tx.Body, want, got)
	}
	got := simulateBody(t, net, time, r, tx, nil)
	switch {
	case !slices.Contains(overSignatures, want.Code):
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v is %+v, simulated as if all had signed %+v", tx.Body, want, got)
		}
	case got.Code == ledger.CodeSuperfluous || got.Code == ledger.CodeTooManySignatures || got.Code == ledger.CodeSignatureOrder:
		t.Fatalf("%+v: signers that are too many were chosen: %s", tx.Body, got.Code)
	}
}

// A body that breaks a rule of the bytes is refused like its bytes, and signers
// that could not stand in a transaction are refused as they would be there.
func TestSimulateBodyRefuses(t *testing.T) {
	c := NewChain(t, Genesis(ledger.PolicyOpen, "alice", "bob"))
	alice, bob := Address("alice"), Address("bob")
	pay := func(from crypto.Address) ledger.Body {
		return ledger.Body{Sender: alice, ValidUntil: c.Time + 100, Op: &ledger.Transfer{Legs: []ledger.Leg{
			{From: from, To: bob, Asset: c.Net.Settlement, Amount: ledger.NewAmount(1)},
		}}}
	}
	zero := pay(alice)
	zero.Op.(*ledger.Transfer).Legs[0].Amount = ledger.Amount{}
	many := make([]crypto.Address, ledger.MaxSignatures+1)
	for i := range many {
		many[i][0] = byte(i)
	}
	nobody := pay(Address("nobody"))
	for name, tc := range map[string]struct {
		body    ledger.Body
		signers []crypto.Address
		want    ledger.Code
	}{
		"as it is":           {pay(alice), nil, ledger.Applied},
		"another pays":       {pay(bob), nil, ledger.Applied},
		"zero":               {zero, nil, ledger.CodeZeroAmount},
		"nobody pays":        {nobody, nil, ledger.CodeUnauthorized},
		"nobody signs":       {pay(alice), []crypto.Address{}, ledger.CodeUnauthorized},
		"another signs":      {pay(alice), []crypto.Address{bob}, ledger.CodeUnauthorized},
		"the payer does not": {pay(bob), []crypto.Address{alice}, ledger.CodeUnauthorized},
		"two for one":        {pay(alice), []crypto.Address{bob, alice}, ledger.CodeTooManySignatures},
		"one twice":          {pay(bob), []crypto.Address{alice, alice}, ledger.CodeSignatureOrder},
		"too many":           {pay(alice), many, ledger.CodeLimitExceeded},
	} {
		got, err := ledger.SimulateBody(c.Net, c.Time, c.State, &tc.body, tc.signers)
		if err != nil || got.Code != tc.want {
			t.Errorf("%s: %s, %v; want %s", name, got.Code, err, tc.want)
		}
	}
}
