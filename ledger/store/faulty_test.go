package store

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	dbm "github.com/cosmos/cosmos-db"

	"github.com/tallystick/tallystick/ledger"
)

var errInjected = errors.New("injected failure")

// faultyDB passes everything on, until the operation it is set to fail.
type faultyDB struct {
	dbm.DB
	mu      sync.Mutex
	counts  map[string]int // operations so far; mu
	failAt  map[string]int // which operation of a name fails; 0 none; mu
	persist bool           // a write that fails is made all the same; mu
	before  func(op string, key []byte)
}

// opFails counts an operation and says whether it is the one to fail.
func (f *faultyDB) opFails(op string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts[op]++
	return f.failAt[op] == f.counts[op]
}

// failNext sets the n-th operation of a name from now on to fail.
func (f *faultyDB) failNext(op string, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts[op], f.failAt[op] = 0, n
}

func (f *faultyDB) Get(key []byte) ([]byte, error) {
	if f.opFails("get") {
		return nil, errInjected
	}
	value, err := f.DB.Get(key)
	if f.before != nil {
		f.before("got", key)
	}
	return value, err
}

func (f *faultyDB) Iterator(start, end []byte) (dbm.Iterator, error) {
	if f.opFails("iterator") {
		return nil, errInjected
	}
	it, err := f.DB.Iterator(start, end)
	return &faultyIterator{Iterator: it, db: f}, err
}

func (f *faultyDB) NewBatch() dbm.Batch { return &faultyBatch{Batch: f.DB.NewBatch(), db: f} }

// faultyIterator ends early, with an error, at the step it is set to fail.
type faultyIterator struct {
	dbm.Iterator
	db  *faultyDB
	err error
}

func (it *faultyIterator) Valid() bool { return it.err == nil && it.Iterator.Valid() }
func (it *faultyIterator) Error() error {
	return errors.Join(it.err, it.Iterator.Error())
}
func (it *faultyIterator) Next() {
	if it.db.opFails("next") {
		it.err = errInjected
		return
	}
	it.Iterator.Next()
}

type faultyBatch struct {
	dbm.Batch
	db *faultyDB
}

func (b *faultyBatch) Set(key, value []byte) error {
	if b.db.opFails("batch") {
		return errInjected
	}
	return b.Batch.Set(key, value)
}

func (b *faultyBatch) Delete(key []byte) error {
	if b.db.opFails("batch") {
		return errInjected
	}
	return b.Batch.Delete(key)
}

func (b *faultyBatch) WriteSync() error {
	if b.db.before != nil {
		b.db.before("write", nil)
	}
	fails := b.db.opFails("write")
	if fails && !b.db.persist {
		return errInjected
	}
	if err := b.Batch.WriteSync(); err != nil {
		return err
	}
	if b.db.before != nil {
		b.db.before("written", nil)
	}
	if fails {
		return errInjected
	}
	return nil
}

// Write is not for the store: it does not sync.
func (b *faultyBatch) Write() error { return errors.New("a write without sync") }

// openFaulty opens a store on pebble whose operations can be made to fail.
func openFaulty(tb testing.TB, dir string) (*Store, *faultyDB) {
	tb.Helper()
	f := &faultyDB{counts: map[string]int{}, failAt: map[string]int{}}
	s := mustOpen(tb, dir, Options{CacheBytes: 1, openDB: func(dir string) (dbm.DB, error) {
		var err error
		f.DB, err = openPebble(dir)
		return f, err
	}})
	return withoutCache(s), f
}

// withoutCache makes every read of the table go to the disk.
func withoutCache(s *Store) *Store {
	for i := range s.cache.shards {
		s.cache.shards[i].slabBytes = 0
	}
	return s
}

// fill commits a full history, so that the next commit deletes as well.
func fill(tb testing.TB, s *Store) (contents []content) {
	tb.Helper()
	var now content
	for n := range HistoryHeights {
		changes := []ledger.Change{set("a", fmt.Sprint(n)), set(fmt.Sprintf("m%03d", n), "x"), set("u", "same")}
		if n > 0 {
			changes = changes[:2]
		}
		now = now.with(changes)
		contents = append(contents, now)
		commitNext(tb, s, changes)
	}
	return contents
}

