package ledgertest

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/ledger"
)

// State is committed state in memory. The zero value is empty. It is a
// ledger.Reader.
type State struct{ values ledger.MapState }

// NewState returns a state that holds changes.
func NewState(changes []ledger.Change) *State {
	s := &State{}
	s.Write(changes)
	return s
}

// Get implements ledger.Reader.
func (s *State) Get(key []byte) ([]byte, error) { return s.values.Get(key) }

// Scan implements ledger.Reader. It walks the whole state.
func (s *State) Scan(prefix, after []byte, visit func(key, value []byte) bool) error {
	return s.values.Scan(prefix, after, visit)
}

// Write puts changes into the state.
func (s *State) Write(changes []ledger.Change) {
	if s.values == nil {
		s.values = ledger.MapState{}
	}
	for _, c := range changes {
		if c.Value == nil {
			delete(s.values, string(c.Key))
		} else {
			s.values[string(c.Key)] = bytes.Clone(c.Value)
		}
	}
}

// Len is the number of keys.
func (s *State) Len() int { return len(s.values) }

// Clone returns a copy that later writes to s do not reach.
func (s *State) Clone() *State { return &State{maps.Clone(s.values)} }

// Entry is one key, without the prefix that was asked for, and its value.
type Entry struct {
	Key   string
	Value []byte
}

// Under returns the entries whose keys begin with prefix, ascending. It walks
// the whole state.
func (s *State) Under(prefix string) (entries []Entry) {
	for _, key := range slices.Sorted(maps.Keys(s.values)) {
		if rest, ok := strings.CutPrefix(key, prefix); ok {
			entries = append(entries, Entry{rest, s.values[key]})
		}
	}
	return entries
}
