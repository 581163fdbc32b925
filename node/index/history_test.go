package index

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// happening is something that was done in the chain, for the dumb model of
// histories.
type happening struct {
	at     Place
	sender crypto.Address
	events []ledger.Event
}

// happenings are all that was done, from the genesis on, in order.
func (c *chain) happenings() []happening {
	all := []happening{{at: Place{0, OwnEvents}, events: c.genesis.Events}}
	for _, b := range c.blocks {
		if len(b.Events) > 0 {
			all = append(all, happening{at: Place{b.Height, OwnEvents}, events: b.Events})
		}
		for i, tx := range b.Txs {
			all = append(all, happening{Place{b.Height, uint32(i)}, tx.Sender, b.Results[i].Events})
		}
	}
	return all
}

// concerns says by the attributes' text what the index knows by fields. The zero
// address is nobody.
func (h *happening) concerns(q Query) bool {
	if q.Account != nil && q.Account.IsZero() {
		return false
	}
	for _, e := range h.events {
		for _, a := range e.Attributes() {
			isParty := slices.Contains([]string{"from", "to", "account", "issuer", "member", "hold", "arbiter"}, a.Key)
			if q.Account != nil && isParty && strings.EqualFold(a.Value, q.Account.String()) ||
				q.Asset != nil && a.Key == "asset" && strings.EqualFold(a.Value, q.Asset.String()) ||
				q.Reference != "" && a.Key == "reference" && a.Value == q.Reference {
				return true
			}
		}
	}
	return q.Account != nil && h.sender == *q.Account
}

// modelled is what Places should say.
func modelled(all []happening, q Query) (places []Place) {
	for _, h := range all {
		if h.concerns(q) && !h.at.before(q.From) && !q.To.before(h.at) {
			places = append(places, h.at)
		}
	}
	if q.Descending {
		slices.Reverse(places)
	}
	return places[:min(len(places), q.Limit)]
}

// Whatever is asked about accounts, holds, assets and references, from anywhere to
// anywhere, is what a walk through the whole chain finds.
func TestPlacesAreWhatAWalkThroughTheChainFinds(t *testing.T) {
	const height = 80
	c := newChain(t, 41)
	x, stop := follow(t, t.TempDir(), c)
	defer stop()
	growTo(t, x, c, height)
	all := c.happenings()
	accounts, assets := []crypto.Address{{}, {1}, c.captured}, append(c.assets(c.states[height]), crypto.Address{}, crypto.Address{1})
	for _, k := range c.keys {
		accounts = append(accounts, k.Address())
	}
	for last := byte(1); last < 10; last++ {
		accounts = append(accounts, crypto.Address{19: last})
	}
	place := rapid.Custom(func(r *rapid.T) Place {
		indexes := rapid.OneOf(rapid.Uint32Range(0, 8), rapid.SampledFrom([]uint32{OwnEvents, OwnEvents - 1}))
		return Place{ledger.Height(rapid.Uint64Range(0, height+3).Draw(r, "height")), indexes.Draw(r, "index")}
	})
	for _, q := range []Query{{Account: &accounts[3]}, {Account: &c.captured}, {Asset: &assets[0]}, {Reference: "part"}} {
		q.From, q.To, q.Limit = Place{0, OwnEvents}, Place{height, OwnEvents - 1}, 1<<20
		got, err := x.Places(q)
		if want := modelled(all, q); err != nil || !slices.Equal(got, want) || len(got) < 2 {
			t.Errorf("%+v finds %v, want %v (%v)", q, got, want, err)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		q := Query{From: place.Draw(r, "from"), To: place.Draw(r, "to"), Descending: rapid.Bool().Draw(r, "descending"), Limit: rapid.IntRange(1, 40).Draw(r, "limit")}
		kind := rapid.SampledFrom([]string{"account", "asset", "reference"}).Draw(r, "kind")
		switch kind {
		case "account":
			a := rapid.SampledFrom(accounts).Draw(r, "account")
			q.Account = &a
		case "asset":
			a := rapid.SampledFrom(assets).Draw(r, "asset")
			q.Asset = &a
		default:
			q.Reference = rapid.SampledFrom([]string{"r", "h", "part", "case", "R", "rr", "pa", "part\x00", "r\x00\x00", "\x00"}).Draw(r, "reference")
		}
		got, err := x.Places(q)
		if want := modelled(all, q); err != nil || !slices.Equal(got, want) {
			r.Fatalf("%+v finds %v, want %v (%v)", q, got, want, err)
		}
	})
}

