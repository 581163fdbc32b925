package smt

import (
	"bytes"
	"crypto/sha256"
	"sort"
)

// writer makes the nodes of one stage. It writes only nodes it took from the
// arena, notes which nodes and keys of the base the new version leaves behind,
// and can undo all of it. A writer belongs to one goroutine.
type writer struct {
	arena *nodeArena
	keys  *keyArena
	nodes nodeView
	raw   keyView

	block     []uint32   // numbers left of the last block taken
	taken     [][]uint32 // every block taken, whole
	newKeys   []keyRef
	deadNodes [][]uint32
	deadKeys  []keyRef
	added     int   // keys inserted less keys deleted
	err       error // the first failure; the result is then void
	warmth    byte  // depends on what warm read, so that it is read; no meaning
}

func newWriter(arena *nodeArena, keys *keyArena) *writer {
	return &writer{arena: arena, keys: keys, nodes: arena.view(), raw: keys.view()}
}

// apply returns the subtree h, at the given depth, after the items, all of
// which belong under it. Every inner node that changes is hashed once.
func (w *writer) apply(h handle, items []item, depth int) handle {
	if len(items) <= warmItems {
		w.warm(h, items, depth)
		return w.applyWarm(h, items, depth)
	}
	if h.isLeaf() {
		return w.graft(h, items, depth)
	}
	left, right := w.children(h)
	k := split(items, depth)
	newLeft := w.apply(left, items[:k], depth+1)
	newRight := w.apply(right, items[k:], depth+1)
	return w.join(h, newLeft, newRight)
}

// applyWarm is apply for a few items whose nodes were just read.
func (w *writer) applyWarm(h handle, items []item, depth int) handle {
	switch {
	case len(items) == 0:
		return h
	case h == empty && len(items) == 1:
		return w.insert(&items[0])
	case h.isLeaf():
		return w.graft(h, items, depth)
	}
	left, right := w.children(h)
	k := split(items, depth)
	newLeft := w.applyWarm(left, items[:k], depth+1)
	newRight := w.applyWarm(right, items[k:], depth+1)
	return w.join(h, newLeft, newRight)
}

// applyWide is apply on up to the given number of goroutines.
func (w *writer) applyWide(h handle, items []item, depth, workers int) handle {
	if workers < 2 || len(items) < parallelItems || h.isLeaf() {
		return w.apply(h, items, depth)
	}
	left, right := w.children(h)
	k := split(items, depth)
	other := newWriter(w.arena, w.keys)
	done := make(chan handle)
	go func() { done <- other.applyWide(right, items[k:], depth+1, workers/2) }()
	newLeft := w.applyWide(left, items[:k], depth+1, workers-workers/2)
	newRight := <-done
	w.absorb(other)
	return w.join(h, newLeft, newRight)
}

// graft applies items to a subtree that is one leaf.
func (w *writer) graft(leaf handle, items []item, depth int) handle {
	ref := w.keyRef(leaf)
	key := w.raw.key(ref)
	if len(items) == 1 && bytes.Equal(items[0].Key, key) {
		return w.replace(leaf, &items[0])
	}
	path := hash(sha256.Sum256(key))
	return w.graftAt(leaf, &path, items, depth)
}

// graftAt is graft with the leaf's path known.
func (w *writer) graftAt(leaf handle, path *hash, items []item, depth int) handle {
	if len(items) == 0 {
		return leaf
	}
	if len(items) == 1 && items[0].path == *path {
		return w.replace(leaf, &items[0])
	}
	k := split(items, depth)
	if bit(path, depth) == 0 {
		left := w.graftAt(leaf, path, items[:k], depth+1)
		return w.join(empty, left, w.apply(empty, items[k:], depth+1))
	}
	left := w.apply(empty, items[:k], depth+1)
	return w.join(empty, left, w.graftAt(leaf, path, items[k:], depth+1))
}

// insert makes the leaf of a key that is absent.
func (w *writer) insert(it *item) handle {
	if it.Value == nil || w.err != nil {
		return empty
	}
	ref, err := w.keys.put(it.Key)
	if err != nil {
		w.err = err
		return empty
	}
	w.newKeys = append(w.newKeys, ref)
	w.added++
	return w.leaf(ref, leafHash(&it.path, it.Value))
}

