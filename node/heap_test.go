package node

import (
	"runtime"
	"testing"
)

func TestHeapPercent(t *testing.T) {
	for _, test := range []struct {
		live uint64
		want int
	}{
		{0, mostHeapPercent},
		{1 << 20, mostHeapPercent},
		{128 << 20, 400},
		{512 << 20, 100},
		{8 << 30, 100},
	} {
		if got := heapPercent(test.live); got != test.want {
			t.Errorf("with %d bytes alive: %d percent, want %d", test.live, got, test.want)
		}
	}
}

func TestLiveHeapIsKnownAfterACollection(t *testing.T) {
	runtime.GC()
	if liveHeap() == 0 {
		t.Error("the runtime does not say how much is alive")
	}
}
