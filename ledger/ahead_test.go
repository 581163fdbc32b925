package ledger_test

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// warmed counts what it is told of and what is then read.
type warmed struct {
	*ledgertest.State
	told map[string]bool
	cold int // reads of accounts and balances that it was not told of
}

func (w *warmed) Warm(keys [][]byte) {
	for _, key := range keys {
		w.told[string(key)] = true
	}
}

func (w *warmed) Get(key []byte) ([]byte, error) {
	if len(key) >= 28 && !w.told[string(key)] { // not the parameters and the asset
		w.cold++
	}
	return w.State.Get(key)
}

// TestApplyReadsAhead applies a block with and without a reader that warms:
// the results are the same, and no record is read unannounced.
func TestApplyReadsAhead(t *testing.T) {
	g := ledgertest.Genesis(ledger.PolicyAdmitted)
	var addresses []crypto.Address
	for i := range 50 {
		a := crypto.Address{1, byte(i)}
		addresses = append(addresses, a)
		g.Accounts = append(g.Accounts, ledger.GenesisAccount{Address: a})
		g.Balances = append(g.Balances, ledger.GenesisBalance{Account: a, Symbol: "COIN", Amount: ledger.NewAmount(1e18)})
	}
	built, err := g.Build()
	if err != nil {
		t.Fatal(err)
	}
	state := ledgertest.NewState(built.Changes)
	block := ledger.Block{Height: 1, Time: 1, Txs: benchBlock(built.Network, addresses, map[crypto.Address]ledger.Nonce{}, rand.New(rand.NewPCG(1, 2)), 100)}
	want, err := ledger.Apply(built.Network, block, state)
	if err != nil {
		t.Fatal(err)
	}
	reader := &warmed{State: state, told: map[string]bool{}}
	got, err := ledger.Apply(built.Network, block, reader)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("warming changed the result (%v)", err)
	}
	if len(reader.told) == 0 || reader.cold > 0 {
		t.Fatalf("%d keys announced, %d read unannounced", len(reader.told), reader.cold)
	}
}
