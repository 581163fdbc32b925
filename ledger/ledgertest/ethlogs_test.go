package ledgertest

import (
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/holiman/uint256"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/eth"
	"github.com/tallystick/tallystick/rpc/wire"
)

// holding is what the logs have added up to, by asset and holder.
type holding map[[2]common.Address]*uint256.Int

// add takes in a log. Nobody but the zero address may fall below nothing.
func (h holding) add(t *testing.T, l *eth.Log) {
	t.Helper()
	amount := new(uint256.Int).SetBytes(l.Data)
	from, to := common.BytesToAddress(l.Topics[1][:]), common.BytesToAddress(l.Topics[2][:])
	if from != (common.Address{}) {
		b := h.of(l.Address, from)
		if b.Cmp(amount) < 0 {
			t.Fatalf("log %d of block %d takes %s from %s, which has %s", l.LogIndex, l.BlockNumber, amount, from, b)
		}
		b.Sub(b, amount)
	}
	if to != (common.Address{}) {
		b := h.of(l.Address, to)
		b.Add(b, amount)
	}
}

func (h holding) of(asset, holder common.Address) *uint256.Int {
	id := [2]common.Address{asset, holder}
	if h[id] == nil {
		h[id] = new(uint256.Int)
	}
	return h[id]
}

// compare holds the sums to the balances of a state, both ways.
func (h holding) compare(t *testing.T, s *State) {
	t.Helper()
	seen := 0
	for _, e := range s.Under("balance/") {
		if len(e.Key) != 2*crypto.AddressSize {
			t.Fatalf("balance key of %d bytes", len(e.Key))
		}
		b, err := ledger.DecodeBalance(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		holder, asset := common.Address([]byte(e.Key[:crypto.AddressSize])), common.Address([]byte(e.Key[crypto.AddressSize:]))
		want := new(uint256.Int).Add(b.Available.Uint256(), b.Held.Uint256())
		if got := h.of(asset, holder); got.Cmp(want) != 0 {
			t.Fatalf("the logs give %s %s of %s; the state has %s", holder, got, asset, want)
		}
		seen++
	}
	for id, b := range h {
		if !b.IsZero() {
			seen--
		} else {
			delete(h, id)
		}
	}
	if seen != 0 {
		t.Fatalf("the state has %d balances more than the logs", seen)
	}
}

// contentOf is what eth needs of a block to make its logs.
func contentOf(block ledger.Block, result *ledger.BlockResult) *eth.Content {
	c := &eth.Content{Height: block.Height, Events: result.Events}
	for i, tx := range block.Txs {
		r := &wire.Receipt{Hash: tx.Hash, Height: uint64(block.Height), Index: uint32(i), Code: uint32(result.Results[i].Code)}
		for _, e := range result.Results[i].Events {
			r.Events = append(r.Events, wire.Event{Event: e})
		}
		c.Receipts = append(c.Receipts, r)
	}
	return c
}

// watchLogs adds up the logs of p's chain from the genesis on, and compares the sums
// with the state after each block.
func watchLogs(t *testing.T, g *ledger.Genesis, c *Chain) {
	t.Helper()
	built, err := g.Build()
	if err != nil {
		t.Fatal(err)
	}
	sums := holding{}
	for _, l := range eth.NewLogs(&eth.Content{Events: built.Events}) {
		sums.add(t, l)
	}
	sums.compare(t, c.State)
	c.Observe = func(_ *State, block ledger.Block, result *ledger.BlockResult) {
		for i, l := range eth.NewLogs(contentOf(block, result)) {
			if int(l.LogIndex) != i {
				t.Fatalf("log %d has the index %d", i, l.LogIndex)
			}
			sums.add(t, l)
		}
		sums.compare(t, c.State)
	}
}

// At every height the logs of each asset, added up from the genesis on, are what
// each holder has, available and held together.
func TestLogsAddUp(t *testing.T) {
	seen := map[ledger.Code]int{}
	checkUntilSeen(t, seen, []ledger.Code{ledger.Applied, ledger.CodeInsufficientBalance}, func(rt *rapid.T) {
		g := playGenesis(rt)
		p := &play{chain: NewChain(t, g), model: NewModel(g)}
		watchLogs(t, g, p.chain)
		p.vote(rt, t)
		for range rapid.IntRange(2, 6).Draw(rt, "blocks") {
			p.block(rt, t, seen)
		}
	})
}

// The same where assets are clawed back, issued and redeemed.
func TestLogsOfRegulatedAssetsAddUp(t *testing.T) {
	ends := map[ledger.EventType]int{}
	wanted := []ledger.EventType{ledger.EventTransfer, ledger.EventIssue, ledger.EventRedeem, ledger.EventClawback}
	checkUntilSeen(t, ends, wanted, func(rt *rapid.T) {
		g := playGenesis(rt)
		p := &play{chain: NewChain(t, g), model: NewModel(g)}
		watchLogs(t, g, p.chain)
		count(p.chain, ends)
		nonces := map[crypto.Address]ledger.Nonce{}
		for range rapid.IntRange(3, 7).Draw(rt, "blocks") {
			var txs []*ledger.Tx
			for range rapid.IntRange(2, 6).Draw(rt, "transactions") {
				_, tx := p.proper(rt, nonces)
				txs = append(txs, tx)
			}
			p.chain.Apply(t, txs...)
		}
	})
}

// The same where amounts are held, captured in parts, and given back.
func TestLogsOfHoldsAddUp(t *testing.T) {
	ends := map[ledger.EventType]int{}
	wanted := []ledger.EventType{ledger.EventHoldCreated, ledger.EventHoldCaptured, ledger.EventHoldReleased}
	checkUntilSeen(t, ends, wanted, func(rt *rapid.T) {
		g := playGenesis(rt)
		p := &play{chain: NewChain(t, g), model: NewModel(g)}
		watchLogs(t, g, p.chain)
		count(p.chain, ends)
		next := map[string]ledger.Nonce{}
		for range rapid.SampledFrom([]int{4, 6, 8}).Draw(rt, "blocks") {
			p.now = p.chain.Time + ledger.UnixTime(rapid.SampledFrom([]int{0, 1, 5, 20, 40}).Draw(rt, "seconds"))
			var txs []*ledger.Tx
			var requests []Request
			for range rapid.SampledFrom([]int{0, 2, 3, 5}).Draw(rt, "transactions") {
				sender := rapid.SampledFrom([]string{"alice", "bob", "carol", "issuer", "trio"}).Draw(rt, "sender")
				r, tx := p.holdTransaction(rt, sender, next[sender])
				next[sender]++
				requests, txs = append(requests, r), append(txs, tx)
			}
			p.chain.ApplyAt(t, p.now, txs...)
			p.model.Block(p.now, requests) // it knows the holds from which the next are drawn
		}
	})
}

// count adds to the chain's observer one that counts events.
func count(c *Chain, ends map[ledger.EventType]int) {
	observe := c.Observe
	c.Observe = func(before *State, block ledger.Block, result *ledger.BlockResult) {
		observe(before, block, result)
		for _, e := range result.Events {
			ends[e.Type]++
		}
		for _, r := range result.Results {
			for _, e := range r.Events {
				ends[e.Type]++
			}
		}
	}
}
