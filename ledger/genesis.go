package ledger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/tallystick/tallystick/crypto"
)

// Genesis is the ledger's part of a network's genesis document (app_state).
type Genesis struct {
	NetworkID  string           `json:"networkId"`
	ChainID    uint64           `json:"chainId"`
	Settlement string           `json:"settlement"` // symbol of the settlement asset
	Params     GenesisParams    `json:"params"`
	Members    []GenesisMember  `json:"members,omitempty"`
	Assets     []GenesisAsset   `json:"assets"`
	Accounts   []GenesisAccount `json:"accounts"`
	Holders    []GenesisHolder  `json:"holders,omitempty"`
	Balances   []GenesisBalance `json:"balances"`
}

// GenesisParams are the Params in JSON.
type GenesisParams struct {
	AccountPolicy         string `json:"accountPolicy"` // "admitted" or "open"
	MaxNewAccounts        uint64 `json:"maxNewAccounts"`
	MaxMultiPartyLifetime uint64 `json:"maxMultiPartyLifetime"`
	MaxBlockSignatures    uint64 `json:"maxBlockSignatures"`
	MaxBlockLegs          uint64 `json:"maxBlockLegs"`
	MaxBlockBytes         uint64 `json:"maxBlockBytes"`
	MinProposalDelay      uint64 `json:"minProposalDelay,omitempty"`
	KeyRotationCooldown   uint64 `json:"keyRotationCooldown,omitempty"` // left out: a day
	// Thresholds are those that are not the default.
	Thresholds []GenesisThreshold `json:"thresholds,omitempty"`
}

// GenesisThreshold is what a kind of action needs: more than
// numerator/denominator of the active members.
type GenesisThreshold struct {
	Action      string `json:"action"`
	Numerator   uint64 `json:"numerator"`
	Denominator uint64 `json:"denominator"`
}

// GenesisAsset is an asset that exists from the start. Its address is
// AssetAddress(zero address, its place in the list).
type GenesisAsset struct {
	Symbol   string         `json:"symbol"`
	Name     string         `json:"name"`
	Decimals uint8          `json:"decimals"`
	Issuer   crypto.Address `json:"issuer"` // an account of the genesis
	Cap      Amount         `json:"cap"`
	Flags    uint32         `json:"flags"`
}

// GenesisMember is an organisation that founds the network. Its admin account is
// one of the accounts.
type GenesisMember struct {
	Admin        crypto.Address `json:"admin"`
	Name         string         `json:"name"`
	Roles        []string       `json:"roles"`
	ConsensusKey ConsensusKey   `json:"consensusKey"` // empty for none
	Power        uint64         `json:"power"`        // 0 without the role validator
	NodeIDs      []NodeID       `json:"nodeIds"`      // ascending; at least one with power
}

// GenesisAccount is an account that exists from the start. Keys and threshold
// are left out for the account's own key.
type GenesisAccount struct {
	Address   crypto.Address `json:"address"`
	Keys      []Key          `json:"keys,omitempty"`
	Threshold uint64         `json:"threshold,omitempty"`
	Member    crypto.Address `json:"member,omitzero"` // the member that answers for it; an admin account is its own member's
}

// GenesisBalance is a balance from the start; it counts in the supply.
type GenesisBalance struct {
	Account crypto.Address `json:"account"`
	Symbol  string         `json:"symbol"`
	Amount  Amount         `json:"amount"`
}

// GenesisState is what a genesis makes: the state at height 0.
type GenesisState struct {
	Network *Network
	Params  Params
	Changes []Change // ascending by key
	Events  []Event  // every account, asset and balance, as if transactions had made them
}

// NewGenesisParams returns p in JSON form.
func NewGenesisParams(p Params) GenesisParams {
	g := GenesisParams{
		AccountPolicy: p.AccountPolicy.String(), MaxNewAccounts: p.MaxNewAccounts, MaxMultiPartyLifetime: p.MaxMultiPartyLifetime,
		MaxBlockSignatures: p.MaxBlockSignatures, MaxBlockLegs: p.MaxBlockLegs, MaxBlockBytes: p.MaxBlockBytes,
		MinProposalDelay: p.MinProposalDelay,
	}
	defaults := DefaultParams()
	if p.KeyRotationCooldown != defaults.KeyRotationCooldown {
		g.KeyRotationCooldown = p.KeyRotationCooldown
	}
	for i, t := range p.Thresholds {
		if t != defaults.Thresholds[i] {
			g.Thresholds = append(g.Thresholds, GenesisThreshold{ActionKind(i + 1).String(), t.Numerator, t.Denominator})
		}
	}
	return g
}

