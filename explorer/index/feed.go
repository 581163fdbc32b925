package index

import (
	"context"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/ledger"
)

// What lies ready of blocks that were read ahead.
const (
	aheadBlocks = 64
	aheadBytes  = 8 << 20 // of blocks as they are stored; a larger one is taken alone
	askedBytes  = 1 << 20 // of blocks asked for at once, if they are as large as the last
	together    = 32      // blocks whose balances are read at once
	togetherTxs = 2_000   // and their transactions, beyond which no block is added
)

// feed reads blocks ahead of the index, in order.
type feed struct {
	blocks chan *fetched // closed at the end
	err    error         // why; read after blocks is closed
	room   *semaphore.Weighted
}

type fetched struct {
	block  *explorer.Block
	weight int64
}

func (x *Index) newFeed(ctx context.Context, next ledger.Height) *feed {
	f := &feed{blocks: make(chan *fetched, aheadBlocks), room: semaphore.NewWeighted(aheadBytes)}
	go func() {
		f.err = caught(func() error { return f.run(ctx, x.src, next, &x.head, x.o.AtOnce) })
		close(f.blocks)
	}()
	return f
}

// wait waits until nothing is read any more; its context must have ended.
func (f *feed) wait() {
	for range f.blocks {
	}
}

func (f *feed) run(ctx context.Context, src explorer.Source, next ledger.Height, head *atomic.Uint64, most int) error {
	asked, width := asking{src: src, next: next}, newWindow(most)
	defer func() { asked.forget(next) }()
	for {
		asked.more(ctx, ledger.Height(head.Load()), width.now)
		b, alone, err := asked.first()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && alone:
			return ofSource(fmt.Errorf("read block %d: %w", next, err))
		case err != nil: // the source may have been asked for too much: it is asked for this alone
			width.failed()
			asked.forget(next)
			continue
		case b == nil:
			asked.forget(next)
			if err := f.idle(ctx, src, next, head); err != nil {
				return err
			}
			continue
		}
		if uint64(next) > head.Load() {
			head.Store(uint64(next))
		}
		got := &fetched{b, min(int64(b.SizeBytes)+1, aheadBytes)}
		width.came(got.weight)
		if err := f.room.Acquire(ctx, got.weight); err != nil {
			return err
		}
		select {
		case f.blocks <- got:
		case <-ctx.Done():
			return ctx.Err()
		}
		next++
		if uint64(next)%256 == 0 {
			if err := look(ctx, src, head); err != nil {
				return err
			}
		}
	}
}

// idle waits for the next block.
func (f *feed) idle(ctx context.Context, src explorer.Source, next ledger.Height, head *atomic.Uint64) error {
	if err := src.WaitHeight(ctx, next); err != nil {
		return ofSource(fmt.Errorf("wait for block %d: %w", next, err))
	}
	return look(ctx, src, head)
}

// look asks the source for its height.
func look(ctx context.Context, src explorer.Source, head *atomic.Uint64) error {
	height, err := src.Height(ctx)
	if err != nil {
		return ofSource(fmt.Errorf("ask the node for its height: %w", err))
	}
	head.Store(uint64(height))
	return nil
}

// ready is the next block, if it is there already.
func (f *feed) ready() *fetched {
	select {
	case b := <-f.blocks: // nil at the end, too
		return b
	default:
		return nil
	}
}

// more is b with what lies ready behind it, and all their events.
func (f *feed) more(b *fetched) (group []*fetched, events [][]ledger.Event) {
	for txs := 0; b != nil; {
		txs += len(b.block.Txs)
		group = append(group, b)
		events = append(events, b.block.Events)
		for i := range b.block.Results {
			events = append(events, b.block.Results[i].Events)
		}
		if len(group) == together || txs >= togetherTxs {
			break
		}
		b = f.ready()
	}
	return group, events
}

func (f *feed) release(b *fetched) { f.room.Release(b.weight) }
