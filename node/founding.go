package node

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cometbft/cometbft/types"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/node/card"
)

// Founding is what a network is founded from: its members' cards, and what they
// have agreed upon besides. The same founding gives the same document, whatever
// the order of the cards, so every member can make it or check another's.
type Founding struct {
	NetworkID string
	ChainID   uint64       // 0: derived from NetworkID
	Time      time.Time    // genesis time; zero: when the latest card was made
	Cards     []*card.Card // in any order
	Params    ledger.GenesisParams

	Settlement string                // symbol of the settlement asset
	Assets     []ledger.GenesisAsset // the settlement asset among them
	Accounts   []ledger.GenesisAccount
	Balances   []ledger.GenesisBalance
}

// Document makes the genesis document. The error names the field or the cards
// that are wrong.
func (f Founding) Document() ([]byte, error) {
	spec, err := f.spec()
	if err != nil {
		return nil, err
	}
	return spec.Document()
}

// spec makes each card a member with its admin account, and its validator one of
// CometBFT's, in the order of the admin accounts' addresses.
func (f Founding) spec() (GenesisSpec, error) {
	if len(f.Cards) == 0 {
		return GenesisSpec{}, errors.New("there are no cards: every founder gives one, made with `tally member card`")
	}
	cards := sortedCards(f.Cards)
	if err := distinct(cards); err != nil {
		return GenesisSpec{}, err
	}
	spec := GenesisSpec{Time: f.Time, Cards: cards, Ledger: ledger.Genesis{
		NetworkID: f.NetworkID, ChainID: cmp.Or(f.ChainID, ledger.DeriveChainID(f.NetworkID)),
		Settlement: f.Settlement, Params: f.Params,
		Assets: f.Assets, Balances: f.Balances,
	}}
	latest := time.Time{}
	for _, c := range cards {
		spec.Ledger.Members = append(spec.Ledger.Members, c.Member())
		spec.Ledger.Accounts = append(spec.Ledger.Accounts, ledger.GenesisAccount{Address: c.Admin, Member: c.Admin})
		if c.Power > 0 {
			spec.Validators = append(spec.Validators, GenesisValidator{Name: c.Name, ConsensusKey: c.ConsensusKey[:], Power: int64(c.Power)})
		}
		if made := time.Unix(int64(c.Time), 0); made.After(latest) {
			latest = made
		}
	}
	spec.Ledger.Accounts = append(spec.Ledger.Accounts, f.Accounts...)
	if spec.Time.IsZero() {
		spec.Time = latest
	}
	return spec, nil
}

func sortedCards(cards []*card.Card) []*card.Card {
	return slices.SortedFunc(slices.Values(cards), func(a, b *card.Card) int {
		return cmp.Or(a.Admin.Compare(b.Admin), bytes.Compare(a.Text(), b.Text()))
	})
}

// distinct refuses cards that cannot both be members of one network, and names
// both.
func distinct(cards []*card.Card) error {
	parts := []struct {
		name string
		of   func(*card.Card) string
	}{
		{"admin", func(c *card.Card) string { return c.Admin.String() }},
		{"name", func(c *card.Card) string { return fmt.Sprintf("%q", c.Name) }},
		{"consensusKey", func(c *card.Card) string { return c.ConsensusKey.String() }},
		{"nodeKey", func(c *card.Card) string { return c.NodeKey.String() }},
		{"address", func(c *card.Card) string { return c.Address }},
	}
	for _, part := range parts {
		first := map[string]*card.Card{}
		for _, c := range cards {
			value := part.of(c)
			other, again := first[value]
			if again && bytes.Equal(other.Text(), c.Text()) {
				return fmt.Errorf("the card of %s is given twice", c)
			}
			if again {
				return fmt.Errorf("the cards of %s and %s have the same %s, %s: each member has its own", other, c, part.name, value)
			}
			first[value] = c
		}
	}
	return nil
}

// parseCards reads the cards that a document holds. Each proves itself.
func parseCards(data []byte) ([]*card.Card, error) {
	var document struct {
		Cards []json.RawMessage `json:"cards"`
	}
	if err := json.Unmarshal(data, &document); err != nil {
		return nil, fmt.Errorf("cards: %w", err)
	}
	var cards []*card.Card
	for i, text := range document.Cards {
		c, err := card.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("cards[%d]: %w", i, err)
		}
		cards = append(cards, c)
	}
	return cards, nil
}

// checkCards compares the cards in a document with what it makes of them. A
// document without cards is for tests: nobody has signed it.
func checkCards(cards []*card.Card, doc *types.GenesisDoc, state *ledger.Genesis) error {
	if len(cards) == 0 {
		return nil
	}
	if err := distinct(cards); err != nil {
		return fmt.Errorf("cards: %w", err)
	}
	if !slices.IsSortedFunc(cards, func(a, b *card.Card) int { return a.Admin.Compare(b.Admin) }) {
		return errors.New("cards: must stand in the order of their admin accounts")
	}
	for i, c := range cards {
		switch {
		case c.NetworkID != "" && c.NetworkID != doc.ChainID:
			return fmt.Errorf("cards[%d]: the card of %s is for the network %q, not for %q", i, c, c.NetworkID, doc.ChainID)
		case int64(c.Time) > doc.GenesisTime.Unix():
			return fmt.Errorf("genesis_time: is %s, before the card of %s was made", doc.GenesisTime.UTC().Format(time.RFC3339), c)
		case i >= len(state.Members):
			return fmt.Errorf("cards[%d]: %s is not among app_state.members", i, c)
		}
		if field := memberDiffers(state.Members[i], c.Member()); field != "" {
			return fmt.Errorf("app_state.members[%d].%s: is not what the card of %s says", i, field, c)
		}
	}
	if len(state.Members) > len(cards) {
		m := state.Members[len(cards)]
		return fmt.Errorf("app_state.members[%d]: %q (%s) has no card", len(cards), m.Name, m.Admin)
	}
	return nil
}

// memberDiffers names the first field in which two members are not the same.
func memberDiffers(a, b ledger.GenesisMember) string {
	switch {
	case a.Admin != b.Admin:
		return "admin"
	case a.Name != b.Name:
		return "name"
	case !slices.Equal(a.Roles, b.Roles):
		return "roles"
	case a.ConsensusKey != b.ConsensusKey:
		return "consensusKey"
	case a.Power != b.Power:
		return "power"
	case !slices.Equal(a.NodeIDs, b.NodeIDs):
		return "nodeIds"
	}
	return ""
}
