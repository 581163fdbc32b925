package ledger_test

import (
	"fmt"
	"math/bits"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

func sortKeys(keys []ledger.Key) {
	slices.SortFunc(keys, func(a, b ledger.Key) int { return a.Address.Compare(b.Address) })
}

// firmChain has an account "firm" with the weights, whose keys are k0, k1, ….
func firmChain(t testing.TB, weights []uint32, threshold uint64) *ledgertest.Chain {
	t.Helper()
	g := ledgertest.Genesis(ledger.PolicyAdmitted, "alice", "firm")
	var keys []ledger.Key
	for i, w := range weights {
		keys = append(keys, ledger.Key{Address: ledgertest.Address(fmt.Sprint("k", i)), Weight: w})
	}
	sortKeys(keys)
	firm := &g.Accounts[len(g.Accounts)-1]
	firm.Keys, firm.Threshold = keys, threshold
	return ledgertest.NewChain(t, g)
}

// firmVerdict is what becomes of a transfer of the firm that the keys in set
// signed.
func firmVerdict(t testing.TB, c *ledgertest.Chain, set uint, scheme ledger.Scheme) ledger.Code {
	t.Helper()
	firm := ledgertest.Address("firm")
	body := ledger.Body{Sender: firm, Op: &ledger.Transfer{Legs: []ledger.Leg{{From: firm, To: ledgertest.Address("alice"), Asset: c.Asset("GOLD"), Amount: ledger.NewAmount(1)}}}}
	var keys []*crypto.PrivateKey
	for i := range bits.UintSize {
		if set>>i&1 == 1 {
			keys = append(keys, ledgertest.Key(fmt.Sprint("k", i)))
		}
	}
	tx, code := ledger.Sign(c.Net, body, scheme, keys...)
	if code != ledger.Applied {
		t.Fatal(code)
	}
	code, err := ledger.Includable(c.Net, c.Time+1, c.State, tx)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// TestMinimalSets: exactly the minimal sets of keys act, whatever the weights
// and the threshold.
func TestMinimalSets(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		weights := rapid.SliceOfN(rapid.Uint32Range(1, 5), 2, 5).Draw(rt, "weights")
		var sum uint64
		for _, w := range weights {
			sum += uint64(w)
		}
		threshold := rapid.Uint64Range(1, sum).Draw(rt, "threshold")
		c := firmChain(t, weights, threshold)
		set := rapid.UintMax(1<<len(weights)-1).Draw(rt, "signers")
		reach := func(set uint) bool {
			var total uint64
			for i, w := range weights {
				total += uint64(set>>i&1) * uint64(w)
			}
			return total >= threshold
		}
		want := ledger.Applied
		if !reach(set) {
			want = ledger.CodeUnauthorized
		} else {
			for i := range weights {
				if set>>i&1 == 1 && reach(set&^(1<<i)) {
					want = ledger.CodeSuperfluous
				}
			}
		}
		if got := firmVerdict(t, c, set, ledger.SchemeBodyHash); got != want {
			rt.Fatalf("%s, want %s", got, want)
		}
	})
}

// TestSixteenKeys: the most keys, the greatest weights, all needed.
func TestSixteenKeys(t *testing.T) {
	weights := slices.Repeat([]uint32{1<<32 - 1}, ledger.MaxAuthorityKeys)
	c := firmChain(t, weights, uint64(len(weights))*(1<<32-1))
	all := uint(1<<len(weights) - 1)
	for _, scheme := range []ledger.Scheme{ledger.SchemeTypedData, ledger.SchemeBodyHash} {
		if got := firmVerdict(t, c, all, scheme); got != ledger.Applied {
			t.Errorf("all sixteen: %s", got)
		}
		if got := firmVerdict(t, c, all&^1, scheme); got != ledger.CodeUnauthorized {
			t.Errorf("fifteen: %s", got)
		}
	}
	if got := firmVerdict(t, c, all|1<<20, ledger.SchemeBodyHash); got != ledger.CodeTooManySignatures {
		t.Errorf("seventeen: %s", got)
	}
}

// manyPayers is a transfer of n legs in which each of payers accounts pays in
// turn, signed by all of them.
func manyPayers(t testing.TB, payers, legs int, scheme ledger.Scheme) (*ledgertest.Chain, *ledger.Tx) {
	t.Helper()
	var names []string
	var keys []*crypto.PrivateKey
	for i := range payers {
		names = append(names, fmt.Sprint("payer ", i))
		keys = append(keys, ledgertest.Key(names[i]))
	}
	c := ledgertest.NewChain(t, ledgertest.Genesis(ledger.PolicyAdmitted, names...))
	op := &ledger.Transfer{}
	for i := range legs {
		op.Legs = append(op.Legs, ledger.Leg{
			From: keys[i%payers].Address(), To: keys[(i+1)%payers].Address(), Asset: c.Asset("GOLD"),
			Amount: ledger.NewAmount(1), Reference: fmt.Sprintf("leg %031d", i),
		})
	}
	body := ledger.Body{Sender: keys[0].Address(), ValidUntil: c.Time + 60, Op: op}
	tx, code := ledger.Sign(c.Net, body, scheme, keys...)
	if code != ledger.Applied {
		t.Fatal(code)
	}
	return c, tx
}

// TestGreatestTransaction: 64 signers, 4096 legs.
func TestGreatestTransaction(t *testing.T) {
	for _, scheme := range []ledger.Scheme{ledger.SchemeTypedData, ledger.SchemeBodyHash} {
		c, tx := manyPayers(t, ledger.MaxSignatures, ledger.MaxLegs, scheme)
		if len(tx.Raw) > ledger.MaxTxBytes {
			t.Fatalf("%d bytes", len(tx.Raw))
		}
		result := c.Apply(t, tx).Results[0]
		if result.Code != ledger.Applied || len(result.Events) != ledger.MaxLegs {
			t.Errorf("%s with %d events", result.Code, len(result.Events))
		}
	}
}

// TestOnePayerMissing: of 64 payers one does not sign, or one signs in
// another's place.
func TestOnePayerMissing(t *testing.T) {
	c, tx := manyPayers(t, 8, 16, ledger.SchemeBodyHash)
	for i := range tx.Signatures {
		without := slices.Delete(slices.Clone(tx.Signatures), i, i+1)
		got := verdict(t, c, ledger.EncodeNative(c.Net, &tx.Body, without))
		if got != ledger.CodeUnauthorized {
			t.Errorf("without signature %d: %s", i, got)
		}
		stranger := ledger.Signature{Scheme: ledger.SchemeBodyHash, Signature: ledgertest.Key("stranger").Sign(tx.BodyHash)}
		other, code := ledger.Build(c.Net, tx.Body, append(slices.Clone(without), stranger))
		if code != ledger.Applied {
			t.Fatal(code)
		}
		if got := verdict(t, c, other.Raw); got != ledger.CodeUnauthorized {
			t.Errorf("a stranger for signature %d: %s", i, got)
		}
	}
}
