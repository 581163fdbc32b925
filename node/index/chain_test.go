package index

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// chain is a ledger that grows a block at a time and remembers the state of
// every height: what the index must answer with.
type chain struct {
	t       testing.TB
	genesis *ledger.GenesisState
	keys    []*crypto.PrivateKey
	random  *rand.Rand
	nonces  map[crypto.Address]ledger.Nonce

	captured crypto.Address // a hold of block 1

	mu     sync.Mutex
	states []table // by height
	blocks []*Block
}

type table map[string][]byte

func (m table) Get(key []byte) ([]byte, error) { return m[string(key)], nil }

func (m table) Scan(prefix, after []byte, visit func(key, value []byte) bool) error {
	return ledger.MapState(m).Scan(prefix, after, visit)
}

func (m table) apply(changes []ledger.Change) table {
	next := maps.Clone(m)
	for _, c := range changes {
		if c.Value == nil {
			delete(next, string(c.Key))
		} else {
			next[string(c.Key)] = c.Value
		}
	}
	return next
}

func newChain(t testing.TB, seed uint64) *chain {
	t.Logf("seed %d", seed)
	c := &chain{t: t, random: rand.New(rand.NewPCG(seed, 0)), nonces: map[crypto.Address]ledger.Nonce{}}
	params := ledger.DefaultParams()
	params.AccountPolicy = ledger.PolicyOpen
	g := ledger.Genesis{NetworkID: fmt.Sprintf("index-%d", seed), Settlement: "EUR", Params: ledger.NewGenesisParams(params)}
	g.ChainID = ledger.DeriveChainID(g.NetworkID)
	for i := range 5 {
		var secret [32]byte
		secret[31] = byte(i + 1)
		key, err := crypto.PrivateKeyFromBytes(secret[:])
		if err != nil {
			t.Fatal(err)
		}
		c.keys = append(c.keys, key)
		g.Accounts = append(g.Accounts, ledger.GenesisAccount{Address: key.Address()})
	}
	bank := c.keys[len(c.keys)-1].Address()
	for i := 2; i < len(c.keys); i++ {
		g.Accounts[i].Member = bank
	}
	g.Members = []ledger.GenesisMember{{
		Admin: bank, Name: "Bank", Roles: []string{"validator", "registrar"}, ConsensusKey: ledger.ConsensusKey{1}, Power: ledger.MinFoundingPower,
		NodeIDs: []ledger.NodeID{{1}},
	}}
	issuer := c.keys[0].Address()
	for _, symbol := range []string{"EUR", "USD"} {
		g.Assets = append(g.Assets, ledger.GenesisAsset{Symbol: symbol, Name: symbol, Decimals: 2, Issuer: issuer, Flags: ledger.FlagFreezable | ledger.FlagClawback})
		for _, k := range c.keys[:3] {
			g.Balances = append(g.Balances, ledger.GenesisBalance{Account: k.Address(), Symbol: symbol, Amount: ledger.NewAmount(1000)})
		}
	}
	var err error
	if c.genesis, err = g.Build(); err != nil {
		t.Fatal(err)
	}
	c.states = []table{table{}.apply(c.genesis.Changes)}
	return c
}

func (c *chain) options() Options {
	return Options{Network: c.genesis.Network, Genesis: c.genesis.Events}
}

