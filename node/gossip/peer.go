package gossip

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cometbft/cometbft/mempool"
	"github.com/cometbft/cometbft/p2p"

	"github.com/tallystick/tallystick/app"
	"github.com/tallystick/tallystick/crypto"
)

const (
	// relayAfter is how long what came from a peer waits before other peers are
	// told: long enough that most of it stands in a block by then, or has come
	// to them on the straight way.
	relayAfter = 250 * time.Millisecond
	// greetAgain is the time between two greetings of a peer, and tellAgain the
	// time between two tellings of all that waits.
	greetAgain = 2 * time.Second
	tellAgain  = time.Second
	// maxWanted bounds the hashes that a peer has asked for and not been sent.
	maxWanted = 8 * maxHashes
)

// peer is what is known of a connected peer.
type peer struct {
	id         p2p.ID
	connection p2p.Peer

	missed  atomic.Bool  // something of its was lost here: greet it
	greeted atomic.Bool  // it has greeted since it was last told all
	held    atomic.Int64 // jobs of its that are queued or being done
	bytes   atomic.Int64 // of those

	lines []*line // that have jobs of its, each once, the next in turn first; the queue's mu

	mu       sync.Mutex
	wanted   []crypto.Hash // asked for, in order; mu
	awaiting bool          // something of its was above a quota; mu
	reliefs  uint64        // the pool's count before the first such thing; mu

	// The sender's goroutine owns these.
	ready       bool      // it has greeted: before, it takes nothing
	sent        uint64    // up to where clients' transactions were sent to it
	behind      *behind   // what was sent of those after it; nil while the connection takes all
	answerNext  bool      // the next message answers what it asked for
	told        uint64    // up to where hashes were told
	joined      uint64    // up to where it is told hashes of all, at once
	lastGreeted time.Time // when it was greeted
	lastTold    time.Time // when it was begun to be told all
}

// newPeer makes a peer that is to be greeted.
func newPeer(connection p2p.Peer) *peer {
	p := &peer{id: connection.ID(), connection: connection}
	p.missed.Store(true)
	return p
}

// await remembers that something of the peer's was above a quota, when the
// pool counted so many reliefs.
func (p *peer) await(reliefs uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.awaiting {
		p.awaiting, p.reliefs = true, reliefs
	}
}

// relieved reports whether what was above a quota may be within it now, once.
func (p *peer) relieved(reliefs uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.awaiting || reliefs == p.reliefs {
		return false
	}
	p.awaiting = false
	return true
}

// want remembers what the peer asks for. What is too much is dropped, and the
// peer told everything again.
func (p *peer) want(hashes []crypto.Hash) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.wanted)+len(hashes) > maxWanted {
		p.greeted.Store(true)
		return
	}
	p.wanted = append(p.wanted, hashes...)
}

// takeWanted takes what the peer asked for, up to what fits in a message.
func (p *peer) takeWanted(pool Pool) (txs [][]byte, taken []crypto.Hash) {
	p.mu.Lock()
	defer p.mu.Unlock()
	size, n := 0, 0
	for ; n < len(p.wanted) && len(txs) < maxTxs; n++ {
		raw, waits := pool.Pending(p.wanted[n])
		if !waits {
			continue
		}
		if size += txSize(raw); size > batchBytes && len(txs) > 0 {
			break
		}
		txs = append(txs, raw)
	}
	taken, p.wanted = p.wanted[:n], p.wanted[n:]
	return txs, taken
}

// putBack undoes takeWanted.
func (p *peer) putBack(taken []crypto.Hash) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted = append(taken[:len(taken):len(taken)], p.wanted...)
}

// try hands a message to the peer's connection. false: it is busy or gone.
func (p *peer) try(m *Message) bool {
	return p.connection.TrySend(p2p.Envelope{ChannelID: mempool.MempoolChannel, Message: m})
}

// send serves the peers until the reactor stops.
func (r *Reactor) send() {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	var last time.Time // when clients' transactions were sent
	for {
		select {
		case <-r.Quit():
			return
		case <-r.pool.Arrivals():
			if !r.pause(gather - time.Since(last)) {
				return
			}
			last = time.Now()
		case <-r.wake:
		case <-ticker.C:
		}
		r.serveAll(time.Now())
	}
}

// pause waits; false if the reactor stops meanwhile.
func (r *Reactor) pause(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-r.Quit():
		return false
	case <-timer.C:
		return true
	}
}