// replace returns what the item makes of its key's leaf.
func (w *writer) replace(old handle, it *item) handle {
	ref := w.keyRef(old)
	if it.Value == nil {
		w.retire(old)
		w.deadKeys = append(w.deadKeys, ref)
		w.added--
		return empty
	}
	sum := leafHash(&it.path, it.Value)
	if sum == *w.nodes.hash(old) {
		return old
	}
	w.retire(old)
	return w.leaf(ref, sum)
}

// join returns the subtree over two children, in place of the inner or empty
// subtree old. A lone leaf is hoisted.
func (w *writer) join(old, left, right handle) handle {
	if old != empty {
		if l, r := w.nodes.children(old); l == left && r == right {
			return old
		}
		w.retire(old)
	}
	switch {
	case left == empty && (right == empty || right.isLeaf()):
		return right
	case right == empty && left.isLeaf():
		return left
	}
	return w.inner(left, right)
}

func (w *writer) inner(left, right handle) handle {
	n := w.alloc()
	if n == 0 {
		return empty
	}
	h := handle(n)
	*w.nodes.hash(h) = innerHash(w.nodes.hash(left), w.nodes.hash(right))
	*w.nodes.pair(h) = [2]uint32{uint32(left), uint32(right)}
	return h
}

func (w *writer) leaf(ref keyRef, sum hash) handle {
	n := w.alloc()
	if n == 0 {
		return empty
	}
	h := handle(n) | leafBit
	*w.nodes.hash(h) = sum
	*w.nodes.pair(h) = [2]uint32{ref.cell, ref.length}
	return h
}

// alloc returns a free number, or 0 and sets w.err.
func (w *writer) alloc() uint32 {
	if len(w.block) == 0 {
		if w.err != nil {
			return 0
		}
		block, err := w.arena.take()
		if err != nil {
			w.err = err
			return 0
		}
		w.block = block
		w.taken = append(w.taken, block)
		w.nodes = w.arena.view()
	}
	if len(w.block)%warmItems == 0 {
		w.warmFree()
	}
	n := w.block[0]
	w.block = w.block[1:]
	return n
}

// retire notes that the new version no longer reaches a node of its base.
func (w *writer) retire(h handle) {
	last := len(w.deadNodes) - 1
	if last < 0 || len(w.deadNodes[last]) == blockNodes {
		w.deadNodes = append(w.deadNodes, nil)
		last++
	}
	w.deadNodes[last] = append(w.deadNodes[last], h.number())
}

// absorb takes over the work of another writer on the same stage.
func (w *writer) absorb(other *writer) {
	w.arena.give([][]uint32{other.unused()})
	w.taken = append(other.taken, w.taken...) // the last is still in use
	w.newKeys = append(w.newKeys, other.newKeys...)
	w.deadNodes = append(w.deadNodes, other.deadNodes...)
	w.deadKeys = append(w.deadKeys, other.deadKeys...)
	w.added += other.added
	if w.err == nil {
		w.err = other.err
	}
	w.nodes = w.arena.view()
}

// unused cuts the numbers not used off the last block taken.
func (w *writer) unused() []uint32 {
	rest := w.block
	if last := len(w.taken) - 1; last >= 0 {
		w.taken[last] = w.taken[last][:len(w.taken[last])-len(rest)]
	}
	w.block = nil
	return rest
}

// keep ends a stage that is committed: it returns what the base alone reaches
// from now on.
func (w *writer) keep() (deadNodes [][]uint32, deadKeys []keyRef) {
	w.arena.give([][]uint32{w.unused()})
	return w.deadNodes, w.deadKeys
}

// release ends a stage that is given up: it returns all it took.
func (w *writer) release() {
	w.arena.give(w.taken)
	w.keys.give(w.newKeys)
}

// children returns an inner node's children, and none for the empty subtree.
func (w *writer) children(h handle) (left, right handle) {
	if h == empty {
		return empty, empty
	}
	return w.nodes.children(h)
}

func (w *writer) keyRef(leaf handle) keyRef {
	p := w.nodes.pair(leaf)
	return keyRef{p[0], p[1]}
}

// rootHash is the hash of a root, which may be empty.
func (w *writer) rootHash(h handle) hash {
	if h == empty {
		return hash{}
	}
	return *w.nodes.hash(h)
}

// split returns how many of the items go left at the given depth.
func split(items []item, depth int) int {
	return sort.Search(len(items), func(i int) bool { return bit(&items[i].path, depth) == 1 })
}
