package ledgertest

import (
	"slices"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// Chain is a ledger in memory. Blocks go in through Apply, which fails the
// test when an invariant is broken.
type Chain struct {
	Net    *ledger.Network
	Params ledger.Params
	State  *State
	Height ledger.Height
	Time   ledger.UnixTime

	// Observe, where it is set, is told of each block with the state before it.
	Observe func(before *State, block ledger.Block, result *ledger.BlockResult)

	book  *book // what the events alone say
	spent map[crypto.Address][]ledger.Nonce
}

// Genesis is a small genesis: a settlement asset COIN with 18 decimals and an
// asset GOLD with 2, both issued by "issuer", and the named people, each with
// 1,000,000 COIN and 100 GOLD.
func Genesis(policy ledger.AccountPolicy, names ...string) *ledger.Genesis {
	params := ledger.DefaultParams()
	params.AccountPolicy = policy
	issuer := Address("issuer")
	g := &ledger.Genesis{
		NetworkID: "ledgertest", ChainID: ledger.DeriveChainID("ledgertest"), Settlement: "COIN",
		Params:   ledger.NewGenesisParams(params),
		Accounts: []ledger.GenesisAccount{{Address: issuer}},
		Assets: []ledger.GenesisAsset{
			{Symbol: "COIN", Name: "Coin", Decimals: 18, Issuer: issuer},
			{Symbol: "GOLD", Name: "Gold", Decimals: 2, Issuer: issuer},
		},
	}
	for _, name := range names {
		a := Address(name)
		g.Accounts = append(g.Accounts, ledger.GenesisAccount{Address: a})
		g.Balances = append(g.Balances,
			ledger.GenesisBalance{Account: a, Symbol: "COIN", Amount: Amount("1000000000000000000000000")},
			ledger.GenesisBalance{Account: a, Symbol: "GOLD", Amount: Amount("10000")})
	}
	return g
}

// Amount parses a decimal amount that is known to be one.
func Amount(s string) ledger.Amount {
	a, err := ledger.ParseAmount(s)
	if err != nil {
		panic("ledgertest: " + err.Error())
	}
	return a
}

// NewChain builds g and stands at height 0.
func NewChain(t testing.TB, g *ledger.Genesis) *Chain {
	t.Helper()
	built, err := g.Build()
	if err != nil {
		t.Fatalf("genesis: %v", err)
	}
	c := &Chain{
		Net: built.Network, Params: built.Params, State: NewState(built.Changes),
		Time: 1_800_000_000, book: newBook(), spent: map[crypto.Address][]ledger.Nonce{},
	}
	checkChanges(t, &State{}, built.Changes)
	c.book.govern.params = built.Params
	c.book.record(t, built.Events)
	c.check(t)
	return c
}

// Asset is the address of the asset with the symbol; zero when there is none.
func (c *Chain) Asset(symbol string) (a crypto.Address) {
	value, _ := c.State.Get(ledger.KeySymbol(symbol))
	copy(a[:], value)
	return a
}

// Balance is what the account has available of the asset with the symbol.
func (c *Chain) Balance(t testing.TB, account crypto.Address, symbol string) ledger.Amount {
	t.Helper()
	value, _ := c.State.Get(ledger.KeyBalance(account, c.Asset(symbol)))
	b, err := ledger.DecodeBalance(value)
	if err != nil {
		t.Fatal(err)
	}
	return b.Available
}

// Account is the account's record; ok is false when there is none.
func (c *Chain) Account(t testing.TB, account crypto.Address) (a ledger.Account, ok bool) {
	t.Helper()
	value, _ := c.State.Get(ledger.KeyAccount(account))
	if value == nil {
		return a, false
	}
	a, err := ledger.DecodeAccount(value)
	if err != nil {
		t.Fatal(err)
	}
	return a, true
}

// Apply runs a block one second after the last, writes its changes, and
// checks the invariants.
func (c *Chain) Apply(t testing.TB, txs ...*ledger.Tx) *ledger.BlockResult {
	t.Helper()
	return c.ApplyAt(t, c.Time+1, txs...)
}

// ApplyAt is Apply with the block's time.
func (c *Chain) ApplyAt(t testing.TB, time ledger.UnixTime, txs ...*ledger.Tx) *ledger.BlockResult {
	t.Helper()
	return c.ApplyBlock(t, ledger.Block{Time: time, Txs: txs})
}

// ApplyBlock is Apply with the block, but for its height.
func (c *Chain) ApplyBlock(t testing.TB, block ledger.Block) *ledger.BlockResult {
	t.Helper()
	c.Height, c.Time = c.Height+1, block.Time
	block.Height = c.Height
	result, err := ledger.Apply(c.Net, block, c.State)
	if err != nil {
		t.Fatalf("block %d: %v", c.Height, err)
	}
	c.checkRepeatable(t, block, result)
	checkChanges(t, c.State, result.Changes)
	c.checkSpending(t, block, result)
	before := c.State.Clone()
	c.State.Write(result.Changes)
	checkPowers(t, before, c.State, result)
	c.book.govern.now = block.Time
	c.checkBlockEvents(t, before, result)
	c.book.record(t, result.Events)
	for i, r := range result.Results {
		if r.Code != ledger.Applied && len(r.Events) > 0 {
			t.Fatalf("transaction %d was not applied (%s) and has events", i, r.Code)
		}
		c.book.record(t, r.Events)
	}
	c.check(t)
	if c.Observe != nil {
		c.Observe(before, block, result)
	}
	return result
}

// Codes returns the codes of a block's results.
func Codes(r *ledger.BlockResult) (codes []ledger.Code) {
	for _, one := range r.Results {
		codes = append(codes, one.Code)
	}
	return codes
}

// Spent reports whether a transaction that stood in a block spent the nonce.
func (c *Chain) Spent(sender crypto.Address, nonce ledger.Nonce) bool {
	return slices.Contains(c.spent[sender], nonce)
}
