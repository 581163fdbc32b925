package feed

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// chain is a source whose blocks each have as many receipts as their height says.
type chain struct {
	mu      sync.Mutex // guards what follows
	top     ledger.Height
	changed chan struct{}
	gone    map[ledger.Height]bool
	fail    error

	reads atomic.Int64
	hold  sync.RWMutex // keeps Done from answering
}

func newChain(top ledger.Height) *chain {
	return &chain{top: top, changed: make(chan struct{}), gone: map[ledger.Height]bool{}}
}

func (c *chain) grow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.top++
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *chain) Height() ledger.Height {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.top
}

func (c *chain) WaitHeight(ctx context.Context, height ledger.Height) error {
	for {
		c.mu.Lock()
		top, changed, fail := c.top, c.changed, c.fail
		c.mu.Unlock()
		if fail != nil || top >= height {
			return fail
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *chain) Done(height ledger.Height) (*Done, error) {
	c.hold.RLock()
	defer c.hold.RUnlock()
	c.reads.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone[height] || c.fail != nil {
		return nil, c.fail
	}
	done := &Done{Height: height}
	for i := range uint32(height) {
		done.Receipts = append(done.Receipts, &wire.Receipt{Height: uint64(height), Index: i})
	}
	return done, nil
}

func (c *chain) Block(height ledger.Height) (*wire.Block, error) {
	return &wire.Block{Height: uint64(height)}, nil
}

func (c *chain) Member(ledger.Height, crypto.Address) (crypto.Address, error) {
	return crypto.Address{}, errors.New("no members here")
}

func everything(b *Block, after int64) ([]Item, error) { return b.Notices(new(Filter), after) }

// Many readers at different places each see the whole rest, whether it was there
// or comes while they wait, and a block is read once for all of them.
func TestReadersSeeEverythingOnce(t *testing.T) {
	c := newChain(5)
	f := New(t.Context(), c)
	const last = 30
	var wait sync.WaitGroup
	problems := make(chan error, 100)
	for i := range 100 {
		begin := wire.Cursor{Height: uint64(i % 9), Index: int64(i%7) - 2}
		wait.Go(func() { problems <- readAll(t.Context(), f, begin, last) })
	}
	for c.Height() < last {
		c.grow()
	}
	wait.Wait()
	for range 100 {
		if err := <-problems; err != nil {
			t.Error(err)
		}
	}
	if reads := c.reads.Load(); reads > last+1 {
		t.Errorf("%d reads of %d blocks", reads, last)
	}
	if len(f.waiting) != 0 {
		t.Errorf("%d are still waiting", len(f.waiting))
	}
}

func readAll(ctx context.Context, f *Feed, behind wire.Cursor, last ledger.Height) error {
	r := f.Read(everything, behind)
	want := behind
	for {
		items, end, err := r.Next(ctx)
		if err != nil {
			return err
		}
		for _, item := range items {
			for want.Index++; want.Index < 0 || want.Index >= int64(want.Height); want.Index++ {
				if want.Index >= int64(want.Height) {
					want = wire.Cursor{Height: want.Height + 1, Index: -1}
				}
			}
			if item.Cursor != want {
				return fmt.Errorf("from %v: got %v, want %v", behind, item.Cursor, want)
			}
		}
		if end.Height == uint64(last) {
			if end.Index != int64(last)-1 {
				return fmt.Errorf("ended at %v", end)
			}
			return nil
		}
	}
}

// What is kept is bounded, and what is not kept is read again.
func TestKeptBlocksAreBounded(t *testing.T) {
	c := newChain(maxKept + 50)
	f := New(t.Context(), c)
	for height := range c.Height() + 1 {
		if _, err := f.Block(t.Context(), height); err != nil {
			t.Fatal(err)
		}
	}
	if f.order.Len() > maxKept || len(f.kept) != f.order.Len() || f.weight > maxWeight {
		t.Errorf("%d blocks kept, %d in the table, weight %d", f.order.Len(), len(f.kept), f.weight)
	}
	before := c.reads.Load()
	for range 3 {
		if b, err := f.Block(t.Context(), c.Height()); err != nil || b.Height != c.Height() {
			t.Fatal(err)
		}
	}
	if _, err := f.Block(t.Context(), 3); err != nil || c.reads.Load() != before+1 {
		t.Errorf("%v, %d reads", err, c.reads.Load()-before)
	}
	c.top = 40_000 // one block that is larger than all that may be kept
	if _, err := f.Block(t.Context(), c.top); err != nil || f.order.Len() != 1 {
		t.Errorf("%v, %d blocks kept beside a huge one", err, f.order.Len())
	}
}

func TestBlocksThatAreGoneOrFail(t *testing.T) {
	c := newChain(5)
	c.gone[2] = true
	f := New(t.Context(), c)
	if _, _, err := f.Read(everything, wire.Cursor{Height: 2, Index: 0}).Next(t.Context()); !errors.Is(err, ErrNotKept) {
		t.Errorf("a block that is gone: %v", err)
	}
	member := crypto.Address{1}
	block, err := f.Block(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := block.Notices(&Filter{Member: &member}, -2); err == nil {
		t.Error("members cannot be read, and nobody says so")
	}
	c.fail = errors.New("the disk is gone")
	if _, err := f.Block(t.Context(), 4); !errors.Is(err, c.fail) {
		t.Errorf("a failing source: %v", err)
	}
	if err := f.Wait(t.Context(), 6); !errors.Is(err, c.fail) {
		t.Errorf("waiting on a failing source: %v", err)
	}
	if err := f.Wait(t.Context(), 6); !errors.Is(err, c.fail) {
		t.Errorf("waiting again: %v", err)
	}
	if err := f.Wait(t.Context(), 5); err != nil {
		t.Errorf("waiting for what is there: %v", err)
	}
}

// Who stops waiting leaves nothing behind, and the end of the feed ends all.
func TestWaitingEnds(t *testing.T) {
	c := newChain(5)
	ctx, stop := context.WithCancel(t.Context())
	f := New(ctx, c)
	own, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Wait(own, 6); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if len(f.waiting) != 0 {
		t.Error("it is still waiting")
	}
	c.hold.Lock()
	if _, err := f.Block(own, 5); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	c.hold.Unlock()
	ended := make(chan error)
	go func() { ended <- f.Wait(t.Context(), 100) }()
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func (c *chain) Seek(_ *Filter, from ledger.Height) (ledger.Height, error) { return from, nil }
