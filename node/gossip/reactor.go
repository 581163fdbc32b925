package gossip

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/cometbft/cometbft/mempool"
	"github.com/cometbft/cometbft/p2p"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tallystick/tallystick/app"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// Pool is what waits on this node. Methods may be called from any goroutines.
type Pool interface {
	// Offer judges a transaction from a peer and lets it wait. It keeps raw.
	Offer(raw []byte, peer string) (app.Admission, error)
	// Pending returns the bytes of what waits.
	Pending(crypto.Hash) ([]byte, bool)
	// WaitingAfter shows what waits and came after a place in the order of
	// arrival.
	WaitingAfter(seq uint64, f func(app.Waiting) bool) uint64
	// Arrivals is readable once after clients' transactions have come.
	Arrivals() <-chan struct{}
	// Room reports whether much more can wait.
	Room() bool
	// Member is the member of whose account a transaction of a peer says that it
	// is, by a glance at its bytes; zero for none, or where that cannot be seen.
	Member(raw []byte) crypto.Address
	// Reliefs counts how often an account or a member, of which something was
	// refused because it was above a quota, has come to have half of it free.
	Reliefs() uint64
}

const (
	// gather is the time between two sendings of clients' transactions: after a
	// pause one goes out at once, and of many those that come meanwhile together.
	gather = 15 * time.Millisecond
	// tick is how often is looked for what nothing else points at.
	tick = 100 * time.Millisecond
	// sendQueue is how many messages a connection holds for its peer.
	sendQueue = 16
)

// Reactor is the gossip of one node. Make it with New.
type Reactor struct {
	p2p.BaseReactor
	pool    Pool
	syncing func() bool
	queue   *queue
	wake    chan struct{} // room for one: a peer wants something
	dropped prometheus.Counter
	running sync.WaitGroup
	// relayAfter is how long what came from a peer waits before others are told.
	relayAfter time.Duration

	mu    sync.Mutex
	peers map[p2p.ID]*peer // mu
}

var _ p2p.Reactor = (*Reactor)(nil)

// New makes the gossip of what waits in pool. While syncing answers true the
// node fetches old blocks, and takes no transactions.
func New(pool Pool, syncing func() bool, metrics prometheus.Registerer) *Reactor {
	r := &Reactor{
		pool: pool, syncing: syncing, queue: newQueue(), wake: make(chan struct{}, 1),
		peers: make(map[p2p.ID]*peer), relayAfter: relayAfter,
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tallystick_node_gossip_dropped_total",
			Help: "Messages with transactions from peers that found the queue full. The peer is asked again.",
		}),
	}
	metrics.MustRegister(r.dropped)
	r.BaseReactor = *p2p.NewBaseReactor("Gossip", r)
	return r
}

// GetChannels implements p2p.Reactor.
func (*Reactor) GetChannels() []*p2p.ChannelDescriptor {
	return []*p2p.ChannelDescriptor{{
		ID: mempool.MempoolChannel, Priority: 5, SendQueueCapacity: sendQueue,
		RecvMessageCapacity: maxMessageBytes, MessageType: &Message{},
	}}
}

// OnStart implements service.Service.
func (r *Reactor) OnStart() error {
	for range runtime.GOMAXPROCS(0) {
		r.running.Go(r.work)
	}
	r.running.Go(r.send)
	return nil
}

// Stop implements p2p.Reactor. It waits for what is being judged, so that the
// state may be closed after it.
func (r *Reactor) Stop() error {
	err := r.BaseReactor.Stop()
	r.running.Wait()
	return err
}

// peerKey is where a connection keeps what is known of its peer.
const peerKey = "tallystick.gossip"

// InitPeer implements p2p.Reactor.
func (*Reactor) InitPeer(p p2p.Peer) p2p.Peer {
	p.Set(peerKey, newPeer(p))
	return p
}

