package node

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/cometbft/cometbft/mempool"
	"github.com/cometbft/cometbft/p2p"
	"github.com/prometheus/client_golang/prometheus"
)

const (
	// gossipQueue and gossipBytes bound the messages with transactions that
	// wait to be judged.
	gossipQueue = 16_384
	gossipBytes = 32 << 20
)

// gossip takes transactions from peers without keeping the peers' other
// messages waiting. CometBFT reads each peer's messages one after another, and
// its mempool judges a transaction before the next message is read: under load
// votes and blocks would queue behind thousands of signatures. Here the messages
// go into a queue that a few workers empty.
//
// When the queue is full, messages are dropped, and not sent again. The node that
// took the transaction from its sender keeps it, and proposes it when it is its
// turn; where that node is no validator, the sender's retry helps.
type gossip struct {
	*mempool.Reactor
	begin   sync.Once
	workers sync.WaitGroup
	queue   chan p2p.Envelope
	bytes   atomic.Int64
	dropped prometheus.Counter
}

var _ p2p.Reactor = (*gossip)(nil)
var _ p2p.MsgBytesFilter = (*gossip)(nil)

// installGossip puts a gossip in the place of CometBFT's mempool reactor,
// before the node starts.
func installGossip(sw p2p.Switcher, r p2p.Reactor, metrics prometheus.Registerer) error {
	inner, ok := r.(*mempool.Reactor)
	if !ok {
		return fmt.Errorf("open the chain: the mempool is a %T, not CometBFT's", r)
	}
	s, ok := sw.(*p2p.Switch)
	if !ok {
		return fmt.Errorf("open the chain: the switch is a %T, not CometBFT's", sw)
	}
	g := &gossip{
		Reactor: inner, queue: make(chan p2p.Envelope, gossipQueue),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tallystick_node_gossip_dropped_total", Help: "Messages with transactions from peers that found the queue full.",
		}),
	}
	metrics.MustRegister(g.dropped)
	s.RemoveReactor("MEMPOOL", inner)
	s.AddReactor("MEMPOOL", g)
	return nil
}

// InitPeer implements p2p.Reactor. The first peer starts the workers.
func (g *gossip) InitPeer(peer p2p.Peer) p2p.Peer {
	g.begin.Do(func() {
		for range runtime.GOMAXPROCS(0) {
			g.workers.Go(g.work)
		}
	})
	return g.Reactor.InitPeer(peer)
}

// Stop implements p2p.Reactor. It waits for what is being judged, so that the
// state may be closed after it.
func (g *gossip) Stop() error {
	err := g.Reactor.Stop()
	g.begin.Do(func() {}) // no workers begin any more
	g.workers.Wait()
	return err
}

// Receive implements p2p.Reactor.
func (g *gossip) Receive(e p2p.Envelope) {
	size := messageBytes(e)
	if g.bytes.Add(size) > gossipBytes {
		g.drop(size)
		return
	}
	select {
	case g.queue <- e:
	default:
		g.drop(size)
	}
}

func (g *gossip) drop(size int64) {
	g.bytes.Add(-size)
	g.dropped.Inc()
}

// work judges queued transactions until the reactor stops.
func (g *gossip) work() {
	for {
		select {
		case <-g.Quit():
			return
		case e := <-g.queue:
			g.bytes.Add(-messageBytes(e))
			if e.Src.IsRunning() { // a peer that has gone has no number any more
				g.Reactor.Receive(e)
			}
		}
	}
}

func messageBytes(e p2p.Envelope) int64 {
	if m, ok := e.Message.(interface{ Size() int }); ok {
		return int64(m.Size())
	}
	return 0
}
