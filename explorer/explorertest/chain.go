// Package explorertest is a chain for tests of the explorer: members, assets with
// every flag, holds, proposals and refusals, block by block, with commits and proofs
// like a node's. A seed makes the same chain again.
package explorertest

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/crypto/smt"
	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Chain is a growing chain; Source is how an explorer sees it.
type Chain struct {
	t      testing.TB
	net    *ledger.Network
	params ledger.Params
	random *rand.Rand
	nonces map[crypto.Address]ledger.Nonce
	keys   int // consensus keys made up
	pause  ledger.UnixTime

	mu     sync.Mutex
	states []ledger.MapState // by height
	blocks []*explorer.Block // by height; 0 is the genesis
	root   *crypto.Hash      // of the last state; nil until it is known
	grown  chan struct{}     // closed at the next block

	// Lie, if set, changes what Proof says of a key. It is for the test alone.
	Lie func(key, value []byte) []byte
}

// The people of every chain. Members are m0 to m3.
var People = []string{"issuer", "alice", "bob", "carol", "dave"}

// New makes the genesis of a chain.
func New(t testing.TB, seed uint64) *Chain {
	t.Helper()
	return NewOf(t, seed, func(*ledger.Genesis) {})
}

// NewOf makes a genesis that is changed before it is built.
func NewOf(t testing.TB, seed uint64, change func(*ledger.Genesis)) *Chain {
	t.Helper()
	t.Logf("chain of seed %d", seed)
	g := ledgertest.CouncilGenesis(40_000_000, 30_000_000, 2_500_000, 0)
	params := ledger.DefaultParams()
	params.AccountPolicy = ledger.PolicyOpen
	g.NetworkID, g.Params = fmt.Sprintf("explorer-%d", seed), ledger.NewGenesisParams(params)
	g.ChainID = ledger.DeriveChainID(g.NetworkID)
	g.Params.KeyRotationCooldown = 60
	g.Assets = append(g.Assets, ledger.GenesisAsset{
		Symbol: "BOND", Name: "Bond, regulated", Issuer: ledgertest.Address("issuer"), Flags: ledger.FlagFreezable | ledger.FlagClawback,
	})
	for _, name := range People[1:] {
		a := ledgertest.Address(name)
		g.Accounts = append(g.Accounts, ledger.GenesisAccount{Address: a, Member: ledgertest.Address("m0")})
		for _, symbol := range []string{"COIN", "GOLD", "BOND"} {
			g.Balances = append(g.Balances, ledger.GenesisBalance{Account: a, Symbol: symbol, Amount: ledger.NewAmount(100_000)})
		}
	}
	change(g)
	built, err := g.Build()
	if err != nil {
		t.Fatal(err)
	}
	c := &Chain{
		t: t, net: built.Network, params: built.Params, random: rand.New(rand.NewPCG(seed, 1)),
		nonces: map[crypto.Address]ledger.Nonce{}, grown: make(chan struct{}),
	}
	c.states = []ledger.MapState{applied(nil, built.Changes)}
	c.blocks = []*explorer.Block{{Events: built.Events, Params: &c.params, Time: 1_800_000_000}}
	return c
}

func applied(m ledger.MapState, changes []ledger.Change) ledger.MapState {
	next := maps.Clone(m)
	if next == nil {
		next = ledger.MapState{}
	}
	for _, c := range changes {
		if c.Value == nil {
			delete(next, string(c.Key))
		} else {
			next[string(c.Key)] = c.Value
		}
	}
	return next
}

// Grow adds blocks.
func (c *Chain) Grow(blocks int) {
	c.t.Helper()
	for range blocks {
		c.Block(c.transactions()...)
	}
}

// Pause lets so many more seconds go by before the next block.
func (c *Chain) Pause(seconds ledger.UnixTime) { c.pause += seconds }

