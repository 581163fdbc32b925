package ledger

import (
	"bytes"
	"fmt"
	"slices"
)

// Change is one difference between two committed states. Value nil deletes
// the key; values are never empty.
type Change struct {
	Key   []byte
	Value []byte
}

// table is one kind of records of the state: read on first use, kept decoded,
// written back once a block.
type table[K comparable, V any] struct {
	reader Reader
	keyOf  func(K) []byte
	decode func([]byte) (V, error)
	encode func(*V) []byte

	cells map[K]*cell[V]
	order []*cell[V] // the cells in the order of first use
	saved []savedCell[V]
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

// get returns the record's cell; the caller reads value and present and
// changes them through set and remove alone.
func (t *table[K, V]) get(k K) (*cell[V], error) {
	if c, ok := t.cells[k]; ok {
		return c, nil
	}
	c := &cell[V]{key: t.keyOf(k)}
	raw, err := t.reader.Get(c.key)
	if err != nil {
		return nil, fmt.Errorf("read state key %q: %w", c.key, err)
	}
	if raw != nil {
		if c.value, err = t.decode(raw); err != nil {
			return nil, fmt.Errorf("state key %q: %w", c.key, err)
		}
		c.committed, c.present = raw, true
	}
	if t.cells == nil {
		t.cells = make(map[K]*cell[V])
	}
	t.cells[k] = c
	t.order = append(t.order, c)
	return c, nil
}

func (t *table[K, V]) set(c *cell[V], v V) {
	t.saved = append(t.saved, savedCell[V]{c, c.value, c.present})
	c.value, c.present, c.touched = v, true, true
}

// remove deletes the record: it reads as the zero value.
func (t *table[K, V]) remove(c *cell[V]) {
	var zero V
	t.saved = append(t.saved, savedCell[V]{c, c.value, c.present})
	c.value, c.present, c.touched = zero, false, true
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
	begin := len(out)
	for _, c := range t.order {
		if !c.touched {
			continue
		}
		var value []byte
		if c.present {
			value = t.encode(&c.value)
		}
		if !bytes.Equal(value, c.committed) {
			out = append(out, Change{c.key, value})
		}
	}
	slices.SortFunc(out[begin:], func(a, b Change) int { return bytes.Compare(a.Key, b.Key) })
	return out
}
