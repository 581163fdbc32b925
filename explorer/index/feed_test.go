package index

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/explorer/explorertest"
	"github.com/tallystick/tallystick/ledger"
)

// distant is a source whose answers take their time, so that later ones come first. Now
// and then it does not know a block that it has told of, as a node does not to which
// questions have moved.
type distant struct {
	explorer.Source

	mu     sync.Mutex
	asked  int // and not answered yet
	most   int // that asked has been
	lapses int
}

func (d *distant) Block(ctx context.Context, h ledger.Height) (*explorer.Block, error) {
	d.mu.Lock()
	d.asked++
	d.most = max(d.most, d.asked)
	lapse := rand.IntN(20) == 0
	if lapse {
		d.lapses++
	}
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.asked--
	}()
	time.Sleep(time.Duration(rand.Int64N(int64(4 * time.Millisecond))))
	if lapse {
		return nil, ctx.Err()
	}
	return d.Source.Block(ctx, h)
}

// Who is behind asks for several blocks at once, no more than it may, and has them in
// their order whenever they come.
func TestAsksAtOnce(t *testing.T) {
	chain := explorertest.New(t, 27)
	chain.Grow(120)
	want := single(t, chain)
	for _, atOnce := range []int{0, 1, 7} {
		db := explorertest.SQLite(t).Open(t)
		d := &distant{Source: chain.Source()}
		run(t, db, d, chain.Top(), Options{AtOnce: atOnce})
		if d.most != max(atOnce, 1) || d.asked != 0 {
			t.Errorf("of %d at once, %d were asked for, and %d wait for an answer after the end", atOnce, d.most, d.asked)
		}
		if d.lapses == 0 {
			t.Error("the source knew every block")
		}
		same(t, dump(t, db), want)
	}
}

// What lies ready is bounded, so large blocks are asked for one by one.
func TestAsksForLargeBlocksAlone(t *testing.T) {
	chain := explorertest.New(t, 28)
	chain.Grow(60)
	d := &distant{Source: heavy{chain.Source()}}
	run(t, explorertest.SQLite(t).Open(t), d, chain.Top(), Options{AtOnce: 8})
	if d.most != 1 {
		t.Errorf("%d large blocks were asked for at once", d.most)
	}
}

// heavy is a chain of blocks that are as large as they can be.
type heavy struct{ explorer.Source }

func (h heavy) Block(ctx context.Context, height ledger.Height) (*explorer.Block, error) {
	b, err := h.Source.Block(ctx, height)
	if b != nil {
		large := *b
		large.SizeBytes = aheadBytes
		b = &large
	}
	return b, err
}

// How far the index lags is known before the first block is there.
func TestKnowsTheHeadAtFirst(t *testing.T) {
	chain := explorertest.New(t, 29)
	chain.Grow(30)
	src := &asked{Source: silent{chain.Source()}, first: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	x := New(explorertest.SQLite(t).Open(t), src, Options{Reconcile: -1})
	ended := make(chan error, 1)
	go func() { ended <- x.Run(ctx) }()
	<-src.first
	if x.Head() != chain.Top() {
		t.Errorf("the chain has %d blocks, and the index knows of %d", chain.Top(), x.Head())
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

// silent is a source that never answers for a block.
type silent struct{ explorer.Source }

func (silent) Block(ctx context.Context, _ ledger.Height) (*explorer.Block, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
