package ledger

import (
	"crypto/sha256"

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
	return encode(nil, r.write)
}

func (r *TxResult) write(w encoder) {
	outer := w.List()
	w.uint(uint64(r.Code))
	w.WriteBytes(r.BodyHash[:])
	list := w.List()
	for i := range r.Events {
		r.Events[i].encode(w)
	}
	w.ListEnd(list)
	w.ListEnd(outer)
}

// Digest is SHA-256 of the Outcome: the Data of the transaction's ABCI
// result, which the next block's LastResultsHash commits to.
func (r *TxResult) Digest() [32]byte { return sha256.Sum256(r.Outcome()) }
