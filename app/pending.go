package app

import (
	"container/heap"
	"container/list"
	"sort"
	"sync"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// pendingTable holds what waits on this node for a block, and is the only place
// that does: CometBFT's mempool has none of it. Every transaction in it was
// includable on the state at height, and no two have the same sender and nonce.
//
// What a block makes of it is found without a look at each that waits: by
// hash and by (sender, nonce) what the block spent, by a heap what expired, and
// by sender what an account's change concerns. How much each may have waiting
// stands in quota.go, and how blocks are shared in share.go.
type pendingTable struct {
	mu       sync.Mutex
	limits   pendingLimits // of what waits
	height   ledger.Height // all that waits was includable there; mu
	founded  bool          // the network has members; mu
	weights  weights       // of the parameters there; mu
	pace     *pace
	hashes   map[crypto.Hash]*pendingTx        // mu
	groups   map[crypto.Address]*group         // by member; none is empty; mu
	senders  map[crypto.Address]*senderPending // none is empty; mu
	shared   map[*pendingTx]struct{}           // what not the sender alone decides on; mu
	expiring expiryHeap                        // what has a validUntil; mu
	doubted  []*pendingTx                      // to be judged again at the next commit; mu
	arrived  []*pendingTx                      // ascending by seq, with some that are gone; mu
	seq      uint64                            // of the last that came; mu
	bytes    int64                             // that all that waits counts for; mu
	filled   bool                              // something found it full, and half is not free since; mu
	reliefs  uint64                            // see Application.Reliefs; mu
	outlook  *outlook                          // as it was worked out last, or nil; mu

	admissions admissions // what came, whether it still waits or not

	// added has room for one: something came from a client since it was last read.
	added chan struct{}
}

// pendingTx is a transaction that waits. Only at and gone change.
type pendingTx struct {
	tx    *ledger.Tx
	seq   uint64    // in the order of arrival, from 1
	from  string    // the peer that it came from; "": a client of this node
	since time.Time // when it came
	at    int       // its place in the heap, or -1; mu
	gone  bool      // mu

	sender *senderPending
	weight uint64        // when it came
	place  *list.Element // among what waits of its sender
}

// senderPending is what waits of one sender.
type senderPending struct {
	nonces  map[ledger.Nonce]*pendingTx
	lowest  ledger.Nonce // no nonce is below it
	bytes   int64
	weight  uint64
	arrived list.List     // of *pendingTx, in order of arrival
	group   *group        // that of its member
	place   *list.Element // among the group's senders
	refused bool          // something of it was refused, and half of its quota is not free since
}

func newPendingTable(limits pendingLimits, pace *pace) *pendingTable {
	return &pendingTable{
		limits: limits, pace: pace, added: make(chan struct{}, 1),
		hashes: make(map[crypto.Hash]*pendingTx), senders: make(map[crypto.Address]*senderPending),
		groups: make(map[crypto.Address]*group), shared: make(map[*pendingTx]struct{}),
	}
}

// addition says what became of a transaction that was to wait.
type addition uint8

const (
	added       addition = iota
	present              // the same bytes wait already
	rival                // another transaction of its sender and nonce waits
	overAccount          // as much waits of its sender as may
	overMember           // as much waits of its sender's member as may
	full                 // there is no room
	stale                // a block was committed since it was judged
)

// add lets tx wait, which was judged includable at height, where member
// answers for its sender. With rival it answers what waits in its place. first
// says that nothing waited before.
func (p *pendingTable) add(tx *ledger.Tx, member crypto.Address, height ledger.Height, from string) (what addition, other *ledger.Tx, first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if height != p.height {
		return stale, nil, false
	}
	if e := p.byID(tx); e != nil {
		if e.tx.Hash == tx.Hash {
			return present, nil, false
		}
		return rival, e.tx, false
	}
	if what := p.refusal(tx.Sender, member, held(tx)); what != added {
		return what, nil, false
	}
	p.insert(tx, member, from)
	if from == "" {
		select {
		case p.added <- struct{}{}:
		default:
		}
	}
	return added, nil, len(p.hashes) == 1
}

// raws are the bytes of all that waits, in order of arrival.
func (p *pendingTable) raws() (raws [][]byte) {
	p.after(0, func(e *pendingTx) bool {
		raws = append(raws, e.tx.Raw)
		return true
	})
	return raws
}

// insert puts tx everywhere. Needs mu.
func (p *pendingTable) insert(tx *ledger.Tx, member crypto.Address, from string) {
	p.seq++
	e := &pendingTx{tx: tx, seq: p.seq, from: from, since: time.Now(), at: -1, weight: p.weights.of(tx)}
	p.hashes[tx.Hash] = e
	p.admissions.add(tx.Hash)
	s := p.senders[tx.Sender]
	if s == nil {
		s = &senderPending{nonces: make(map[ledger.Nonce]*pendingTx), lowest: tx.Nonce}
		p.senders[tx.Sender] = s
		p.join(s, member)
	}
	s.nonces[tx.Nonce] = e
	s.lowest = min(s.lowest, tx.Nonce)
	e.sender, e.place = s, s.arrived.PushBack(e)
	s.weight, s.group.weight = s.weight+e.weight, s.group.weight+e.weight
	p.counted(s, 1, held(tx))
	p.pace.came(e.since, s.group.member, s.group.weight)
	if tx.ValidUntil != 0 {
		heap.Push(&p.expiring, e)
	}
	if !senderDecides(tx) {
		p.shared[e] = struct{}{}
	}
	p.bytes += held(tx)
	p.arrived = append(p.arrived, e)
}

// senderDecides reports whether tx needs nobody's authority but its sender's,
// as far as is known here without the rules of every operation.
func senderDecides(tx *ledger.Tx) bool {
	t, ok := tx.Op.(*ledger.Transfer)
	if !ok {
		return false
	}
	for i := range t.Legs {
		if t.Legs[i].From != tx.Sender {
			return false
		}
	}
	return true
}

// remove takes e out of everything. Needs mu.
func (p *pendingTable) remove(e *pendingTx) {
	delete(p.hashes, e.tx.Hash)
	delete(p.shared, e)
	s := e.sender
	delete(s.nonces, e.tx.Nonce)
	s.arrived.Remove(e.place)
	s.weight, s.group.weight = s.weight-e.weight, s.group.weight-e.weight
	p.counted(s, -1, -held(e.tx))
	if len(s.nonces) == 0 {
		delete(p.senders, e.tx.Sender)
		p.leave(s)
	}
	if e.at >= 0 {
		heap.Remove(&p.expiring, e.at)
	}
	p.bytes -= held(e.tx)
	p.filled = p.filled && !p.limits.all.halfFree(len(p.hashes), p.bytes)
	e.gone = true
	if len(p.arrived) > 2*len(p.hashes)+minSweep {
		p.sweep()
	}
}

// minSweep is how many that are gone may stand among those that arrived,
// however few wait.
const minSweep = 1024

// sweep forgets the order of those that are gone. Needs mu.
func (p *pendingTable) sweep() {
	kept := make([]*pendingTx, 0, len(p.hashes)+minSweep)
	for _, e := range p.arrived {
		if !e.gone {
			kept = append(kept, e)
		}
	}
	p.arrived = kept
}

// byID finds what waits with the sender and nonce of tx. Needs mu.
func (p *pendingTable) byID(tx *ledger.Tx) *pendingTx {
	if s := p.senders[tx.Sender]; s != nil {
		return s.nonces[tx.Nonce]
	}
	return nil
}

// get returns a waiting transaction or nil.
func (p *pendingTable) get(hash crypto.Hash) *ledger.Tx {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.hashes[hash]; e != nil {
		return e.tx
	}
	return nil
}

// byNonce returns the transaction that waits for a nonce, or nil.
func (p *pendingTable) byNonce(sender crypto.Address, nonce ledger.Nonce) *ledger.Tx {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.senders[sender]; s != nil {
		if e := s.nonces[nonce]; e != nil {
			return e.tx
		}
	}
	return nil
}

// after calls f with what waits and came after seq, in order of arrival, until
// f answers false. It returns the seq to go on from: of the last for which f
// answered true, or of the last that came. f must be short, and not call back.
func (p *pendingTable) after(seq uint64, f func(*pendingTx) bool) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.later(seq, f)
}

// later is after. Needs mu.
func (p *pendingTable) later(seq uint64, f func(*pendingTx) bool) uint64 {
	at := sort.Search(len(p.arrived), func(i int) bool { return p.arrived[i].seq > seq })
	for _, e := range p.arrived[at:] {
		if !e.gone && !f(e) {
			return seq
		}
		seq = e.seq
	}
	return p.seq
}

// len counts what waits.
func (p *pendingTable) len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.hashes)
}

// size is what all that waits counts for.
func (p *pendingTable) size() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bytes
}

// expiryHeap has what expires first at its top.
type expiryHeap []*pendingTx

func (h expiryHeap) Len() int           { return len(h) }
func (h expiryHeap) Less(i, j int) bool { return h[i].tx.ValidUntil < h[j].tx.ValidUntil }
func (h expiryHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

// Push implements heap.Interface.
func (h *expiryHeap) Push(x any) {
	e := x.(*pendingTx)
	e.at = len(*h)
	*h = append(*h, e)
}

// Pop implements heap.Interface.
func (h *expiryHeap) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	e.at = -1
	return e
}