// AddPeer implements p2p.Reactor.
func (r *Reactor) AddPeer(p p2p.Peer) {
	if known, ok := p.Get(peerKey).(*peer); ok {
		r.mu.Lock()
		r.peers[p.ID()] = known
		r.mu.Unlock()
		r.look()
	}
}

// RemovePeer implements p2p.Reactor.
func (r *Reactor) RemovePeer(p p2p.Peer, _ any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.peers[p.ID()]; known != nil && known.connection == p {
		delete(r.peers, p.ID())
	}
}

// look makes the sender look at its peers now.
func (r *Reactor) look() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Receive implements p2p.Reactor. It never waits: behind it stand the peer's
// votes and blocks.
func (r *Reactor) Receive(e p2p.Envelope) {
	from, known := e.Src.Get(peerKey).(*peer)
	m, ours := e.Message.(*Message)
	if !known || !ours {
		return
	}
	switch {
	case m.kind == kindGreet:
		from.greeted.Store(true)
		r.look()
	case m.kind == kindWant:
		from.want(m.hashes)
		r.look()
	case r.syncing():
		from.missed.Store(true)
	default:
		if !r.enqueue(from, m) {
			from.missed.Store(true)
			r.dropped.Inc()
		}
	}
}

// enqueue leaves a message to the workers, as far as it fits.
func (r *Reactor) enqueue(from *peer, m *Message) (all bool) {
	if m.kind != kindTxs || from.bytes.Load() < calmBytes {
		return r.queue.put(whole(from, m))
	}
	all = true
	for _, p := range sorted(m, r.pool.Member) {
		all = r.queue.putSorted(from, p) && all
	}
	return all
}

// work does jobs until the reactor stops.
func (r *Reactor) work() {
	for {
		select {
		case <-r.Quit():
			return
		case <-r.queue.jobs:
			j := r.queue.take()
			r.do(j)
			r.queue.release(j)
		}
	}
}

func (r *Reactor) do(j job) {
	txs := j.txs
	if m := j.message; m != nil {
		if m.kind == kindHave {
			r.ask(j.from, m.hashes)
			return
		}
		txs = m.txs
	}
	for _, raw := range txs {
		if !r.IsRunning() {
			return
		}
		if j.message != nil {
			raw = bytes.Clone(raw) // what waits must not keep a whole message in memory
		}
		reliefs := r.pool.Reliefs() // before: the quota may have room at once
		v, err := r.pool.Offer(raw, string(j.from.id))
		switch {
		case errors.Is(err, app.ErrPoolFull), curable(v.Code):
			j.from.missed.Store(true)
		case errors.Is(err, app.ErrAccountQuota), errors.Is(err, app.ErrMemberQuota):
			j.from.await(reliefs)
		case err != nil && !errors.Is(err, app.ErrNotReady):
			r.Logger.Error("cannot judge a peer's transaction", "err", err)
			return
		}
	}
}

// curable reports whether a peer that is some blocks ahead may rightly hold
// what is refused here: for it accounts, their keys, who may act for them and the
// time are others already.
func curable(code ledger.Code) bool {
	switch code {
	case ledger.CodeUnknownSender, ledger.CodeSenderInactive, ledger.CodeNonceTooHigh, ledger.CodeTooManySignatures,
		ledger.CodeUnauthorized, ledger.CodeSuperfluous, ledger.CodeLifetimeTooLong:
		return true
	}
	return false
}

// ask asks a peer for those of its transactions that do not wait here.
func (r *Reactor) ask(from *peer, hashes []crypto.Hash) {
	var lacking []crypto.Hash
	for _, h := range hashes {
		if _, waits := r.pool.Pending(h); !waits {
			lacking = append(lacking, h)
		}
	}
	if len(lacking) > 0 && !from.try(newHashes(kindWant, lacking)) {
		from.missed.Store(true)
	}
}

// String implements service.Service.
func (r *Reactor) String() string { return fmt.Sprintf("Gossip{%d queued}", len(r.queue.jobs)) }
