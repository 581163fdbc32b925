package pebbledb_test

import (
	"bytes"
	"fmt"
	"testing"

	dbm "github.com/cosmos/cosmos-db"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/ledger/store/pebbledb"
)

func open(t testing.TB, dir string) *pebbledb.DB {
	t.Helper()
	db, err := pebbledb.Open("test", dir)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// pairs are the keys and values that a walk meets.
func pairs(t testing.TB, it dbm.Iterator, err error) (met []string) {
	t.Helper()
	if err != nil {
		return []string{"error"}
	}
	for ; it.Valid(); it.Next() {
		met = append(met, fmt.Sprintf("%x=%x", it.Key(), it.Value()))
	}
	if it.Error() != nil {
		t.Fatal(it.Error())
	}
	if err := it.Close(); err != nil {
		t.Fatal(err)
	}
	return met
}

// TestLikeCosmosDB: whatever is written, deleted and read, cosmos-db's database
// in memory answers the same.
func TestLikeCosmosDB(t *testing.T) {
	ours, want := open(t, t.TempDir()), dbm.NewMemDB()
	defer func() {
		if err := ours.Close(); err != nil {
			t.Error(err)
		}
	}()
	key := rapid.SliceOfN(rapid.ByteRange(0, 3), 1, 3)
	bound := rapid.Custom(func(r *rapid.T) []byte {
		if rapid.Bool().Draw(r, "bounded") {
			return key.Draw(r, "bound")
		}
		return nil
	})
	value := rapid.SliceOfN(rapid.Byte(), 0, 20)
	rapid.Check(t, func(r *rapid.T) {
		type writer interface {
			Set(key, value []byte) error
			Delete(key []byte) error
		}
		write := func(to ...writer) {
			k, v, deleted := key.Draw(r, "key"), value.Draw(r, "value"), rapid.Bool().Draw(r, "deleted")
			for _, w := range to {
				err := w.Set(k, v)
				if deleted {
					err = w.Delete(k)
				}
				if err != nil {
					r.Fatal(err)
				}
			}
		}
		write(ours, want)
		mine, theirs := ours.NewBatch(), want.NewBatch()
		for range rapid.IntRange(0, 5).Draw(r, "writes") {
			write(mine, theirs)
		}
		if rapid.Bool().Draw(r, "written") {
			if err := mine.WriteSync(); err != nil {
				r.Fatal(err)
			}
			_ = theirs.Write()
		}
		_, _ = mine.Close(), theirs.Close()
		k := key.Draw(r, "read")
		got, _ := ours.Get(k)
		if wanted, _ := want.Get(k); !bytes.Equal(got, wanted) || (got == nil) != (wanted == nil) {
			r.Fatalf("at %x is %x, want %x", k, got, wanted)
		}
		start, end := bound.Draw(r, "start"), bound.Draw(r, "end")
		if start != nil && end != nil && bytes.Compare(start, end) > 0 {
			start, end = end, start
		}
		a, errA := ours.Iterator(start, end)
		b, errB := want.Iterator(start, end)
		up, upWant := pairs(t, a, errA), pairs(t, b, errB)
		a, errA = ours.ReverseIterator(start, end)
		b, errB = want.ReverseIterator(start, end)
		down, downWant := pairs(t, a, errA), pairs(t, b, errB)
		if fmt.Sprint(up, down) != fmt.Sprint(upWant, downWant) {
			r.Fatalf("%x to %x: %v %v, want %v %v", start, end, up, down, upWant, downWant)
		}
	})
}

// TestRefuses what cosmos-db's interface forbids.
func TestRefuses(t *testing.T) {
	db := open(t, t.TempDir())
	defer db.Close()
	written := db.NewBatch()
	if err := written.Write(); err != nil {
		t.Fatal(err)
	}
	_, getErr := db.Get(nil)
	_, upErr := db.Iterator([]byte{}, nil)
	_, downErr := db.ReverseIterator(nil, []byte{})
	_, sizeErr := written.GetByteSize()
	for what, err := range map[string]error{
		"get without a key":       getErr,
		"set without a key":       db.Set(nil, []byte{1}),
		"set without a value":     db.SetSync([]byte{1}, nil),
		"delete without a key":    db.Delete(nil),
		"walk from an empty key":  upErr,
		"walk to an empty key":    downErr,
		"set in a written batch":  written.Set([]byte{1}, []byte{1}),
		"delete in one":           written.Delete([]byte{1}),
		"write it again":          written.WriteSync(),
		"its size":                sizeErr,
		"batch without a key":     db.NewBatch().Set(nil, []byte{1}),
		"batch without a value":   db.NewBatchWithSize(9).Set([]byte{1}, nil),
		"batch deletes without a": db.NewBatch().Delete(nil),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	if err := written.Close(); err != nil {
		t.Errorf("close a written batch: %v", err)
	}
}

// TestSameFiles: cosmos-db's own database opens what ours has written, and ours
// what that has written, so that a node's data survive either change.
func TestSameFiles(t *testing.T) {
	dir := t.TempDir()
	for i := range byte(4) {
		var db dbm.DB = open(t, dir)
		if i%2 == 1 {
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			theirs, err := dbm.NewPebbleDB("test", dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			db = theirs
		}
		for j := range i {
			if v, err := db.Get([]byte{j}); err != nil || !bytes.Equal(v, []byte{j, 7}) {
				t.Fatalf("%d: %x, %v", j, v, err)
			}
		}
		if err := db.SetSync([]byte{i}, []byte{i, 7}); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestValuesAreCopies, which stay as they are when the database moves on.
func TestValuesAreCopies(t *testing.T) {
	db := open(t, t.TempDir())
	defer db.Close()
	for i := range byte(3) {
		if err := db.Set([]byte{i}, []byte{i, i}); err != nil {
			t.Fatal(err)
		}
	}
	it, err := db.Iterator(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var keys, values [][]byte
	for ; it.Valid(); it.Next() {
		keys, values = append(keys, it.Key()), append(values, it.Value())
	}
	if err := it.Close(); err != nil {
		t.Fatal(err)
	}
	for i := range byte(3) {
		if !bytes.Equal(keys[i], []byte{i}) || !bytes.Equal(values[i], []byte{i, i}) {
			t.Errorf("%d is %x=%x", i, keys[i], values[i])
		}
	}
}
