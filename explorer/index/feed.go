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

func (f *feed) run(ctx context.Context, src explorer.Source, next ledger.Height, head *atomic.Uint64, atOnce int) error {
	asked := asking{src: src, next: next}
	defer asked.wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	large := int64(aheadBytes) // until a block has come
	for {
		asked.more(ctx, ledger.Height(head.Load()), min(atOnce, int(aheadBytes/large)))
		b, err := asked.first()
		if err != nil {
			return ofSource(fmt.Errorf("read block %d: %w", next, err))
		}
		if b == nil {
			asked.wait()
			asked.next = next
			if err := f.idle(ctx, src, next, head); err != nil {
				return err
			}
			continue
		}
		if uint64(next) > head.Load() {
			head.Store(uint64(next))
		}
		got := &fetched{b, min(int64(b.SizeBytes)+1, aheadBytes)}
		large = max(got.weight, large/2)
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
			if err := f.look(ctx, src, head); err != nil {
				return err
			}
		}
	}
}

// asking are questions for blocks that are on their way, in order: a distant node
// answers as many in the time of one.
type asking struct {
	src  explorer.Source
	next ledger.Height // to ask for
	way  []chan answered
}

type answered struct {
	block *explorer.Block
	err   error
}

// more asks for blocks up to head, until width of them are on their way, and for one
// in any case.
func (a *asking) more(ctx context.Context, head ledger.Height, width int) {
	for len(a.way) == 0 || len(a.way) < width && a.next <= head {
		answer, height := make(chan answered, 1), a.next
		go func() {
			var got answered
			got.err = caught(func() (err error) {
				got.block, err = a.src.Block(ctx, height)
				return err
			})
			answer <- got
		}()
		a.way = append(a.way, answer)
		a.next++
	}
}

// first waits for the answer to the first question.
func (a *asking) first() (*explorer.Block, error) {
	got := <-a.way[0]
	a.way = a.way[1:]
	return got.block, got.err
}

// wait waits for all the answers, and forgets them.
func (a *asking) wait() {
	for len(a.way) > 0 {
		_, _ = a.first()
	}
}

// idle waits for the next block.
func (f *feed) idle(ctx context.Context, src explorer.Source, next ledger.Height, head *atomic.Uint64) error {
	if err := src.WaitHeight(ctx, next); err != nil {
		return ofSource(fmt.Errorf("wait for block %d: %w", next, err))
	}
	return f.look(ctx, src, head)
}

func (f *feed) look(ctx context.Context, src explorer.Source, head *atomic.Uint64) error {
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
