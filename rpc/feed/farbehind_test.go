package feed

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// stuck is a chain whose old blocks are slow to be read, and whose members are
// slow to be found.
type stuck struct {
	*chain
	release chan struct{}
	asked   atomic.Int64 // members being looked for
	most    atomic.Int64 // of them at once
}

func (s *stuck) Done(height ledger.Height) (*Done, error) {
	if height+farBehind < s.Height() {
		<-s.release
	}
	return s.chain.Done(height)
}

func (s *stuck) Member(ledger.Height, crypto.Address) (crypto.Address, error) {
	defer s.asked.Add(-1)
	if n := s.asked.Add(1); n > s.most.Load() {
		s.most.Store(n)
	}
	time.Sleep(time.Millisecond) // long enough for others to come in, if they may
	return crypto.Address{}, nil
}

// Whoever reads the past, in whatever numbers, does not stand before those who
// follow the newest block.
func TestNewestBlockWaitsForNoOldOne(t *testing.T) {
	s := &stuck{chain: newChain(1000), release: make(chan struct{})}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	f := New(ctx, s)
	var wait sync.WaitGroup
	for i := range uint64(200) {
		wait.Go(func() { _, _, _ = f.Read(everything, wire.Cursor{Height: i, Index: wire.IndexBlockBegin}).Next(ctx) })
		wait.Go(func() { _, _ = f.Block(ctx, ledger.Height(200+i)) })
	}
	for len(f.reading) < cap(f.reading) && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	if _, end, err := f.Read(everything, wire.Cursor{Height: 1000, Index: wire.IndexBlockBegin}).Next(ctx); err != nil || end.Height != 1000 {
		t.Errorf("the newest block: %v, %v", end, err)
	}
	close(s.release)
	wait.Wait()
}

// However many ask for a member from far back, few look through blocks at once.
func TestFewLookThroughThePastAtOnce(t *testing.T) {
	s := &stuck{chain: newChain(300), release: make(chan struct{})}
	close(s.release)
	f := New(t.Context(), s)
	var wait sync.WaitGroup
	for i := range uint64(100) {
		wait.Go(func() {
			r := f.ReadNotices(&Filter{Member: &crypto.Address{1}}, wire.Cursor{Height: i, Index: wire.IndexBlockBegin})
			for range 3 {
				if _, _, err := r.Next(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if most := int(s.most.Load()); most == 0 || most > cap(f.looking) {
		t.Errorf("%d looked at once, at most %d may", most, cap(f.looking))
	}
}

// What was returned is returned again, whether or not more of the block was.
func TestReaderGoesBack(t *testing.T) {
	f := New(t.Context(), newChain(5))
	r := f.Read(everything, wire.Cursor{Height: 3, Index: wire.IndexBlockBegin})
	items, _, err := r.Next(t.Context())
	if err != nil || len(items) != 3 {
		t.Fatal(len(items), err)
	}
	if _, _, err := r.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.Return(items[0].Cursor)
	items, end, err := r.Next(t.Context())
	if err != nil || len(items) != 2 || items[0].Cursor != (wire.Cursor{Height: 3, Index: 1}) || end != (wire.Cursor{Height: 3, Index: 2}) {
		t.Errorf("%v, %v, %v", items, end, err)
	}
}
