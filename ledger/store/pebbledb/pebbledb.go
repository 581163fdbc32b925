// Package pebbledb is a database of cosmos-db's kind on pebble, opened with
// options for a node that never stops writing. cosmos-db's own opens pebble with
// the options of a small database and lets nobody change them; the files are the
// same, so either opens what the other has written.
package pebbledb

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/cockroachdb/pebble"
	dbm "github.com/cosmos/cosmos-db"
)

const (
	// memTableSize is what collects in memory, in bytes, before it becomes a
	// file. Keys that are hashes fall on all files of the level below, each of
	// which is written again: the larger this is, the less often. What is in
	// memory is in the write-ahead log too, and read back at the next start, in
	// well under a second.
	memTableSize = 32 << 20
	// l0Threshold is twice the number of such files that wait to be merged.
	l0Threshold = 8
	// lBaseMaxBytes is the size from which the first merged level is split in two.
	lBaseMaxBytes = 512 << 20
	// tableSize is the size of a file of the first level, doubled at each below.
	tableSize = 8 << 20
	// compactions is how many merges run at a time, at most.
	compactions = 2
)

func options() *pebble.Options {
	o := &pebble.Options{
		Logger:                   fatalLogger{},
		MemTableSize:             memTableSize,
		L0CompactionThreshold:    l0Threshold,
		LBaseMaxBytes:            lBaseMaxBytes,
		Levels:                   []pebble.LevelOptions{{TargetFileSize: tableSize}},
		MaxConcurrentCompactions: func() int { return compactions },
	}
	return o.EnsureDefaults()
}

// fatalLogger keeps quiet, but about what pebble cannot go on after.
type fatalLogger struct{}

func (fatalLogger) Infof(string, ...any) {}

func (fatalLogger) Fatalf(format string, args ...any) { pebble.DefaultLogger.Fatalf(format, args...) }

var (
	errKeyEmpty    = errors.New("key cannot be empty")
	errValueNil    = errors.New("value cannot be nil")
	errBatchClosed = errors.New("batch has been written or closed")
)

// DB is a pebble database. It must not be used after Close.
type DB struct{ pebble *pebble.DB }

var _ dbm.DB = (*DB)(nil)

// Open opens the database <name>.db in dir, and creates it where it does not
// exist. Pebble locks it against other processes.
func Open(name, dir string) (*DB, error) {
	p, err := pebble.Open(filepath.Join(dir, name+dbm.DBFileSuffix), options())
	if err != nil {
		return nil, err
	}
	return &DB{p}, nil
}

// Close writes what is in memory to the disk and closes the database.
func (d *DB) Close() error { return d.pebble.Close() }

// Get returns a copy of the value at key, or nil if there is none.
func (d *DB) Get(key []byte) ([]byte, error) {
	if len(key) == 0 {
		return nil, errKeyEmpty
	}
	value, closer, err := d.pebble.Get(key)
	switch {
	case errors.Is(err, pebble.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return clone(value), closer.Close()
}

// Has reports whether there is a value at key.
func (d *DB) Has(key []byte) (bool, error) {
	value, err := d.Get(key)
	return value != nil, err
}

// Set stores value at key. A crash may undo it.
func (d *DB) Set(key, value []byte) error { return d.set(key, value, pebble.NoSync) }

// SetSync stores value at key and returns when it is on the disk, and with it
// everything written before.
func (d *DB) SetSync(key, value []byte) error { return d.set(key, value, pebble.Sync) }

func (d *DB) set(key, value []byte, o *pebble.WriteOptions) error {
	if err := check(key, value); err != nil {
		return err
	}
	return d.pebble.Set(key, value, o)
}

// Delete removes the value at key, if there is one. A crash may undo it.
func (d *DB) Delete(key []byte) error { return d.delete(key, pebble.NoSync) }

// DeleteSync removes the value at key and returns when that is on the disk.
func (d *DB) DeleteSync(key []byte) error { return d.delete(key, pebble.Sync) }

func (d *DB) delete(key []byte, o *pebble.WriteOptions) error {
	if len(key) == 0 {
		return errKeyEmpty
	}
	return d.pebble.Delete(key, o)
}

// Print writes every key and value to standard output.
func (d *DB) Print() error {
	it, err := d.Iterator(nil, nil)
	if err != nil {
		return err
	}
	for ; it.Valid(); it.Next() {
		fmt.Printf("[%X]:\t[%X]\n", it.Key(), it.Value())
	}
	return errors.Join(it.Error(), it.Close())
}

// Stats returns pebble's table of what its levels hold and have written.
func (d *DB) Stats() map[string]string {
	return map[string]string{"pebble": d.pebble.Metrics().String()}
}

func check(key, value []byte) error {
	switch {
	case len(key) == 0:
		return errKeyEmpty
	case value == nil:
		return errValueNil
	}
	return nil
}

// clone is a copy that is never nil, because nil means that there is no value.
func clone(b []byte) []byte { return append(make([]byte, 0, len(b)), b...) }
