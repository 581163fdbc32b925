package node

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	cometdb "github.com/cometbft/cometbft-db"
)

func newDatabase(t *testing.T) *database {
	t.Helper()
	db, err := openDatabase("test", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func set(t *testing.T, db cometdb.DB, keys ...string) {
	t.Helper()
	for _, k := range keys {
		if err := db.Set([]byte(k), []byte("value of "+k)); err != nil {
			t.Fatal(err)
		}
	}
}

func keysOf(t *testing.T, it cometdb.Iterator) []string {
	t.Helper()
	var keys []string
	for ; it.Valid(); it.Next() {
		keys = append(keys, string(it.Key()))
		if want := "value of " + string(it.Key()); string(it.Value()) != want {
			t.Errorf("value at %s: %q, want %q", it.Key(), it.Value(), want)
		}
	}
	if err := errors.Join(it.Error(), it.Close()); err != nil {
		t.Error(err)
	}
	return keys
}

func TestDatabaseKeepsValues(t *testing.T) {
	db := newDatabase(t)
	for _, c := range []struct {
		name  string
		write func(key, value []byte) error
	}{{"Set", db.Set}, {"SetSync", db.SetSync}} {
		key := []byte("key " + c.name)
		if got, err := db.Get(key); got != nil || err != nil {
			t.Errorf("%s: a missing key reads %q, %v", c.name, got, err)
		}
		for _, value := range []string{"", "one", "two"} {
			if err := c.write(key, []byte(value)); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			got, err := db.Get(key)
			if got == nil || string(got) != value || err != nil {
				t.Errorf("%s: reads %q, %v after %q", c.name, got, err, value)
			}
			if has, err := db.Has(key); !has || err != nil {
				t.Errorf("%s: Has says %v, %v", c.name, has, err)
			}
		}
	}
	for _, remove := range []func([]byte) error{db.Delete, db.DeleteSync} {
		set(t, db, "gone")
		for range 2 { // removing what is not there is no error
			if err := remove([]byte("gone")); err != nil {
				t.Error(err)
			}
		}
		if has, err := db.Has([]byte("gone")); has || err != nil {
			t.Errorf("Has says %v, %v after removal", has, err)
		}
	}
}

// A key is never empty, and a value never nil.
func TestDatabaseRefusesEmpty(t *testing.T) {
	db := newDatabase(t)
	b := db.NewBatch()
	defer b.Close()
	for _, key := range [][]byte{nil, {}} {
		for name, err := range map[string]error{
			"Set": db.Set(key, []byte("v")), "SetSync": db.SetSync(key, []byte("v")),
			"Delete": db.Delete(key), "DeleteSync": db.DeleteSync(key),
			"Get": second(db.Get(key)), "Has": second(db.Has(key)),
			"batch Set": b.Set(key, []byte("v")), "batch Delete": b.Delete(key),
		} {
			if err == nil {
				t.Errorf("%s takes key %#v", name, key)
			}
		}
	}
	for name, err := range map[string]error{
		"Set": db.Set([]byte("k"), nil), "SetSync": db.SetSync([]byte("k"), nil), "batch Set": b.Set([]byte("k"), nil),
		"Iterator start": second(db.Iterator([]byte{}, nil)), "Iterator end": second(db.Iterator(nil, []byte{})),
		"ReverseIterator start": second(db.ReverseIterator([]byte{}, nil)), "ReverseIterator end": second(db.ReverseIterator(nil, []byte{})),
	} {
		if err == nil {
			t.Errorf("%s takes nil or empty", name)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestDatabaseWalks(t *testing.T) {
	db := newDatabase(t)
	set(t, db, "b", "d", "a", "e", "c")
	bound := func(s string) []byte {
		if s == "" {
			return nil
		}
		return []byte(s)
	}
	for _, c := range []struct {
		start, end string
		want       []string
	}{
		{"", "", []string{"a", "b", "c", "d", "e"}},
		{"b", "", []string{"b", "c", "d", "e"}},
		{"", "d", []string{"a", "b", "c"}},
		{"b", "d", []string{"b", "c"}},
		{"bb", "dd", []string{"c", "d"}},
		{"c", "c", nil},
		{"d", "b", nil},
		{"x", "", nil},
		{"", "a", nil},
	} {
		it, err := db.Iterator(bound(c.start), bound(c.end))
		if err != nil {
			t.Fatal(err)
		}
		if start, end := it.Domain(); !bytes.Equal(start, bound(c.start)) || !bytes.Equal(end, bound(c.end)) {
			t.Errorf("%q to %q: domain is %q to %q", c.start, c.end, start, end)
		}
		if got := keysOf(t, it); !slices.Equal(got, c.want) {
			t.Errorf("%q to %q: %q, want %q", c.start, c.end, got, c.want)
		}
		it, err = db.ReverseIterator(bound(c.start), bound(c.end))
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(c.want)
		if got := keysOf(t, it); !slices.Equal(got, c.want) {
			t.Errorf("%q down from %q: %q, want %q", c.start, c.end, got, c.want)
		}
		if err := it.Close(); err != nil {
			t.Errorf("an iterator closed twice: %v", err)
		}
	}
}

func TestBatchIsAllOrNothing(t *testing.T) {
	for _, name := range []string{"Write", "WriteSync"} {
		db := newDatabase(t)
		set(t, db, "old")
		b := db.NewBatch()
		for _, err := range []error{
			b.Set([]byte("a"), []byte("1")), b.Delete([]byte("a")), b.Set([]byte("a"), []byte("2")), b.Delete([]byte("old")),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if got, _ := db.Get([]byte("a")); got != nil {
			t.Errorf("%s: %q is there before the batch is written", name, got)
		}
		write := b.Write
		if name == "WriteSync" {
			write = b.WriteSync
		}
		if err := write(); err != nil {
			t.Fatal(err)
		}
		if got, err := db.Get([]byte("a")); string(got) != "2" || err != nil {
			t.Errorf("%s: %q, %v after the batch", name, got, err)
		}
		if has, _ := db.Has([]byte("old")); has {
			t.Errorf("%s: what the batch removed is there", name)
		}
		for what, err := range map[string]error{
			"Set": b.Set([]byte("a"), []byte("3")), "Delete": b.Delete([]byte("a")), "Write": b.Write(), "WriteSync": b.WriteSync(),
		} {
			if err == nil {
				t.Errorf("%s: %s works on a written batch", name, what)
			}
		}
		if err := errors.Join(b.Close(), b.Close()); err != nil {
			t.Errorf("%s: closing twice: %v", name, err)
		}
	}
}

func TestDroppedBatchWritesNothing(t *testing.T) {
	db := newDatabase(t)
	b := db.NewBatch()
	if err := b.Set([]byte("a"), []byte("1")); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if has, err := db.Has([]byte("a")); has || err != nil {
		t.Errorf("Has says %v, %v", has, err)
	}
}

// What was written is there when the database is opened again.
func TestDatabaseLasts(t *testing.T) {
	dir := t.TempDir()
	for round := range 3 {
		db, err := openDatabase("test", dir)
		if err != nil {
			t.Fatal(err)
		}
		for earlier := range round {
			if has, err := db.Has(fmt.Append(nil, earlier)); !has || err != nil {
				t.Errorf("round %d: what round %d wrote: %v, %v", round, earlier, has, err)
			}
		}
		if err := db.SetSync(fmt.Append(nil, round), []byte("v")); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(db.Close(), db.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// Two processes never have one database.
func TestDatabaseIsLocked(t *testing.T) {
	dir := t.TempDir()
	db, err := openDatabase("test", dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if again, err := openDatabase("test", dir); err == nil {
		again.Close()
		t.Error("opened twice")
	}
}

// CometBFT's routines use its databases for a while after they are closed.
// That must neither panic nor look like data, and nothing may be written.
func TestClosedDatabaseIsEmpty(t *testing.T) {
	db := newDatabase(t)
	set(t, db, "a")
	open := db.NewBatch()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	late := db.NewBatch()
	key := []byte("a")
	if got, err := db.Get(key); got != nil || err != nil {
		t.Errorf("Get: %q, %v", got, err)
	}
	if has, err := db.Has(key); has || err != nil {
		t.Errorf("Has: %v, %v", has, err)
	}
	for what, err := range map[string]error{
		"Set": db.Set(key, key), "SetSync": db.SetSync(key, key), "Delete": db.Delete(key), "DeleteSync": db.DeleteSync(key),
		"Iterator": second(db.Iterator(nil, nil)), "ReverseIterator": second(db.ReverseIterator(nil, nil)),
		"open batch Set": open.Set(key, key), "open batch Write": open.Write(), "open batch WriteSync": open.WriteSync(),
		"late batch Set": late.Set(key, key), "late batch Delete": late.Delete(key), "late batch Write": late.Write(),
	} {
		if !errors.Is(err, errDatabaseClosed) {
			t.Errorf("%s: %v, want %v", what, err, errDatabaseClosed)
		}
	}
	if err := errors.Join(open.Close(), late.Close()); err != nil {
		t.Error(err)
	}
}

// Close waits for an iterator, and the routine that has it is not stuck.
func TestCloseWaitsForIterators(t *testing.T) {
	db := newDatabase(t)
	set(t, db, "a", "b")
	it, err := db.Iterator(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	go func() { closed <- db.Close() }()
	for {
		if got, _ := db.Get([]byte("a")); got == nil {
			break // Close has begun
		}
	}
	select {
	case <-closed:
		t.Fatal("closed under an iterator")
	default:
	}
	if got := keysOf(t, it); len(got) != 2 {
		t.Errorf("the iterator saw %q", got)
	}
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("never closed")
	}
}