// grow adds a block of random operations, refused ones among them.
func (c *chain) grow() *Block {
	c.mu.Lock()
	defer c.mu.Unlock()
	height := ledger.Height(len(c.states))
	b := &Block{Height: height, Time: 1_700_000_000 + ledger.UnixTime(height), Hash: crypto.Keccak256([]byte(fmt.Sprint("block", height))), Root: crypto.Keccak256([]byte(fmt.Sprint("root", height)))}
	if height == 1 { // every chain has a hold that expires
		b.Txs = append(b.Txs, c.signed(c.keys[0], c.newHold(c.keys[0].Address(), c.assets(c.states[0])[0], 10, 1)))
		c.captured = c.genesis.Network.HoldID(c.keys[0].Address(), c.nonces[c.keys[0].Address()], 0)
		kept := c.newHold(c.keys[0].Address(), c.assets(c.states[0])[0], 10, 9).(*ledger.CreateHold)
		kept.To = c.keys[1].Address()
		b.Txs = append(b.Txs, c.signed(c.keys[0], kept))
	} else if height <= 4 { // and one that is captured in parts
		b.Txs = append(b.Txs, c.signed(c.keys[1], &ledger.CaptureHold{Hold: c.captured, Amount: ledger.NewAmount(1)}))
	}
	for range c.random.IntN(6) {
		b.Txs = append(b.Txs, c.transaction())
	}
	before := c.states[height-1]
	result, err := ledger.Apply(c.genesis.Network, ledger.Block{Height: height, Time: b.Time, Txs: b.Txs}, before)
	if err != nil {
		c.t.Fatal(err)
	}
	b.Results, b.Events = result.Results, result.Events
	c.states = append(c.states, before.apply(result.Changes))
	c.blocks = append(c.blocks, b)
	return b
}

func (c *chain) transaction() *ledger.Tx {
	key := c.keys[c.random.IntN(len(c.keys))]
	return c.signed(key, c.operation(key.Address()))
}

func (c *chain) signed(key *crypto.PrivateKey, op ledger.Operation) *ledger.Tx {
	sender := key.Address()
	body := ledger.Body{Sender: sender, Nonce: c.nonces[sender], Op: op}
	c.nonces[sender] += ledger.Nonce(1 + c.random.IntN(3)) // holes too
	tx, code := ledger.Sign(c.genesis.Network, body, ledger.SchemeBodyHash, key)
	if code != ledger.Applied {
		c.t.Fatalf("sign: %s", code)
	}
	return tx
}

func (c *chain) operation(sender crypto.Address) ledger.Operation {
	assets := c.assets(c.states[len(c.states)-1])
	asset := assets[c.random.IntN(len(assets))]
	amount := ledger.NewAmount(1 + c.random.Uint64N(400))
	var to crypto.Address
	to[19] = byte(1 + c.random.IntN(9))
	member := to
	if c.random.IntN(2) == 0 {
		member = c.keys[c.random.IntN(len(c.keys))].Address()
	}
	switch c.random.IntN(30) {
	case 12:
		return &ledger.SetKeys{Keys: []ledger.Key{{Address: sender, Weight: uint32(2 + c.random.IntN(3))}}, Threshold: 1}
	case 13, 14:
		return &ledger.AdmitAccount{Account: member}
	case 15:
		return &ledger.FreezeAccount{Account: member, Reference: "r"}
	case 16:
		return &ledger.UnfreezeAccount{Account: member}
	case 17:
		return &ledger.CloseAccount{Account: member}
	case 18:
		return &ledger.Clawback{Asset: asset, From: c.keys[1+c.random.IntN(2)].Address(), To: c.keys[3].Address(), Amount: amount, Reason: 2}
	case 19, 20:
		return c.regulation(asset, amount)
	case 0:
		return &ledger.Issue{Asset: asset, To: to, Amount: amount}
	case 1:
		return &ledger.Redeem{Asset: asset, From: sender, Amount: amount}
	case 2:
		return &ledger.PauseAsset{Asset: asset}
	case 3, 4:
		return &ledger.ResumeAsset{Asset: asset}
	case 5:
		return &ledger.CreateAsset{Symbol: fmt.Sprintf("A%d", c.random.IntN(40)), Name: "a", Decimals: 1}
	}
	if op := c.holdOperation(sender, asset); op != nil {
		return op
	}
	legs := []ledger.Leg{{From: sender, To: to, Asset: asset, Amount: amount, Reference: "r"}}
	if c.random.IntN(3) == 0 {
		legs = append(legs, ledger.Leg{From: sender, To: c.keys[0].Address(), Asset: assets[0], Amount: ledger.NewAmount(1)})
	}
	return &ledger.Transfer{Legs: legs}
}

