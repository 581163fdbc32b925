package node

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/node/card"
)

// testKeys are the keys of the founder with a letter.
func testKeys(t *testing.T, letter byte) card.Keys {
	t.Helper()
	seed := bytes.Repeat([]byte{letter}, 32)
	admin, err := crypto.PrivateKeyFromBytes(seed)
	if err != nil {
		t.Fatal(err)
	}
	return card.Keys{Admin: admin, Consensus: ed25519.NewKeyFromSeed(seed), Node: ed25519.NewKeyFromSeed(bytes.Repeat([]byte{letter, '.'}, 16))}
}

// testCard is the card of the founder with a letter, changed by change.
func testCard(t *testing.T, letter byte, change func(*card.Card, *card.Keys)) *card.Card {
	t.Helper()
	c := card.Card{
		Name: "Bank " + strings.ToUpper(string(letter)), Address: fmt.Sprintf("bank-%c.example:26656", letter),
		Roles: []string{"validator", "issuer", "registrar"}, Power: card.DefaultPower, Time: ledger.UnixTime(1767323000 + uint64(letter)),
	}
	keys := testKeys(t, letter)
	if change != nil {
		change(&c, &keys)
	}
	made, err := c.Sign(keys)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// testFounding is a network of four banks.
func testFounding(t *testing.T) Founding {
	t.Helper()
	f := Founding{NetworkID: "eu-clearing", Params: ledger.NewGenesisParams(ledger.DefaultParams()), Settlement: "EUR"}
	for _, letter := range []byte("dbca") {
		f.Cards = append(f.Cards, testCard(t, letter, nil))
	}
	f.Assets = []ledger.GenesisAsset{{Symbol: "EUR", Name: "Euro", Decimals: 2, Issuer: testKeys(t, 'a').Admin.Address()}}
	return f
}

// The document depends on the cards, not on who makes it, when or in what order.
func TestFounding(t *testing.T) {
	f := testFounding(t)
	document, err := f.Document()
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		f.Cards = append(f.Cards[1:], f.Cards[0])
		again, err := f.Document()
		if err != nil || !bytes.Equal(again, document) {
			t.Errorf("the same cards in another order make another document (%v)", err)
		}
	}
	g, err := parseGenesis(document)
	if err != nil {
		t.Fatal(err)
	}
	if g.doc.GenesisTime.Unix() != 1767323000+'d' || len(g.cards) != 4 || len(g.doc.Validators) != 4 || len(g.ledger.Accounts) != 4 ||
		g.ledger.Params.AccountPolicy != "admitted" || g.ledger.ChainID != ledger.DeriveChainID("eu-clearing") {
		t.Errorf("the document says %+v", g.ledger)
	}
	for i, m := range g.ledger.Members {
		key := g.doc.Validators[i].PubKey.Bytes()
		if g.cards[i].Admin != m.Admin || !bytes.Equal(key, m.ConsensusKey[:]) || g.ledger.Accounts[i].Address != m.Admin {
			t.Errorf("member %d: %+v", i, m)
		}
	}
	f.Time = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	if later, err := f.Document(); err != nil || !bytes.Contains(later, []byte(`"genesis_time": "2027-01-01T00:00:00Z"`)) {
		t.Errorf("a later time: %v", err)
	}
}

// A member that is no validator has no power, and takes part all the same.
func TestFoundingWithAuditor(t *testing.T) {
	f := testFounding(t)
	f.Cards = append(f.Cards, testCard(t, 'e', func(c *card.Card, _ *card.Keys) { c.Roles, c.Power = []string{"auditor"}, 0 }))
	document, err := f.Document()
	if err != nil {
		t.Fatal(err)
	}
	g, err := parseGenesis(document)
	if err != nil || len(g.doc.Validators) != 4 || len(g.ledger.Members) != 5 {
		t.Errorf("%v: %+v", err, g)
	}
}

// What cannot be founded is refused by the name of the field, or of both cards.
func TestFoundingRefused(t *testing.T) {
	replaceCard := func(change func(*card.Card, *card.Keys)) func(*testing.T, *Founding) {
		return func(t *testing.T, f *Founding) { f.Cards[0] = testCard(t, 'd', change) }
	}
	for _, c := range []struct {
		name  string
		spoil func(*testing.T, *Founding)
		want  []string
	}{
		{"no cards", func(_ *testing.T, f *Founding) { f.Cards = nil }, []string{"no cards"}},
		{"a card twice", func(_ *testing.T, f *Founding) { f.Cards = append(f.Cards, f.Cards[2]) }, []string{"Bank C", "given twice"}},
		{"one name", replaceCard(func(c *card.Card, _ *card.Keys) { c.Name = "Bank A" }), []string{"same name", `"Bank A"`, testKeys(t, 'a').Admin.Address().String(), testKeys(t, 'd').Admin.Address().String()}},
		{"one admin", replaceCard(func(_ *card.Card, k *card.Keys) { k.Admin = testKeys(t, 'b').Admin }), []string{"same admin", "Bank B", "Bank D"}},
		{"one consensus key", replaceCard(func(_ *card.Card, k *card.Keys) { k.Consensus = testKeys(t, 'c').Consensus }), []string{"same consensusKey", "Bank C", "Bank D"}},
		{"one node", replaceCard(func(_ *card.Card, k *card.Keys) { k.Node = testKeys(t, 'c').Node }), []string{"same nodeKey", "Bank C", "Bank D"}},
		{"one address", replaceCard(func(c *card.Card, _ *card.Keys) { c.Address = "bank-a.example:26656" }), []string{"same address", "Bank A", "Bank D"}},
		{"another network's card", replaceCard(func(c *card.Card, _ *card.Keys) { c.NetworkID = "us-clearing" }), []string{"Bank D", `"us-clearing"`, `"eu-clearing"`}},
		{"too early", func(_ *testing.T, f *Founding) { f.Time = time.Unix(1767323000, 0) }, []string{"genesis_time", "before the card of"}},
		{"no power at all", func(t *testing.T, f *Founding) {
			for i, letter := range []byte("dbca") {
				f.Cards[i] = testCard(t, letter, func(c *card.Card, _ *card.Keys) { c.Power = 0 })
			}
		}, []string{"members: none has voting power"}},
		{"bad network", func(_ *testing.T, f *Founding) { f.NetworkID = "eu clearing" }, []string{"networkId"}},
		{"a public chain's number", func(_ *testing.T, f *Founding) { f.ChainID = 1 }, []string{"chainId", "Ethereum"}},
		{"no settlement asset", func(_ *testing.T, f *Founding) { f.Assets = nil }, []string{"settlement"}},
		{"an issuer from nowhere", func(t *testing.T, f *Founding) { f.Assets[0].Issuer = testKeys(t, 'z').Admin.Address() }, []string{"assets[0]", "issuer"}},
		{"a threshold of a minority", func(_ *testing.T, f *Founding) {
			f.Params.Thresholds = []ledger.GenesisThreshold{{Action: "resolution", Numerator: 1, Denominator: 3}}
		}, []string{"params", "1/3"}},
		{"an admin listed again", func(_ *testing.T, f *Founding) {
			f.Accounts = []ledger.GenesisAccount{{Address: f.Cards[0].Admin}}
		}, []string{"accounts[4]", "listed twice"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := testFounding(t)
			c.spoil(t, &f)
			_, err := f.Document()
			for _, part := range c.want {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("got %v, want something with %q", err, part)
				}
			}
		})
	}
}

