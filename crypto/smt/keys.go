package smt

import (
	"sync"
	"sync/atomic"
)

// MaxKeyLength is the longest key, in bytes. The shortest is one byte.
const MaxKeyLength = 4096

const (
	cellBytes  = 8
	slabBits   = 16
	slabCells  = 1 << slabBits // 512 KiB
	slabMask   = slabCells - 1
	maxSlabs   = 1 << (32 - slabBits)
	slabLength = slabCells * cellBytes
)

// keyRef is a raw key's place, in cells, and its length in bytes.
type keyRef struct{ cell, length uint32 }

func (r keyRef) cells() uint32 { return (r.length + cellBytes - 1) / cellBytes }

// keyView is the arena's slabs as of some moment; like nodeView, it reads keys
// of held versions without a lock.
type keyView []*[slabLength]byte

// key returns the raw key. It aliases the arena: copy it before letting go of
// the version it belongs to.
func (v keyView) key(r keyRef) []byte {
	from := (r.cell & slabMask) * cellBytes
	return v[r.cell>>slabBits][from : from+r.length : from+r.length]
}

// keyArena keeps raw keys in cells of 8 bytes. The room of a deleted key is
// used again by a key that takes as many cells; the ledger's keys come in few
// lengths.
type keyArena struct {
	slabs atomic.Pointer[keyView] // replaced under mu, read freely

	mu    sync.Mutex
	limit int                 // greatest number of slabs
	next  uint32              // first cell never used in the last slab; mu
	free  map[uint32][]uint32 // cells given back, by number of cells; mu
	cells int                 // cells in use; mu
}

func newKeyArena(limit int) *keyArena {
	a := &keyArena{limit: limit, next: slabCells, free: make(map[uint32][]uint32)}
	a.slabs.Store(&keyView{})
	return a
}

func (a *keyArena) view() keyView { return *a.slabs.Load() }

// put stores a copy of key, or returns ErrFull.
func (a *keyArena) put(key []byte) (keyRef, error) {
	ref := keyRef{length: uint32(len(key))}
	cell, err := a.place(ref.cells())
	if err != nil {
		return keyRef{}, err
	}
	ref.cell = cell
	copy(a.view().key(ref), key)
	return ref, nil
}

// place finds room for n cells.
func (a *keyArena) place(n uint32) (uint32, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cells += int(n)
	if list := a.free[n]; len(list) > 0 {
		last := len(list) - 1
		a.free[n] = list[:last]
		return list[last], nil
	}
	slabs := *a.slabs.Load()
	if a.next+n > slabCells {
		if len(slabs) >= a.limit {
			a.cells -= int(n)
			return 0, ErrFull
		}
		slabs = append(slabs, new([slabLength]byte))
		a.slabs.Store(&slabs)
		a.next = 0
	}
	cell := uint32(len(slabs)-1)<<slabBits | a.next
	a.next += n
	return cell, nil
}

// give takes back keys that no held version reaches.
func (a *keyArena) give(refs []keyRef) {
	if len(refs) == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range refs {
		n := r.cells()
		a.free[n] = append(a.free[n], r.cell)
		a.cells -= int(n)
	}
}

// inUse counts the cells of keys that were put and not given back.
func (a *keyArena) inUse() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.cells
}