// Block adds a block of these transactions.
func (c *Chain) Block(txs ...*ledger.Tx) *explorer.Block {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	last := c.blocks[len(c.blocks)-1]
	height := last.Height + 1
	before := c.states[height-1]
	b := &explorer.Block{
		Height: height, Hash: crypto.Keccak256([]byte(fmt.Sprint(c.net.ID, " block ", height))), ParentHash: last.Hash,
		ResultsHash: crypto.Keccak256([]byte(fmt.Sprint("results ", height))), AppHash: c.rootOf(before),
		Time: last.Time + c.pause + ledger.UnixTime(c.random.IntN(50)), Millis: uint16(c.random.IntN(1000)), SizeBytes: 700, Txs: txs,
	}
	c.pause = 0
	if b.Time == last.Time {
		b.Millis = max(b.Millis, last.Millis)
	}
	for _, tx := range txs {
		b.SizeBytes += uint64(len(tx.Raw))
	}
	result, err := ledger.Apply(c.net, ledger.Block{Height: height, Time: b.Time, Txs: txs}, before)
	if err != nil {
		c.t.Fatal(err)
	}
	b.Results, b.Events = result.Results, result.Events
	c.commit(b, before)
	after := before // the same, where nothing has changed
	if len(result.Changes) > 0 {
		after, c.root = applied(before, result.Changes), nil
	}
	c.blocks, c.states = append(c.blocks, b), append(c.states, after)
	close(c.grown)
	c.grown = make(chan struct{})
	return b
}

// commit makes up who signed the block before b, and who proposed b.
func (c *Chain) commit(b *explorer.Block, state ledger.MapState) {
	members, err := ledger.ReadMembers(state)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, a := range members {
		m, _, err := ledger.ReadMember(state, a)
		if err != nil {
			c.t.Fatal(err)
		}
		if m.Power == 0 {
			continue
		}
		b.Proposer = m.Key.Address()
		if b.Height > 1 {
			vote := explorer.VoteSigned
			if n := c.random.IntN(10); n < 2 {
				vote = []explorer.VoteFlag{explorer.VoteMissing, explorer.VoteNil}[n]
			}
			b.LastCommit = append(b.LastCommit, explorer.Vote{Validator: m.Key.Address(), Power: m.Power, Vote: vote})
		}
	}
}

// rootOf is the root of the last state.
func (c *Chain) rootOf(state ledger.MapState) crypto.Hash {
	if c.root == nil {
		root := crypto.Hash(tree(c.t, uint64(len(c.states)), state).Root())
		c.root = &root
	}
	return *c.root
}

func tree(t testing.TB, height uint64, state ledger.MapState) *smt.Tree {
	built, err := smt.Build(height, func(yield func([]byte, []byte) bool) {
		for _, key := range slices.Sorted(maps.Keys(state)) {
			if !yield([]byte(key), state[key]) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// State is the ledger's state after a block.
func (c *Chain) State(h ledger.Height) ledger.MapState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.states[h]
}

// At is a block.
func (c *Chain) At(h ledger.Height) *explorer.Block {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.blocks[h]
}

// Top is the last height.
func (c *Chain) Top() ledger.Height {
	c.mu.Lock()
	defer c.mu.Unlock()
	return ledger.Height(len(c.blocks) - 1)
}

// Network implements explorer.Source.
func (c *Chain) Network() *ledger.Network { return c.net }

// Height implements explorer.Source.
func (c *Chain) Height(ctx context.Context) (ledger.Height, error) { return c.Top(), ctx.Err() }

// WaitHeight implements explorer.Source.
func (c *Chain) WaitHeight(ctx context.Context, h ledger.Height) error {
	for {
		c.mu.Lock()
		grown, top := c.grown, len(c.blocks)-1
		c.mu.Unlock()
		if ledger.Height(top) >= h {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-grown:
		}
	}
}

// source keeps the name Block free for making one.
type source struct{ *Chain }

// Source is the chain as an explorer.Source.
func (c *Chain) Source() explorer.Source { return source{c} }

func (s source) Block(ctx context.Context, h ledger.Height) (*explorer.Block, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if int(h) >= len(s.blocks) {
		return nil, nil
	}
	return s.blocks[h], nil
}

// Proof proves a value of the state before the last block.
func (s source) Proof(ctx context.Context, key []byte) (*explorer.Proof, error) {
	top := s.Top()
	if top < 2 {
		return nil, explorer.ErrNoProof
	}
	state := s.State(top - 1)
	value := state[string(key)]
	proof, err := tree(s.t, uint64(top-1), state).Prove(uint64(top-1), key, state.Get)
	if err != nil {
		return nil, err
	}
	bytes, err := proof.Marshal()
	if err != nil {
		return nil, err
	}
	if s.Lie != nil {
		value = s.Lie(key, value)
	}
	return &explorer.Proof{Height: top - 1, Value: value, Proof: bytes}, ctx.Err()
}

// ReceiptProof proves nothing: nobody signs this chain.
func (s source) ReceiptProof(context.Context, crypto.Hash) (*wire.ReceiptProof, error) {
	return nil, explorer.ErrNoProof
}
