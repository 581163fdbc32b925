package store

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	dbm "github.com/cosmos/cosmos-db"

	"github.com/tallystick/tallystick/crypto/smt"
	"github.com/tallystick/tallystick/ledger"
)

// tester is what *testing.T, *testing.B and *rapid.T have in common.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// openTemp opens a store in a new directory and closes it with the test.
func openTemp(tb testing.TB, o Options) *Store {
	tb.Helper()
	return mustOpen(tb, tb.TempDir(), o)
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

// mustClose closes a store before the test ends.
func mustClose(tb testing.TB, s *Store) {
	tb.Helper()
	if err := s.Close(); err != nil {
		tb.Fatal(err)
	}
}

// commitNext stages changes and commits them as the next height.
func commitNext(tb tester, s *Store, changes []ledger.Change) {
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

// set and del are changes for tables of tests.
func set(key, value string) ledger.Change {
	return ledger.Change{Key: []byte(key), Value: []byte(value)}
}
func del(key string) ledger.Change { return ledger.Change{Key: []byte(key)} }

// content is the whole state at one height: what the store must answer, kept in
// the simplest way. It is never modified.
type content map[string]string

// with returns the content after changes.
func (c content) with(changes []ledger.Change) content {
	out := maps.Clone(c)
	if out == nil {
		out = content{}
	}
	for _, ch := range changes {
		if ch.Value == nil {
			delete(out, string(ch.Key))
		} else {
			out[string(ch.Key)] = string(ch.Value)
		}
	}
	return out
}

// root is the root of a tree made from the content alone.
func (c content) root(tb tester) [32]byte {
	tb.Helper()
	tree, err := smt.Build(1, func(yield func(k, v []byte) bool) {
		for _, k := range slices.Sorted(maps.Keys(c)) {
			if !yield([]byte(k), []byte(c[k])) {
				return
			}
		}
	})
	if err != nil {
		tb.Fatal(err)
	}
	return tree.Root()
}

// universe are the keys that random tests use. They share prefixes of each
// other, and have the bytes at the ends of the range.
var universe = []string{
	"a", "a\x00", "a/1", "a/2", "a/2/x", "a/3", "a\xff", "a\xff\xff", "b", "b/1",
	"b/2", "\x00", "\x00\x00", "\xff", "\xff\xff", "\xff\xff\x01", "m", "m/\x00", "t", "u",
}

// randomChanges returns a few changes, ascending, of keys of the universe:
// insertions, updates, deletions, and some that change nothing.
func randomChanges(intn func(n int) int) []ledger.Change {
	byKey := map[string]ledger.Change{}
	for range intn(7) {
		key := universe[intn(len(universe))]
		if intn(3) == 0 {
			byKey[key] = del(key)
		} else {
			byKey[key] = set(key, fmt.Sprint("value ", intn(50)))
		}
	}
	var out []ledger.Change
	for _, k := range slices.Sorted(maps.Keys(byKey)) {
		out = append(out, byKey[k])
	}
	return out
}

// compare reads everything of a view, by Get and by Scan, and says where it
// differs from the content.
func compare(v *View, want content) error {
	for _, key := range universe {
		got, err := v.Get([]byte(key))
		if err != nil {
			return err
		}
		value, present := want[key]
		if (got != nil) != present || string(got) != value {
			return fmt.Errorf("height %d: key %q: got %q, want %q (%v)", v.Height(), key, got, value, present)
		}
	}
	return compareScan(v, want, "", nil)
}

// compareScan compares one scan with the content.
func compareScan(v *View, want content, prefix string, after []byte) error {
	var got, expected []string
	err := v.Scan([]byte(prefix), after, func(k, value []byte) bool {
		got = append(got, fmt.Sprintf("%q=%q", k, value))
		return true
	})
	if err != nil {
		return err
	}
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if strings.HasPrefix(k, prefix) && (after == nil || bytes.Compare([]byte(k), after) > 0) {
			expected = append(expected, fmt.Sprintf("%q=%q", k, want[k]))
		}
	}
	if !slices.Equal(got, expected) {
		return fmt.Errorf("height %d: scan of %q after %q: got %v, want %v", v.Height(), prefix, after, got, expected)
	}
	return nil
}

// compareAll compares every height that must be held with its content, the
// roots included, and checks that no other height is. contents[i] is that of
// height i+1.
func compareAll(tb tester, s *Store, contents []content) {
	tb.Helper()
	newest := len(contents)
	oldest := max(1, newest-HistoryHeights+1)
	if s.Height() != ledger.Height(newest) || s.Time() != timeOf(s.Height()) {
		tb.Fatalf("store is at height %d, time %d; want height %d", s.Height(), s.Time(), newest)
	}
	for h := oldest; h <= newest; h++ {
		v, err := s.At(ledger.Height(h))
		if err == nil {
			err = compare(v, contents[h-1])
		}
		if err != nil {
			tb.Fatal(err)
		}
		if root, err := s.RootAt(v.Height()); err != nil || root != contents[h-1].root(tb) {
			tb.Fatalf("height %d: root %x, %v", h, root, err)
		}
	}
	for _, h := range []int{oldest - 1, newest + 1} {
		want := fmt.Sprintf("oldest is %d, newest is %d", oldest, newest)
		if _, err := s.At(ledger.Height(h)); !errors.Is(err, ErrUnknownHeight) || !strings.Contains(err.Error(), want) {
			tb.Fatalf("height %d: got %v, want ErrUnknownHeight with %q", h, err, want)
		}
	}
}

// newRand returns a source whose seed the test prints when it fails.
func newRand(tb testing.TB) *rand.Rand {
	seed := rand.Uint64()
	tb.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// onMemory are options for a store whose database is memory that survives
// Close: for tests of what does not depend on the disk.
func onMemory() Options {
	db := dbm.NewMemDB()
	return Options{openDB: func(string) (dbm.DB, error) { return db, nil }}
}

// tinyMemory makes the store keep next to nothing in memory, so that reads come
// from the disk.
func tinyMemory(s *Store) *Store {
	s.undos.limit = 1
	return s
}
