package index

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/explorer/explorertest"
	"github.com/tallystick/tallystick/ledger"
)

// distant is a source whose answers take their time, so that later ones come first. It
// does not know each twentieth block when it is first asked for it, as a node does not to
// which questions have moved, and answers no more than so many questions at once.
type distant struct {
	explorer.Source
	answers int

	mu      sync.Mutex
	asked   int // and not answered yet
	most    int // that asked has been
	refused int
	lapses  map[ledger.Height]bool
}

func (d *distant) Block(ctx context.Context, h ledger.Height) (*explorer.Block, error) {
	d.mu.Lock()
	d.asked++
	d.most = max(d.most, d.asked)
	lapse := h%20 == 7 && !d.lapses[h]
	d.lapses[h] = true
	refused := d.asked > d.answers
	if refused {
		d.refused++
	}
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.asked--
	}()
	if refused {
		return nil, errors.New("too many questions")
	}
	time.Sleep(time.Duration(rand.Int64N(int64(4 * time.Millisecond))))
	if lapse {
		return nil, ctx.Err()
	}
	return d.Source.Block(ctx, h)
}

func newDistant(src explorer.Source, answers int) *distant {
	return &distant{Source: src, answers: answers, lapses: map[ledger.Height]bool{}}
}

// Who is behind asks for several blocks at once, no more than it may, and has them in
// their order whenever they come.
func TestAsksAtOnce(t *testing.T) {
	chain := explorertest.New(t, 27)
	chain.Grow(120)
	want := single(t, chain)
	for _, atOnce := range []int{0, 1, 7} {
		db := explorertest.SQLite(t).Open(t)
		d := newDistant(chain.Source(), 100)
		run(t, db, d, chain.Top(), Options{AtOnce: atOnce})
		if d.most > max(atOnce, 1) || d.most < min(atOnce, 2) || d.asked != 0 {
			t.Errorf("of %d at once, %d were asked for, and %d wait for an answer after the end", atOnce, d.most, d.asked)
		}
		same(t, dump(t, db), want)
	}
}

// A source that does not bear so many questions is asked for less, and nothing fails
// for it; one that answers none fails.
func TestAsksForLess(t *testing.T) {
	chain := explorertest.New(t, 30)
	chain.Grow(200)
	want := single(t, chain)
	for _, answers := range []int{1, 3} {
		db := explorertest.SQLite(t).Open(t)
		d := newDistant(chain.Source(), answers)
		run(t, db, d, chain.Top(), Options{AtOnce: 8})
		if d.refused == 0 || d.refused > 60 {
			t.Errorf("of %d that it answers at once, it refused %d", answers, d.refused)
		}
		same(t, dump(t, db), want)
	}
	x := New(explorertest.SQLite(t).Open(t), newDistant(chain.Source(), 0), Options{AtOnce: 8, Fatal: true, Reconcile: -1})
	if err := x.Run(t.Context()); err == nil || x.Problem() != "no node answers" {
		t.Errorf("%v, and readers are told %q", err, x.Problem())
	}
}

// How many blocks are asked for goes by how large they are, and by what came of it.
func TestWindow(t *testing.T) {
	w := newWindow(8)
	came := func(n int, weight int64, want int) {
		t.Helper()
		for range n {
			w.came(weight)
		}
		if w.now != want {
			t.Fatalf("after %d of %d bytes: %d, want %d", n, weight, w.now, want)
		}
	}
	came(3, 700, 1)
	came(1, 700, 2)
	came(27*4, 700, 8)
	came(1, askedBytes/3, 3)
	came(100, askedBytes/3, 3)
	came(1, aheadBytes, 1)
	came(100, aheadBytes, 1)
	came(4, askedBytes/8, 2)
	came(4, askedBytes/8, 3)
	w.failed()
	came(7, 700, 1)
	came(1, 700, 2)
	for range 100 {
		w.failed()
	}
	came(opensLast-1, 700, 1)
	came(1, 700, 2)
}

// What lies ready is bounded, so large blocks are asked for one by one.
func TestAsksForLargeBlocksAlone(t *testing.T) {
	chain := explorertest.New(t, 28)
	chain.Grow(60)
	d := newDistant(heavy{chain.Source()}, 100)
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
