package store

import (
	"bytes"
	"fmt"

	dbm "github.com/cosmos/cosmos-db"
)

// Scan visits, ascending, the keys with the prefix that are strictly above
// after, with their values as of the view's height, until visit returns false.
// A nil after starts at the first key; an empty prefix means every key. visit
// may keep what it gets, must not modify it, and may use the store, but not
// close it.
//
// The cost is a sequential read of the disk; the cache is not used. Below the
// latest height it needs the undo records above the view's in memory, reads
// those that are not there, and makes one comparison for each of them and key.
// It holds none back: commits go on meanwhile.
func (v *View) Scan(prefix, after []byte, visit func(key, value []byte) bool) error {
	s := v.store
	if !s.gate.enter() {
		return s.past.Load().failed
	}
	defer s.gate.leave()
	start, end := tableRange(prefix, after)
	if v.height == 0 || bytes.Compare(start, end) >= 0 {
		return s.past.Load().failed
	}
	table, err := s.db.Iterator(start, end) // pebble's iterators see one moment
	if err != nil {
		return fmt.Errorf("store %s: scan: %w", s.dir, err)
	}
	defer table.Close()
	m := merge{table: table, end: end[1:]}
	m.readTable()
	if err := m.addUndos(v, start[1:]); err != nil { // after the iterator: see View
		return err
	}
	for m.next() {
		if m.value != nil && !visit(m.key, m.value) {
			break
		}
	}
	if err := table.Error(); err != nil {
		return fmt.Errorf("store %s: scan: %w", s.dir, err)
	}
	return nil
}

// merge walks the table and undo records together, ascending by key. Of the
// sources that have a key, the lowest undo record counts, and the table last.
type merge struct {
	table dbm.Iterator
	row   []byte   // the table's current key; nil at its end
	undos []cursor // ascending by height
	end   []byte   // first key not walked; empty for none

	key, value []byte // the current one; value nil when it is absent
}

// cursor is a place in an undo record.
type cursor struct {
	undo *undo
	i    int
}

// addUndos sets a cursor at the first key not below start in each undo record
// above the view's height.
func (m *merge) addUndos(v *View, start []byte) error {
	s := v.store
	p := s.past.Load()
	if err := s.check(p, v.height); err != nil {
		return err
	}
	for _, r := range p.above(v.height) {
		u, err := s.undoOf(r)
		if err != nil {
			return err
		}
		if u == nil {
			return s.left(v.height)
		}
		m.undos = append(m.undos, cursor{u, u.search(start)})
	}
	return nil
}

// next moves to the next key, and reports whether there is one.
func (m *merge) next() bool {
	m.key, m.value = nil, nil
	lowest := -1 // the source of key; len(undos) is the table
	for i := range m.undos {
		if key := m.undos[i].key(m.end); key != nil && (m.key == nil || bytes.Compare(key, m.key) < 0) {
			m.key, lowest = key, i
		}
	}
	if m.row != nil && (m.key == nil || bytes.Compare(m.row, m.key) < 0) {
		m.key, lowest = m.row, len(m.undos)
	}
	if lowest < 0 {
		return false
	}
	if lowest == len(m.undos) {
		m.value = m.table.Value()
	} else {
		_, m.value = m.undos[lowest].undo.entry(m.undos[lowest].i)
	}
	m.skip()
	return true
}

// skip moves every source that stands at the current key past it.
func (m *merge) skip() {
	for i := range m.undos {
		if bytes.Equal(m.undos[i].key(m.end), m.key) {
			m.undos[i].i++
		}
	}
	if bytes.Equal(m.row, m.key) {
		m.table.Next()
		m.readTable()
	}
}

// readTable sets row to where the table's iterator stands.
func (m *merge) readTable() {
	m.row = nil
	if m.table.Valid() {
		m.row = m.table.Key()[1:]
	}
}

// key returns the key at a cursor, or nil when it is at the end.
func (c *cursor) key(end []byte) []byte {
	if c.i >= len(c.undo.at) {
		return nil
	}
	key, _ := c.undo.entry(c.i)
	if len(end) > 0 && bytes.Compare(key, end) >= 0 {
		return nil
	}
	return key
}
