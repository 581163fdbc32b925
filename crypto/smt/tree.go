package smt

import (
	"fmt"
	"slices"
	"sync"
)

// Tree is a sparse Merkle tree: the head and the recent versions before it. Its
// methods may be called from any goroutines at once; none waits for another's
// hashing or for a proof.
type Tree struct {
	nodes *nodeArena
	keys  *keyArena

	mu       sync.Mutex
	versions []*version           // ascending, the last is the head; mu
	keepFrom uint64               // versions below are forgotten; mu
	open     map[*Staged]struct{} // stages on the head, not yet closed; mu
}

// version is one committed state of the tree.
type version struct {
	number uint64
	root   handle
	hash   hash
	count  int // keys

	pins int // readers at work; Tree.mu

	// What this version reaches and the next does not. Set when the next is
	// committed; Tree.mu.
	deadNodes [][]uint32
	deadKeys  []keyRef
}

// New returns an empty tree. Its version is 0 and its root 32 zero bytes.
func New() *Tree { return newTree(maxNodes, maxSlabs) }

func newTree(nodeLimit uint32, slabLimit int) *Tree {
	return &Tree{
		nodes:    newNodeArena(nodeLimit),
		keys:     newKeyArena(slabLimit),
		versions: []*version{{}},
		open:     make(map[*Staged]struct{}),
	}
}

// head is the last version. Needs mu.
func (t *Tree) head() *version { return t.versions[len(t.versions)-1] }

// held returns the versions that are not forgotten. Needs mu.
func (t *Tree) held() []*version {
	for i, v := range t.versions {
		if v.number >= t.keepFrom {
			return t.versions[i:]
		}
	}
	return nil
}

// find returns a version held, or nil. Needs mu.
func (t *Tree) find(number uint64) *version {
	for _, v := range t.held() {
		if v.number == number {
			return v
		}
	}
	return nil
}

// Root returns the head's root.
func (t *Tree) Root() [32]byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.head().hash
}

// Version returns the head's version.
func (t *Tree) Version() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.head().number
}

// Len returns the number of keys at the head.
func (t *Tree) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.head().count
}

// Versions lists the versions held, ascending. The last is the head.
func (t *Tree) Versions() []uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []uint64
	for _, v := range t.held() {
		list = append(list, v.number)
	}
	return list
}

// RootAt returns the root of a version, and whether it is held.
func (t *Tree) RootAt(version uint64) ([32]byte, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := t.find(version)
	if v == nil {
		return [32]byte{}, false
	}
	return v.hash, true
}

// Commit makes s the head, as the given version. It closes s and every other
// stage on the old head. The cost does not depend on the size of the batch.
//
// It returns ErrVersionOrder unless version is above the head's, which leaves s
// open; ErrClosed when s was committed or discarded before; and ErrStale when s
// was not staged on the current head of this tree.
func (t *Tree) Commit(s *Staged, number uint64) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s == nil || s.tree != t {
		return fmt.Errorf("commit version %d: %w", number, ErrStale)
	}
	if s.closed != nil {
		return fmt.Errorf("commit version %d: %w", number, s.closed)
	}
	head := t.head()
	if number <= head.number {
		return fmt.Errorf("commit version %d after %d: %w", number, head.number, ErrVersionOrder)
	}
	head.deadNodes, head.deadKeys = s.writer.keep()
	t.versions = append(t.versions, &version{
		number: number, root: s.root, hash: s.hash, count: s.count,
	})
	s.close(ErrClosed)
	for other := range t.open {
		other.writer.release()
		other.close(ErrStale)
	}
	t.reclaim()
	return nil
}

// Prune forgets the versions below keepFrom, but never the head. What it
// forgets stays forgotten: a smaller keepFrom changes nothing. Memory that only
// forgotten versions used is used again by later batches.
func (t *Tree) Prune(keepFrom uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keepFrom = max(t.keepFrom, min(keepFrom, t.head().number))
	t.reclaim()
}

// reclaim gives back what the oldest versions alone reach, as long as they are
// forgotten and nobody reads them. Needs mu.
func (t *Tree) reclaim() {
	n := 0
	for _, v := range t.versions[:len(t.versions)-1] {
		if v.number >= t.keepFrom || v.pins > 0 {
			break
		}
		t.nodes.give(v.deadNodes)
		t.keys.give(v.deadKeys)
		n++
	}
	t.versions = slices.Delete(t.versions, 0, n)
}

// pin keeps a version's nodes from being reused until unpin. It returns
// ErrUnknownVersion when the version is not held.
func (t *Tree) pin(number uint64) (*version, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := t.find(number)
	if v == nil {
		return nil, fmt.Errorf("version %d: %w", number, ErrUnknownVersion)
	}
	v.pins++
	return v, nil
}

// pinHead pins the head.
func (t *Tree) pinHead() *version {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := t.head()
	v.pins++
	return v
}

func (t *Tree) unpin(v *version) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v.pins--
	t.reclaim()
}
