package network

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/config"
)

// BenchmarkViewers measures what a thousand browsers that watch the explorer of one of
// four validators cost consensus: the receipts a second of sixteen accounts that each
// wait for a receipt before they send the next transfer, and the blocks a second,
// without viewers and with them by turns. The index is kept in both. The viewers' own
// work, to take what comes off the wire, is done on the same machine. They come through
// one proxy, which names each by an address of its own.
//
//	go test ./internal/network -run '^$' -bench Viewers -benchtime 8x
func BenchmarkViewers(b *testing.B) {
	const viewers, phase = 1000, 8 * time.Second
	door := freeAddress(b)
	n := New(b, 4, Options{Config: func(i int, c *config.Config) {
		if i == 0 {
			c.Explorer.Listen, c.RPC.TrustedProxies = door, []string{"127.0.0.1/32"}
		}
	}})
	n.StartAll()
	load := n.StartLoad(LoadOptions{})
	load.WaitReceipts(500)
	var receipts, blocks, processor [2]float64
	var events, bytes atomic.Int64
	for b.Loop() {
		for i, count := range []int{0, viewers} {
			stop := n.view(b, door, count, &events, &bytes)
			height, seen, began := n.Height(), load.Receipts(), time.Now()
			used := n.processor(b, 0)
			time.Sleep(phase)
			took := time.Since(began).Seconds()
			receipts[i] += float64(load.Receipts()-seen) / took
			blocks[i] += float64(n.Height()-height) / took
			processor[i] += (n.processor(b, 0) - used) / took
			stop()
		}
	}
	memory := n.memory(b, 0)
	load.Stop()
	rounds := float64(b.N)
	b.ReportMetric(receipts[0]/rounds, "receipts/s-alone")
	b.ReportMetric(receipts[1]/rounds, "receipts/s-viewed")
	b.ReportMetric(receipts[1]/receipts[0], "receipts-ratio")
	b.ReportMetric(blocks[0]/rounds, "blocks/s-alone")
	b.ReportMetric(blocks[1]/rounds, "blocks/s-viewed")
	b.ReportMetric(processor[0]/rounds, "cores-node-alone")
	b.ReportMetric(processor[1]/rounds, "cores-node-viewed")
	b.ReportMetric(float64(events.Load())/rounds/phase.Seconds(), "events/s-told")
	b.ReportMetric(float64(bytes.Load())/rounds/phase.Seconds()/1e6, "MB/s-told")
	b.ReportMetric(memory, "MB-node")
	if events.Load() < viewers {
		b.Fatalf("the viewers were told %d events", events.Load())
	}
}

// view opens so many live streams of an explorer, and lets what comes fall on the
// floor, but for how much it is.
func (n *Network) view(b *testing.B, door string, count int, events, bytes *atomic.Int64) (stop func()) {
	b.Helper()
	var open []net.Conn
	for i := range count {
		c, err := net.Dial("tcp", door)
		if err != nil {
			b.Fatal(err)
		}
		open = append(open, c)
		if _, err := fmt.Fprintf(c, "GET /api/v1/events HTTP/1.1\r\nHost: %s\r\nX-Forwarded-For: 10.0.%d.%d\r\n\r\n", door, i>>8, i&255); err != nil {
			b.Fatal(err)
		}
		from := bufio.NewReader(c)
		res, err := http.ReadResponse(from, nil)
		if err != nil || res.StatusCode != http.StatusOK {
			b.Fatalf("viewer %d: %v, %v", i, res, err)
		}
		go countEvents(from, events, bytes)
	}
	return func() {
		for _, c := range open {
			_ = c.Close() // it may be gone
		}
	}
}

// countEvents counts a viewer's bytes, and the blocks that they tell of, until it is closed.
func countEvents(from io.Reader, events, told *atomic.Int64) {
	buffer := make([]byte, 16<<10)
	for {
		size, err := from.Read(buffer)
		events.Add(int64(bytes.Count(buffer[:size], []byte("event: block"))))
		told.Add(int64(size))
		if err != nil {
			return
		}
	}
}

// memory is what validator i takes now, in millions of bytes.
func (n *Network) memory(b *testing.B, i int) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.validators[i].process.Load().cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kilobytes, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kilobytes / 1e3
}

// processor is the seconds of a processor that validator i has used.
func (n *Network) processor(b *testing.B, i int) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", n.validators[i].process.Load().cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	const ticks = 100 // a second, on every Linux
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest) // from the third on
	user, err := strconv.ParseFloat(fields[11], 64)
	if err != nil {
		b.Fatal(err)
	}
	system, err := strconv.ParseFloat(fields[12], 64)
	if err != nil {
		b.Fatal(err)
	}
	return (user + system) / ticks
}
