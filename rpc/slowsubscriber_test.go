package rpc

import (
	"encoding/json"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// A subscription that was at the newest block and falls behind is ended with its
// cursor, and going on from there misses nothing.
func TestLaggingSubscriptionIsEndedWithItsCursor(t *testing.T) {
	h := newHarness(t, Options{})
	h.slowness(func(s *slowness) { s.behind = 5 })
	l := listen(t, h, "newBlocks", nil)
	l.next()
	h.block(t)
	if n := l.next(); n.Block == nil {
		t.Fatalf("%+v", n)
	}
	release := h.node.holdDone() // the subscription waits for a block that is slow to be read
	for range 20 {
		h.block(t)
	}
	release()
	seen := uint64(1)
	var n wire.Notice
	for n = l.next(); n.Error == nil; n = l.next() {
		seen = n.Block.Height
	}
	if n.Error.Data.Name != "lagging" || n.Error.Code != wire.CodeUnavailable || n.Cursor.Height != seen {
		t.Fatalf("%+v after %d", n, seen)
	}
	eventually(t, "it is over", func() bool { return h.subscribed.used() == 0 })
	l.subscribe("newBlocks", wire.SubscribeOptions{Cursor: &n.Cursor})
	for l.next(); seen < 21; seen++ {
		if n := l.next(); n.Block == nil || n.Block.Height != seen+1 {
			t.Fatalf("after %d: %+v", seen, n)
		}
	}
	if got := counted(t, h.metrics.ended.WithLabelValues("lagging")); got != 1 {
		t.Errorf("%v lagging", got)
	}
}

// A peer that takes nothing is cut off. Until then, however much there is to be
// told, the node holds no more for it than the message that it writes.
func TestSubscriberThatNeverReadsIsDropped(t *testing.T) {
	h := newHarness(t, Options{})
	h.slowness(func(s *slowness) { s.write = 300 * time.Millisecond; s.behind = 1 << 40 })
	var blocks int
	for h.block(t, manyLegs(h, 0)); blocks < 2000; blocks++ {
		h.node.repeatBlock() // each has about 100 KiB of JSON
	}
	c := dial(t, h)
	if tcp, ok := c.NetConn().(*net.TCPConn); ok {
		if err := tcp.SetReadBuffer(4 << 10); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	say(t, c, request("ledger_subscribe", "receipts", wire.SubscribeOptions{Cursor: &wire.Cursor{Height: 0, Index: wire.IndexBlockBegin}}))
	eventually(t, "it is cut off", func() bool {
		return counted(t, h.metrics.ended.WithLabelValues("blocked")) == 1 && h.sockets.used() == 0
	})
	runtime.GC()
	runtime.ReadMemStats(&after)
	told := counted(t, h.metrics.notices.WithLabelValues("receipts"))
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 100<<20 {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
	if told >= 2000 {
		t.Errorf("all %v notices were sent to who reads none", told)
	}
	t.Logf("cut off after %v notices, the heap grew by %d KiB", told, (int64(after.HeapAlloc)-int64(before.HeapAlloc))>>10)
}

// manyLegs is a payment of many legs.
func manyLegs(h *harness, nonce ledger.Nonce) ledger.Body {
	op := &ledger.Transfer{}
	for range 400 {
		op.Legs = append(op.Legs, ledger.Leg{From: alice, To: bob, Asset: h.node.net.Settlement, Amount: ledger.NewAmount(1), Reference: "leg"})
	}
	return ledger.Body{Sender: alice, Nonce: nonce, Op: op}
}

// A thousand subscribers get everything, each what it asked for.
func TestThousandSubscribers(t *testing.T) {
	count, blocks := 1000, 20
	if testing.Short() {
		count, blocks = 200, 10
	}
	h := newHarness(t, Options{})
	url := "ws" + strings.TrimPrefix(listening(t, h).URL, "http")
	var wait sync.WaitGroup
	failures := make(chan error, count)
	for i := range count {
		c, _, err := websocket.DefaultDialer.Dial(url, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		kind := []string{"newBlocks", "receipts"}[i%2]
		say(t, c, request("ledger_subscribe", kind))
		hear(t, c)
		wait.Go(func() { failures <- hearBlocks(c, kind, blocks) })
	}
	for i := range blocks {
		h.block(t, h.payment(uint64(2*i), 1), h.payment(uint64(2*i+1), 1))
	}
	wait.Wait()
	for range count {
		if err := <-failures; err != nil {
			t.Error(err)
		}
	}
}

// hearBlocks reads until a height, and finds that everything came in order.
func hearBlocks(c *websocket.Conn, kind string, last int) error {
	var seen wire.Cursor
	for first := true; ; first = false {
		if err := c.SetReadDeadline(time.Now().Add(2 * time.Minute)); err != nil {
			return err
		}
		_, raw, err := c.ReadMessage()
		if err != nil {
			return err
		}
		var message struct{ Params struct{ Result wire.Notice } }
		if err := json.Unmarshal(raw, &message); err != nil {
			return err
		}
		n := message.Params.Result
		want := wire.Cursor{Height: seen.Height + 1, Index: 1}
		if kind == "receipts" && seen.Index == 0 {
			want.Height--
		} else if kind == "receipts" {
			want.Index = 0
		}
		if !first && n.Cursor != want {
			return fmt.Errorf("%s: %v came after %v", kind, n.Cursor, seen)
		}
		if seen = n.Cursor; seen == (wire.Cursor{Height: uint64(last), Index: 1}) {
			return nil
		}
	}
}
