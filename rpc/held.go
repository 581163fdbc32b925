package rpc

import (
	"context"
	"sync/atomic"
)

// Answers stay in memory until their clients have taken them, which a client can put
// off for as long as writeTimeout. What all of them may take together is bounded,
// however many connections there are.
const (
	// maxHeldBytes is how many bytes of results may wait to be sent. Writing them takes
	// up to three times as much.
	maxHeldBytes = 256 << 20
	// neverHeld is the length up to which a result is made whatever waits: the
	// balances, headers, hashes and receipts of one transfer that wallets live on.
	neverHeld = 4 << 10
)

// held counts the bytes of results that one request holds.
type held struct {
	all *atomic.Int64 // of the server
	own atomic.Int64
}

type heldKey struct{}

// holding begins to count for a request. Call release once its answer has gone out.
func (s *Server) holding(ctx context.Context) (counted context.Context, release func()) {
	h := &held{all: &s.held}
	return context.WithValue(ctx, heldKey{}, h), func() { h.all.Add(-h.own.Load()) }
}

// mayHold counts a result of so many bytes; false when too much is held already.
// What has come by no counted request counts when it is written.
func mayHold(ctx context.Context, bytes int) bool {
	h, _ := ctx.Value(heldKey{}).(*held)
	if h == nil {
		return true
	}
	n := int64(bytes)
	if h.all.Add(n) > maxHeldBytes && n > neverHeld {
		h.all.Add(-n)
		return false
	}
	h.own.Add(n)
	return true
}