// MarshalJSON writes what ParseGenesis reads: lists of nothing are empty, not
// null.
func (g Genesis) MarshalJSON() ([]byte, error) {
	type plain Genesis
	g.Members = slices.Clone(g.Members)
	for i := range g.Members {
		m := &g.Members[i]
		m.Roles, m.NodeIDs = append([]string{}, m.Roles...), append([]NodeID{}, m.NodeIDs...)
	}
	g.Assets = append([]GenesisAsset{}, g.Assets...)
	g.Accounts = append([]GenesisAccount{}, g.Accounts...)
	g.Balances = append([]GenesisBalance{}, g.Balances...)
	return json.Marshal(plain(g))
}

// genesisForm is the form of app_state.
var genesisForm = append(all("networkId", "chainId", "settlement"),
	jsonField{"params", false, append(
		all("accountPolicy", "maxNewAccounts", "maxMultiPartyLifetime", "maxBlockSignatures", "maxBlockLegs", "maxBlockBytes").with("minProposalDelay", "keyRotationCooldown"),
		jsonField{"thresholds", true, all("action", "numerator", "denominator")})},
	jsonField{"assets", false, all("symbol", "name", "decimals", "issuer", "cap", "flags")},
	jsonField{"members", true, all("admin", "name", "roles", "consensusKey", "power", "nodeIds")},
	jsonField{"accounts", false, append(all("address").with("threshold", "member"), jsonField{"keys", true, all("address", "weight")})},
	jsonField{"balances", false, all("account", "symbol", "amount")},
	jsonField{"holders", true, all("account", "symbol")},
)

// ParseGenesis reads app_state strictly: members, holders, and an account's keys,
// threshold and member may be left out, and nothing else; unknown fields are errors.
func ParseGenesis(data []byte) (*Genesis, error) {
	var g Genesis
	if err := strictJSON(data, genesisForm, &g); err != nil {
		return nil, fmt.Errorf("genesis app_state: %w", err)
	}
	return &g, nil
}

// Build checks the genesis and makes the first state. Errors name the field.
func (g *Genesis) Build() (*GenesisState, error) {
	b := genesisBuilder{g: g, symbols: map[string]crypto.Address{}}
	b.s.open(empty{})
	for _, step := range []func() error{b.params, b.accounts, b.members, b.assets, b.network, b.holders, b.balances} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("genesis app_state: %w", err)
		}
	}
	changes := append(b.s.changes(),
		Change{[]byte(KeyNetwork), encodeNetwork(b.net)},
		Change{[]byte(KeyParams), encodeParams(b.s.params)})
	slices.SortFunc(changes, func(x, y Change) int { return bytes.Compare(x.Key, y.Key) })
	return &GenesisState{Network: b.net, Params: b.s.params, Changes: changes, Events: b.s.events}, nil
}

// genesisBuilder fills a state from nothing.
type genesisBuilder struct {
	g       *Genesis
	net     *Network
	s       state
	symbols map[string]crypto.Address
}

// empty is the state before genesis.
type empty struct{}

func (empty) Get([]byte) ([]byte, error) { return nil, nil }

func (empty) Scan(_, _ []byte, _ func(_, _ []byte) bool) error { return nil }

func (b *genesisBuilder) params() error {
	p := b.g.Params
	b.s.params = Params{
		MaxNewAccounts: p.MaxNewAccounts, MaxMultiPartyLifetime: p.MaxMultiPartyLifetime,
		MaxBlockSignatures: p.MaxBlockSignatures, MaxBlockLegs: p.MaxBlockLegs, MaxBlockBytes: p.MaxBlockBytes,
		MinProposalDelay: p.MinProposalDelay, KeyRotationCooldown: p.KeyRotationCooldown, Thresholds: DefaultThresholds(),
	}
	if p.KeyRotationCooldown == 0 {
		b.s.params.KeyRotationCooldown = DefaultParams().KeyRotationCooldown
	}
	given := map[string]bool{}
	for i, t := range p.Thresholds {
		kind, known := ParseActionKind(t.Action)
		switch {
		case !known:
			return fmt.Errorf("params.thresholds[%d].action: %q is not an action", i, t.Action)
		case given[t.Action]:
			return fmt.Errorf("params.thresholds[%d].action: %q is listed twice", i, t.Action)
		}
		given[t.Action] = true
		b.s.params.Thresholds[kind-1] = Threshold{t.Numerator, t.Denominator}
	}
	for _, policy := range []AccountPolicy{PolicyAdmitted, PolicyOpen} {
		if policy.String() == p.AccountPolicy {
			b.s.params.AccountPolicy = policy
		}
	}
	if err := b.s.params.Check(); err != nil {
		return fmt.Errorf("params.%w", err)
	}
	return nil
}

func (b *genesisBuilder) accounts() error {
	for i, a := range b.g.Accounts {
		record := Account{Status: StatusActive, Authority: Authority{a.Keys, a.Threshold}, Member: a.Member}
		if a.Address.IsZero() {
			return fmt.Errorf("accounts[%d].address: is the zero address", i)
		}
		if err := record.Authority.Check(a.Address); err != nil {
			return fmt.Errorf("accounts[%d] (%s): %w", i, a.Address, err)
		}
		c, err := b.s.account(a.Address)
		if err != nil {
			return err
		}
		if c.present {
			return fmt.Errorf("accounts[%d]: %s is listed twice", i, a.Address)
		}
		b.s.accountTable.set(c, record)
		b.s.emit(Event{Type: EventAccountCreated, Account: a.Address})
		if len(a.Keys) > 0 {
			b.s.emit(authorityChanged(a.Address, &record.Authority))
		}
	}
	return nil
}