// holdOperation is nil more often than not.
func (c *chain) holdOperation(sender, asset crypto.Address) ledger.Operation {
	what := c.random.IntN(6)
	if what < 2 {
		return c.newHold(sender, asset, 1+c.random.Uint64N(200), 1+c.random.Uint64N(12))
	}
	state := c.states[len(c.states)-1]
	prefix := string(ledger.KeyHold(crypto.Address{})[:len("hold/")])
	for _, k := range slices.Sorted(maps.Keys(state)) {
		h, err := ledger.DecodeHold(state[k])
		if !strings.HasPrefix(k, prefix) || err != nil || h.To != sender {
			continue
		}
		id := crypto.Address([]byte(k[len(prefix):]))
		switch what {
		case 2:
			return &ledger.CaptureHold{Hold: id, Amount: ledger.NewAmount(1), Reference: "part"}
		case 3:
			return &ledger.CaptureHold{Hold: id, Amount: h.Amount}
		case 4:
			return &ledger.ReleaseHold{Hold: id}
		}
	}
	return nil
}

// newHold is a hold for another of the people, due some blocks later.
func (c *chain) newHold(from, asset crypto.Address, amount, blocks uint64) ledger.Operation {
	to := c.keys[c.random.IntN(2)].Address()
	if to == from {
		to = c.keys[2].Address()
	}
	expiry := 1_700_000_000 + ledger.UnixTime(uint64(len(c.states))+blocks)
	return &ledger.CreateHold{From: from, To: to, Asset: asset, Amount: ledger.NewAmount(amount), Expiry: expiry, Reference: "h"}
}

// regulation is what an issuer says about its asset or a holder.
func (c *chain) regulation(asset crypto.Address, amount ledger.Amount) ledger.Operation {
	holder := c.keys[c.random.IntN(3)].Address()
	switch c.random.IntN(6) {
	case 0:
		return &ledger.SetMetadata{Asset: asset, URI: "https://example.org", Hash: crypto.Keccak256(asset[:])}
	case 1:
		return &ledger.FreezeHolder{Asset: asset, Account: holder, Reference: "case"}
	case 2, 3:
		return &ledger.UnfreezeHolder{Asset: asset, Account: holder}
	case 4:
		return &ledger.FreezeBalance{Asset: asset, Account: holder, Amount: amount}
	}
	return &ledger.RetireAsset{Asset: asset}
}

// assets lists the addresses of a state's assets, ascending.
func (c *chain) assets(state table) (out []crypto.Address) {
	prefix := string(ledger.KeyAssets())
	for k := range state {
		if strings.HasPrefix(k, prefix) {
			out = append(out, crypto.Address([]byte(k[len(prefix):])))
		}
	}
	slices.SortFunc(out, crypto.Address.Compare)
	return out
}

func (c *chain) Base() ledger.Height { return 1 }

func (c *chain) Block(h ledger.Height) (*Block, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if int(h) > len(c.blocks) {
		return nil, nil
	}
	return c.blocks[h-1], nil
}

// follow opens the index and runs it; the returned function stops it.
func follow(t testing.TB, dir string, c *chain) (*Index, func()) {
	t.Helper()
	return followSource(t, dir, c.options(), c)
}

func followSource(t testing.TB, dir string, o Options, c Source) (*Index, func()) {
	t.Helper()
	x, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- x.Run(ctx, c) }()
	return x, func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	}
}

func growTo(t testing.TB, x *Index, c *chain, blocks int) {
	t.Helper()
	var last ledger.Height
	for range blocks {
		last = c.grow().Height
		x.Notify()
	}
	if err := x.WaitHeight(t.Context(), last); err != nil {
		t.Fatal(err)
	}
}
