package rpc

import (
	"context"
	"errors"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/feed"
	"github.com/tallystick/tallystick/rpc/wire"
)

// fresh is a node that reads each block from its disk: two readings share nothing.
type fresh struct{ *memory }

func (f fresh) Done(height ledger.Height) (*Done, error) {
	done, err := f.memory.Done(height)
	if err != nil || done == nil {
		return done, err
	}
	copied := *done
	copied.Receipts = nil
	for _, r := range done.Receipts {
		for range 20 {
			again := *r
			again.Events = append([]wire.Event{}, r.Events...)
			copied.Receipts = append(copied.Receipts, &again)
		}
	}
	return &copied, nil
}

// unread opens a WebSocket whose peer takes as little as it can.
func unread(t testing.TB, h *harness) *websocket.Conn {
	t.Helper()
	c := dial(t, h)
	if tcp, ok := c.NetConn().(*net.TCPConn); ok {
		if err := tcp.SetReadBuffer(4 << 10); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// Subscriptions that wait for a peer that takes nothing hold no blocks, however many
// they are and wherever they stand.
func TestSubscriptionsThatWaitForTheirPeerHoldNoBlocks(t *testing.T) {
	h := newHarness(t, Options{})
	const count = 100
	h.feed = feed.New(t.Context(), feedSource{fresh{h.node}})
	h.slowness(func(s *slowness) { s.write = time.Hour })
	c := unread(t, h)
	for i := range uint64(count) {
		say(t, c, request("ledger_subscribe", "receipts", wire.SubscribeOptions{Cursor: &wire.Cursor{Height: i + 1, Index: wire.IndexBlockBegin}}))
	}
	for range 2 * count { // an answer and a first notice for each
		hear(t, c)
	}
	release := h.node.holdDone() // so that all have begun when the first has something to tell
	for h.block(t, manyLegs(h, 0)); h.node.Height() < 2*count; {
		h.node.repeatBlock()
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	release()
	// All but the one that writes have what they write next.
	writers := func() int32 {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, c := range h.conns {
			return c.writers.Load()
		}
		return 0
	}
	eventually(t, "all have something to write", func() bool { return writers() >= count-1 })
	runtime.GC()
	runtime.ReadMemStats(&after)
	grown := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) >> 20
	t.Logf("the heap grew by %d MiB", grown)
	if grown > 200 {
		t.Errorf("%d subscriptions that wait hold %d MiB", count, grown)
	}
}

// To unsubscribe where the peer takes nothing keeps no place that other calls need.
func TestUnsubscribingHoldsNoPlace(t *testing.T) {
	h := newHarness(t, Options{MaxConcurrent: 2})
	h.slowness(func(s *slowness) { s.write = time.Hour })
	for h.block(t, manyLegs(h, 0)); h.node.Height() < 500; {
		h.node.repeatBlock()
	}
	c := unread(t, h)
	say(t, c, request("ledger_subscribe", "receipts", wire.SubscribeOptions{Cursor: &wire.Cursor{Height: 0, Index: wire.IndexBlockBegin}}))
	id := strings.Split(string(hear(t, c)), `"`)[9]
	told := func() float64 { return counted(t, h.metrics.notices.WithLabelValues("receipts")) }
	eventually(t, "the subscription stands", func() bool {
		before := told()
		time.Sleep(time.Second) // the next notice is made in a few milliseconds
		return before > 0 && told() == before
	})
	for range 10 {
		say(t, c, request("ledger_unsubscribe", id))
	}
	eventually(t, "it is ending", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, c := range h.conns {
			if s := c.follows.named(id); s != nil && s.ctx.Err() != nil && len(c.inFlight) == 10 {
				return true
			}
		}
		return false
	})
	if answer := h.post(request("ledger_status")).Body.String(); !strings.Contains(answer, `"result"`) {
		t.Errorf("another client's call: %s", answer)
	}
}

// A subscription that crashes ends its WebSocket, and nothing else.
func TestSubscriptionThatCrashes(t *testing.T) {
	h := newHarness(t, Options{})
	c := dial(t, h)
	say(t, c, request("eth_chainId"))
	hear(t, c)
	h.mu.Lock()
	var conn *wsConn
	for _, conn = range h.conns {
	}
	h.mu.Unlock()
	call := &followCall{conn: conn}
	_, err := h.subscribe(context.WithValue(t.Context(), followKey{}, call), following{
		kind: followLogs, method: "eth_subscription",
		run: func(context.Context, func([]byte, bool) error) error { panic("a bug") },
	})
	if err != nil {
		t.Fatal(err)
	}
	close(call.made.begin)
	_, _, err = c.ReadMessage()
	var closed *websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != websocket.CloseInternalServerErr {
		t.Errorf("the connection ended with %v", err)
	}
	eventually(t, "it is over", func() bool { return h.subscribed.used() == 0 })
	if got := counted(t, h.metrics.ended.WithLabelValues(kindInternal.plain().data.Name)); got != 1 {
		t.Errorf("%v ended by a failure", got)
	}
}
