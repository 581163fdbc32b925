package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"sort"
)

// undo is what turns the state of a height back into the state before it: the
// old value of every key that the height changed.
//
// Its bytes are the entries, strictly ascending by key, each
//
//	uvarint(len(key)) ‖ key ‖ uvarint(n) ‖ old value
//
// where n is 0 when the key was absent, and else len(old value) + 1.
//
// An undo is immutable once made. What it returns are views of its bytes.
type undo struct {
	raw []byte
	at  []uint32 // where each entry starts
}

var errUndo = errors.New("undo record is damaged")

// maxUndoBytes bounds a record, so that its offsets fit in 32 bits.
const maxUndoBytes = 1 << 31

func newUndo(entries, bytesHint int) *undo {
	return &undo{raw: make([]byte, 0, bytesHint), at: make([]uint32, 0, entries)}
}

// add appends an entry; old is nil when the key was absent. Keys ascend.
func (u *undo) add(key, old []byte) {
	u.at = append(u.at, uint32(len(u.raw)))
	u.raw = binary.AppendUvarint(u.raw, uint64(len(key)))
	u.raw = append(u.raw, key...)
	if old == nil {
		u.raw = append(u.raw, 0)
		return
	}
	u.raw = binary.AppendUvarint(u.raw, uint64(len(old))+1)
	u.raw = append(u.raw, old...)
}

// decodeUndo checks the bytes of a record and takes them over.
func decodeUndo(raw []byte) (*undo, error) {
	if len(raw) > maxUndoBytes {
		return nil, errUndo
	}
	u := &undo{raw: raw}
	var last []byte
	for at := 0; at < len(raw); {
		key, rest, ok := cutSized(raw[at:], 0)
		if !ok || len(key) == 0 || bytes.Compare(last, key) >= 0 {
			return nil, errUndo
		}
		if _, rest, ok = cutSized(rest, 1); !ok {
			return nil, errUndo
		}
		u.at = append(u.at, uint32(at))
		last, at = key, len(raw)-len(rest)
	}
	return u, nil
}

// cutSized cuts a uvarint n and the n - bias bytes after it off raw. With bias
// 1, n = 0 stands for nil.
func cutSized(raw []byte, bias uint64) (content, rest []byte, ok bool) {
	n, width := binary.Uvarint(raw)
	if width <= 0 {
		return nil, nil, false
	}
	rest = raw[width:]
	if n < bias {
		return nil, rest, true
	}
	n -= bias
	if n > uint64(len(rest)) {
		return nil, nil, false
	}
	return rest[:n:n], rest[n:], true
}

// entry returns entry i: its key, and its old value or nil.
func (u *undo) entry(i int) (key, old []byte) {
	key, rest, _ := cutSized(u.raw[u.at[i]:], 0)
	old, _, _ = cutSized(rest, 1)
	return key, old
}

// search returns the first entry whose key is not below the one given.
func (u *undo) search(key []byte) int {
	return sort.Search(len(u.at), func(i int) bool {
		k, _, _ := cutSized(u.raw[u.at[i]:], 0)
		return bytes.Compare(k, key) >= 0
	})
}

// find returns the old value of a key, and whether the height changed it.
func (u *undo) find(key []byte) (old []byte, found bool) {
	i := u.search(key)
	if i == len(u.at) {
		return nil, false
	}
	k, old := u.entry(i)
	return old, bytes.Equal(k, key)
}

// sizeBytes is the memory that u takes.
func (u *undo) sizeBytes() int { return cap(u.raw) + 4*cap(u.at) }

// filter answers for a set of keys, by their hashes, either "maybe" or
// "certainly not" (a Bloom filter): about one absent key in a hundred gets
// "maybe". It spares readers of old heights nearly all the undo records.
type filter []uint64

const (
	filterBitsPerKey = 10
	filterProbes     = 4
)

func newFilter(keys int) filter { return make(filter, keys*filterBitsPerKey/64+1) }

// probe returns the word and the bit of one probe.
func (f filter) probe(hash uint64, i uint32) (word uint64, bit uint64) {
	n := uint64(uint32(hash) + i*(uint32(hash>>32)|1))
	place := n * (uint64(len(f)) * 64) >> 32
	return place / 64, 1 << (place % 64)
}

func (f filter) add(hash uint64) {
	for i := range uint32(filterProbes) {
		word, bit := f.probe(hash, i)
		f[word] |= bit
	}
}

func (f filter) maybe(hash uint64) bool {
	for i := range uint32(filterProbes) {
		if word, bit := f.probe(hash, i); f[word]&bit == 0 {
			return false
		}
	}
	return true
}
