package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	dbm "github.com/cosmos/cosmos-db"

	"github.com/tallystick/tallystick/ledger"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// copyDir copies a store's directory, all but the lock.
func copyDir(tb testing.TB, from string) (to string) {
	tb.Helper()
	to = tb.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		tb.Fatal(err)
	}
	return to
}

// small makes a closed store of a few heights.
func small(tb testing.TB) (dir string, contents []content) {
	tb.Helper()
	dir = tb.TempDir()
	s := mustOpen(tb, dir, Options{})
	var now content
	for _, changes := range [][]ledger.Change{
		{set("a", "1"), set("b", "1")},
		{set("a", "2"), del("b"), set("m", "1")},
		{set("b", "3")},
	} {
		commitNext(tb, s, changes)
		now = now.with(changes)
		contents = append(contents, now)
	}
	mustClose(tb, s)
	return dir, contents
}

// edit changes the database of a closed store.
func edit(tb testing.TB, dir string, do func(db dbm.DB) error) {
	tb.Helper()
	db, err := openPebble(dir)
	if err != nil {
		tb.Fatal(err)
	}
	if err := errors.Join(do(db), db.Close()); err != nil {
		tb.Fatal(err)
	}
}

// refused checks that a store cannot be opened, and why; and that trying does
// not keep it locked.
func refused(t *testing.T, dir string, want ...string) {
	t.Helper()
	for range 2 {
		s, err := Open(dir, Options{})
		if err == nil {
			s.Close()
			t.Errorf("opened, want refusal with %q", want)
			return
		}
		for _, w := range append(want, dir) {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("refused with %q, which lacks %q", err, w)
			}
		}
	}
}

// What stands in the database may be damaged or missing: opening names the
// height and what to do, and touches nothing.
func TestOpenRefusesDamage(t *testing.T) {
	root3, undo3 := heightKey(diskRoot, 3), heightKey(diskUndo, 3)
	head := func(change func(raw []byte) []byte) func(dbm.DB) error {
		return func(db dbm.DB) error {
			raw, err := db.Get([]byte{diskHead})
			if err != nil {
				return err
			}
			return db.SetSync([]byte{diskHead}, change(bytes.Clone(raw)))
		}
	}
	version := func(v uint32) func(raw []byte) []byte {
		return func(raw []byte) []byte {
			binary.BigEndian.PutUint32(raw[8:], v)
			return raw
		}
	}
	for name, c := range map[string]struct {
		do   func(db dbm.DB) error
		want []string
	}{
		"newer format":       {head(version(3)), []string{"format 3", "format 2", "newer tally"}},
		"newer, longer":      {head(func(raw []byte) []byte { return append(version(7)(raw), "more"...) }), []string{"format 7", "newer tally"}},
		"earlier format":     {head(version(1)), []string{"format 1", "earlier version", "format 2"}},
		"format 0":           {head(version(0)), []string{"format 0", "damaged"}},
		"another magic":      {head(func(raw []byte) []byte { raw[0] = 'x'; return raw }), []string{"not one of ours"}},
		"short head":         {head(func(raw []byte) []byte { return raw[:11] }), []string{"not one of ours"}},
		"head cut off":       {head(func(raw []byte) []byte { return raw[:60] }), []string{"checksum"}},
		"head of height 0":   {head(func(raw []byte) []byte { return resum(raw, 12, make([]byte, 8)) }), []string{"height 0"}},
		"head without roots": {head(func(raw []byte) []byte { return resum(raw, 19, []byte{9}) }), []string{"height 9", "newest is height 3"}},
		"head, other root":   {head(func(raw []byte) []byte { return resum(raw, 28, []byte{1, 2, 3}) }), []string{"height 3", "010203"}},
		"no head":            {func(db dbm.DB) error { return db.DeleteSync([]byte{diskHead}) }, []string{"no head record"}},
		"another program's": {func(db dbm.DB) error {
			return errors.Join(db.DeleteSync([]byte{diskHead}), db.SetSync([]byte("A"), []byte("1")))
		}, []string{`"A"`, "another program"}},
		"value changed":     {func(db dbm.DB) error { return db.SetSync([]byte("ta"), []byte("9")) }, []string{"height 3", "root", "table is damaged", "restore"}},
		"key missing":       {func(db dbm.DB) error { return db.DeleteSync([]byte("ta")) }, []string{"height 3", "table is damaged"}},
		"key too many":      {func(db dbm.DB) error { return db.SetSync([]byte("tc"), []byte("9")) }, []string{"height 3", "table is damaged"}},
		"empty value":       {func(db dbm.DB) error { return db.SetSync([]byte("ta"), []byte{}) }, []string{"height 3", "empty"}},
		"root missing":      {func(db dbm.DB) error { return db.DeleteSync(heightKey(diskRoot, 2)) }, []string{"height 3", "root of height 2 is missing"}},
		"newest root gone":  {func(db dbm.DB) error { return db.DeleteSync(root3) }, []string{"newest is height 2"}},
		"root changed":      {func(db dbm.DB) error { return db.SetSync(root3, make([]byte, 32)) }, []string{"height 3", "head record has the root"}},
		"root cut off":      {func(db dbm.DB) error { return db.SetSync(root3, make([]byte, 31)) }, []string{"root record"}},
		"all roots missing": {deleteRoots, []string{"roots are missing"}},
		"roots too many":    {addRoots, []string{"at most 128"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir, _ := small(t)
			edit(t, dir, c.do)
			refused(t, dir, c.want...)
		})
	}
	t.Run("undo record", func(t *testing.T) { // read when it is needed
		for name, do := range map[string]func(db dbm.DB) error{
			"is missing": func(db dbm.DB) error { return db.DeleteSync(undo3) },
			"is damaged": func(db dbm.DB) error { return db.SetSync(undo3, []byte{1}) },
		} {
			dir, contents := small(t)
			edit(t, dir, do)
			s := mustOpen(t, dir, Options{})
			if err := compare(s.Latest(), contents[2]); err != nil {
				t.Error(err)
			}
			v, err := s.At(2)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := v.Get([]byte("b")); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "height 3") {
				t.Errorf("undo record %s: got %q, %v", name, got, err)
			}
		}
	})
}

