package store

import (
	"testing"

	"github.com/tallystick/tallystick/ledger"
)

// openTemp opens a store in a new directory and closes it with the test.
func openTemp(tb testing.TB, o Options) *Store {
	tb.Helper()
	s := mustOpen(tb, tb.TempDir(), o)
	return s
}

// mustOpen opens a store and closes it with the test.
func mustOpen(tb testing.TB, dir string, o Options) *Store {
	tb.Helper()
	s, err := Open(dir, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

// commitNext stages changes and commits them as the next height.
func commitNext(tb testing.TB, s *Store, changes []ledger.Change) {
	tb.Helper()
	st, err := s.Stage(changes)
	if err != nil {
		tb.Fatal(err)
	}
	h := s.Height() + 1
	if err := s.Commit(h, timeOf(h), st); err != nil {
		tb.Fatal(err)
	}
}

// timeOf is the block time that the tests give a height.
func timeOf(h ledger.Height) ledger.UnixTime { return 1_700_000_000 + ledger.UnixTime(h) }
