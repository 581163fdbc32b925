package index

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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

func TestEveryPastHeightReadsAsItWas(t *testing.T) {
	dir, c := t.TempDir(), newChain(t, 1)
	x, stop := follow(t, dir, c)
	growTo(t, x, c, 60)
	stop()
	x, stop = follow(t, dir, c) // and so it does after a restart
	defer stop()
	growTo(t, x, c, 60)
	for h, state := range c.states {
		c.compare(x, ledger.Height(h), state)
	}
	c.compareEvents(x)
}

// compareEvents: each block's own events are there, and in the history of those
// whom they concern; and the chain has all that can become of a hold.
func (c *chain) compareEvents(x *Index) {
	c.t.Helper()
	seen := map[ledger.EventType]int{}
	for _, b := range c.blocks {
		got, err := x.BlockEvents(b.Height)
		if err != nil || !slices.Equal(got, b.Events) {
			c.t.Errorf("block %d has events %+v, want %+v (%v)", b.Height, got, b.Events, err)
		}
		for i := range b.Events {
			seen[b.Events[i].Type]++
			for _, account := range []crypto.Address{b.Events[i].From, b.Events[i].To} {
				if has, err := x.db.Has(key(spaceHistory, account[:], place{b.Height, ownEvents}.bytes())); err != nil || !has {
					c.t.Errorf("the history of %s lacks the events of block %d (%v)", account, b.Height, err)
				}
			}
		}
		for _, r := range b.Results {
			for i := range r.Events {
				seen[r.Events[i].Type]++
			}
		}
	}
	for _, t := range []ledger.EventType{ledger.EventHoldCreated, ledger.EventHoldCaptured, ledger.EventHoldReleased} {
		if seen[t] < 3 {
			c.t.Errorf("the chain has %d %s", seen[t], t.Name())
		}
	}
	if got, err := x.BlockEvents(ledger.Height(len(c.blocks) + 1)); got != nil || err != nil {
		c.t.Errorf("a block that is not there has events %+v, %v", got, err)
	}
}

// compare holds what the index says of height against the state itself.
func (c *chain) compare(x *Index, height ledger.Height, state table) {
	c.t.Helper()
	var assets []crypto.Address
	err := x.AssetsAt(crypto.Address{}, height, func(a crypto.Address, got *ledger.Asset) bool {
		assets = append(assets, a)
		want, err := ledger.DecodeAsset(state[string(ledger.KeyAsset(a))])
		want.Holds = 0 // see AssetAt
		if err != nil || *got != want {
			c.t.Errorf("height %d: asset %s is %+v, want %+v (%v)", height, a, *got, want, err)
		}
		return true
	})
	if err != nil || !slices.Equal(assets, c.assets(state)) {
		c.t.Errorf("height %d: assets %v, want %v (%v)", height, assets, c.assets(state), err)
	}
	for last := range 256 {
		var account crypto.Address
		account[19] = byte(last)
		c.compareAccount(x, height, state, account)
	}
	for _, k := range c.keys {
		c.compareAccount(x, height, state, k.Address())
	}
}

func (c *chain) compareAccount(x *Index, height ledger.Height, state table, account crypto.Address) {
	c.t.Helper()
	raw, present := state[string(ledger.KeyAccount(account))]
	info, ok, err := x.AccountAt(account, height)
	if err != nil || ok != present {
		c.t.Fatalf("height %d: account %s is there: %v, want %v (%v)", height, account, ok, present, err)
	}
	if present {
		want, err := ledger.DecodeAccount(raw)
		if err != nil || info != (AccountInfo{want.Window.Next, want.Status, want.Member}) {
			c.t.Errorf("height %d: account %s is %+v, want %+v (%v)", height, account, info, want, err)
		}
	}
	held, err := x.BalancesAt(account, height)
	if err != nil {
		c.t.Fatal(err)
	}
	got := table{}
	for _, h := range held {
		got[string(ledger.KeyBalance(account, h.Asset))] = fmt.Appendf(nil, "%s and %s held", h.Balance.Available, h.Balance.Held)
	}
	want := table{}
	for k, v := range state {
		if strings.HasPrefix(k, string(ledger.KeyBalances(account))) {
			b, err := ledger.DecodeBalance(v)
			if err != nil {
				c.t.Fatal(err)
			}
			want[k] = fmt.Appendf(nil, "%s and %s held", b.Available, b.Held)
		}
	}
	if !maps.EqualFunc(got, want, slices.Equal[[]byte]) {
		c.t.Errorf("height %d: balances of %s are %s, want %s", height, account, got, want)
	}
}

