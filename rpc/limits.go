package rpc

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// gate lets a fixed number in at the same time.
type gate struct {
	slots  chan struct{}
	queued *atomic.Int64
}

func newGate(size int) gate {
	return gate{make(chan struct{}, size), new(atomic.Int64)}
}

// try takes a place if one is free.
func (g gate) try() bool {
	select {
	case g.slots <- struct{}{}:
		return true
	default:
		return false
	}
}

// wait takes a place, for which it waits up to d. At most four times as many
// wait as fit in. It is false when there was none, or ctx ended.
func (g gate) wait(ctx context.Context, d time.Duration) bool {
	if g.try() {
		return true
	}
	if g.queued.Add(1) > int64(4*cap(g.slots)) {
		g.queued.Add(-1)
		return false
	}
	defer g.queued.Add(-1)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case g.slots <- struct{}{}:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// leave gives the place back.
func (g gate) leave() { <-g.slots }

// used counts the places taken.
func (g gate) used() int { return len(g.slots) }

// tracker counts what is in progress, so that the end can be awaited.
type tracker struct {
	mu     sync.Mutex // guards the rest
	count  int
	closed bool
	idle   chan struct{} // made by close; closed when closed and nothing is in progress
}

// begin counts one more, unless the tracker is closed.
func (t *tracker) begin() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.count++
	return true
}

// end counts one less.
func (t *tracker) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count--
	if t.closed && t.count == 0 {
		close(t.idle)
	}
}

// close lets nothing more begin, and returns what is closed once the last has
// ended.
func (t *tracker) close() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.closed, t.idle = true, make(chan struct{})
		if t.count == 0 {
			close(t.idle)
		}
	}
	return t.idle
}
