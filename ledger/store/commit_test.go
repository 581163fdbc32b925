package store

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/crypto/smt"
	"github.com/tallystick/tallystick/ledger"
)

func mustStage(tb testing.TB, s *Store, changes ...ledger.Change) *Staged {
	tb.Helper()
	st, err := s.Stage(changes)
	if err != nil {
		tb.Fatal(err)
	}
	return st
}

// Staging shows the next root and changes nothing; of several stages one is
// committed, and the others are then stale.
func TestStage(t *testing.T) {
	s := openTemp(t, Options{})
	one, two := mustStage(t, s, set("a", "1")), mustStage(t, s, set("a", "2"))
	three := mustStage(t, s, set("a", "3"))
	for st, value := range map[*Staged]string{one: "1", two: "2", three: "3"} {
		if want := (content{"a": value}).root(t); st.Root() != want {
			t.Errorf("stage of %s: root %x, want %x", value, st.Root(), want)
		}
	}
	if s.Height() != 0 || s.Root() != [32]byte{} {
		t.Fatal("staging changed the store")
	}
	three.Discard()
	three.Discard()
	if err := s.Commit(1, 1, three); !errors.Is(err, ErrClosed) {
		t.Errorf("commit of a discarded stage: %v", err)
	}
	if err := s.Commit(1, 1, two); err != nil {
		t.Fatal(err)
	}
	if s.Root() != two.Root() {
		t.Errorf("root %x, staged %x", s.Root(), two.Root())
	}
	if err := s.Commit(2, 2, one); !errors.Is(err, ErrStale) {
		t.Errorf("commit of a stale stage: %v", err)
	}
	if err := s.Commit(2, 2, two); !errors.Is(err, ErrStale) {
		t.Errorf("second commit of a stage: %v", err)
	}
	two.Discard() // nothing
	one.Discard()
	if got, err := s.Latest().Get([]byte("a")); err != nil || string(got) != "2" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestStageRefuses(t *testing.T) {
	s := openTemp(t, Options{})
	commitNext(t, s, []ledger.Change{set("a", "1")})
	for name, c := range map[string]struct {
		changes []ledger.Change
		want    string
		is      error
	}{
		"descending":     {[]ledger.Change{set("b", "1"), set("a", "1")}, "do not ascend", nil},
		"the same twice": {[]ledger.Change{set("b", "1"), del("b")}, "do not ascend", nil},
		"empty key":      {[]ledger.Change{set("", "1")}, "key length", smt.ErrKeyLength},
		"long key":       {[]ledger.Change{set(strings.Repeat("k", smt.MaxKeyLength+1), "1")}, "key length", smt.ErrKeyLength},
		"empty value":    {[]ledger.Change{{Key: []byte("b"), Value: []byte{}}}, "value is empty", smt.ErrEmptyValue},
	} {
		_, err := s.Stage(c.changes)
		if err == nil || !strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v", name, err)
		}
	}
	commitNext(t, s, []ledger.Change{set("b", "2")}) // it goes on
}

func TestCommitRefuses(t *testing.T) {
	s, other := openTemp(t, Options{}), openTemp(t, Options{})
	if err := s.Commit(0, 0, mustStage(t, s)); err == nil || !strings.Contains(err.Error(), "begin at 1") {
		t.Errorf("height 0: %v", err)
	}
	commitNext(t, s, nil)
	commitNext(t, other, nil)
	st := mustStage(t, s, set("a", "1"))
	for _, h := range []ledger.Height{0, 1, 3, 1 << 63} {
		if err := s.Commit(h, 0, st); err == nil || !strings.Contains(err.Error(), "the next one is 2") {
			t.Errorf("height %d after 1: %v", h, err)
		}
	}
	if err := other.Commit(2, 0, st); !errors.Is(err, ErrStale) {
		t.Errorf("another store's stage: %v", err)
	}
	if err := s.Commit(2, 0, nil); !errors.Is(err, ErrStale) {
		t.Errorf("no stage: %v", err)
	}
	if err := s.Commit(2, timeOf(2), st); err != nil {
		t.Errorf("after the refusals: %v", err)
	}
}