func TestReceiptsAreTheSameBytesAfterARestart(t *testing.T) {
	dir, c := t.TempDir(), newChain(t, 2)
	x, stop := follow(t, dir, c)
	growTo(t, x, c, 30)
	before := receipts(t, x, c)
	stop()
	x, stop = follow(t, dir, c)
	defer stop()
	if after := receipts(t, x, c); after != before {
		t.Error("receipts differ after a restart")
	}
	if !strings.Contains(before, `"refused"`) || !strings.Contains(before, `"applied"`) {
		t.Error("the chain must hold applied and refused transactions")
	}
}

// receipts is every receipt in JSON, found by hash; what was found by nonce
// must be the same.
func receipts(t *testing.T, x *Index, c *chain) string {
	t.Helper()
	var out strings.Builder
	for _, b := range c.blocks {
		for i, tx := range b.Txs {
			r, err := x.Receipt(tx.Hash)
			if err != nil || r == nil {
				t.Fatalf("no receipt for %s: %v", tx.Hash, err)
			}
			if r.Index != uint32(i) || r.BlockHash != b.Hash || r.BlockTime != uint64(b.Time) || r.Code != uint32(b.Results[i].Code) || len(r.Events) != len(b.Results[i].Events) {
				t.Errorf("receipt %+v does not fit its block", r)
			}
			text, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			out.Write(text)
			if !b.Results[i].Code.SpendsNonce() {
				continue
			}
			again, err := x.ReceiptByNonce(tx.Sender, tx.Nonce)
			if err != nil || again == nil || again.Hash != tx.Hash {
				t.Errorf("nonce %d of %s finds %+v, want %s (%v)", tx.Nonce, tx.Sender, again, tx.Hash, err)
			}
		}
	}
	return out.String()
}

func TestWaitersAreServedOnceTheHeightIsVisible(t *testing.T) {
	c := newChain(t, 3)
	x, stop := follow(t, t.TempDir(), c)
	defer stop()
	var group sync.WaitGroup
	for range 40 {
		b := c.grow()
		for _, tx := range b.Txs {
			for range 3 {
				group.Go(func() {
					r, err := x.WaitReceipt(t.Context(), tx.Hash, nil)
					if err != nil || r == nil || r.Hash != tx.Hash {
						t.Errorf("wait for %s: %+v, %v", tx.Hash, r, err)
						return
					}
					if x.Height() < ledger.Height(r.Height) {
						t.Errorf("receipt of height %d at height %d", r.Height, x.Height())
					}
				})
			}
		}
		x.Notify()
	}
	group.Wait()
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.waiting) != 0 {
		t.Errorf("%d waiters are left", len(x.waiting))
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	c := newChain(t, 4)
	x, stop := follow(t, t.TempDir(), c)
	defer stop()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := x.WaitReceipt(ctx, crypto.Hash{1}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("WaitReceipt: %v", err)
	}
	if err := x.WaitHeight(ctx, 99); !errors.Is(err, context.Canceled) {
		t.Errorf("WaitHeight: %v", err)
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	c := newChain(t, 5)
	x, stop := follow(t, t.TempDir(), c)
	defer stop()
	growTo(t, x, c, 3)
	if r, err := x.Receipt(crypto.Hash{9}); r != nil || err != nil {
		t.Errorf("Receipt: %v, %v", r, err)
	}
	if r, err := x.ReceiptByNonce(c.keys[0].Address(), 1<<40); r != nil || err != nil {
		t.Errorf("ReceiptByNonce: %v, %v", r, err)
	}
	if b, err := x.Block(4); b != nil || err != nil {
		t.Errorf("Block: %v, %v", b, err)
	}
	if _, ok, err := x.HeightOf(crypto.Hash{9}); ok || err != nil {
		t.Errorf("HeightOf: %v, %v", ok, err)
	}
	if _, ok, err := x.AssetBySymbol("NONE"); ok || err != nil {
		t.Errorf("AssetBySymbol: %v, %v", ok, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	c := newChain(t, 6)
	dir := t.TempDir()
	x, stop := follow(t, dir, c)
	growTo(t, x, c, 2)
	good, err := x.db.Get(keyMeta)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	tests := []struct {
		name, want string
		damage     func(*Index) []byte
		options    Options
	}{
		{"another network", "another network", func(*Index) []byte { return good }, newChain(t, 7).options()},
		{"a newer format", "format 2", func(x *Index) []byte {
			w, batch := &writer{writes: new(ordered)}, x.db.NewBatch()
			w.put(keyMeta, struct{ Format, Other uint64 }{formatVersion + 1, 2})
			if err := errors.Join(w.writes.into(batch), batch.Write()); err != nil {
				t.Fatal(err)
			}
			return nil
		}, c.options()},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			x, err := Open(dir, c.options())
			if err != nil {
				t.Fatal(err)
			}
			if raw := test.damage(x); raw != nil {
				if err := x.db.SetSync(keyMeta, raw); err != nil {
					t.Fatal(err)
				}
			}
			if err := x.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err = Open(dir, test.options); err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("error %v does not name %q and the directory", err, test.want)
			}
			restore(t, dir, good)
		})
	}
}

