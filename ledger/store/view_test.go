package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/ledger"
)

// Whatever is committed, every held height reads as the naive model says, also
// after reopening.
func TestViewsMatchModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		o := onMemory()
		o.CacheBytes = int64(rapid.SampledFrom([]int{1, 64 << 10, 1 << 20}).Draw(rt, "cache bytes"))
		dir := t.TempDir()
		s := mustOpen(t, dir, o)
		intn := func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "n") }
		var contents []content
		var now content
		for range rapid.IntRange(1, 20).Draw(rt, "commits") {
			if rapid.Bool().Draw(rt, "little memory") {
				tinyMemory(s)
			}
			changes := randomChanges(intn)
			commitNext(rt, s, changes)
			now = now.with(changes)
			contents = append(contents, now)
			if intn(8) == 0 {
				mustClose(t, s)
				s = mustOpen(t, dir, o)
			}
		}
		compareAll(rt, s, contents)
		v := s.Latest()
		if h := ledger.Height(1 + intn(len(contents))); h != 0 {
			v, _ = s.At(h)
		}
		for range 5 {
			prefix := universe[intn(len(universe))]
			after := []byte(universe[intn(len(universe))])
			if err := compareScan(v, contents[v.Height()-1], prefix[:intn(len(prefix)+1)], after); err != nil {
				rt.Fatal(err)
			}
		}
	})
}

// All of the history is right on the disk as well, when heights leave it and
// when undo records have to be read again.
func TestViewsOverWholeHistory(t *testing.T) {
	r := newRand(t)
	dir := t.TempDir()
	s := tinyMemory(mustOpen(t, dir, Options{CacheBytes: 1}))
	var contents []content
	var now content
	for n := range HistoryHeights + 40 {
		changes := randomChanges(r.IntN)
		commitNext(t, s, changes)
		now = now.with(changes)
		contents = append(contents, now)
		if n > HistoryHeights && n%13 == 0 {
			compareAll(t, s, contents)
		}
	}
	mustClose(t, s)
	compareAll(t, mustOpen(t, dir, Options{}), contents)
}

// history is the model that concurrent readers compare with.
type history struct {
	mu       sync.Mutex
	contents []content
}

func (h *history) add(c content) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.contents = append(h.contents, c)
}

func (h *history) at(height ledger.Height) content {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.contents[height-1]
}

// Readers at all heights, who keep their views while the commits go on, never
// read anything but their own height, with caches and undo memory so small that
// all ways of reading occur.
func TestViewsDuringCommits(t *testing.T) {
	r := newRand(t)
	for _, cacheBytes := range []int64{1, 64 * 2048, 1 << 20} {
		t.Run(fmt.Sprint("cache of ", cacheBytes), func(t *testing.T) {
			s := openTemp(t, Options{CacheBytes: cacheBytes})
			s.undos.limit = 2000
			readDuringCommits(t, r, s)
		})
	}
}

