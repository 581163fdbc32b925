package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	dbm "github.com/cosmos/cosmos-db"
	"github.com/gofrs/flock"

	"github.com/tallystick/tallystick/ledger/store/pebbledb"
)

// The names in a store's directory.
const (
	lockName = "lock"
	dbName   = "state" // cosmos-db's suffix is added
)

// remedy is what an operator can always do about a damaged store.
const remedy = "restore it from a backup, or move the directory away and let the node build the state again from its blocks"

// openPebble opens the database of a store. Its batches are atomic, its
// WriteSync syncs, and its iterators see one moment.
func openPebble(dir string) (db dbm.DB, err error) {
	defer func() {
		// Pebble checks its files as it opens them, and panics at some damage.
		if r := recover(); r != nil {
			db, err = nil, fmt.Errorf("pebble cannot read its files: %v", r)
		}
	}()
	return pebbledb.Open(dbName, dir)
}

// Open opens the store in dir, and makes it if dir is absent or empty. It reads
// the whole table to make the tree, which is the time it takes: some microseconds
// a key.
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
		return nil, errors.Join(fmt.Errorf("database: %w: %s", err, remedy), lock.Unlock())
	}
	if err := s.load(); err != nil {
		return nil, errors.Join(err, s.db.Close(), lock.Unlock())
	}
	return s, nil
}

// checkNames looks at the directory before anything is written into it.
// Pebble would take a directory whose CURRENT file is missing for a new one. It
// makes that file before any that has data.
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
		extension := filepath.Ext(e.Name())
		data = data || extension == ".sst" || extension == ".log"
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