// restore puts a good cursor back.
func restore(t *testing.T, dir string, meta []byte) {
	t.Helper()
	db, err := openDatabase(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.SetSync(keyMeta, meta), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestRunStopsWhenTheChainCannotBeRead(t *testing.T) {
	c := newChain(t, 8)
	for name, test := range map[string]struct {
		src  Source
		want string
	}{
		"pruned":              {broken{base: 5}, "oldest block kept is 5"},
		"unreadable":          {broken{base: 1, err: errors.New("disk on fire")}, "read block 1: disk on fire"},
		"results are missing": {broken{base: 1, block: &Block{Height: 1, Txs: []*ledger.Tx{c.transaction()}}}, "1 transactions and 0 results"},
		"events do not add up": {broken{base: 1, block: &Block{Height: 1, Txs: []*ledger.Tx{c.transaction()}, Results: []ledger.TxResult{{
			Events: []ledger.Event{{Type: ledger.EventTransfer, Asset: crypto.Address{1}, From: crypto.Address{2}, To: crypto.Address{3}, Amount: ledger.NewAmount(1)}},
		}}}}, "do not add up"},
		"held events do not add up": {broken{base: 1, block: &Block{Height: 1, Events: []ledger.Event{
			{Type: ledger.EventHoldReleased, Asset: crypto.Address{1}, From: crypto.Address{2}, To: crypto.Address{3}, Amount: ledger.NewAmount(1), Number: 2},
		}}}, "do not add up"},
		"a pause twice": {broken{base: 1, block: &Block{Height: 1, Txs: []*ledger.Tx{c.transaction()}, Results: []ledger.TxResult{{
			Events: []ledger.Event{{Type: ledger.EventAssetPausedByNetwork, Asset: c.genesis.Network.Settlement}, {Type: ledger.EventAssetPausedByNetwork, Asset: c.genesis.Network.Settlement}},
		}}}}, "do not add up"},
		"clawback of what is not there": {broken{base: 1, block: &Block{Height: 1, Txs: []*ledger.Tx{c.transaction()}, Results: []ledger.TxResult{{
			Events: []ledger.Event{{Type: ledger.EventClawback, Asset: c.genesis.Network.Settlement, From: crypto.Address{2}, To: crypto.Address{3}, Amount: ledger.NewAmount(1)}},
		}}}}, "do not add up"},
		"an issuer of no asset": {broken{base: 1, block: &Block{Height: 1, Txs: []*ledger.Tx{c.transaction()}, Results: []ledger.TxResult{{
			Events: []ledger.Event{{Type: ledger.EventIssuerChanged, Asset: crypto.Address{1}, Account: crypto.Address{2}}},
		}}}}, "do not add up"},
	} {
		t.Run(name, func(t *testing.T) {
			x, err := Open(t.TempDir(), c.options())
			if err != nil {
				t.Fatal(err)
			}
			defer x.Close()
			if err := x.Run(t.Context(), test.src); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if x.Height() != 0 {
				t.Errorf("height %d after a failure", x.Height())
			}
		})
	}
}

type broken struct {
	base  ledger.Height
	block *Block
	err   error
}

func (b broken) Base() ledger.Height                 { return b.base }
func (b broken) Block(ledger.Height) (*Block, error) { return b.block, b.err }

// withheld hands out its blocks only once it is open.
type withheld struct {
	*chain
	open atomic.Bool
}

func (w *withheld) Block(h ledger.Height) (*Block, error) {
	if !w.open.Load() {
		return nil, nil
	}
	return w.chain.Block(h)
}

func TestAWaiterForAPendingTransactionIsFoundByItsBlock(t *testing.T) {
	c := &withheld{chain: newChain(t, 9)}
	x, stop := followSource(t, t.TempDir(), c.options(), c)
	defer stop()
	var b *Block
	for b == nil || len(b.Txs) == 0 {
		b = c.grow()
	}
	hash := b.Txs[0].Hash
	r, err := x.WaitReceipt(t.Context(), hash, func() bool {
		c.open.Store(true) // its block comes only after the waiter is known
		x.Notify()
		return true
	})
	if err != nil || r == nil || r.Hash != hash {
		t.Errorf("%+v, %v", r, err)
	}
}