func readDuringCommits(t *testing.T, r *rand.Rand, s *Store) {
	commits := HistoryHeights + 200
	if testing.Short() {
		commits = HistoryHeights + 20
	}
	var model history
	var now content
	var done atomic.Bool
	var readers sync.WaitGroup
	commit := func() {
		changes := randomChanges(r.IntN)
		now = now.with(changes)
		model.add(now) // before anybody can see the height
		commitNext(t, s, changes)
	}
	commit()
	for range 4 {
		seed := r.Uint64()
		readers.Go(func() {
			r := rand.New(rand.NewPCG(seed, 1))
			for !done.Load() {
				if err := readSome(r, s, &model); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range commits {
		commit()
	}
	done.Store(true)
	readers.Wait()
}

// readSome takes a view at a random height and reads it a few times.
func readSome(r *rand.Rand, s *Store, model *history) error {
	newest := s.Height()
	oldest := max(1, int(newest)-HistoryHeights+1)
	h := ledger.Height(oldest + r.IntN(int(newest)-oldest+1))
	if r.IntN(3) == 0 {
		h = newest
	}
	v, err := s.At(h)
	for range 1 + r.IntN(5) {
		if err == nil {
			err = compare(v, model.at(h))
		}
	}
	if errors.Is(err, ErrUnknownHeight) && s.Height() >= h+HistoryHeights-1 {
		return nil // it left the history meanwhile, or is about to
	}
	return err
}

// A view answers until its height leaves the history, and never a wrong value
// after that.
func TestViewExpires(t *testing.T) {
	s := openTemp(t, Options{})
	commitNext(t, s, []ledger.Change{set("a", "1")})
	v := s.Latest()
	for n := 1; n < HistoryHeights; n++ {
		commitNext(t, s, []ledger.Change{set("a", fmt.Sprint(n+1))})
		if got, err := v.Get([]byte("a")); err != nil || string(got) != "1" {
			t.Fatalf("%d heights later: got %q, %v", n, got, err)
		}
	}
	commitNext(t, s, nil)
	for _, key := range []string{"a", "absent"} {
		if got, err := v.Get([]byte(key)); !errors.Is(err, ErrUnknownHeight) || got != nil {
			t.Fatalf("key %q of an expired view: got %q, %v", key, got, err)
		}
	}
	visit := func(k, _ []byte) bool { t.Errorf("an expired view visited %q", k); return true }
	if err := v.Scan(nil, nil, visit); !errors.Is(err, ErrUnknownHeight) {
		t.Fatalf("scan of an expired view: %v", err)
	}
	if _, err := s.RootAt(v.Height()); !errors.Is(err, ErrUnknownHeight) {
		t.Fatalf("root of an expired height: %v", err)
	}
}

// A reader may be suspended at any point and wake up when its undo record is
// deleted from the disk: then it must not take the table's value for its own.
func TestViewWhoseUndoRecordIsDeletedMeanwhile(t *testing.T) {
	s := tinyMemory(openTemp(t, Options{}))
	for n := range HistoryHeights {
		commitNext(t, s, []ledger.Change{set("a", fmt.Sprint(n+1)), set("b", "x")})
	}
	stale := s.past.Load() // what the reader saw before it fell asleep
	for range 2 {
		commitNext(t, s, []ledger.Change{set("a", "new")})
	}
	got, err := s.undone(stale, 1, s.cache.hash([]byte("a")), []byte("a"), []byte("new"))
	if !errors.Is(err, ErrUnknownHeight) {
		t.Fatalf("got %q, %v", got, err)
	}
}

func TestEmptyStore(t *testing.T) {
	dir := t.TempDir()
	for range 2 { // an empty store is the same when it is opened again
		s := mustOpen(t, dir, Options{})
		if s.Height() != 0 || s.Time() != 0 || s.Root() != [32]byte{} {
			t.Fatalf("height %d, time %d, root %x", s.Height(), s.Time(), s.Root())
		}
		v := s.Latest()
		if err := compare(v, nil); err != nil {
			t.Fatal(err)
		}
		if root, err := s.RootAt(0); err != nil || root != [32]byte{} {
			t.Fatalf("root %x, %v", root, err)
		}
		if _, err := s.At(0); err != nil {
			t.Fatal(err)
		}
		for _, h := range []ledger.Height{1, 1 << 63} {
			if _, err := s.At(h); !errors.Is(err, ErrUnknownHeight) {
				t.Fatalf("height %d: %v", h, err)
			}
		}
		mustClose(t, s)
	}
}

// A view of the empty state stays empty after the first commit.
func TestEmptyViewStaysEmpty(t *testing.T) {
	s := openTemp(t, Options{})
	v := s.Latest()
	commitNext(t, s, []ledger.Change{set("a", "1")})
	if err := compare(v, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.At(0); !errors.Is(err, ErrUnknownHeight) {
		t.Fatalf("height 0 after the first commit: %v", err)
	}
}

func TestScanStopsAndPages(t *testing.T) {
	s := openTemp(t, Options{})
	commitNext(t, s, []ledger.Change{set("p/1", "1"), set("p/2", "2"), set("p/3", "3"), set("q", "4")})
	commitNext(t, s, []ledger.Change{del("p/2"), set("p/25", "new")})
	v, err := s.At(1)
	if err != nil {
		t.Fatal(err)
	}
	var after []byte
	for i, want := range []string{"p/1", "p/2", "p/3", ""} {
		got, visits := "", 0
		err := v.Scan([]byte("p/"), after, func(k, _ []byte) bool {
			got, after, visits = string(k), k, visits+1
			return false
		})
		if err != nil || got != want || visits > 1 {
			t.Fatalf("page %d: got %q in %d visits, %v; want %q", i, got, visits, err, want)
		}
	}
}
