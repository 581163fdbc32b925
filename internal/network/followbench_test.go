package network

import (
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// BenchmarkFollowers measures what a thousand WebSockets that follow every block on
// one of four validators cost consensus: the receipts a second of sixteen accounts
// that each wait for a receipt before they send the next transfer, and the blocks a
// second, without followers and with them by turns. The followers' own work, to take
// what comes off the wire, is done on the same machine.
//
//	go test ./internal/network -run '^$' -bench Followers -benchtime 8x
func BenchmarkFollowers(b *testing.B) {
	const followers, phase = 1000, 8 * time.Second
	n := New(b, 4, Options{})
	n.StartAll()
	load := n.StartLoad(LoadOptions{})
	load.WaitReceipts(500)
	var receipts, blocks [2]float64
	var bytes atomic.Int64
	for b.Loop() {
		for i, count := range []int{0, followers} {
			stop := n.follow(b, count, &bytes)
			height, seen, began := n.Height(), load.Receipts(), time.Now()
			time.Sleep(phase)
			took := time.Since(began).Seconds()
			receipts[i] += float64(load.Receipts()-seen) / took
			blocks[i] += float64(n.Height()-height) / took
			stop()
		}
	}
	load.Stop()
	rounds := float64(b.N)
	b.ReportMetric(receipts[0]/rounds, "receipts/s-alone")
	b.ReportMetric(receipts[1]/rounds, "receipts/s-followed")
	b.ReportMetric(receipts[1]/receipts[0], "receipts-ratio")
	b.ReportMetric(blocks[0]/rounds, "blocks/s-alone")
	b.ReportMetric(blocks[1]/rounds, "blocks/s-followed")
	b.ReportMetric(float64(bytes.Load())/rounds/phase.Seconds()/1e6, "MB/s-told")
	if bytes.Load() < followers*1000 {
		b.Fatalf("the followers were told %d bytes", bytes.Load())
	}
}

// follow opens so many WebSockets to a validator that follow every block, and lets
// what comes fall on the floor, but for how much it is.
func (n *Network) follow(b *testing.B, count int, bytes *atomic.Int64) (stop func()) {
	b.Helper()
	var open []*websocket.Conn
	for range count {
		c, _, err := websocket.DefaultDialer.Dial("ws://"+n.validators[0].rpc, nil)
		if err != nil {
			b.Fatal(err)
		}
		open = append(open, c)
		call := newRequest(1, Ask("ledger_subscribe", "newBlocks"))
		if err := c.WriteJSON(call); err != nil {
			b.Fatal(err)
		}
		go func() {
			told, _ := io.Copy(io.Discard, c.NetConn()) // until it is closed
			bytes.Add(told)
		}()
	}
	return func() {
		for _, c := range open {
			_ = c.Close() // it may be gone
		}
	}
}
