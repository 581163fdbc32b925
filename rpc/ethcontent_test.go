package rpc

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/eth"
)

// What is kept is bounded in blocks and in transactions, and what was asked for last
// stays.
func TestKeptBlocksAreBounded(t *testing.T) {
	c := newEthBlockCache()
	for h := range ledger.Height(3 * keptEthBlocks) {
		c.put(h, &eth.Block{})
		c.get(0)
	}
	if c.blocks.Len() != keptEthBlocks || c.get(0) == nil || c.get(1) != nil || c.get(3*keptEthBlocks-1) == nil {
		t.Errorf("%d blocks are kept", c.blocks.Len())
	}
	large := func(n int) *eth.Block { return &eth.Block{Hashes: make([]common.Hash, n)} }
	for h := range ledger.Height(50) {
		c.put(10_000+h, large(keptEthTransactions/10))
		c.put(10_000+h, large(keptEthTransactions/10)) // again: it is there
	}
	if c.held > keptEthTransactions || c.held < keptEthTransactions/2 || c.get(10_049) == nil || c.get(10_000) != nil {
		t.Errorf("%d transactions are kept", c.held)
	}
	c.put(20_000, large(2*keptEthTransactions)) // larger than all that may be kept
	if c.get(20_000) == nil || c.blocks.Len() != 1 {
		t.Errorf("%d blocks beside one that is too large", c.blocks.Len())
	}
	c.put(20_001, large(1))
	if c.held != 1 || c.blocks.Len() != 1 {
		t.Errorf("%d transactions in %d blocks are kept", c.held, c.blocks.Len())
	}
}

// counting is a node that counts how often a block's bytes are read.
type counting struct {
	*memory
	raws atomic.Int64
}

func (c *counting) Raw(height ledger.Height) ([][]byte, error) {
	c.raws.Add(1)
	return c.memory.Raw(height)
}

// However many ask for receipts of a block, it is translated once.
func TestBlockIsTranslatedOnce(t *testing.T) {
	h := newHarness(t, Options{})
	tx := h.sendEth(t, 0, 1)
	node := &counting{memory: h.node}
	h.Server.backend, h.Server.ethBlocks = node, newEthBlockCache()
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if a := h.call(t, "eth_getTransactionReceipt", tx.Hash()); a.Error != nil {
				t.Error(a.Error)
			}
		})
	}
	all.Wait()
	if n := node.raws.Load(); n != 1 {
		t.Errorf("translated %d times", n)
	}
	h.call(t, "eth_getTransactionReceipt", tx.Hash())
	before := node.raws.Load()
	h.call(t, "eth_getBlockByNumber", "0x1", false)
	if node.raws.Load() != before {
		t.Error("translated again")
	}
}
