package index

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

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
				if has, err := x.db.Has(key(spaceHistory, account[:], Place{b.Height, OwnEvents}.position())); err != nil || !has {
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
		{"a newer format", "format 3", func(x *Index) []byte {
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
