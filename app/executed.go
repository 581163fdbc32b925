package app

import (
	"sync"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// ExecutedBlock is a committed block as it was executed here. It is shared and
// must not be changed.
type ExecutedBlock struct {
	Height  ledger.Height
	Hash    crypto.Hash
	Time    ledger.UnixTime
	Root    crypto.Hash  // of the state after the block
	Txs     []*ledger.Tx // signers recovered
	Results []ledger.TxResult
	Events  []ledger.Event // of the block itself
}

// size is the length of the block's transactions, in bytes.
func (b *ExecutedBlock) size() (n int) {
	for _, tx := range b.Txs {
		n += len(tx.Raw)
	}
	return n
}

// What is remembered of the last blocks at most.
const (
	recentBlocks = 8
	recentBytes  = 64 << 20 // of their transactions as they stand in them
)

// recentTable remembers the last blocks that were committed, for readers that
// keep up with the chain: they need not decode what was decoded before.
type recentTable struct {
	mu     sync.Mutex
	blocks []ExecutedBlock // ascending and without a gap; mu
	sizes  []int           // of each, in bytes; mu
	bytes  int             // their sum; mu
}

// add remembers b and forgets the oldest beyond the bounds.
func (r *recentTable) add(b ExecutedBlock) {
	r.mu.Lock()
	defer r.mu.Unlock()
	size := b.size()
	r.blocks, r.sizes, r.bytes = append(r.blocks, b), append(r.sizes, size), r.bytes+size
	drop := 0
	for drop < len(r.blocks) && (len(r.blocks)-drop > recentBlocks || r.bytes > recentBytes) {
		r.bytes -= r.sizes[drop]
		drop++
	}
	if drop > 0 { // copied, so that nothing keeps what was dropped
		r.blocks = append([]ExecutedBlock(nil), r.blocks[drop:]...)
		r.sizes = append([]int(nil), r.sizes[drop:]...)
	}
}

// get finds the block at height.
func (r *recentTable) get(height ledger.Height) (ExecutedBlock, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.blocks) == 0 || height < r.blocks[0].Height || height-r.blocks[0].Height >= ledger.Height(len(r.blocks)) {
		return ExecutedBlock{}, false
	}
	return r.blocks[height-r.blocks[0].Height], true
}

// Executed returns the committed block at height as it was executed, if it is
// one of the last eight (fewer above 64 MiB) and this process executed it. It is
// there before Options.Committed is called for it.
func (a *Application) Executed(height ledger.Height) (ExecutedBlock, bool) {
	return a.recent.get(height)
}

// executed is e, committed.
func (e *execution) executed() ExecutedBlock {
	b := ExecutedBlock{
		Height: e.block.Height, Time: e.block.Time, Root: e.staged.Root(),
		Txs: e.block.Txs, Results: e.results, Events: e.events,
	}
	copy(b.Hash[:], e.block.hash)
	return b
}