// The genesis is the first place in the history of whom and what it made.
func TestHistoriesBeginWithTheGenesis(t *testing.T) {
	c := newChain(t, 42)
	x, stop := follow(t, t.TempDir(), c)
	defer stop()
	growTo(t, x, c, 5)
	holder, asset, stranger := c.keys[1].Address(), c.genesis.Network.Settlement, crypto.Address{0xaa}
	for _, test := range []struct {
		name string
		q    Query
		want []Place
	}{
		{"holder", Query{Account: &holder}, []Place{{0, OwnEvents}}},
		{"asset", Query{Asset: &asset}, []Place{{0, OwnEvents}}},
		{"stranger", Query{Account: &stranger}, nil},
	} {
		test.q.From, test.q.To, test.q.Limit = Place{0, OwnEvents}, Place{5, OwnEvents - 1}, 1
		if got, err := x.Places(test.q); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v (%v)", test.name, got, test.want, err)
		}
	}
}

// What is written but not published yet is not found.
func TestPlacesStopAtTheHeight(t *testing.T) {
	c := newChain(t, 43)
	dir := t.TempDir()
	x, stop := follow(t, dir, c)
	growTo(t, x, c, 10)
	stop() // who follows the chain goes on from the height
	x, err := Open(dir, c.options())
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	x.height.Store(4)
	asset := c.genesis.Network.Settlement
	places, err := x.Places(Query{Asset: &asset, To: Place{99, 0}, Descending: true, Limit: 100})
	if err != nil || len(places) == 0 || places[0].Height > 4 {
		t.Errorf("%v, %v", places, err)
	}
	for i := range 10 {
		if r, err := x.ReceiptAt(Place{5, uint32(i)}); r != nil || err != nil {
			t.Errorf("receipt %d of block 5: %+v, %v", i, r, err)
		}
	}
}

// A block's receipts are those of its transactions, by whatever way they are read.
func TestReceiptsOfABlockAreThoseOfItsTransactions(t *testing.T) {
	c := newChain(t, 44)
	x, stop := follow(t, t.TempDir(), c)
	defer stop()
	growTo(t, x, c, 60)
	text := func(v any, err error) string {
		t.Helper()
		raw, bad := json.Marshal(v)
		if err != nil || bad != nil {
			t.Fatal(err, bad)
		}
		return string(raw)
	}
	for _, b := range c.blocks {
		list, err := x.Receipts(b.Height)
		if err != nil || len(list) != len(b.Txs) {
			t.Fatalf("block %d has %d receipts for %d transactions (%v)", b.Height, len(list), len(b.Txs), err)
		}
		for i, tx := range b.Txs {
			byHash, got := text(x.Receipt(tx.Hash)), text(list[i], nil)
			byPlace := text(x.ReceiptAt(Place{b.Height, uint32(i)}))
			if got != byHash || byPlace != byHash || list[i].Hash != tx.Hash {
				t.Errorf("block %d, transaction %d:\n%s\n%s\n%s", b.Height, i, got, byPlace, byHash)
			}
		}
		if r, err := x.ReceiptAt(Place{b.Height, uint32(len(b.Txs))}); r != nil || err != nil {
			t.Errorf("block %d has a receipt too many: %+v, %v", b.Height, r, err)
		}
	}
	if list, err := x.Receipts(61); list != nil || err != nil {
		t.Errorf("a block that is not there: %v, %v", list, err)
	}
}

// A reference is found by its whole text, however long, and none by what another
// begins with.
func TestReferencesAreFoundWhole(t *testing.T) {
	c := newChain(t, 45)
	x, err := Open(t.TempDir(), c.options())
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	long := strings.Repeat("ä", ledger.MaxReferenceBytes/2)
	references := []string{"INV-1", "INV-10", "INV-1 ", "inv-1", long, ""}
	block := &Block{Height: 1, Hash: crypto.Hash{1}}
	sender := c.keys[0].Address()
	for i, reference := range references {
		block.Txs = append(block.Txs, &ledger.Tx{Hash: crypto.Hash{byte(i + 1)}, Body: ledger.Body{Sender: sender, Nonce: ledger.Nonce(i), Op: &ledger.Transfer{}}})
		event := ledger.Event{Type: ledger.EventTransfer, From: sender, To: sender, Asset: c.genesis.Network.Settlement, Reference: reference}
		block.Results = append(block.Results, ledger.TxResult{Events: []ledger.Event{event, event}})
	}
	if err := x.write(block); err != nil {
		t.Fatal(err)
	}
	for i, reference := range references[:len(references)-1] {
		got, err := x.Places(Query{Reference: reference, To: Place{9, 0}, Limit: 9})
		if err != nil || fmt.Sprint(got) != fmt.Sprint([]Place{{1, uint32(i)}}) {
			t.Errorf("%q is found at %v (%v)", reference, got, err)
		}
	}
	if n := x.counts[spaceReference]; n != uint64(len(references)-1) {
		t.Errorf("%d keys of references: the empty one must have none, and each other one in a transaction", n)
	}
}