// resum overwrites bytes of a head record and makes its checksum right.
func resum(raw []byte, at int, with []byte) []byte {
	copy(raw[at:], with)
	binary.BigEndian.PutUint32(raw[60:], crc32.Checksum(raw[:60], crcTable))
	return raw
}

func deleteRoots(db dbm.DB) error {
	var errs []error
	for h := range ledger.Height(4) {
		errs = append(errs, db.DeleteSync(heightKey(diskRoot, h)))
	}
	return errors.Join(errs...)
}

func addRoots(db dbm.DB) error {
	root, err := db.Get(heightKey(diskRoot, 3))
	for h := range ledger.Height(HistoryHeights) {
		if err == nil {
			err = db.Set(heightKey(diskRoot, 4+h), root)
		}
	}
	return err
}

// Every bit of the head record counts.
func TestEveryHeadByteIsChecked(t *testing.T) {
	good := (&head{height: 7, time: 8, root: [32]byte{9}}).encode()
	if _, err := decodeHead(good); err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1 << (i % 8)
		if h, err := decodeHead(bad); err == nil {
			t.Errorf("byte %d changed: read as %+v", i, h)
		}
	}
	for n := range good {
		if _, err := decodeHead(good[:n]); err == nil {
			t.Errorf("cut to %d bytes: read", n)
		}
	}
}

