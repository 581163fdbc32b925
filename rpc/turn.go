package rpc

import (
	"context"
	"runtime"
	"sync/atomic"
)

// Admitting a transaction keeps a processor busy for some tens of microseconds,
// and a client may send any number. So few are admitted at a time, on half of the
// processors or the only one, and consensus does not stand behind all that could run.
// Until its turn has come no further message is read from a WebSocket: connections
// take turns, and a client that sends too much finds that it cannot send.

// turn is a call's turn to be admitted.
type turn struct {
	places gate
	over   atomic.Bool
}

// leave ends the turn; again, or of no turn, is harmless.
func (t *turn) leave() {
	if t != nil && !t.over.Swap(true) {
		t.places.leave()
	}
}

type turnKey struct{}

// in is ctx with the turn.
func (t *turn) in(ctx context.Context) context.Context {
	if t == nil {
		return ctx
	}
	return context.WithValue(ctx, turnKey{}, t)
}

// hasTurn reports whether ctx carries a turn.
func hasTurn(ctx context.Context) bool { return ctx.Value(turnKey{}) != nil }

// admittedAtOnce is how many transactions of clients are admitted at a time.
func admittedAtOnce() int { return max(1, runtime.GOMAXPROCS(0)/2) }

// awaitTurn waits for a turn; nil if ctx ended.
func (s *Server) awaitTurn(ctx context.Context) *turn {
	select {
	case s.admitting.slots <- struct{}{}:
		return &turn{places: s.admitting}
	case <-ctx.Done():
		return nil
	}
}

// turnOf is the turn that ctx carries, or else a new one; nil if ctx ended.
func (s *Server) turnOf(ctx context.Context) *turn {
	if t, ok := ctx.Value(turnKey{}).(*turn); ok && !t.over.Load() {
		return t
	}
	return s.awaitTurn(ctx)
}
