package index

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	dbm "github.com/cosmos/cosmos-db"
)

// ordered collects the writes of a batch, to make them in the order of their keys.
// In pebble's memory keys stand in a sorted list, and each is found from where the
// one before it stands: most keys here begin with hashes, and in the order in which
// they come each search would begin anew.
type ordered struct {
	data   []byte // keys and values, one after the other
	writes []orderedWrite
}

type orderedWrite struct {
	prefix          uint64 // of the key: its first eight bytes
	key, value, end int    // where they begin and end in data
}

// set adds a write, and keeps copies. The key must not be empty.
func (o *ordered) set(key, value []byte) {
	w := orderedWrite{key: len(o.data)}
	o.data = append(o.data, key...)
	w.value = len(o.data)
	o.data = append(o.data, value...)
	w.end = len(o.data)
	var first [8]byte
	copy(first[:], key)
	w.prefix = binary.BigEndian.Uint64(first[:])
	o.writes = append(o.writes, w)
}

// into makes the writes in a batch. Of writes of one key the last one counts.
func (o *ordered) into(batch dbm.Batch) error {
	slices.SortFunc(o.writes, func(a, b orderedWrite) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		if c := bytes.Compare(o.data[a.key:a.value], o.data[b.key:b.value]); c != 0 {
			return c
		}
		return cmp.Compare(a.key, b.key) // in the order in which they came
	})
	for _, w := range o.writes {
		if err := batch.Set(o.data[w.key:w.value], o.data[w.value:w.end]); err != nil {
			return err
		}
	}
	return nil
}

// mostKept bounds the memory that is kept from one block for the next, in bytes.
const mostKept = 16 << 20

// reset forgets the writes, and keeps the memory unless a block was very large.
func (o *ordered) reset() {
	if len(o.data) > mostKept {
		*o = ordered{}
	}
	o.data, o.writes = o.data[:0], o.writes[:0]
}
