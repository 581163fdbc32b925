package index

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	dbm "github.com/cosmos/cosmos-db"
	"pgregory.net/rapid"
)

// noted is a batch that notes in which order keys are set.
type noted struct {
	dbm.Batch
	keys []string
	left map[string]string
}

func (n *noted) Set(key, value []byte) error {
	n.keys = append(n.keys, string(key))
	n.left[string(key)] = string(value)
	return nil
}

// Writes are made in the order of their keys, and of one key the last one counts,
// as if they were made as they came.
func TestOrdered(t *testing.T) {
	var o ordered
	rapid.Check(t, func(r *rapid.T) {
		o.reset()
		want := map[string]string{}
		bytesOf := rapid.SliceOfN(rapid.ByteRange(0, 2), 1, 12) // no key is empty
		for range rapid.IntRange(0, 30).Draw(r, "writes") {
			key, value := bytesOf.Draw(r, "key"), bytesOf.Draw(r, "value")
			o.set(key, value)
			want[string(key)] = string(value)
			for i := range key {
				key[i]++ // the caller may do with its slices what it likes
			}
		}
		n := &noted{left: map[string]string{}}
		if err := o.into(n); err != nil {
			r.Fatal(err)
		}
		if !slices.IsSorted(n.keys) || !maps.Equal(n.left, want) {
			r.Fatalf("%q leave %q, want %q", n.keys, n.left, want)
		}
	})
	o.set([]byte{1}, bytes.Repeat([]byte{2}, mostKept+1))
	o.reset()
	if cap(o.data) != 0 || len(o.writes) != 0 {
		t.Error("a large block's memory is kept")
	}
}
