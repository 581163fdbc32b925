package app

import (
	"container/heap"
	"container/list"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// candidates are what a block may be made of, up to the one that comes to so many
// bytes or signatures, and may go beyond: a paced block may be smaller than it. They
// are listed in the order in which it is to be given room, which is fair: each
// next one is of the member of which the least is listed by weight, and there of
// the account whose turn it is. So all is listed of a member of which little
// waits before much more of another is, and likewise of an account among those
// of its member. Accounts of no member stand together, as if of one.
//
// It looks at no more than it lists, and at one sender of each member.
func (p *pendingTable) candidates(params *ledger.Params, bytes, signatures uint64) []*pendingTx {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.turns(params)
	listed := make([]*pendingTx, 0, min(uint64(len(p.hashes)), signatures))
	var size, signed uint64
	for len(t.groups) > 0 && size < bytes && signed < signatures {
		e := t.next()
		size, signed = size+uint64(len(e.tx.Raw)), signed+uint64(e.tx.SignatureCount())
		listed = append(listed, e)
	}
	return listed
}

// heavier reports whether more than weight waits of some member besides one.
func (p *pendingTable) heavier(weight uint64, besides crypto.Address) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for member, g := range p.groups {
		if g.weight > weight && member != besides {
			return true
		}
	}
	return false
}

// weights say how much of a block a transaction takes, in bytes: of that of which
// it takes most.
type weights struct {
	signature uint64 // what a signature weighs
	leg       uint64 // what a leg weighs
}

func weightsOf(params *ledger.Params) weights {
	return weights{
		signature: max(params.MaxBlockBytes/max(params.MaxBlockSignatures, 1), 1),
		leg:       params.MaxBlockBytes / max(params.MaxBlockLegs, 1),
	}
}

func (w weights) of(tx *ledger.Tx) uint64 {
	return max(uint64(len(tx.Raw)), uint64(tx.SignatureCount())*w.signature, uint64(tx.Legs())*w.leg)
}

// turns is a walk through what waits, in fair order.
type turns struct {
	weights           // an account is given a signature's weight at each turn
	groups  groupHeap // of which more waits
}

// groupTurns is how far the walk has come with one member.
type groupTurns struct {
	weight uint64        // of what is listed
	first  uint64        // the seq of what is listed first
	fresh  *list.Element // of the member's senders, the first that had no turn; or nil
	round  []senderTurns // who has a turn in this round yet
	later  []senderTurns // who has a turn in the next one
}

// senderTurns is how far the walk has come with one sender.
type senderTurns struct {
	next *list.Element // of what waits of it
	debt uint64        // how much more is listed than its turns gave
}

// turns begins a walk. It needs mu, and so does each step.
func (p *pendingTable) turns(params *ledger.Params) *turns {
	t := &turns{weights: weightsOf(params), groups: make(groupHeap, 0, len(p.groups))}
	for _, g := range p.groups {
		fresh := g.senders.Front()
		first := fresh.Value.(*senderPending).arrived.Front().Value.(*pendingTx)
		t.groups = append(t.groups, &groupTurns{fresh: fresh, first: first.seq})
	}
	heap.Init(&t.groups)
	return t
}

// next lists one more. There must be one.
func (t *turns) next() *pendingTx {
	g := t.groups[0]
	e := t.nextOf(g)
	g.weight += t.of(e.tx)
	if g.fresh == nil && len(g.round) == 0 && len(g.later) == 0 {
		heap.Pop(&t.groups)
	} else {
		heap.Fix(&t.groups, 0)
	}
	return e
}

// nextOf lists one more of a member. There must be one.
func (t *turns) nextOf(g *groupTurns) *pendingTx {
	for {
		s := g.turn()
		if s.debt -= min(s.debt, t.signature); s.debt > 0 {
			g.later = append(g.later, s)
			continue
		}
		e := s.next.Value.(*pendingTx)
		s.debt = t.of(e.tx)
		if s.next = s.next.Next(); s.next != nil {
			g.later = append(g.later, s)
		}
		return e
	}
}

// turn takes out the sender whose turn it is.
func (g *groupTurns) turn() (s senderTurns) {
	if g.fresh != nil {
		s.next = g.fresh.Value.(*senderPending).arrived.Front()
		g.fresh = g.fresh.Next()
		return s
	}
	if len(g.round) == 0 {
		g.round, g.later = g.later, nil
	}
	s, g.round = g.round[0], g.round[1:]
	return s
}

// groupHeap has at its top the member of which the least is listed, and among
// equals the one whose first has waited longest.
type groupHeap []*groupTurns

func (h groupHeap) Len() int { return len(h) }
func (h groupHeap) Less(i, j int) bool {
	if h[i].weight != h[j].weight {
		return h[i].weight < h[j].weight
	}
	return h[i].first < h[j].first
}
func (h groupHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *groupHeap) Push(x any) { *h = append(*h, x.(*groupTurns)) }

// Pop implements heap.Interface.
func (h *groupHeap) Pop() any {
	last := len(*h) - 1
	g := (*h)[last]
	*h = (*h)[:last]
	return g
}
