package gossip

import (
	"cmp"
	"slices"

	"github.com/tallystick/tallystick/app"
	"github.com/tallystick/tallystick/crypto"
)

// window is how far behind what is sent next something may have come and be sent
// before it. It bounds the look at what waits, a tenth of a millisecond. What
// floods with small transactions so many of them is sent soon, and with larger ones
// may not have so many waiting.
const window = 8192

// behind is how a peer is served whose connection did not take all at once:
// not in the order of arrival, where a member that floods keeps the others waiting
// for as long as the connection takes for its flood, but each member in turn.
type behind struct {
	ahead  map[uint64]bool           // places after the peer's sent that are sent too
	turns  uint64                    // messages so far
	served map[crypto.Address]uint64 // the turn in which each member last had something sent
}

func newBehind() *behind {
	return &behind{ahead: map[uint64]bool{}, served: map[crypto.Address]uint64{}}
}

// share is what waits for a peer of one member's accounts.
type share struct {
	member crypto.Address
	txs    []app.Waiting
	bytes  int
}

// catchUp sends a message of clients' transactions, in which every member that
// has any has its part. When there are none left, the peer is behind no more.
func (p *peer) catchUp(pool Pool) progress {
	chosen := p.behind.choose(p.behind.shares(pool, p.sent))
	if len(chosen) > 0 {
		txs := make([][]byte, len(chosen))
		for i := range chosen {
			txs[i] = chosen[i].Tx.Raw
		}
		if !p.try(newTxs(txs)) {
			return busy
		}
		p.behind.note(chosen)
	}
	last := true
	p.sent = pool.WaitingAfter(p.sent, func(w app.Waiting) bool {
		last = w.Peer != "" || p.behind.ahead[w.Seq]
		delete(p.behind.ahead, w.Seq)
		return last
	})
	if last {
		p.behind = nil
	} else {
		p.behind.forget(p.sent)
	}
	if len(chosen) > 0 {
		return sent
	}
	return idle
}

// shares are what is to be sent of what came after a place, of each member up to
// a message, in order of arrival.
func (b *behind) shares(pool Pool, after uint64) (shares []*share) {
	of, seen := map[crypto.Address]*share{}, 0
	pool.WaitingAfter(after, func(w app.Waiting) bool {
		if seen++; w.Peer != "" || b.ahead[w.Seq] {
			return seen < window
		}
		s := of[w.Member]
		if s == nil {
			s = &share{member: w.Member}
			of[w.Member], shares = s, append(shares, s)
		}
		if s.bytes < batchBytes {
			s.txs, s.bytes = append(s.txs, w), s.bytes+txSize(w.Tx.Raw)
		}
		return seen < window
	})
	return shares
}

// choose fills a message: first who had none for longest, each its part of it, and
// then whatever fits.
func (b *behind) choose(shares []*share) (chosen []app.Waiting) {
	slices.SortStableFunc(shares, func(x, y *share) int { return cmp.Compare(b.served[x.member], b.served[y.member]) })
	size := 0
	for _, part := range []int{batchBytes / max(len(shares), 1), batchBytes} {
		for _, s := range shares {
			for given := 0; len(s.txs) > 0; s.txs = s.txs[1:] {
				one := txSize(s.txs[0].Tx.Raw)
				if given > 0 && given+one > part || len(chosen) > 0 && size+one > batchBytes || len(chosen) == maxTxs {
					break
				}
				chosen, given, size = append(chosen, s.txs[0]), given+one, size+one
			}
		}
	}
	return chosen
}

// note remembers that something is sent.
func (b *behind) note(chosen []app.Waiting) {
	b.turns++
	for i := range chosen {
		b.ahead[chosen[i].Seq], b.served[chosen[i].Member] = true, b.turns
	}
}

// forget drops what waits no more from what was sent ahead, when it is much.
func (b *behind) forget(sent uint64) {
	if len(b.ahead) > 2*window {
		for seq := range b.ahead {
			if seq <= sent {
				delete(b.ahead, seq)
			}
		}
	}
}
