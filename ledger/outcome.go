package ledger

import (
	"crypto/sha256"
	"sync"

	"github.com/tallystick/tallystick/crypto"
)

// TxResult is what became of one transaction of a block.
type TxResult struct {
	Code     Code
	BodyHash crypto.Hash // zero when the bytes were malformed
	Events   []Event     // in order; none unless Code is Applied
}

// Outcome is the canonical form of a result: rlp([code, bodyHash, [event…]]),
// with event = [type, field…].
func (r *TxResult) Outcome() []byte {
	return encode(outcomeBytes+eventBytes*len(r.Events), nil, r.write)
}

// Sizes to expect of an outcome and of each event in it.
const (
	outcomeBytes = 48
	eventBytes   = 128
)

func (r *TxResult) write(w *encoder) {
	outer := w.list()
	w.uint(uint64(r.Code))
	w.bytes(r.BodyHash[:])
	list := w.list()
	for i := range r.Events {
		r.Events[i].encode(w)
	}
	w.end(list)
	w.end(outer)
}

// outcomes are encoders for outcomes that only their digests outlive.
var outcomes = sync.Pool{New: func() any { return new(encoder) }}

// Digest is SHA-256 of the Outcome: the Data of the transaction's ABCI
// result, which the next block's LastResultsHash commits to.
func (r *TxResult) Digest() [32]byte {
	w := outcomes.Get().(*encoder)
	defer outcomes.Put(w)
	w.out = w.out[:0]
	r.write(w)
	return sha256.Sum256(w.out)
}
