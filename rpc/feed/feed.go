package feed

import (
	"container/list"
	"context"
	"fmt"
	"runtime"
	"sync"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Source is the chain as the feed reads it: a part of rpc.Backend. Methods may
// be called from many goroutines.
type Source interface {
	// Height is the highest height that can be read.
	Height() ledger.Height
	// WaitHeight waits until Height is at least height, or for ctx.
	WaitHeight(ctx context.Context, height ledger.Height) error
	// Done is what a block did; nil for a block that is not kept. Height 0 is
	// the genesis.
	Done(height ledger.Height) (*Done, error)
	// Block describes the block itself; nil where it is not kept.
	Block(height ledger.Height) (*wire.Block, error)
	// Member answers for an account, as it was after the block at height; zero
	// where none does.
	Member(height ledger.Height, account crypto.Address) (crypto.Address, error)
	// Seek is the first height from which on there may be something that filter
	// chooses: from itself where that is not known, and any height above Height
	// where there is nothing yet.
	Seek(filter *Filter, from ledger.Height) (ledger.Height, error)
}

// Feed gives a chain's blocks to many readers. Its methods may be called from
// many goroutines.
type Feed struct {
	source  Source
	ctx     context.Context // ends all waiting
	reading chan struct{}   // a place for each block being read that is not among the newest
	newest  chan struct{}   // a place for each of those, which wait for no older one
	looking chan struct{}   // a place for each reader that is far behind and looks at a block

	mu        sync.Mutex // guards what follows
	waiting   map[*waiter]struct{}
	following bool
	failure   error // of following
	kept      map[ledger.Height]*list.Element
	order     *list.List // of *entry, last used first
	weight    int
}

// Bounds of what is kept, and of what is done at once.
const (
	maxKept     = 128      // blocks
	maxWeight   = 64 << 20 // bytes, about; one block is kept however large
	wakenAtOnce = 8        // readers
)

// New returns a feed of source. Whatever waits ends with ctx.
func New(ctx context.Context, source Source) *Feed {
	some := max(1, runtime.GOMAXPROCS(0)/2)
	return &Feed{
		source: source, ctx: ctx,
		reading: make(chan struct{}, some), newest: make(chan struct{}, some), looking: make(chan struct{}, some),
		waiting: map[*waiter]struct{}{}, kept: map[ledger.Height]*list.Element{}, order: list.New(),
	}
}

// Height is the highest height that can be read.
func (f *Feed) Height() ledger.Height { return f.source.Height() }

// Waiting is how many readers have read everything up to a height and wait for more.
func (f *Feed) Waiting(height ledger.Height) (count int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for w := range f.waiting {
		if w.height > height {
			count++
		}
	}
	return count
}

// waiter waits for a height.
type waiter struct {
	height ledger.Height
	ready  chan struct{} // closed when it is there, or following has failed
}

// Wait waits for a height. It errs when ctx or the feed's own has ended, or the
// source has failed.
func (f *Feed) Wait(ctx context.Context, height ledger.Height) error {
	if f.source.Height() >= height {
		return nil
	}
	w := &waiter{height, make(chan struct{})}
	f.mu.Lock()
	if f.failure != nil {
		f.mu.Unlock()
		return f.failure
	}
	f.waiting[w] = struct{}{}
	// The block may have come since, and who had waited for it been woken.
	if f.source.Height() >= height {
		delete(f.waiting, w)
		f.mu.Unlock()
		return nil
	}
	if !f.following {
		f.following = true
		go f.follow()
	}
	f.mu.Unlock()
	defer f.forget(w)
	select {
	case <-w.ready:
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.failure
	case <-ctx.Done():
		return ctx.Err()
	case <-f.ctx.Done():
		return f.ctx.Err()
	}
}

func (f *Feed) forget(w *waiter) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.waiting, w)
}

// follow wakes who waits, for as long as somebody does.
func (f *Feed) follow() {
	seen := f.source.Height()
	for {
		f.wake(f.ready(seen))
		f.mu.Lock()
		if len(f.waiting) == 0 {
			f.following = false
			f.mu.Unlock()
			return
		}
		f.mu.Unlock()
		if err := f.source.WaitHeight(f.ctx, seen+1); err != nil {
			f.fail(err)
			return
		}
		seen = f.source.Height()
	}
}

// ready takes those out whose height is there.
func (f *Feed) ready(top ledger.Height) []*waiter {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []*waiter
	for w := range f.waiting {
		if w.height <= top {
			out = append(out, w)
			delete(f.waiting, w)
		}
	}
	return out
}

// wake lets a few readers run at a time: whatever else has become ready meanwhile,
// such as consensus, comes before the next few.
func (f *Feed) wake(ready []*waiter) {
	for i, w := range ready {
		if i%wakenAtOnce == wakenAtOnce-1 {
			runtime.Gosched()
		}
		close(w.ready)
	}
}

// fail ends all waiting.
func (f *Feed) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failure = err
	for w := range f.waiting {
		close(w.ready)
	}
	clear(f.waiting)
}

// entry is a block that is kept, or being read.
type entry struct {
	height ledger.Height
	ready  chan struct{} // closed when the rest is set
	block  *Block
	err    error
	weight int // guarded by Feed.mu
}

// Block returns the block at a height that is there. Errors: ErrNotKept, ctx's.
// Those who ask for the same block at the same time wait for one reading of it.
func (f *Feed) Block(ctx context.Context, height ledger.Height) (*Block, error) {
	f.mu.Lock()
	element := f.kept[height]
	if element == nil {
		element = f.order.PushFront(&entry{height: height, ready: make(chan struct{})})
		f.kept[height] = element
		go f.read(element)
	} else {
		f.order.MoveToFront(element)
	}
	f.mu.Unlock()
	e := element.Value.(*entry)
	select {
	case <-e.ready:
		return e.block, e.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// read fills an entry, and makes room for it.
func (f *Feed) read(element *list.Element) {
	e := element.Value.(*entry)
	places := f.reading
	if e.height+farBehind > f.source.Height() {
		places = f.newest
	}
	places <- struct{}{}
	done, err := f.source.Done(e.height)
	<-places
	switch {
	case err != nil:
		e.err = fmt.Errorf("block %d: %w", e.height, err)
	case done == nil:
		e.err = fmt.Errorf("block %d: %w", e.height, ErrNotKept)
	default:
		e.block = newBlock(f.source, done)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	defer close(e.ready)
	if e.err != nil {
		f.drop(element)
		return
	}
	e.weight = e.block.weight()
	f.weight += e.weight
	for f.order.Len() > maxKept || f.weight > maxWeight {
		oldest := f.oldest(element)
		if oldest == nil {
			break
		}
		f.drop(oldest)
	}
}

// oldest is what was used least recently and has been read, but for one.
func (f *Feed) oldest(but *list.Element) *list.Element {
	for e := f.order.Back(); e != nil; e = e.Prev() {
		if e != but && e.Value.(*entry).weight > 0 {
			return e
		}
	}
	return nil
}

func (f *Feed) drop(element *list.Element) {
	e := f.order.Remove(element).(*entry)
	delete(f.kept, e.height)
	f.weight -= e.weight
}