// Who changes a founded document after the fact is found out.
func TestFoundedDocumentRefused(t *testing.T) {
	good, err := testFounding(t).Document()
	if err != nil {
		t.Fatal(err)
	}
	list := func(document map[string]any, path ...string) []any {
		var at any = document
		for _, name := range path {
			at = at.(map[string]any)[name]
		}
		return at.([]any)
	}
	item := func(document map[string]any, i int, path ...string) map[string]any {
		return list(document, path...)[i].(map[string]any)
	}
	for _, c := range []struct {
		name  string
		spoil func(map[string]any)
		want  string
	}{
		{"a card's name", func(d map[string]any) { item(d, 1, "cards")["name"] = "Bank X" }, "cards[1]: "},
		{"a card's power", func(d map[string]any) { item(d, 2, "cards")["power"] = 9_000_000 }, "cards[2]: "},
		{"a card less", func(d map[string]any) { d["cards"] = list(d, "cards")[:3] }, "app_state.members[3]"},
		{"cards in another order", func(d map[string]any) { slices.Reverse(list(d, "cards")) }, "cards: must stand in the order"},
		{"no list of cards", func(d map[string]any) { d["cards"] = "none" }, "cards: "},
		{"a member's name", func(d map[string]any) { item(d, 1, "app_state", "members")["name"] = "Bank X" }, "members[1].name"},
		{"a member's roles", func(d map[string]any) { item(d, 1, "app_state", "members")["roles"] = []any{"validator"} }, "members[1].roles"},
		{"a member's node", func(d map[string]any) {
			item(d, 0, "app_state", "members")["nodeIds"] = []any{strings.Repeat("ab", 20)}
		}, "members[0].nodeIds"},
		{"a member's power", func(d map[string]any) { item(d, 0, "app_state", "members")["power"] = 3_000_000 }, "validators[0].power"},
		{"a validator's power", func(d map[string]any) { item(d, 0, "validators")["power"] = "3000000" }, "validators[0].power"},
		{"both powers", func(d map[string]any) {
			item(d, 0, "app_state", "members")["power"] = 3_000_000
			item(d, 0, "validators")["power"] = "3000000"
		}, "members[0].power: is not what the card"},
		{"a validator less", func(d map[string]any) { d["validators"] = list(d, "validators")[:3] }, "validators: 1 of the members"},
		{"a member less", func(d map[string]any) {
			state := d["app_state"].(map[string]any)
			state["members"] = list(d, "app_state", "members")[:3]
			state["accounts"] = list(d, "app_state", "accounts")[:3]
			d["validators"] = list(d, "validators")[:3]
		}, "cards[3]"},
		{"a stranger among the validators", func(d map[string]any) {
			item(d, 0, "validators")["pub_key"].(map[string]any)["value"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
			delete(item(d, 0, "validators"), "address")
		}, "validators[0].pub_key"},
		{"an earlier time", func(d map[string]any) { d["genesis_time"] = "2026-01-01T00:00:00Z" }, "genesis_time"},
		{"another network", func(d map[string]any) {
			d["chain_id"] = "us-clearing"
			d["app_state"].(map[string]any)["networkId"] = "us-clearing"
		}, ""}, // the cards are for any network: this is another founding, with another hash
	} {
		t.Run(c.name, func(t *testing.T) {
			var document map[string]any
			if err := json.Unmarshal(good, &document); err != nil {
				t.Fatal(err)
			}
			c.spoil(document)
			data := inOrder(t, document)
			_, err := parseGenesis(data)
			if c.want == "" && err == nil {
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want something with %q", err, c.want)
			}
		})
	}
}

// inOrder writes a document with the fields of its cards in their order, which a
// map has lost.
func inOrder(t *testing.T, document map[string]any) []byte {
	t.Helper()
	if cards, ok := document["cards"].([]any); ok {
		for i, c := range cards {
			encoded, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			var ordered card.Card
			if err := json.Unmarshal(encoded, &ordered); err != nil {
				t.Fatal(err)
			}
			cards[i] = &ordered
		}
	}
	data, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
