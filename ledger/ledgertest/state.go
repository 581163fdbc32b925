package ledgertest

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
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

// FreezeAccount rewrites the account's record as frozen, which no operation of
// this version does.
func FreezeAccount(t testing.TB, s *State, a crypto.Address) {
	t.Helper()
	value, _ := s.Get(ledger.KeyAccount(a))
	if _, err := ledger.DecodeAccount(value); err != nil {
		t.Fatal(err)
	}
	frozen := bytes.Clone(value)
	frozen[1] = byte(ledger.StatusFrozen) // a list of less than 56 bytes, and its first item
	if account, err := ledger.DecodeAccount(frozen); err != nil || account.Status != ledger.StatusFrozen {
		t.Fatalf("account record %x does not become a frozen one: %v", value, err)
	}
	s.Write([]ledger.Change{{Key: ledger.KeyAccount(a), Value: frozen}})
}
