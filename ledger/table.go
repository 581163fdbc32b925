package ledger

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
)

// Change is one difference between two committed states. Value nil deletes
// the key; values are never empty. Nobody else holds the slices.
type Change struct {
	Key   []byte
	Value []byte
}

// recordKind is what a table knows of its records: their keys and their form.
type recordKind[K comparable, V any] struct {
	prefix int // bytes of the key that all records share
	keyOf  func(K) []byte
	decode func([]byte) (V, error)
	write  func(*encoder, *V)
}

// table is one kind of records of the state: read on first use, kept decoded,
// written back once a block.
type table[K comparable, V any] struct {
	kind    *recordKind[K, V]
	expect  int // how many records may be read: the first size of cells
	cells   map[K]*cell[V]
	last    *cell[V] // what get answered last, for the key lastKey
	lastKey K
	fresh   []cell[V]  // room for the next cells: they are made many at a time
	dirty   []*cell[V] // the cells ever touched, in the order of their first touch
	saved   []savedCell[V]
}

// cell is one record. It is present or absent, before the block and now.
type cell[V any] struct {
	key       []byte
	committed []byte // nil when absent before the block
	value     V
	present   bool
	touched   bool
}

type savedCell[V any] struct {
	at      *cell[V]
	value   V
	present bool
}

// The cells of a table are made in groups that double up to maxFresh.
const maxFresh = 128

// get returns the record's cell; the caller reads value and present and
// changes them through set and remove alone.
func (t *table[K, V]) get(r Reader, k K) (*cell[V], error) {
	if t.last != nil && t.lastKey == k {
		return t.last, nil
	}
	c, ok := t.cells[k]
	if !ok {
		var err error
		if c, err = t.read(r, k); err != nil {
			return nil, err
		}
	}
	t.last, t.lastKey = c, k
	return c, nil
}

// read makes the record's cell.
func (t *table[K, V]) read(r Reader, k K) (*cell[V], error) {
	key := t.kind.keyOf(k)
	raw, err := r.Get(key)
	if err != nil {
		return nil, fmt.Errorf("read state key %q: %w", key, err)
	}
	c := t.newCell()
	c.key = key
	if len(raw) > 0 {
		if c.value, err = t.kind.decode(raw); err != nil {
			return nil, fmt.Errorf("state key %q: %w", key, err)
		}
		c.committed, c.present = raw, true
	}
	if t.cells == nil {
		t.cells = make(map[K]*cell[V], t.expect)
	}
	t.cells[k] = c
	return c, nil
}

func (t *table[K, V]) newCell() *cell[V] {
	if len(t.fresh) == 0 {
		t.fresh = make([]cell[V], min(max(1, len(t.cells)), maxFresh))
	}
	c := &t.fresh[0]
	t.fresh = t.fresh[1:]
	return c
}

func (t *table[K, V]) set(c *cell[V], v V) {
	t.save(c)
	c.value, c.present = v, true
}

// remove deletes the record: it reads as the zero value.
func (t *table[K, V]) remove(c *cell[V]) {
	var zero V
	t.save(c)
	c.value, c.present = zero, false
}

func (t *table[K, V]) save(c *cell[V]) {
	t.saved = append(t.saved, savedCell[V]{c, c.value, c.present})
	if !c.touched {
		c.touched = true
		t.dirty = append(t.dirty, c)
	}
}

func (t *table[K, V]) keep() { t.saved = t.saved[:0] }

func (t *table[K, V]) undo() {
	for _, s := range slices.Backward(t.saved) {
		s.at.value, s.at.present = s.value, s.present
	}
	t.saved = t.saved[:0]
}

// changes appends the table's differences to out, ascending by key.
func (t *table[K, V]) changes(out []Change) []Change {
	var w encoder
	for _, c := range t.ascending() {
		w.out = w.out[:0]
		if c.present {
			t.kind.write(&w, &c.value)
		}
		switch {
		case bytes.Equal(w.out, c.committed):
		case c.present:
			out = append(out, Change{c.key, bytes.Clone(w.out)})
		default:
			out = append(out, Change{c.key, nil})
		}
	}
	return out
}

// ascending returns the dirty cells in the order of their keys. It compares
// the first eight bytes after the prefix as a number, and the rest only where
// those are equal: sorting is much of a block's cost.
func (t *table[K, V]) ascending() []*cell[V] {
	type ranked struct {
		head uint64
		cell *cell[V]
	}
	list := make([]ranked, len(t.dirty))
	for i, c := range t.dirty {
		var head [8]byte
		copy(head[:], c.key[t.kind.prefix:])
		list[i] = ranked{binary.BigEndian.Uint64(head[:]), c}
	}
	slices.SortFunc(list, func(a, b ranked) int {
		switch {
		case a.head < b.head:
			return -1
		case a.head > b.head:
			return 1
		}
		return bytes.Compare(a.cell.key, b.cell.key)
	})
	for i, r := range list {
		t.dirty[i] = r.cell
	}
	return t.dirty
}
