package ledger

import (
	"maps"
	"slices"
	"strings"
)

// MapState is a state in memory, by key. It is a Reader. It serves where a
// state is small or not yet on disk: genesis, and tests.
type MapState map[string][]byte

// Get implements Reader.
func (m MapState) Get(key []byte) ([]byte, error) { return m[string(key)], nil }

// Scan implements Reader. It sorts all keys.
func (m MapState) Scan(prefix, after []byte, visit func(key, value []byte) bool) error {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if !strings.HasPrefix(key, string(prefix)) || after != nil && key <= string(after) {
			continue
		}
		if !visit([]byte(key), m[key]) {
			break
		}
	}
	return nil
}