// Bytes of pebble's files may be flipped. Then the store does not open, or it
// opens at a height that was committed and reads what was committed there: a
// batch at the end of the log that is damaged is one that was not written.
func TestFlippedBytesInFiles(t *testing.T) {
	dir, contents := small(t)
	r := newRand(t)
	var files []string
	for _, pattern := range []string{"*.sst", "*.log", "MANIFEST-*", "CURRENT"} {
		found, err := filepath.Glob(filepath.Join(dir, "state.db", pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	flips := 60
	if testing.Short() {
		flips = 20
	}
	refusals := 0
	for range flips {
		name, err := filepath.Rel(dir, files[r.IntN(len(files))])
		if err != nil {
			t.Fatal(err)
		}
		damaged := copyDir(t, dir)
		path := filepath.Join(damaged, name)
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(raw) == 0 {
			continue
		}
		at := r.IntN(len(raw))
		raw[at] ^= 1 << r.IntN(8)
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(damaged, Options{})
		if err != nil {
			refusals++
			continue
		}
		if h := s.Height(); h > ledger.Height(len(contents)) {
			t.Errorf("%s, byte %d: opened at height %d", name, at, h)
		} else if h > 0 {
			compareAll(t, s, contents[:h])
		}
		mustClose(t, s)
	}
	if refusals == 0 {
		t.Error("no flip was noticed")
	}
}

func TestTwoOpeners(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "another process") {
		t.Errorf("the second opener: %v", err)
	}
	commitNext(t, s, nil) // the first one is not disturbed
	mustClose(t, s)
	mustOpen(t, dir, Options{})
}

// A directory that is not a store is refused before anything is put into it.
func TestOpenRefusesForeignDirectories(t *testing.T) {
	for name, c := range map[string]struct {
		files []string
		want  string
	}{
		"somebody's files": {[]string{"photo.jpg"}, "photo.jpg"},
		"another database": {[]string{"CURRENT", "000001.sst"}, "not a store"},
		"no CURRENT":       {[]string{"state.db/000004.sst", "state.db/MANIFEST-000001"}, "no file CURRENT"},
		"log, no CURRENT":  {[]string{"state.db/000004.log"}, "no file CURRENT"},
		"CURRENT alone":    {[]string{"state.db/CURRENT"}, "database"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, f := range c.files {
				path := filepath.Join(dir, f)
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("something"), 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			refused(t, dir, c.want)
			for _, f := range c.files {
				if raw, err := os.ReadFile(filepath.Join(dir, f)); err != nil || string(raw) != "something" {
					t.Errorf("%s is now %q, %v", f, raw, err)
				}
			}
		})
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, file)
	if _, err := Open(t.TempDir(), Options{CacheBytes: -1}); err == nil {
		t.Error("a negative option was taken")
	}
}

// The making of a store may be interrupted before there is anything in it.
func TestOpenAfterInterruptedMaking(t *testing.T) {
	dir := t.TempDir()
	db := filepath.Join(dir, "state.db")
	if err := errors.Join(os.MkdirAll(db, 0o700), os.WriteFile(filepath.Join(db, "MANIFEST-000001"), []byte("part"), 0o600), os.WriteFile(filepath.Join(db, "CURRENT.000001.dbtmp"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	commitNext(t, mustOpen(t, dir, Options{}), []ledger.Change{set("a", "1")})
}

// The bytes on the disk are those of docs/FORMATS.md.
func TestGoldenFormat(t *testing.T) {
	dir, _ := small(t)
	var out strings.Builder
	edit(t, dir, func(db dbm.DB) error {
		it, err := db.Iterator(nil, nil)
		if err != nil {
			return err
		}
		defer it.Close()
		for ; it.Valid(); it.Next() {
			fmt.Fprintf(&out, "%x: %x\n", it.Key(), it.Value())
		}
		return it.Error()
	})
	golden := filepath.Join("testdata", "format.golden")
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(golden, []byte(out.String()), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestUndoRecordRefuses(t *testing.T) {
	good := newUndo(2, 0)
	good.add([]byte("a"), nil)
	good.add([]byte("bc"), []byte("old"))
	if u, err := decodeUndo(good.raw); err != nil || len(u.at) != 2 {
		t.Fatal(u, err)
	}
	for name, raw := range map[string]string{
		"cut in a key":     "\x02b",
		"no old value":     "\x01a",
		"cut in a value":   "\x01a\x05old",
		"empty key":        "\x00\x00",
		"descending":       "\x01b\x00\x01a\x00",
		"the same twice":   "\x01a\x00\x01a\x00",
		"endless length":   "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		"length past end":  "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01a",
		"trailing garbage": "\x01a\x00\x07",
	} {
		if u, err := decodeUndo([]byte(raw)); err == nil {
			t.Errorf("%s: read as %d entries", name, len(u.at))
		}
	}
}

// Whatever the bytes, decoding neither panics nor reads entries that are not
// findable again.
func FuzzDecodeUndo(f *testing.F) {
	u := newUndo(2, 0)
	u.add([]byte("a"), nil)
	u.add([]byte("bc"), []byte("old"))
	f.Add(u.raw)
	f.Add([]byte("\x01b\x00\x01a\x00"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		u, err := decodeUndo(raw)
		if err != nil {
			return
		}
		for i := range u.at {
			key, old := u.entry(i)
			if got, found := u.find(key); !found || !bytes.Equal(got, old) || (got == nil) != (old == nil) {
				t.Fatalf("key %x: found %x (%v), want %x", key, got, found, old)
			}
		}
	})
}

// Whatever the bytes, a head record that is read is written the same.
func FuzzDecodeHead(f *testing.F) {
	f.Add((&head{height: 7, time: 8, root: [32]byte{9}}).encode())
	f.Add([]byte("tallystk\x00\x00\x00\x02"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if h, err := decodeHead(raw); err == nil && !bytes.Equal(h.encode(), raw) {
			t.Fatalf("%x is read as %x", raw, h.encode())
		}
	})
}
