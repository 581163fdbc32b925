package app

import (
	"sync"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// pendingTable knows which transactions wait in CometBFT's mempool, so that a
// node never holds two of one sender and nonce. The mempool drops some without
// a word (when it is full, when it is flushed), so an entry lives on only as
// long as somebody vouches for it: every entry notes the generation in which
// it was last added or rechecked, a commit begins a new generation, and the
// mempool rechecks all it holds after every commit. What nobody vouched for in
// a whole generation is swept at the next commit.
//
// That needs the mempool's recheck to be on, and its lock (held from a commit
// to the end of the recheck) to keep CheckTx out meanwhile. Without it entries
// are forgotten early, which costs only the early refusal of duplicates.
type pendingTable struct {
	mu         sync.Mutex
	hashes     map[crypto.Hash]*pendingTx // mu
	nonces     map[nonceID]*pendingTx     // mu
	generation uint64                     // mu
}

type nonceID struct {
	sender crypto.Address
	nonce  ledger.Nonce
}

type pendingTx struct {
	tx   *ledger.Tx
	seen uint64 // generation in which it was last vouched for
}

func newPendingTable() *pendingTable {
	return &pendingTable{hashes: make(map[crypto.Hash]*pendingTx), nonces: make(map[nonceID]*pendingTx)}
}

// hold vouches for tx: it waits from now on, if it did not before. When
// another transaction waits for the same nonce, that one is returned and
// nothing changes.
func (p *pendingTable) hold(tx *ledger.Tx) (other *ledger.Tx) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := nonceID{tx.Sender, tx.Nonce}
	if e, taken := p.nonces[id]; taken {
		if e.tx.Hash != tx.Hash {
			return e.tx
		}
		e.seen = p.generation
		return nil
	}
	e := &pendingTx{tx, p.generation}
	p.nonces[id], p.hashes[tx.Hash] = e, e
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
	if e := p.nonces[nonceID{sender, nonce}]; e != nil {
		return e.tx
	}
	return nil
}

// drop forgets transactions.
func (p *pendingTable) drop(hashes ...crypto.Hash) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, h := range hashes {
		if e := p.hashes[h]; e != nil {
			p.forget(e)
		}
	}
}

// advance begins a new generation, after forgetting what was not vouched for
// in the one that ends. It costs a look at every entry.
func (p *pendingTable) advance() (swept int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.hashes {
		if e.seen < p.generation {
			p.forget(e)
			swept++
		}
	}
	p.generation++
	return swept
}

// forget removes an entry. Needs mu.
func (p *pendingTable) forget(e *pendingTx) {
	delete(p.hashes, e.tx.Hash)
	delete(p.nonces, nonceID{e.tx.Sender, e.tx.Nonce})
}

// len counts the entries.
func (p *pendingTable) len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.hashes)
}
