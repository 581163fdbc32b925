package smt

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"sync"
)

// parallelItems is the batch size from which work is split over goroutines.
const parallelItems = 2048

// Change sets a key to a value, or deletes the key when Value is nil. Setting a
// key to the value it has and deleting a key that is absent change nothing.
type Change struct {
	Key   []byte // 1 to MaxKeyLength bytes
	Value []byte // nil, or at least one byte
}

// Staged is a computed, uncommitted next version of a Tree. It holds memory
// until it is committed or discarded, or until another stage on the same head
// is committed.
type Staged struct {
	tree  *Tree
	root  handle
	hash  hash
	count int

	writer *writer // nil once closed; Tree.mu
	closed error   // what Commit answers, once closed; Tree.mu
}

// item is a change in path order.
type item struct {
	path hash
	Change
}

// Stage computes the root that the head would have after the changes, without
// changing the head. The changes may come in any order, but no key twice. Keys
// and values are read only during the call.
//
// Several stages on one head may exist; one of them can be committed. Large
// batches are hashed on up to GOMAXPROCS goroutines, with the same result. The
// cost of a change is one hash for each level of the tree that no other change
// shares, about log2(Len) less log2(len(changes)).
//
// It returns ErrKeyLength, ErrEmptyValue or ErrDuplicateKey for bad changes,
// ErrFull when the tree has no handles left, and ErrStale when another stage
// was committed meanwhile. After an error there is nothing to discard.
func (t *Tree) Stage(changes []Change) (*Staged, error) {
	return t.stage(changes, runtime.GOMAXPROCS(0))
}

func (t *Tree) stage(changes []Change, workers int) (*Staged, error) {
	items, err := sortChanges(changes, workers)
	if err != nil {
		return nil, fmt.Errorf("stage: %w", err)
	}
	base := t.pinHead()
	defer t.unpin(base)
	w := newWriter(t.nodes, t.keys)
	root := w.applyWide(base.root, items, 0, workers)
	if w.err != nil {
		w.release()
		return nil, fmt.Errorf("stage: %w", w.err)
	}
	s := &Staged{tree: t, root: root, hash: w.rootHash(root), count: base.count + w.added, writer: w}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.head() != base {
		w.release()
		return nil, fmt.Errorf("stage: %w", ErrStale)
	}
	t.open[s] = struct{}{}
	return s, nil
}

// Root returns the root the head will have once s is committed. It stays
// readable after s is closed.
func (s *Staged) Root() [32]byte { return s.hash }

// Discard gives up the stage and its memory. It does nothing when s is already
// committed or discarded.
func (s *Staged) Discard() {
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	if s.closed == nil {
		s.writer.release()
		s.close(ErrClosed)
	}
}

// close marks s as done with, for the given reason. Needs Tree.mu.
func (s *Staged) close(reason error) {
	s.closed, s.writer = reason, nil
	delete(s.tree.open, s)
}

// sortChanges checks the changes and returns them in path order.
func sortChanges(changes []Change, workers int) ([]item, error) {
	items := make([]item, len(changes))
	for i, c := range changes {
		if err := checkKey(c.Key); err != nil {
			return nil, err
		}
		if c.Value != nil && len(c.Value) == 0 {
			return nil, fmt.Errorf("key %x: %w", c.Key, ErrEmptyValue)
		}
		items[i].Change = c
	}
	hashPaths(items, workers)
	return orderItems(items)
}

func checkKey(key []byte) error {
	if len(key) == 0 || len(key) > MaxKeyLength {
		return fmt.Errorf("key of %d bytes: %w", len(key), ErrKeyLength)
	}
	return nil
}

// hashPaths fills in the items' paths.
func hashPaths(items []item, workers int) {
	if workers < 2 || len(items) < parallelItems {
		for i := range items {
			items[i].path = sha256.Sum256(items[i].Key)
		}
		return
	}
	half := len(items) / 2
	var wg sync.WaitGroup
	wg.Go(func() { hashPaths(items[half:], workers/2) })
	hashPaths(items[:half], workers-workers/2)
	wg.Wait()
}

// orderItems sorts by path and refuses equal keys. It sorts small records by
// the first 64 bits and then moves each item once.
func orderItems(items []item) ([]item, error) {
	type place struct {
		prefix uint64
		index  uint32
	}
	places := make([]place, len(items))
	for i := range items {
		places[i] = place{binary.BigEndian.Uint64(items[i].path[:8]), uint32(i)}
	}
	slices.SortFunc(places, func(a, b place) int {
		if c := cmp.Compare(a.prefix, b.prefix); c != 0 {
			return c
		}
		return bytes.Compare(items[a.index].path[:], items[b.index].path[:])
	})
	sorted := make([]item, len(items))
	for i, p := range places {
		sorted[i] = items[p.index]
		if i > 0 && sorted[i].path == sorted[i-1].path {
			return nil, fmt.Errorf("key %x: %w", sorted[i].Key, ErrDuplicateKey)
		}
	}
	return sorted, nil
}