func (b *genesisBuilder) assets() error {
	hash := crypto.Keccak256([]byte(b.g.NetworkID))
	for i, a := range b.g.Assets {
		address := assetAddress(hash, crypto.Address{}, Nonce(i))
		if err := b.asset(address, a); err != nil {
			return fmt.Errorf("assets[%d] (%q): %w", i, a.Symbol, err)
		}
	}
	return nil
}

func (b *genesisBuilder) asset(address crypto.Address, a GenesisAsset) error {
	op := CreateAsset{Symbol: a.Symbol, Name: a.Name, Decimals: a.Decimals, Cap: a.Cap, Flags: a.Flags}
	if code := op.check(crypto.Address{}, crypto.Address{}); code != Applied {
		return fmt.Errorf("%s: symbol must be 1 to %d of A-Z and 0-9, name 1 to %d bytes, decimals at most %d", code.Info().Meaning, MaxSymbolBytes, MaxNameBytes, MaxDecimals)
	}
	if a.Flags&^allFlags != 0 {
		return fmt.Errorf("flags: %s", CodeUnsupportedFlags.Info().Meaning)
	}
	if _, taken := b.symbols[a.Symbol]; taken {
		return fmt.Errorf("symbol: listed twice")
	}
	issuer, err := b.s.account(a.Issuer)
	if err != nil {
		return err
	}
	if !issuer.present {
		return fmt.Errorf("issuer: %s is not among the accounts", a.Issuer)
	}
	clash, err := b.s.account(address)
	if err != nil {
		return err
	}
	if clash.present {
		return fmt.Errorf("address: an account stands at %s", address)
	}
	b.symbols[a.Symbol] = address
	symbol, err := b.s.symbol(a.Symbol)
	if err != nil {
		return err
	}
	record, err := b.s.asset(address)
	if err != nil {
		return err
	}
	b.s.symbolTable.set(symbol, address)
	b.s.assetTable.set(record, Asset{Symbol: a.Symbol, Name: a.Name, Decimals: a.Decimals, Issuer: a.Issuer, Cap: a.Cap, Flags: a.Flags, Status: AssetActive})
	b.s.emit(Event{Type: EventAssetCreated, Asset: address, Symbol: a.Symbol, Name: a.Name, Decimals: a.Decimals, Account: a.Issuer, Amount: a.Cap, Flags: a.Flags})
	return nil
}

func (b *genesisBuilder) network() error {
	settlement, ok := b.symbols[b.g.Settlement]
	if !ok {
		return fmt.Errorf("settlement: no asset has the symbol %q", b.g.Settlement)
	}
	record, err := b.s.asset(settlement)
	if err != nil {
		return err
	}
	b.net, err = NewNetwork(b.g.NetworkID, b.g.ChainID, settlement, record.value.Decimals)
	return err
}

func (b *genesisBuilder) balances() error {
	for i, bal := range b.g.Balances {
		if err := b.balance(bal); err != nil {
			return fmt.Errorf("balances[%d] (%s %q): %w", i, bal.Account, bal.Symbol, err)
		}
	}
	return nil
}

func (b *genesisBuilder) balance(bal GenesisBalance) error {
	address, ok := b.symbols[bal.Symbol]
	if !ok {
		return fmt.Errorf("symbol: there is no such asset")
	}
	account, err := b.s.account(bal.Account)
	if err != nil {
		return err
	}
	if !account.present {
		return fmt.Errorf("account: is not among the accounts")
	}
	balance, err := b.s.balance(bal.Account, address)
	if err != nil {
		return err
	}
	if balance.present {
		return fmt.Errorf("account: has two balances of this asset")
	}
	asset, err := b.s.asset(address)
	if err != nil {
		return err
	}
	record := asset.value
	code, err := b.s.mayHold(address, bal.Account)
	if err != nil {
		return err
	}
	if code != Applied {
		return fmt.Errorf("account: %s: list it among the holders", code.Info().Meaning)
	}
	if room := record.room(); bal.Amount.IsZero() || room.Cmp(bal.Amount) < 0 {
		return fmt.Errorf("amount: %s is zero, or brings the supply above the cap", bal.Amount)
	}
	record.Supply, _ = record.Supply.Add(bal.Amount)
	b.s.assetTable.set(asset, record)
	if err := b.s.setBalance(balance, Balance{Available: bal.Amount}); err != nil {
		return err
	}
	b.s.emit(Event{Type: EventIssue, Asset: address, To: bal.Account, Amount: bal.Amount})
	return nil
}
