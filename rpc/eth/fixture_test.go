package eth

import (
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
	"github.com/tallystick/tallystick/rpc/wire"
)

// fixture is a chain in memory whose blocks can be translated.
type fixture struct {
	*ledgertest.Chain
	last crypto.Hash
}

var alice, bob, carol = ledgertest.Address("alice"), ledgertest.Address("bob"), ledgertest.Address("carol")

func newFixture(t testing.TB) (*fixture, *Content) {
	t.Helper()
	g := ledgertest.Genesis(ledger.PolicyOpen, "alice", "bob", "carol")
	built, err := g.Build()
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{Chain: ledgertest.NewChain(t, g), last: crypto.Keccak256([]byte("genesis"))}
	return f, &Content{Hash: f.last, Time: f.Time, Events: built.Events}
}

// block applies transactions and collects what is known of the block.
func (f *fixture) block(t testing.TB, txs ...*ledger.Tx) *Content {
	t.Helper()
	result := f.Apply(t, txs...)
	c := &Content{
		Height: f.Height, Hash: crypto.Keccak256(f.last[:]), Parent: f.last, Time: f.Time, Proposer: bytesOf(20, 7),
		AppHash: crypto.Hash{1}, SizeBytes: 1000, Events: result.Events,
	}
	f.last = c.Hash
	for i, tx := range txs {
		r := &wire.Receipt{
			Hash: tx.Hash, BodyHash: tx.BodyHash, Height: uint64(c.Height), Index: uint32(i), BlockHash: c.Hash, BlockTime: uint64(c.Time),
			Sender: tx.Sender, Nonce: uint64(tx.Nonce), Code: uint32(result.Results[i].Code),
		}
		for _, e := range result.Results[i].Events {
			r.Events = append(r.Events, wire.Event{Event: e})
		}
		c.Receipts, c.Raw = append(c.Receipts, r), append(c.Raw, tx.Raw)
	}
	return c
}

func bytesOf(n int, b byte) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = b
	}
	return out
}

// native is a transaction signed by the person called name.
func (f *fixture) native(t testing.TB, name string, nonce uint64, op ledger.Operation) *ledger.Tx {
	t.Helper()
	body := ledger.Body{Sender: ledgertest.Address(name), Nonce: ledger.Nonce(nonce), Op: op}
	tx, code := ledger.Sign(f.Net, body, ledger.SchemeTypedData, ledgertest.Key(name))
	if code != ledger.Applied {
		t.Fatal(code)
	}
	return tx
}

// leg is a native transfer of one leg.
func (f *fixture) leg(t testing.TB, name string, nonce uint64, to crypto.Address, symbol string, amount uint64) *ledger.Tx {
	t.Helper()
	return f.native(t, name, nonce, &ledger.Transfer{Legs: []ledger.Leg{
		{From: ledgertest.Address(name), To: to, Asset: f.Asset(symbol), Amount: ledger.NewAmount(amount)},
	}})
}

// envelope is an Ethereum transaction of the person called name.
func (f *fixture) envelope(t testing.TB, name string, kind ledger.Envelope, nonce uint64, to crypto.Address, symbol string, amount uint64) *ledger.Tx {
	t.Helper()
	inner := ledgertest.EthereumInner(f.Net, kind, ledger.Nonce(nonce), to, f.Asset(symbol), ledger.NewAmount(amount))
	tx, code := ledger.Decode(f.Net, ledgertest.EthereumRaw(f.Net, ledgertest.Key(name), inner))
	if code == ledger.Applied {
		code = tx.RecoverSigners()
	}
	if code != ledger.Applied {
		t.Fatal(code)
	}
	return tx
}

// mixed is a block of every envelope, one of them refused.
func (f *fixture) mixed(t testing.TB) *Content {
	t.Helper()
	issuer := f.native(t, "issuer", 0, &ledger.Issue{Asset: f.Asset("GOLD"), To: carol, Amount: ledger.NewAmount(3)})
	return f.block(t,
		f.envelope(t, "alice", ledger.EnvelopeLegacy, 0, bob, "COIN", 5),
		f.envelope(t, "alice", ledger.EnvelopeDynamicFee, 1, bob, "GOLD", 7),
		f.leg(t, "bob", 0, carol, "COIN", 11),
		f.leg(t, "bob", 1, carol, "GOLD", 13),
		f.leg(t, "bob", 2, carol, "GOLD", 1_000_000), // more than bob has
		issuer,
	)
}
