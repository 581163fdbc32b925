package node

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// heapRoom is how much garbage may pile up before it is collected, where
	// the live heap is smaller than that. Collecting a small heap at each
	// doubling, as Go does by itself, took a sixth of a busy node's time.
	heapRoom = 512 << 20
	// mostHeapPercent bounds the garbage of a very small heap.
	mostHeapPercent = 800
	heapInterval    = 10 * time.Second
)

// tuneHeap sets how often garbage is collected, by the size of the live heap,
// until ctx ends: a node with a large state still takes only twice what lives.
// It leaves the choice to GOGC where that is set. It is for the whole process.
func tuneHeap(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	ticker := time.NewTicker(heapInterval)
	defer ticker.Stop()
	for {
		debug.SetGCPercent(heapPercent(liveHeap()))
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// heapPercent is the garbage, in percent of what lives, at which to collect.
func heapPercent(live uint64) int {
	if live == 0 {
		return mostHeapPercent
	}
	return int(max(100, min(mostHeapPercent, heapRoom*100/live)))
}

// liveHeap is what the last collection left, in bytes.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}
