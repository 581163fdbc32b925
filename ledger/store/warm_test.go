package store

import (
	"fmt"
	"testing"

	"github.com/tallystick/tallystick/ledger"
)

var _ ledger.Warmer = (*View)(nil)

// TestWarmChangesNothing warms keys that are there, keys that are not, the
// same key twice, and more keys than are looked up at once.
func TestWarmChangesNothing(t *testing.T) {
	s := openTemp(t, Options{})
	var keys [][]byte
	for i := range 3 * warmKeys {
		keys = append(keys, fmt.Appendf(nil, "key %04d", i))
	}
	keys = append(keys, keys[0], keys[0])
	s.Latest().Warm(keys) // of an empty cache
	var changes []ledger.Change
	for _, key := range keys[:2*warmKeys] {
		changes = append(changes, ledger.Change{Key: key, Value: key[4:]})
	}
	commitNext(t, s, changes)
	v := s.Latest()
	for _, n := range []int{0, 1, warmKeys, warmKeys + 1, len(keys)} {
		v.Warm(keys[:n])
	}
	for i, key := range keys[:3*warmKeys] {
		value, err := v.Get(key)
		if err != nil || (value != nil) != (i < 2*warmKeys) || value != nil && string(value) != string(key[4:]) {
			t.Fatalf("key %q: %q, %v", key, value, err)
		}
	}
}
