package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	dbm "github.com/cosmos/cosmos-db"
	"github.com/gofrs/flock"

	"github.com/tallystick/tallystick/ledger"
)

// The names in a store's directory.
const (
	lockName = "lock"
	dbName   = "state" // cosmos-db adds its suffix
)

// remedy is what an operator can always do about a damaged store.
const remedy = "restore it from a backup, or move the directory away and let the node build the state again from its blocks"

// openPebble opens the database of a store. Its batches are atomic, its
// WriteSync syncs, and its iterators see one moment.
func openPebble(dir string) (dbm.DB, error) {
	return dbm.NewPebbleDB(dbName, dir, dbm.OptionsMap{})
}

// Open opens the store in dir, and makes it if dir is absent or empty. It reads
// the whole table to make the tree: about two seconds and 250 bytes of memory
// for each million of keys and each key.
//
// It returns ErrLocked when a process has the store open, this one included;
// and otherwise an error that says what is wrong and what to do: dir is not a
// store, is damaged, is of a newer format, or its table does not have the root
// that was committed. It changes nothing then.
func Open(dir string, o Options) (*Store, error) {
	s, err := open(dir, o.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	return s, nil
}

func open(dir string, o Options) (*Store, error) {
	if o.CacheBytes < 0 || o.ProvableHeights < 0 || o.ProvablePeriod < 0 {
		return nil, errors.New("options must not be negative")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := checkNames(dir); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(dir, lockName))
	if locked, err := lock.TryLock(); err != nil {
		return nil, fmt.Errorf("lock it: %w", err)
	} else if !locked {
		return nil, fmt.Errorf("%w: stop that one first, or use another directory", ErrLocked)
	}
	s := &Store{dir: dir, o: o, lock: lock, gate: newGate(), cache: newCache(o.CacheBytes), undos: undoMemory{limit: undoMemoryBytes}}
	var err error
	if s.db, err = o.openDB(dir); err != nil {
		return nil, errors.Join(fmt.Errorf("database: %w", err), lock.Unlock())
	}
	if err := s.load(); err != nil {
		return nil, errors.Join(err, s.db.Close(), lock.Unlock())
	}
	return s, nil
}

// checkNames looks at the directory before anything is written into it.
// Pebble would take a directory whose CURRENT file is missing for a new one.
func checkNames(dir string) error {
	db := filepath.Join(dir, dbName+dbm.DBFileSuffix)
	entries, err := os.ReadDir(db)
	if errors.Is(err, fs.ErrNotExist) {
		return checkEmpty(dir)
	}
	if err != nil {
		return err
	}
	data := false
	for _, e := range entries {
		if e.Name() == "CURRENT" {
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		extension := filepath.Ext(e.Name())
		data = data || extension == ".sst" || extension == ".log" && info.Size() > 0
	}
	if data {
		return fmt.Errorf("%s has data but no file CURRENT, so a part of it is missing: %s", db, remedy)
	}
	return nil // its making was interrupted
}

// checkEmpty refuses a directory that has things in it, but no store.
func checkEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != lockName {
			return fmt.Errorf("it is not a store, and not empty: it has %q; name an empty directory, or one that does not exist", e.Name())
		}
	}
	return nil
}

// load reads what the database holds.
func (s *Store) load() error {
	raw, err := s.db.Get([]byte{diskHead})
	if err != nil {
		return fmt.Errorf("read the head record: %w: %s", err, remedy)
	}
	h := head{}
	if raw == nil {
		if err := s.checkNoData(); err != nil {
			return err
		}
	} else if h, err = decodeHead(raw); err != nil {
		return err
	}
	records, err := s.loadRecords(h)
	if err != nil {
		return fmt.Errorf("height %d: %w", h.height, err)
	}
	s.past.Store(&past{head: h, records: records})
	if s.tree, err = s.rebuild(h.height); err != nil {
		return fmt.Errorf("height %d: %w: %s", h.height, err, remedy)
	}
	if got := s.tree.Root(); got != h.root {
		return fmt.Errorf("height %d: the table has the root %x, but %x was committed: the table is damaged: %s", h.height, got, h.root, remedy)
	}
	return nil
}

// checkNoData refuses a database that has keys, but no head record.
func (s *Store) checkNoData() error {
	it, err := s.db.Iterator(nil, nil)
	if err != nil {
		return err
	}
	defer it.Close()
	if it.Valid() {
		return fmt.Errorf("the database has the key %q, but no head record: it is damaged, or belongs to another program: %s", it.Key(), remedy)
	}
	return it.Error()
}

// loadRecords reads the roots of the history and checks that nothing is missing
// up to the latest height. The undo records are read when they are needed.
func (s *Store) loadRecords(h head) ([]*record, error) {
	it, err := s.db.Iterator([]byte{diskRoot}, []byte{diskRoot + 1})
	if err != nil {
		return nil, err
	}
	defer it.Close()
	var records []*record
	for ; it.Valid(); it.Next() {
		next := ledger.Height(1)
		if n := len(records); n > 0 {
			next = records[n-1].height + 1
		}
		r, err := decodeRecord(it.Key(), it.Value())
		if err == nil && len(records) > 0 && r.height != next {
			err = fmt.Errorf("the root of height %d is missing", next)
		}
		if err != nil {
			return nil, fmt.Errorf("history: %w: %s", err, remedy)
		}
		records = append(records, r)
	}
	if err := it.Error(); err != nil {
		return nil, fmt.Errorf("history: %w: %s", err, remedy)
	}
	return records, s.checkRecords(h, records)
}
