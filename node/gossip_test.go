package node

import (
	"testing"

	"github.com/cometbft/cometbft/p2p"
	protomem "github.com/cometbft/cometbft/proto/tendermint/mempool"
	"github.com/prometheus/client_golang/prometheus"
)

// A full queue drops messages and never keeps the peer's reader waiting.
func TestGossipDropsWhatDoesNotFit(t *testing.T) {
	message := func(bytes int) p2p.Envelope {
		return p2p.Envelope{Message: &protomem.Txs{Txs: [][]byte{make([]byte, bytes)}}}
	}
	for name, test := range map[string]struct {
		places, send, bytes int
		want                float64
	}{
		"by number": {places: 2, send: 5, bytes: 10, want: 3},
		"by bytes":  {places: 100, send: 5, bytes: gossipBytes / 3, want: 3},
		"all fit":   {places: 5, send: 5, bytes: 10, want: 0},
	} {
		t.Run(name, func(t *testing.T) {
			g := &gossip{queue: make(chan p2p.Envelope, test.places), dropped: prometheus.NewCounter(prometheus.CounterOpts{Name: "x"})}
			for range test.send {
				g.Receive(message(test.bytes)) // nobody empties the queue
			}
			r := prometheus.NewRegistry()
			r.MustRegister(g.dropped)
			families, err := r.Gather()
			if err != nil {
				t.Fatal(err)
			}
			if got := families[0].GetMetric()[0].GetCounter().GetValue(); got != test.want {
				t.Errorf("%v messages were dropped, want %v", got, test.want)
			}
			if queued := int64(len(g.queue)) * messageBytes(message(test.bytes)); g.bytes.Load() != queued {
				t.Errorf("%d bytes are counted and %d queued", g.bytes.Load(), queued)
			}
		})
	}
}
