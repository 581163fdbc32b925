// Package index is the node's receipt index: receipts, transactions by hash
// and by (sender, nonce), the history of every account, and balances at any
// past height. It is derived data outside the AppHash, rebuilt from the blocks
// and their saved results alone.
//
// One goroutine, Run, follows the chain. Each block becomes one batch that
// also moves the cursor, so that a crash between blocks or within one costs
// nothing: the next start goes on from the cursor. The batch is not synced;
// what a power loss takes is derived again. The index reads the block store
// and never the event bus, which skips blocks that are recovered after a
// crash.
//
// Height is the height that the whole node answers for: a block's receipts,
// its history and its state become visible together when the index has it.
//
// What is read at past heights comes without proof; it is as good as this
// node's own computation. docs/FORMATS.md lists every key.
package index

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	dbm "github.com/cosmos/cosmos-db"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Block is a committed block with everything it did.
type Block struct {
	Height  ledger.Height
	Hash    crypto.Hash
	Time    ledger.UnixTime
	Root    crypto.Hash  // of the state after the block
	Txs     []*ledger.Tx // signers recovered
	Results []ledger.TxResult
	Events  []ledger.Event // of the block itself; they come before its transactions
}

// Source is the chain as the node has stored it.
type Source interface {
	// Base is the first height that Block still has; 1 on an unpruned node.
	Base() ledger.Height
	// Block returns the block at height with its results, or nil while it is
	// not committed. It may be called again for any height from Base.
	Block(height ledger.Height) (*Block, error)
}

// Options are what the index needs to know of its network.
type Options struct {
	Network *ledger.Network
	Genesis []ledger.Event // of ledger.GenesisState: what height 0 holds
	Logger  *slog.Logger   // nil: none
	// Base is the lowest block that is still kept; 0 or 1 if all are. A damaged
	// index is rebuilt only if all are.
	Base ledger.Height
	// Failed is told, from any goroutine, why a read failed: the disk, or what
	// it holds, is damaged. nil: nobody is.
	Failed func(error)
}

// Index is the receipt index. All methods may be called from many goroutines;
// Run by one alone.
type Index struct {
	db  dbm.DB
	dir string
	net *ledger.Network
	log *slog.Logger

	failed func(error) // or nil

	height atomic.Uint64
	nudge  chan struct{} // capacity 1: there may be a new block

	mu       sync.Mutex
	waiting  map[crypto.Hash][]chan *wire.Receipt // owned by mu
	advanced chan struct{}                        // closed at the next height; owned by mu

	current *currentState // this and the rest: owned by the goroutine of Run
	counts  keyCounts
	unspent uint64  // transactions that spent no nonce
	writes  ordered // of the block at hand
}

// Open opens or creates the index in dir. An index of another network, or of
// another format, is refused. One that is not whole is emptied, for Run to fill
// it again, or refused if the blocks for that are not kept. Cost: it reads the
// whole index.
func Open(dir string, o Options) (*Index, error) {
	x := &Index{
		dir: dir, net: o.Network, log: o.Logger, failed: o.Failed,
		nudge:    make(chan struct{}, 1),
		waiting:  map[crypto.Hash][]chan *wire.Receipt{},
		advanced: make(chan struct{}),
	}
	if x.log == nil {
		x.log = slog.New(slog.DiscardHandler)
	}
	err := x.open(dir, o.Genesis)
	var damage *damageError
	if errors.As(err, &damage) {
		err = x.rebuild(dir, o, damage)
	}
	if err != nil {
		return nil, fmt.Errorf("receipt index in %s: %w", dir, err)
	}
	return x, nil
}

// Close closes the database. Run must have returned.
func (x *Index) Close() error { return x.db.Close() }

// Height is the highest block that is indexed whole.
func (x *Index) Height() ledger.Height { return ledger.Height(x.height.Load()) }

// Notify says that there may be a new block. It never blocks.
func (x *Index) Notify() {
	select {
	case x.nudge <- struct{}{}:
	default:
	}
}

// Run follows src until ctx ends (nil) or a block cannot be read or written.
func (x *Index) Run(ctx context.Context, src Source) error {
	if next := x.Height() + 1; src.Base() > next {
		return fmt.Errorf("receipt index: block %d is needed and the oldest block kept is %d", next, src.Base())
	}
	for {
		if err := x.catchUp(ctx, src); err != nil {
			return fmt.Errorf("receipt index: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-x.nudge:
		}
	}
}

// catchUp indexes every block that src has.
func (x *Index) catchUp(ctx context.Context, src Source) error {
	for ctx.Err() == nil {
		next := x.Height() + 1
		b, err := src.Block(next)
		if err != nil {
			return fmt.Errorf("read block %d: %w", next, err)
		}
		if b == nil {
			return nil
		}
		if len(b.Txs) != len(b.Results) {
			return fmt.Errorf("block %d has %d transactions and %d results", next, len(b.Txs), len(b.Results))
		}
		if err := x.write(b); err != nil {
			return fmt.Errorf("write block %d: %w", next, err)
		}
		if next%10_000 == 0 {
			x.log.Info("receipt index", "height", next)
		}
	}
	return nil
}

// WaitHeight waits until height is indexed, or for ctx.
func (x *Index) WaitHeight(ctx context.Context, height ledger.Height) error {
	for {
		x.mu.Lock()
		advanced := x.advanced
		x.mu.Unlock()
		if x.Height() >= height {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-advanced:
		}
	}
}

// WaitReceipt waits for the receipt of hash, or for ctx. Where pending says
// that the transaction still waits for its block, the database is not asked: a
// block that is indexed later finds the waiter. So pending must be false for
// everything in a block that Source.Block has handed out. Pending may be nil.
func (x *Index) WaitReceipt(ctx context.Context, hash crypto.Hash, pending func() bool) (*wire.Receipt, error) {
	ready := make(chan *wire.Receipt, 1)
	x.mu.Lock()
	x.waiting[hash] = append(x.waiting[hash], ready)
	x.mu.Unlock()
	defer x.forget(hash, ready)
	if pending == nil || !pending() {
		if r, err := x.Receipt(hash); r != nil || err != nil {
			return r, err
		}
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-ready:
		return r, nil
	}
}

func (x *Index) forget(hash crypto.Hash, ready chan *wire.Receipt) {
	x.mu.Lock()
	defer x.mu.Unlock()
	left := x.waiting[hash][:0]
	for _, c := range x.waiting[hash] {
		if c != ready {
			left = append(left, c)
		}
	}
	if len(left) == 0 {
		delete(x.waiting, hash)
		return
	}
	x.waiting[hash] = left
}

// publish makes b visible and wakes who waits for it.
func (x *Index) publish(b *Block) error {
	x.height.Store(uint64(b.Height))
	x.mu.Lock()
	defer x.mu.Unlock()
	close(x.advanced)
	x.advanced = make(chan struct{})
	for i, tx := range b.Txs {
		waiters := x.waiting[tx.Hash]
		if len(waiters) == 0 {
			continue
		}
		r, err := newReceipt(recordOf(tx, &b.Results[i]), Place{b.Height, uint32(i)}, b.Hash, b.Time)
		if err != nil {
			return err
		}
		for _, c := range waiters {
			select {
			case c <- r:
			default: // a transaction stands in the chain once; the first receipt is the receipt
			}
		}
	}
	return nil
}