// The first commit may have any height, as a chain may begin at any.
func TestFirstHeight(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	if err := s.Commit(1000, 5, mustStage(t, s, set("a", "1"))); err != nil {
		t.Fatal(err)
	}
	commitNext(t, s, []ledger.Change{set("a", "2")})
	mustClose(t, s)
	s = mustOpen(t, dir, Options{})
	if s.Height() != 1001 {
		t.Fatalf("height %d", s.Height())
	}
	for h, want := range map[ledger.Height]string{1000: "1", 1001: "2"} {
		v, err := s.At(h)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := v.Get([]byte("a")); err != nil || string(got) != want {
			t.Errorf("height %d: %q, %v", h, got, err)
		}
	}
	if _, err := s.At(999); !errors.Is(err, ErrUnknownHeight) {
		t.Errorf("height 999: %v", err)
	}
}

// What changes nothing keeps the root.
func TestNoChangesKeepRoot(t *testing.T) {
	s := openTemp(t, Options{})
	commitNext(t, s, []ledger.Change{set("a", "1"), set("b", "2")})
	root := s.Root()
	for name, changes := range map[string][]ledger.Change{
		"none":              nil,
		"same value":        {set("a", "1")},
		"absent is deleted": {del("c")},
	} {
		commitNext(t, s, changes)
		if s.Root() != root {
			t.Errorf("%s: the root changed", name)
		}
	}
	compareAll(t, s, []content{{"a": "1", "b": "2"}, {"a": "1", "b": "2"}, {"a": "1", "b": "2"}, {"a": "1", "b": "2"}})
}

func TestClose(t *testing.T) {
	s := openTemp(t, Options{})
	commitNext(t, s, []ledger.Change{set("a", "1"), set("b", "1")})
	st := mustStage(t, s)
	v := s.Latest()
	inScan, closed := make(chan struct{}), make(chan error)
	go func() {
		<-inScan
		closed <- s.Close()
	}()
	visits := 0
	err := v.Scan(nil, nil, func(_, _ []byte) bool {
		if visits++; visits == 1 {
			close(inScan)
			for { // until Close has begun: from then on a Get is refused, not stuck
				if _, err := v.Get([]byte("a")); errors.Is(err, ErrClosed) {
					break
				}
			}
			select {
			case <-closed:
				t.Error("Close did not wait for the scan")
			default:
			}
		}
		return true
	})
	if err != nil || visits != 2 {
		t.Errorf("the scan that Close waits for made %d visits, %v", visits, err)
	}
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
	st.Discard()
	calls := map[string]func() error{
		"Get":    func() error { _, err := v.Get([]byte("a")); return err },
		"Get x":  func() error { _, err := v.Get([]byte("not cached")); return err },
		"Scan":   func() error { return v.Scan(nil, nil, func(_, _ []byte) bool { return true }) },
		"At":     func() error { _, err := s.At(1); return err },
		"RootAt": func() error { _, err := s.RootAt(1); return err },
		"Prove":  func() error { _, _, err := s.Prove(1, []byte("a")); return err },
		"Stage":  func() error { _, err := s.Stage(nil); return err },
		"Commit": func() error { return s.Commit(2, 2, st) },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, ErrClosed) {
			t.Errorf("%s after Close: %v", name, err)
		}
	}
}

// Close may come at any moment of everything else.
func TestCloseDuringUse(t *testing.T) {
	s := openTemp(t, Options{CacheBytes: 1})
	commitNext(t, s, []ledger.Change{set("a", "1")})
	var users sync.WaitGroup
	started := make(chan struct{}, 3)
	loop := func(use func() error) {
		users.Go(func() {
			for n := 0; ; n++ {
				if err := use(); errors.Is(err, ErrClosed) {
					return
				} else if err != nil {
					t.Error(err)
					return
				}
				if n == 3 {
					started <- struct{}{}
				}
			}
		})
	}
	loop(func() error { _, err := s.Latest().Get([]byte("a")); return err })
	loop(func() error { return s.Latest().Scan(nil, nil, func(_, _ []byte) bool { return true }) })
	loop(func() error {
		st, err := s.Stage([]ledger.Change{set("a", "1")})
		if err != nil {
			return err
		}
		return s.Commit(s.Height()+1, 0, st)
	})
	for range 3 {
		<-started
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	users.Wait()
}
