package smt

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"sort"
)

// entry is a leaf being sorted into place, with the first bits of its path.
type entry struct {
	prefix uint64
	leaf   handle
}

// prefixBits is how many bits of the path an entry carries.
const prefixBits = 64

// Build makes the tree of a whole table, as the given version. The stream
// yields every key with its value, in strictly ascending order of raw keys; it
// may reuse its slices. A stream that fails has to say so by itself: Build
// cannot tell an early end from a small table. The result is checked by
// comparing its root with the one that is known.
//
// Beside the tree itself it needs 20 to 40 bytes a key while it runs.
//
// It returns ErrKeyOrder, ErrKeyLength or ErrEmptyValue for a bad stream, and
// ErrFull for one that is too long.
func Build(number uint64, stream iter.Seq2[[]byte, []byte]) (*Tree, error) {
	t := New()
	w := newWriter(t.nodes, t.keys)
	entries, err := w.readLeaves(stream)
	if err != nil {
		return nil, fmt.Errorf("build version %d: %w", number, err)
	}
	slices.SortFunc(entries, w.compare)
	root := w.assembleWide(entries, 0, runtime.GOMAXPROCS(0))
	if w.err != nil {
		return nil, fmt.Errorf("build version %d: %w", number, w.err)
	}
	t.versions[0] = &version{number: number, root: root, hash: w.rootHash(root), count: w.added}
	w.keep()
	return t, nil
}

// readLeaves makes the leaves of a stream, in its order.
func (w *writer) readLeaves(stream iter.Seq2[[]byte, []byte]) ([]entry, error) {
	var entries []entry
	var last []byte
	var err error
	for key, value := range stream {
		if err = checkStreamed(last, key, value); err != nil {
			break
		}
		it := item{path: sha256.Sum256(key), Change: Change{Key: key, Value: value}}
		leaf := w.insert(&it)
		w.newKeys = w.newKeys[:0] // never to be undone one by one
		if err = w.err; err != nil {
			break
		}
		entries = append(entries, entry{binary.BigEndian.Uint64(it.path[:8]), leaf})
		last = append(last[:0], key...)
	}
	return entries, err
}

func checkStreamed(last, key, value []byte) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if len(value) == 0 {
		return fmt.Errorf("key %x: %w", key, ErrEmptyValue)
	}
	if bytes.Compare(last, key) >= 0 {
		return fmt.Errorf("key %x after %x: %w", key, last, ErrKeyOrder)
	}
	return nil
}

// path is the whole path of a leaf.
func (w *writer) path(leaf handle) hash {
	return sha256.Sum256(w.keys.view().key(w.keyRef(leaf)))
}

func (w *writer) compare(a, b entry) int {
	if c := cmp.Compare(a.prefix, b.prefix); c != 0 {
		return c
	}
	left, right := w.path(a.leaf), w.path(b.leaf)
	return bytes.Compare(left[:], right[:])
}

// goesRight is the bit of an entry's path at the given depth.
func (w *writer) goesRight(e entry, depth int) bool {
	if depth < prefixBits {
		return e.prefix>>(prefixBits-1-depth)&1 == 1
	}
	path := w.path(e.leaf)
	return bit(&path, depth) == 1
}

// assemble joins sorted leaves into a subtree.
func (w *writer) assemble(entries []entry, depth int) handle {
	switch len(entries) {
	case 0:
		return empty
	case 1:
		return entries[0].leaf
	}
	k := w.splitEntries(entries, depth)
	left := w.assemble(entries[:k], depth+1)
	return w.join(empty, left, w.assemble(entries[k:], depth+1))
}

// assembleWide is assemble on up to the given number of goroutines.
func (w *writer) assembleWide(entries []entry, depth, workers int) handle {
	if workers < 2 || len(entries) < parallelItems {
		return w.assemble(entries, depth)
	}
	k := w.splitEntries(entries, depth)
	other := newWriter(w.arena, w.keys)
	done := make(chan handle)
	go func() { done <- other.assembleWide(entries[k:], depth+1, workers/2) }()
	left := w.assembleWide(entries[:k], depth+1, workers-workers/2)
	right := <-done
	w.absorb(other)
	return w.join(empty, left, right)
}

func (w *writer) splitEntries(entries []entry, depth int) int {
	return sort.Search(len(entries), func(i int) bool { return w.goesRight(entries[i], depth) })
}
