package bench

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// testPlan is a plan on a network of its own.
func testPlan(t testing.TB, accounts, legs int, scheme Scheme) *plan {
	t.Helper()
	network, err := ledger.NewNetwork("plan", 7077, settlement, 6)
	if err != nil {
		t.Fatal(err)
	}
	p := &plan{network: network, address: settlement, legs: legs, scheme: scheme, accounts: make([]account, accounts), asset: &wire.Asset{Asset: settlement}}
	for i := range p.accounts {
		key, err := deriveKey("plan", i)
		if err != nil {
			t.Fatal(err)
		}
		p.accounts[i] = account{key: key, address: key.Address(), base: ledger.Nonce(i)}
	}
	return p
}

// The ledger reads every transaction as the plan means it, whatever the scheme.
func TestPlanIsWhatTheLedgerReads(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		scheme := Scheme(rapid.IntRange(0, 2).Draw(rt, "scheme"))
		legs := 1
		if scheme != SchemeEthereum {
			legs = rapid.IntRange(1, 30).Draw(rt, "legs")
		}
		p := testPlan(t, rapid.IntRange(MinAccounts, 12).Draw(rt, "accounts"), legs, scheme)
		if rapid.Bool().Draw(rt, "token") {
			p.address = crypto.Address{19: 8}
		}
		i := rapid.Uint64Range(0, 10_000).Draw(rt, "i")
		tx, code := ledger.Decode(p.network, p.sign(i))
		if code == ledger.Applied {
			code = tx.RecoverSigners()
		}
		want := p.body(i)
		if code != ledger.Applied || len(tx.Signers) != 1 || tx.Signers[0] != want.Sender || tx.BodyHash != p.network.BodyHash(&want) {
			rt.Fatalf("code %s, body %+v, want %+v", code, tx.Body, want)
		}
		for _, leg := range want.Op.(*ledger.Transfer).Legs {
			if leg.From == leg.To || leg.Amount.IsZero() {
				rt.Fatalf("leg %+v moves nothing", leg)
			}
		}
	})
}

// No two transactions share a sender and a nonce, and an account's nonces are
// dense, which is what keeps many in flight inside the ledger's window.
func TestPlanNoncesAreDense(t *testing.T) {
	p := testPlan(t, 7, 1, SchemeBodyHash)
	seen := map[crypto.Address]ledger.Nonce{}
	for i := range uint64(700) {
		body := p.body(i)
		want, known := seen[body.Sender]
		if !known {
			want = p.accounts[p.sender(i)].base
		}
		if body.Nonce != want {
			t.Fatalf("transaction %d has nonce %d, want %d", i, body.Nonce, want)
		}
		seen[body.Sender] = body.Nonce + 1
	}
}

func TestPlanPaysWithinItsNeed(t *testing.T) {
	p := testPlan(t, 5, 9, SchemeBodyHash)
	p.total = 1003
	need := p.need(&Config{})
	paid := make([]uint64, len(p.accounts))
	for i := range p.total {
		p.eachLeg(i, func(from, _ int, units uint64) { paid[from] += units })
	}
	for i, sum := range paid {
		if ledger.NewAmount(sum).Cmp(need) > 0 {
			t.Errorf("account %d pays %d in all, and is funded for %s", i, sum, need)
		}
	}
}

func TestSeedsDoNotMeet(t *testing.T) {
	seen := map[crypto.Address]string{}
	for _, seed := range []string{"", "a", "b", "a\x00"} {
		for i := range 3 {
			key, err := deriveKey(seed, i)
			if err != nil {
				t.Fatal(err)
			}
			if other, twice := seen[key.Address()]; twice {
				t.Errorf("seeds %q and %q share an account", seed, other)
			}
			seen[key.Address()] = seed
		}
	}
}

func BenchmarkSign(b *testing.B) {
	for name, scheme := range map[string]Scheme{"typed data": SchemeTypedData, "body hash": SchemeBodyHash, "ethereum": SchemeEthereum} {
		p := testPlan(b, 10, 1, scheme)
		b.Run(name, func(b *testing.B) {
			for i := range b.N {
				p.sign(uint64(i))
			}
		})
	}
}
