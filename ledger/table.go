package ledger

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"slices"
)

// Change is one difference between two committed states. Value nil deletes
// the key; values are never empty. Nobody else holds the slices; those of
// several changes lie in the same memory.
type Change struct {
	Key   []byte
	Value []byte
}

// recordKind is what a table knows of its records: their keys and their form.
type recordKind[K comparable, V any] struct {
	prefix    int                    // bytes of the key that all records share
	appendKey func([]byte, K) []byte // in the order of the fields of K
	decode    func([]byte) (V, error)
	write     func(*encoder, *V)
}

// table is one kind of records of the state: read on first use, kept decoded,
// written back once a block.
type table[K comparable, V any] struct {
	kind   *recordKind[K, V]
	expect int            // how many records may be read: the first size of slots
	last   *cell[K, V]    // what get answered last
	slots  []slot         // finds cells by their id, with linear probing; a power of two of them
	pages  [][]cell[K, V] // the cells, in the order of their first use, pageCells each
	used   int            // how many cells there are
	dirty  []*cell[K, V]  // the cells ever touched, in the order of their first touch
	saved  []savedCell[K, V]
	key    []byte // room for one key
	warmth byte   // what warm read, so that it is not left out as useless
}

// cell is one record. It is present or absent, before the block and now.
type cell[K comparable, V any] struct {
	id        K
	present   bool
	touched   bool
	value     V
	committed []byte // nil when absent before the block
}

// slot leads to a cell by its number, counted from 1; the zero slot is empty.
// Its part of the hash spares a look at the cells of other records, which lie
// far apart in memory.
type slot struct{ hash, number uint32 }

type savedCell[K comparable, V any] struct {
	at      *cell[K, V]
	value   V
	present bool
}

const (
	pageCells = 16 // few: judging one transaction needs two or three
	minSlots  = 8
)

// slotSeed keeps others from choosing addresses that meet in one slot. It says
// where cells are looked for and has no part in any result.
var slotSeed = maphash.MakeSeed()

// get returns the record's cell; the caller reads value and present and
// changes them through set and remove alone.
func (t *table[K, V]) get(r Reader, id K) (*cell[K, V], error) {
	if t.last != nil && t.last.id == id {
		return t.last, nil
	}
	if 4*(t.used+1) > 3*len(t.slots) {
		t.grow()
	}
	hash := uint32(maphash.Comparable(slotSeed, id))
	s := t.find(hash, id)
	if s.number == 0 {
		c, err := t.read(r, id)
		if err != nil {
			return nil, err
		}
		*s = slot{hash, uint32(t.used)}
		t.last = c
		return c, nil
	}
	t.last = t.cell(s.number)
	return t.last, nil
}

// cell returns the cell with a number.
func (t *table[K, V]) cell(number uint32) *cell[K, V] {
	i := number - 1
	return &t.pages[i/pageCells][i%pageCells]
}

// find returns the slot where the record's cell is, or would be.
func (t *table[K, V]) find(hash uint32, id K) *slot {
	mask := uint32(len(t.slots) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		s := &t.slots[at]
		if s.number == 0 || s.hash == hash && t.cell(s.number).id == id {
			return s
		}
	}
}

// grow makes room for more slots.
func (t *table[K, V]) grow() {
	old, size := t.slots, max(minSlots, 2*len(t.slots))
	for 3*size < 4*t.expect {
		size *= 2
	}
	t.slots = make([]slot, size)
	for _, s := range old {
		if s.number != 0 {
			*t.find(s.hash, t.cell(s.number).id) = s
		}
	}
}

// read makes the record's cell.
func (t *table[K, V]) read(r Reader, id K) (*cell[K, V], error) {
	t.key = t.kind.appendKey(t.key[:0], id)
	raw, err := r.Get(t.key)
	if err != nil {
		return nil, fmt.Errorf("read state key %q: %w", t.key, err)
	}
	var value V
	if len(raw) > 0 {
		if value, err = t.kind.decode(raw); err != nil {
			return nil, fmt.Errorf("state key %q: %w", t.key, err)
		}
	}
	c := t.newCell()
	c.id, c.value = id, value
	if len(raw) > 0 {
		c.committed, c.present = raw, true
	}
	return c, nil
}

