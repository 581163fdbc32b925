package feed

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/ledger"
)

// racing is a chain that may grow just after it has been asked for its height.
type racing struct {
	*chain
	after  atomic.Pointer[func()] // run once, after the height was read
	waited atomic.Uint64          // the height last waited for
}

func (r *racing) Height() ledger.Height {
	top := r.chain.Height()
	if after := r.after.Swap(nil); after != nil {
		(*after)()
	}
	return top
}

func (r *racing) WaitHeight(ctx context.Context, height ledger.Height) error {
	r.waited.Store(uint64(height))
	return r.chain.WaitHeight(ctx, height)
}

// A reader that begins to wait while its block comes, and others have been woken for
// it, is not left asleep until the next one, which on an idle chain takes long.
func TestBlockThatComesWhileAReaderBeginsToWait(t *testing.T) {
	r := &racing{chain: newChain(5)}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	f := New(ctx, r)
	other := make(chan error, 1)
	go func() { other <- f.Wait(ctx, 100) }()
	waitingFor := func(height uint64) {
		for r.waited.Load() != height && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
	}
	waitingFor(6)
	grow := func() {
		r.grow()
		waitingFor(7)
	}
	r.after.Store(&grow)
	if err := f.Wait(ctx, 6); err != nil {
		t.Errorf("block 6 is there, and its reader sleeps: %v", err)
	}
	stop()
	<-other
}