// lastChanges are what the tests of failures try to commit after fill.
var lastChanges = []ledger.Change{set("a", "last"), del("m000"), set("new", "1"), del("u")}

// batchOps is how many operations the batch of lastChanges has: the changes,
// undo, root and head records, and two deletions.
var batchOps = len(lastChanges) + 5

// A failure at every step of a commit, after which the store is at the old
// height and usable, or unusable until it is opened again and then at the old
// or the new one; and the commit can be made, or made again.
func TestCommitFailsAtEveryStep(t *testing.T) {
	type step struct {
		name, op string
		n        int
		persist  bool
		unusable bool
	}
	steps := []step{
		{name: "read an old value", op: "get", n: 1},
		{name: "read the last old value", op: "get", n: len(lastChanges)},
		{name: "write, not persisted", op: "write", n: 1, unusable: true},
		{name: "write, but persisted", op: "write", n: 1, persist: true, unusable: true},
	}
	for n := 1; n <= batchOps; n++ {
		steps = append(steps, step{name: fmt.Sprint("batch operation ", n), op: "batch", n: n})
	}
	full := t.TempDir()
	made := mustOpen(t, full, Options{})
	contents := fill(t, made)
	mustClose(t, made)
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			dir := copyDir(t, full)
			s, f := openFaulty(t, dir)
			old := s.Latest()
			f.persist = step.persist
			f.failNext(step.op, step.n)
			if err := tryCommit(s); !errors.Is(err, errInjected) || errors.Is(err, ErrUnusable) != step.unusable {
				t.Fatalf("commit: %v", err)
			}
			if step.unusable {
				checkUnusable(t, s, old)
			} else {
				compareAll(t, s, contents)
			}
			mustClose(t, s)

			s, _ = openFaulty(t, dir)
			if !step.persist {
				compareAll(t, s, contents)
				if err := tryCommit(s); err != nil {
					t.Fatal(err)
				}
			}
			compareAll(t, s, append(contents, contents[len(contents)-1].with(lastChanges)))
		})
	}
	t.Run("there are no more steps", func(t *testing.T) {
		s, f := openFaulty(t, copyDir(t, full))
		f.failNext("batch", batchOps+1)
		f.failNext("write", 2)
		if err := tryCommit(s); err != nil {
			t.Fatal(err)
		}
	})
}

func tryCommit(s *Store) error {
	st, err := s.Stage(lastChanges)
	if err != nil {
		return err
	}
	return s.Commit(s.Height()+1, timeOf(s.Height()+1), st)
}

// checkUnusable: every call that can fail does, and says why.
func checkUnusable(t *testing.T, s *Store, v *View) {
	t.Helper()
	h := v.Height()
	calls := map[string]func() error{
		"Get":    func() error { _, err := v.Get([]byte("a")); return err },
		"Scan":   func() error { return v.Scan(nil, nil, func(_, _ []byte) bool { return true }) },
		"Latest": func() error { _, err := s.Latest().Get([]byte("a")); return err },
		"At":     func() error { _, err := s.At(h); return err },
		"RootAt": func() error { _, err := s.RootAt(h); return err },
		"Prove":  func() error { _, _, err := s.Prove(h, []byte("a")); return err },
		"Stage":  func() error { _, err := s.Stage(nil); return err },
		"Commit": func() error { return s.Commit(h+1, 0, nil) },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, ErrUnusable) || !errors.Is(err, errInjected) {
			t.Errorf("%s after a failed write: %v", name, err)
		}
	}
	if s.Height() != h {
		t.Errorf("height %d after a failed write, want %d", s.Height(), h)
	}
}

