package pebbledb

import (
	"github.com/cockroachdb/pebble"
	dbm "github.com/cosmos/cosmos-db"
)

// Iterator walks the keys from start to before end, upwards, as they are at this
// moment; nil is no bound.
func (d *DB) Iterator(start, end []byte) (dbm.Iterator, error) {
	return d.iterator(start, end, (*pebble.Iterator).First, (*pebble.Iterator).Next)
}

// ReverseIterator walks the keys from before end down to start.
func (d *DB) ReverseIterator(start, end []byte) (dbm.Iterator, error) {
	return d.iterator(start, end, (*pebble.Iterator).Last, (*pebble.Iterator).Prev)
}

func (d *DB) iterator(start, end []byte, first, next func(*pebble.Iterator) bool) (dbm.Iterator, error) {
	if start != nil && len(start) == 0 || end != nil && len(end) == 0 {
		return nil, errKeyEmpty
	}
	it, err := d.pebble.NewIter(&pebble.IterOptions{LowerBound: start, UpperBound: end})
	if err != nil {
		return nil, err
	}
	return &iterator{pebble: it, start: start, end: end, next: next, valid: first(it)}, nil
}

// iterator stands at a key while valid; pebble keeps it within its bounds.
type iterator struct {
	pebble     *pebble.Iterator
	start, end []byte
	next       func(*pebble.Iterator) bool
	valid      bool
	err        error // of a value
}

func (i *iterator) Domain() (start, end []byte) { return i.start, i.end }

func (i *iterator) Valid() bool { return i.valid }

func (i *iterator) Next() {
	i.mustBeValid()
	i.valid = i.next(i.pebble)
}

// Key is a copy of the key.
func (i *iterator) Key() []byte {
	i.mustBeValid()
	return clone(i.pebble.Key())
}

// Value is a copy of the value. Where it cannot be read it is empty, and Error
// tells.
func (i *iterator) Value() []byte {
	i.mustBeValid()
	value, err := i.pebble.ValueAndErr()
	if err != nil {
		i.err = err
	}
	return clone(value)
}

func (i *iterator) Error() error {
	if i.err != nil {
		return i.err
	}
	return i.pebble.Error()
}

func (i *iterator) Close() error { return i.pebble.Close() }

// mustBeValid panics as cosmos-db's interface says that iterators do.
func (i *iterator) mustBeValid() {
	if !i.valid {
		panic("iterator is invalid")
	}
}
