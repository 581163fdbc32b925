package smt

import (
	"sync"
	"sync/atomic"
)

// handle names a node: its number in the arena, with leafBit set for a leaf.
// Zero is the empty subtree.
type handle uint32

const (
	empty   handle = 0
	leafBit handle = 1 << 31

	chunkBits  = 12
	chunkNodes = 1 << chunkBits
	chunkMask  = chunkNodes - 1

	// blockNodes is how many free handles a writer takes at a time.
	blockNodes = 1024
	// maxNodes bounds the numbers a handle can carry.
	maxNodes = 1 << 31
)

func (h handle) isLeaf() bool { return h&leafBit != 0 }

// number is the node's place in the arena.
func (h handle) number() uint32 { return uint32(h &^ leafBit) }

// chunk holds nodes of 40 bytes: a hash, and a pair of words that is the two
// child handles of an inner node, or the place and length of a leaf's key. The
// two arrays are apart so that neither entry straddles a cache line.
type chunk struct {
	hashes [chunkNodes]hash
	pairs  [chunkNodes][2]uint32
}

// nodeView is the arena's chunks as of some moment. A view sees every node that
// was written before it was taken; nodes reachable from a version held are
// never written again, so no lock is needed to read them.
type nodeView []*chunk

func (v nodeView) hash(h handle) *hash {
	n := h.number()
	return &v[n>>chunkBits].hashes[n&chunkMask]
}

func (v nodeView) pair(h handle) *[2]uint32 {
	n := h.number()
	return &v[n>>chunkBits].pairs[n&chunkMask]
}

// children returns the child handles of an inner node, or none of an empty one.
func (v nodeView) children(h handle) (left, right handle) {
	p := v.pair(h)
	return handle(p[0]), handle(p[1])
}

// nodeArena hands out nodes in blocks of free numbers and takes them back.
type nodeArena struct {
	chunks atomic.Pointer[nodeView] // replaced under mu, read freely

	mu    sync.Mutex
	limit uint32     // first number that may not be used; chunk-aligned
	next  uint32     // first number never handed out; mu
	free  [][]uint32 // numbers given back; mu
}

func newNodeArena(limit uint32) *nodeArena {
	a := &nodeArena{limit: limit}
	a.chunks.Store(&nodeView{})
	return a
}

// view returns the current chunks.
func (a *nodeArena) view() nodeView { return *a.chunks.Load() }

// take returns a block of free numbers, or ErrFull.
func (a *nodeArena) take() ([]uint32, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n := len(a.free); n > 0 {
		block := a.free[n-1]
		a.free[n-1] = nil
		a.free = a.free[:n-1]
		return block, nil
	}
	if a.next >= a.limit {
		return nil, ErrFull
	}
	if a.next&chunkMask == 0 {
		// Readers of the old view never look past its length, so appending in
		// place is safe.
		chunks := append(*a.chunks.Load(), new(chunk))
		a.chunks.Store(&chunks)
	}
	block := make([]uint32, 0, blockNodes)
	for i := range uint32(blockNodes) {
		if n := a.next + i; n != 0 { // number 0 stays the empty subtree
			block = append(block, n)
		}
	}
	a.next += blockNodes
	return block, nil
}

// give takes back blocks of numbers that no held version reaches.
func (a *nodeArena) give(blocks [][]uint32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, b := range blocks {
		if len(b) > 0 {
			a.free = append(a.free, b)
		}
	}
}

// inUse counts the numbers handed out and not given back.
func (a *nodeArena) inUse() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := int(a.next)
	if n > 0 {
		n-- // number 0
	}
	for _, b := range a.free {
		n -= len(b)
	}
	return n
}