// serveAll does for every peer what its connection takes now.
func (r *Reactor) serveAll(now time.Time) {
	r.mu.Lock()
	peers := make([]*peer, 0, len(r.peers))
	for _, p := range r.peers {
		peers = append(peers, p)
	}
	r.mu.Unlock()
	b := batcher{pool: r.pool, relayAfter: r.relayAfter}
	for _, p := range peers {
		r.greet(p, now)
		b.serve(p, now)
	}
}

// greet asks a peer to tell all that it holds, where something of it is
// missing and can be taken now.
func (r *Reactor) greet(p *peer, now time.Time) {
	if p.relieved(r.pool.Reliefs()) {
		p.missed.Store(true)
	}
	if !p.missed.Load() || now.Sub(p.lastGreeted) < greetAgain || r.syncing() || !r.pool.Room() {
		return
	}
	p.missed.Store(false) // before: what is missed from now on counts again
	if p.try(newGreeting()) {
		p.lastGreeted = now
	} else {
		p.missed.Store(true)
	}
}

// batcher makes the messages of one round. Most peers are at the same place and
// get the same message.
type batcher struct {
	pool       Pool
	relayAfter time.Duration
	from, next uint64
	last       *Message // of clients' transactions after from; nil if there are none
	made       bool
}

// serve sends a peer what it has not been sent, as far as its connection takes
// it.
func (b *batcher) serve(p *peer, now time.Time) {
	if p.greeted.Load() && now.Sub(p.lastTold) >= tellAgain {
		p.greeted.Store(false)
		p.ready, p.lastTold, p.told = true, now, 0
		p.sent = b.pool.WaitingAfter(math.MaxUint64, nil)
		p.joined = p.sent
		p.behind = nil
	}
	if p.ready && b.send(p) {
		b.tell(p, now)
	}
}

// progress says what became of a step.
type progress uint8

const (
	idle progress = iota // there was nothing to send
	sent                 // a message is sent
	busy                 // the connection takes none now
)

// send sends clients' transactions and what the peer asked for, a message of each
// in turn: neither may keep the other waiting. false: the connection is busy.
func (b *batcher) send(p *peer) bool {
	for idles := 0; idles < 2; {
		step := b.forward
		if p.answerNext {
			step = b.answer
		}
		switch step(p) {
		case busy:
			if p.behind == nil {
				p.behind = newBehind()
			}
			return false
		case idle:
			idles++
		case sent:
			idles = 0
		}
		p.answerNext = !p.answerNext
	}
	return true
}

// answer sends a message of what the peer asked for.
func (b *batcher) answer(p *peer) progress {
	txs, taken := p.takeWanted(b.pool)
	switch {
	case len(taken) == 0:
		return idle
	case len(txs) > 0 && !p.try(newTxs(txs)):
		p.putBack(taken)
		return busy
	}
	return sent
}

// forward sends a message of clients' transactions.
func (b *batcher) forward(p *peer) progress {
	if p.behind != nil {
		return p.catchUp(b.pool)
	}
	m, next := b.batch(p.sent)
	if m != nil && !p.try(m) {
		return busy
	}
	if p.sent = next; m == nil {
		return idle
	}
	return sent
}

// batch is the next message of clients' transactions after a place, or nil, and
// the place behind it.
func (b *batcher) batch(after uint64) (*Message, uint64) {
	if b.made && b.from == after {
		return b.last, b.next
	}
	var txs [][]byte
	size := 0
	next := b.pool.WaitingAfter(after, func(w app.Waiting) bool {
		if w.Peer != "" {
			return true
		}
		if size += txSize(w.Tx.Raw); len(txs) > 0 && size > batchBytes || len(txs) == maxTxs {
			return false
		}
		txs = append(txs, w.Tx.Raw)
		return true
	})
	b.made, b.from, b.next, b.last = true, after, next, nil
	if len(txs) > 0 {
		b.last = newTxs(txs)
	}
	return b.last, b.next
}

// tell tells the hashes of what other peers sent and has waited for a while,
// and of all that waited when the peer greeted.
func (b *batcher) tell(p *peer, now time.Time) {
	for {
		var hashes []crypto.Hash
		next := b.pool.WaitingAfter(p.told, func(w app.Waiting) bool {
			old := w.Seq <= p.joined
			if !old && now.Sub(w.Since) < b.relayAfter || len(hashes) == maxHashes {
				return false
			}
			if w.Peer != string(p.id) && (old || w.Peer != "") {
				hashes = append(hashes, w.Tx.Hash)
			}
			return true
		})
		if len(hashes) > 0 && !p.try(newHashes(kindHave, hashes)) {
			return
		}
		if p.told = next; len(hashes) < maxHashes {
			return
		}
	}
}
