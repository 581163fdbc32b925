package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/crypto/smt"
	"github.com/tallystick/tallystick/ledger"
)

// Every key, present or not, is proved at every provable height against the
// root of that height, and a proof is good for nothing else.
func TestProveAtAllProvableHeights(t *testing.T) {
	r := newRand(t)
	s := openTemp(t, Options{ProvablePeriod: 1}) // one nanosecond: by number alone
	var now content
	contents := []content{{}}
	commitNext(t, s, []ledger.Change{set("zz", "so that no state is empty")})
	now = now.with([]ledger.Change{set("zz", "so that no state is empty")})
	contents[0] = now
	for range 40 {
		changes := randomChanges(r.IntN)
		commitNext(t, s, changes)
		now = now.with(changes)
		contents = append(contents, now)
	}
	newest := s.Height()
	for h := newest - DefaultProvableHeights + 1; h <= newest; h++ {
		for _, key := range universe {
			checkProof(t, s, h, key, contents[h-1])
		}
	}
	_, _, err := s.Prove(newest-DefaultProvableHeights, []byte("a"))
	want := fmt.Sprintf("oldest is %d, newest is %d", newest-DefaultProvableHeights+1, newest)
	if !errors.Is(err, ErrNotProvable) || !strings.Contains(err.Error(), want) {
		t.Errorf("the height below: %v, want ErrNotProvable with %q", err, want)
	}
	if _, _, err := s.Prove(newest+1, []byte("a")); !errors.Is(err, ErrUnknownHeight) {
		t.Errorf("the height above: %v", err)
	}
	if _, _, err := s.Prove(newest, nil); !errors.Is(err, smt.ErrKeyLength) {
		t.Errorf("an empty key: %v", err)
	}
}

func checkProof(t *testing.T, s *Store, h ledger.Height, key string, want content) {
	t.Helper()
	value, proof, err := s.Prove(h, []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	if expected, present := want[key]; (value != nil) != present || string(value) != expected {
		t.Fatalf("height %d, key %q: %q, want %q (%v)", h, key, value, expected, present)
	}
	root, err := s.RootAt(h)
	if err != nil {
		t.Fatal(err)
	}
	if err := smt.Verify(root, []byte(key), value, proof); err != nil {
		t.Fatalf("height %d, key %q: %v", h, key, err)
	}
	if err := smt.Verify(root, []byte(key), []byte("forged"), proof); err == nil {
		t.Fatalf("height %d, key %q: a forged value is proved", h, key)
	}
	root[0] ^= 1
	if err := smt.Verify(root, []byte(key), value, proof); err == nil {
		t.Fatalf("height %d, key %q: proved under another root", h, key)
	}
}

// Heights stay provable for the period after they ceased to be the latest,
// however many they are, up to the history's length.
func TestProvablePeriod(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	s := openTemp(t, Options{Now: func() time.Time { return now }})
	provable := func() (n int) {
		for h := s.Height(); h > 0; h-- {
			if _, _, err := s.Prove(h, []byte("a")); err != nil {
				break
			}
			n++
		}
		return n
	}
	commit := func(n int, every time.Duration) {
		for range n {
			now = now.Add(every)
			commitNext(t, s, []ledger.Change{set("a", fmt.Sprint(now.UnixNano()))})
		}
	}
	for _, step := range []struct {
		n     int
		every time.Duration
		want  int
	}{
		{10, time.Second, 10},
		{50, time.Second, 32}, // the latest, 30 that became so within 30 s, and one that was until then
		{30, 10 * time.Second, DefaultProvableHeights},
		{HistoryHeights * 2, time.Millisecond, HistoryHeights},
		{1, time.Hour, DefaultProvableHeights},
	} {
		commit(step.n, step.every)
		if got := provable(); got != step.want {
			t.Errorf("after %d commits every %v: %d heights are provable, want %d", step.n, step.every, got, step.want)
		}
	}
}

// After opening, the latest height can be proved, and those before it read.
func TestProveAfterOpening(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	commitNext(t, s, []ledger.Change{set("a", "1")})
	commitNext(t, s, []ledger.Change{set("a", "2")})
	mustClose(t, s)
	s = mustOpen(t, dir, Options{})
	checkProof(t, s, 2, "a", content{"a": "2"})
	if _, _, err := s.Prove(1, []byte("a")); !errors.Is(err, ErrNotProvable) {
		t.Errorf("the height before: %v", err)
	}
	commitNext(t, s, []ledger.Change{del("a")})
	checkProof(t, s, 2, "a", content{"a": "2"})
	if _, _, err := s.Prove(3, []byte("a")); !errors.Is(err, smt.ErrEmptyTree) {
		t.Errorf("an empty state: %v", err)
	}
}
