package rpc

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/rpc/wire"
)

// BenchmarkBlockWithSubscribers is what a block of one payment costs with so many
// subscribers, each on a WebSocket of its own and read over loopback by this same
// process, until all have it. "heads" follow blocks, "quiet" an account that
// nothing concerns (and so only the server's part of a block is paid), "none" is
// the block alone.
func BenchmarkBlockWithSubscribers(b *testing.B) {
	quiet := crypto.Address{19: 9}
	for _, c := range []struct {
		name    string
		count   int
		kind    string
		options wire.SubscribeOptions
		told    int // messages a block and subscriber
	}{
		{"none", 0, "", wire.SubscribeOptions{}, 0},
		{"heads", 1000, "newBlocks", wire.SubscribeOptions{}, 1},
		{"quiet", 1000, "receipts", wire.SubscribeOptions{Account: &quiet}, 0},
	} {
		b.Run(fmt.Sprintf("%s-%d", c.name, c.count), func(b *testing.B) {
			h := newHarness(b, Options{})
			h.slowness(func(s *slowness) { s.each = 0 }) // the work is measured, not the rest
			h.block(b, h.payment(0, 1))
			url := "ws" + strings.TrimPrefix(listening(b, h).URL, "http")
			var heard atomic.Int64
			var readers sync.WaitGroup
			for range c.count {
				s, _, err := websocket.DefaultDialer.Dial(url, nil)
				if err != nil {
					b.Fatal(err)
				}
				say(b, s, request("ledger_subscribe", c.kind, c.options))
				hear(b, s)
				hear(b, s)
				readers.Go(func() { countMessages(s, &heard) })
				b.Cleanup(func() { s.Close() })
			}
			b.ResetTimer()
			for range b.N {
				want := heard.Load() + int64(c.count*c.told)
				h.node.repeatBlock()
				for heard.Load() < want || h.feed.Waiting(h.node.Height()) < c.count {
					runtime.Gosched()
				}
			}
		})
	}
}

func countMessages(s *websocket.Conn, heard *atomic.Int64) {
	for {
		_, r, err := s.NextReader()
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			return
		}
		heard.Add(1)
	}
}
