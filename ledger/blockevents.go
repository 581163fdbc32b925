package ledger

import (
	"crypto/sha256"
	"fmt"

	"github.com/tallystick/tallystick/crypto"
)

// blockHappened commits the state to the events of a block itself: of what
// fell due, and of what follows from a block as a whole. A transaction's events
// stand in its outcome. The record changes only in blocks that have such events.
type blockHappened struct {
	height Height
	digest crypto.Hash
}

// BlockEventsDigest is SHA-256 of rlp([event…]), the digest in the record at
// KeyEvents: rlp([height, digest]).
func BlockEventsDigest(events []Event) crypto.Hash {
	return sha256.Sum256(encode(eventBytes*len(events), nil, func(w *encoder) {
		list := w.list()
		for i := range events {
			events[i].encode(w)
		}
		w.end(list)
	}))
}

// DecodeBlockEvents reads the record at KeyEvents: the last height that had
// events of its own, and their digest.
func DecodeBlockEvents(value []byte) (Height, crypto.Hash, error) {
	h, err := decodeHappened(value)
	return h.height, h.digest, err
}

func writeHappened(w *encoder, h *blockHappened) {
	l := w.list()
	w.uint(uint64(h.height))
	w.bytes(h.digest[:])
	w.end(l)
}

func decodeHappened(value []byte) (h blockHappened, err error) {
	d := decoder{rest: value}
	l := d.list()
	h.height = Height(l.uint())
	l.fixed(h.digest[:])
	d.close(l)
	if !d.done() {
		return blockHappened{}, fmt.Errorf("block events record %x is not well formed", value)
	}
	return h, nil
}

// recordEvents ends a part of the block that is no transaction, and returns its
// events.
func (s *state) recordEvents(events []Event) error {
	if len(events) == 0 {
		return nil
	}
	c, err := s.happenedTable.get(s.reader, single{})
	if err != nil {
		return err
	}
	s.happenedTable.set(c, blockHappened{s.height, BlockEventsDigest(events)})
	return nil
}
