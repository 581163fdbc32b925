package ledger_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// goldenGenesis has everything that a genesis may have.
func goldenGenesis() *ledger.Genesis {
	g := ledgertest.Genesis(ledger.PolicyOpen, "alice")
	g.Accounts = append(g.Accounts, ledger.GenesisAccount{Address: ledgertest.Address("firm"), Keys: goldenKeys(), Threshold: 3})
	g.Assets[1].Cap = ledger.NewAmount(1_000_000)
	g.Assets = append(g.Assets, ledger.GenesisAsset{Symbol: "NOTE", Name: "Note", Issuer: ledgertest.Address("issuer"), Flags: ledger.FlagRestricted})
	g.Holders = append(g.Holders, ledger.GenesisHolder{Account: ledgertest.Address("alice"), Symbol: "NOTE"})
	g.Balances = append(g.Balances, ledger.GenesisBalance{Account: ledgertest.Address("alice"), Symbol: "NOTE", Amount: ledger.NewAmount(30)})
	return g
}

// TestGoldenGenesis: the document testdata/genesis.json makes these records,
// from which the first root is computed.
func TestGoldenGenesis(t *testing.T) {
	path := filepath.Join("testdata", "genesis.json")
	if *update {
		text, err := json.MarshalIndent(goldenGenesis(), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := ledger.ParseGenesis(text)
	if err != nil {
		t.Fatal(err)
	}
	built, err := parsed.Build()
	if err != nil {
		t.Fatal(err)
	}
	g := golden{name: "genesis"}
	for _, c := range built.Changes {
		g.add(string(keyName(c.Key)), "0x%x", c.Value)
	}
	for i := range built.Events {
		g.hex("event "+built.Events[i].Type.Name(), (&ledger.TxResult{Events: built.Events[i : i+1]}).Outcome())
	}
	g.check(t)
}

// keyName is a state key with its binary part in hex.
func keyName(key []byte) string {
	for i, c := range key {
		if c == '/' {
			if string(key[:i]) == "symbol" {
				return string(key)
			}
			return string(key[:i+1]) + hex.EncodeToString(key[i+1:])
		}
	}
	return string(key)
}

// TestGoldenState: the records after a few blocks: windows with holes, two
// balances, a new asset that is paused, and a new one with flags, terms and
// holders.
func TestGoldenState(t *testing.T) {
	c := ledgertest.NewChain(t, goldenGenesis())
	alice, bob, dave := ledgertest.Address("alice"), ledgertest.Address("bob"), ledgertest.Address("dave")
	tin, bond := c.Net.AssetAddress(alice, 3), c.Net.AssetAddress(alice, 20)
	send := func(nonce ledger.Nonce, op ledger.Operation) *ledger.Tx {
		tx, code := ledger.Sign(c.Net, ledger.Body{Sender: alice, Nonce: nonce, Op: op}, ledger.SchemeBodyHash, ledgertest.Key("alice"))
		if code != ledger.Applied {
			t.Fatal(code)
		}
		return tx
	}
	move := func(to crypto.Address, asset crypto.Address, amount uint64) ledger.Operation {
		return &ledger.Transfer{Legs: []ledger.Leg{{From: alice, To: to, Asset: asset, Amount: ledger.NewAmount(amount)}}}
	}
	c.Apply(t,
		send(0, move(bob, c.Asset("GOLD"), 1)),
		send(1, move(bob, c.Asset("GOLD"), 300)),
		send(3, &ledger.CreateAsset{Symbol: "TIN", Name: "Tin, refined", Decimals: 3, Cap: ledger.NewAmount(1_000_000)}),
		send(9, &ledger.Issue{Asset: tin, To: dave, Amount: ledger.NewAmount(77)}),
		send(12, &ledger.PauseAsset{Asset: tin}),
		send(20, &ledger.CreateAsset{Symbol: "BOND", Name: "Bond", Flags: ledger.FlagFreezable | ledger.FlagClawback | ledger.FlagRestricted}),
		send(21, &ledger.SetMetadata{Asset: bond, URI: "https://example.org/bond.pdf", Hash: crypto.Keccak256([]byte("terms"))}),
		send(22, &ledger.ApproveHolder{Asset: bond, Account: bob}),
		send(23, &ledger.FreezeBalance{Asset: bond, Account: bob, Amount: ledger.NewAmount(300)}),
		send(24, &ledger.FreezeHolder{Asset: bond, Account: dave}),
	)
	g := golden{name: "state"}
	for _, e := range c.State.Under("") {
		g.add(keyName([]byte(e.Key)), "0x%x", e.Value)
	}
	tx := send(1035, move(bob, c.Asset("GOLD"), 1))
	if got := ledgertest.Codes(c.Apply(t, tx)); got[0] != ledger.Applied {
		t.Fatal(got)
	}
	far, _ := c.State.Get(ledger.KeyAccount(alice))
	g.hex("account of alice after nonce 1035", far)
	g.check(t)
}