// A disk that cannot be read is an error everywhere, never an absent key.
func TestReadFailures(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	fill(t, s)
	mustClose(t, s)
	s, f := openFaulty(t, dir) // nothing in memory
	v, err := s.At(HistoryHeights - 5)
	if err != nil {
		t.Fatal(err)
	}
	all := func(_, _ []byte) bool { return true }
	for _, c := range []struct {
		name, op string
		n        int
		call     func() error
	}{
		{"table", "get", 1, func() error { _, err := v.Get([]byte("a")); return err }},
		{"undo record", "get", 2, func() error { _, err := v.Get([]byte("a")); return err }},
		{"undo record in a scan", "get", 2, func() error { return v.Scan(nil, nil, all) }},
		{"iterator", "iterator", 1, func() error { return v.Scan(nil, nil, all) }},
		{"row of a scan", "next", 3, func() error { return v.Scan(nil, nil, all) }},
		{"value of a proof", "get", 1, func() error { _, _, err := s.Prove(s.Height(), []byte("a")); return err }},
	} {
		f.failNext(c.op, c.n)
		if err := c.call(); !errors.Is(err, errInjected) {
			t.Errorf("%s: %v", c.name, err)
		}
		f.failNext(c.op, 0)
		if err := c.call(); err != nil {
			t.Errorf("%s, read again: %v", c.name, err)
		}
		tinyMemory(s).undos.forget(s.Height())
	}
}

// Opening fails as a whole when anything it reads cannot be read, and leaves
// the directory free to be opened again.
func TestOpenFailures(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	contents := fill(t, s)
	mustClose(t, s)
	for _, c := range []struct {
		name, op string
		n        int
	}{
		{"head", "get", 1},
		{"roots", "iterator", 1},
		{"a root", "next", 2},
		{"table", "iterator", 2},
		{"a row", "next", HistoryHeights + 3},
	} {
		f := &faultyDB{counts: map[string]int{}, failAt: map[string]int{c.op: c.n}}
		_, err := Open(dir, Options{openDB: func(dir string) (dbm.DB, error) {
			var err error
			f.DB, err = openPebble(dir)
			return f, err
		}})
		if !errors.Is(err, errInjected) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	_, err := Open(dir, Options{openDB: func(string) (dbm.DB, error) { return nil, errInjected }})
	if !errors.Is(err, errInjected) {
		t.Errorf("database: %v", err)
	}
	compareAll(t, mustOpen(t, dir, Options{}), contents)
}

// A reader reads the disk, falls asleep, and comes to put what it read into
// the cache after a commit: the cache must not take it.
func TestSlowReaderDoesNotSpoilTheCache(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	commitNext(t, s, []ledger.Change{set("a", "old")})
	mustClose(t, s)

	s, f := openFaulty(t, dir)
	s.cache = newCache(1 << 20) // empty, with room
	read, wake := make(chan struct{}), make(chan struct{})
	var asleep atomic.Bool
	f.before = func(op string, key []byte) {
		if op == "got" && string(key) == "ta" && asleep.CompareAndSwap(false, true) {
			close(read)
			<-wake
		}
	}
	v := s.Latest()
	var slow []byte
	var slowErr error
	var reader sync.WaitGroup
	reader.Go(func() { slow, slowErr = v.Get([]byte("a")) })
	<-read
	st, err := s.Stage([]ledger.Change{set("a", "new")})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(2, 2, st); err != nil { // does not wait for the reader
		t.Fatal(err)
	}
	s.cache.shard(s.cache.hash([]byte("a"))).index = index{} // room for the reader to err
	close(wake)
	reader.Wait()
	if slowErr != nil || string(slow) != "old" {
		t.Errorf("the view of height 1 read %q, %v", slow, slowErr)
	}
	if got, err := s.Latest().Get([]byte("a")); err != nil || string(got) != "new" {
		t.Errorf("the latest view read %q, %v", got, err)
	}
}

// While the batch is written, and when it is written but not yet published,
// readers see the height before it, all of it.
func TestReadersDuringTheWrite(t *testing.T) {
	s, f := openFaulty(t, t.TempDir())
	contents := fill(t, s)
	var moments []string
	f.before = func(op string, _ []byte) {
		if op == "write" || op == "written" {
			moments = append(moments, op)
			compareAll(t, s, contents)
		}
	}
	commitNext(t, s, lastChanges)
	if len(moments) != 2 {
		t.Fatalf("looked at %v", moments)
	}
	f.before = nil
	compareAll(t, s, append(contents, contents[len(contents)-1].with(lastChanges)))
}
