package index

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/explorer/explorertest"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
)

// crashing is a source whose calls panic as often as it is told.
type crashing struct {
	explorer.Source
	blocks, proofs atomic.Int64
	proven         chan struct{} // gets something once a proof has panicked
}

func (c *crashing) Block(ctx context.Context, h ledger.Height) (*explorer.Block, error) {
	if h > 3 && c.blocks.Add(-1) >= 0 {
		panic("a block that nobody thought of")
	}
	return c.Source.Block(ctx, h)
}

func (c *crashing) Proof(context.Context, []byte) (*explorer.Proof, error) {
	if c.proofs.Add(-1) == 0 {
		close(c.proven)
	}
	panic("a proof that nobody thought of")
}

// A panic in any of the index's goroutines is an error of the index, which begins
// again: where it is part of a node, the node goes on.
func TestPanicsStayInside(t *testing.T) {
	chain := explorertest.New(t, 9)
	chain.Grow(20)
	explorertest.Each(t, func(t *testing.T, d explorertest.Database) {
		src := &crashing{Source: chain.Source(), proven: make(chan struct{})}
		src.blocks.Store(2)
		src.proofs.Store(2)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		db := d.Open(t)
		x := New(db, src, Options{Retry: time.Millisecond, Reconcile: 10 * time.Millisecond})
		ended := make(chan error, 1)
		go func() { ended <- x.Run(ctx) }()
		waiting, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		if err := db.Wait(waiting, chain.Top()); err != nil {
			t.Fatal(err, x.Err())
		}
		select {
		case <-src.proven:
		case <-waiting.Done():
			t.Fatal("nothing was compared a second time after the comparison had panicked")
		}
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	})
}

// A row that is damaged is an error, and not the end of the process.
func TestDamagedRow(t *testing.T) {
	chain := explorertest.New(t, 10)
	chain.Grow(20)
	explorertest.Each(t, func(t *testing.T, d explorertest.Database) {
		db := d.Open(t)
		run(t, db, chain.Source(), chain.Top(), Options{})
		w, err := db.Writer(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := w.Exec(t.Context(), "UPDATE movements SET asset = ? WHERE position = (SELECT max(position) FROM movements)", []byte{1}); err != nil {
			t.Fatal(err)
		}
		if err := w.CommitAside(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		from := ledger.Height(2)
		err = New(db, chain.Source(), Options{Fatal: true, Reconcile: -1, From: &from}).Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), "a fault of the explorer") {
			t.Fatalf("the index says %v", err)
		}
	})
}

// failing is a source that fails until it is told otherwise.
type failing struct {
	explorer.Source
	over atomic.Bool
}

func (f *failing) Block(ctx context.Context, h ledger.Height) (*explorer.Block, error) {
	if h > 3 && !f.over.Load() {
		return nil, errors.New("not now")
	}
	return f.Source.Block(ctx, h)
}

// An index that was the writer waits for whoever has become it meanwhile, such as its
// own connection to PostgreSQL, which that has not yet noticed to be broken.
func TestWaitsForItsTurn(t *testing.T) {
	chain := explorertest.New(t, 11)
	chain.Grow(20)
	explorertest.Each(t, func(t *testing.T, d explorertest.Database) {
		src := &failing{Source: chain.Source()}
		db, other := d.Open(t), d.Open(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		x := New(db, src, Options{Retry: time.Millisecond, Reconcile: -1})
		ended := make(chan error, 1)
		go func() { ended <- x.Run(ctx) }()
		if err := db.Wait(ctx, 3); err != nil {
			t.Fatal(err)
		}
		w, err := other.Writer(ctx)
		for errors.Is(err, store.ErrBusy) {
			w, err = other.Writer(ctx)
		}
		if err != nil {
			t.Fatal(err)
		}
		src.over.Store(true)
		for !errors.Is(x.Err(), store.ErrBusy) {
			select {
			case err := <-ended:
				t.Fatal("the index has ended: ", err)
			case <-time.After(time.Millisecond):
			}
		}
		if says := x.Problem(); says != "another program writes its database" {
			t.Errorf("it says that %q", says)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := db.Wait(ctx, chain.Top()); err != nil {
			t.Fatal(err, x.Err())
		}
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	})
}

// While there is no room nothing is written, which the index says; then it goes on.
func TestWaitsForRoom(t *testing.T) {
	chain := explorertest.New(t, 12)
	chain.Grow(20)
	explorertest.Each(t, func(t *testing.T, d explorertest.Database) {
		db := d.Open(t)
		full := errors.New("the disk is nearly full")
		var room atomic.Bool
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		x := New(db, chain.Source(), Options{Retry: time.Millisecond, Reconcile: -1, Room: func() error {
			if room.Load() {
				return nil
			}
			return full
		}})
		ended := make(chan error, 1)
		go func() { ended <- x.Run(ctx) }()
		for !errors.Is(x.Err(), full) {
			time.Sleep(time.Millisecond)
			if ctx.Err() != nil {
				t.Fatal("the index does not say that there is no room")
			}
		}
		if says := x.Problem(); says != "its disk is nearly full" {
			t.Errorf("it says that %q", says)
		}
		if _, ok := db.Height(); ok {
			t.Fatal("something was written")
		}
		room.Store(true)
		if err := db.Wait(ctx, chain.Top()); err != nil {
			t.Fatal(err, x.Err())
		}
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	})
}