// newCell makes the next cell. Cells stay where they are: others point to them.
func (t *table[K, V]) newCell() *cell[K, V] {
	if t.used%pageCells == 0 {
		t.pages = append(t.pages, make([]cell[K, V], pageCells))
	}
	t.used++
	return t.cell(uint32(t.used))
}

func (t *table[K, V]) set(c *cell[K, V], v V) {
	t.save(c)
	c.value, c.present = v, true
}

// remove deletes the record: it reads as the zero value.
func (t *table[K, V]) remove(c *cell[K, V]) {
	var zero V
	t.save(c)
	c.value, c.present = zero, false
}

func (t *table[K, V]) save(c *cell[K, V]) {
	t.saved = append(t.saved, savedCell[K, V]{c, c.value, c.present})
	if !c.touched {
		c.touched = true
		t.dirty = append(t.dirty, c)
	}
}

func (t *table[K, V]) keep() { t.saved = t.saved[:0] }

// mark names a point since the last keep; undo takes back what came after it.
func (t *table[K, V]) mark() int { return len(t.saved) }

func (t *table[K, V]) undo(mark int) {
	for _, s := range slices.Backward(t.saved[mark:]) {
		s.at.value, s.at.present = s.value, s.present
	}
	t.saved = t.saved[:mark]
}

// touched is how many records were ever changed.
func (t *table[K, V]) touched() int { return len(t.dirty) }

// changes appends the table's differences to out, ascending by key. Keys and
// values are written one after another into pages.
func (t *table[K, V]) changes(out []Change) []Change {
	page := min(changeBytes*len(t.dirty)+pageReserve, maxPageBytes)
	var w encoder
	ascending := t.ascending()
	for i, c := range ascending {
		if i%aheadCells == 0 {
			t.warm(ascending[i:])
		}
		if cap(w.out)-len(w.out) < pageReserve {
			w.out = make([]byte, 0, page)
		}
		begin := len(w.out)
		w.out = t.kind.appendKey(w.out, c.id)
		split := len(w.out)
		if c.present {
			t.kind.write(&w, &c.value)
		}
		end := len(w.out)
		if bytes.Equal(w.out[split:], c.committed) {
			w.out = w.out[:begin]
			continue
		}
		change := Change{Key: w.out[begin:split:split]}
		if c.present {
			change.Value = w.out[split:end:end]
		}
		out = append(out, change)
	}
	return out
}

// aheadCells is how many cells warm reads.
const aheadCells = 16

// warm reads what changes needs of the next cells, all together: in the order
// of their keys they, and what was committed, lie anywhere in memory.
func (t *table[K, V]) warm(next []*cell[K, V]) {
	for _, c := range next[:min(len(next), aheadCells)] {
		if len(c.committed) > 0 {
			t.warmth += c.committed[len(c.committed)-1]
		}
	}
}

// Sizes of the pages that hold changes.
const (
	changeBytes  = 96      // to expect of a change
	pageReserve  = 512     // a page with less left is full; few changes are longer
	maxPageBytes = 8 << 10 // more would keep much alive for a few changes
)

// ascending returns the dirty cells in the order of their keys. It compares
// the first eight bytes after the prefix as a number, and the rest only where
// those are equal: sorting is much of a block's cost.
func (t *table[K, V]) ascending() []*cell[K, V] {
	type ranked struct {
		head uint64
		cell *cell[K, V]
	}
	list := make([]ranked, len(t.dirty))
	for i, c := range t.dirty {
		var head [8]byte
		t.key = t.kind.appendKey(t.key[:0], c.id)
		copy(head[:], t.key[t.kind.prefix:])
		list[i] = ranked{binary.BigEndian.Uint64(head[:]), c}
	}
	var other []byte
	slices.SortFunc(list, func(a, b ranked) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		t.key = t.kind.appendKey(t.key[:0], a.cell.id)
		other = t.kind.appendKey(other[:0], b.cell.id)
		return bytes.Compare(t.key, other)
	})
	for i, r := range list {
		t.dirty[i] = r.cell
	}
	return t.dirty
}
