package node

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	cometdb "github.com/cometbft/cometbft-db"
	cometconfig "github.com/cometbft/cometbft/config"
	cosmosdb "github.com/cosmos/cosmos-db"

	"github.com/tallystick/tallystick/ledger/store/pebbledb"
)

// database lets CometBFT keep its stores in the same pebble as ours, whose synced
// writes really reach the disk before they return. That matters: the
// application commits a block with a synced write, so if CometBFT's block store
// could lose the same block to a power failure, the application would be ahead
// of it, which CometBFT does not recover from.
//
// The two interfaces differ by Compact alone; and by what happens after Close.
// CometBFT's gossip routines outlive its stores by a few seconds, and pebble
// panics when a closed database is used. So a closed database here holds
// nothing: reads find nothing, and writes fail with errDatabaseClosed. Nothing
// can be decided on it, because nothing can be written.
type database struct {
	name string

	db     cosmosdb.DB
	mu     sync.RWMutex // guards closed
	closed bool
	users  sync.WaitGroup // calls and iterators that are using db
}

var _ cometdb.DB = (*database)(nil)

var errDatabaseClosed = errors.New("database is closed")

// openDatabase opens the database called name, in its own directory
// <name>.db under dir, and creates it where it does not exist.
func openDatabase(name, dir string) (*database, error) {
	db, err := pebbledb.Open(name, dir)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", filepath.Join(dir, name+cosmosdb.DBFileSuffix), err)
	}
	return &database{name: name, db: db}, nil
}

// enter keeps the database open until leave is called; false if it is closed.
func (d *database) enter() bool {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if !d.closed {
		d.users.Add(1)
	}
	return !d.closed
}

func (d *database) leave() { d.users.Done() }

func (d *database) errClosed() error { return fmt.Errorf("%s: %w", d.name, errDatabaseClosed) }

// write runs f unless the database is closed.
func (d *database) write(f func() error) error {
	if !d.enter() {
		return d.errClosed()
	}
	defer d.leave()
	return f()
}

// Get returns the value at key, or nil if there is none.
func (d *database) Get(key []byte) ([]byte, error) {
	if !d.enter() {
		return nil, nil
	}
	defer d.leave()
	return d.db.Get(key)
}

// Has reports whether there is a value at key.
func (d *database) Has(key []byte) (bool, error) {
	if !d.enter() {
		return false, nil
	}
	defer d.leave()
	return d.db.Has(key)
}

// Set stores value at key. A crash may undo it.
func (d *database) Set(key, value []byte) error {
	return d.write(func() error { return d.db.Set(key, value) })
}

// SetSync stores value at key and returns when it is on the disk, and with it
// everything written before.
func (d *database) SetSync(key, value []byte) error {
	return d.write(func() error { return d.db.SetSync(key, value) })
}

// Delete removes the value at key, if there is one. A crash may undo it.
func (d *database) Delete(key []byte) error {
	return d.write(func() error { return d.db.Delete(key) })
}

// DeleteSync removes the value at key and returns when that is on the disk.
func (d *database) DeleteSync(key []byte) error {
	return d.write(func() error { return d.db.DeleteSync(key) })
}

// Iterator walks the keys from start to before end, upwards; nil is no bound.
func (d *database) Iterator(start, end []byte) (cometdb.Iterator, error) {
	return d.iterator(start, end, false)
}

// ReverseIterator walks the keys from before end down to start.
func (d *database) ReverseIterator(start, end []byte) (cometdb.Iterator, error) {
	return d.iterator(start, end, true)
}

func (d *database) iterator(start, end []byte, reverse bool) (cometdb.Iterator, error) {
	if !d.enter() {
		return nil, d.errClosed()
	}
	open := d.db.Iterator
	if reverse {
		open = d.db.ReverseIterator
	}
	it, err := open(start, end)
	if err != nil {
		d.leave()
		return nil, err
	}
	return &iterator{Iterator: it, close: sync.OnceValue(func() error {
		defer d.leave()
		return it.Close()
	})}, nil
}

// iterator holds its database open until it is closed itself.
type iterator struct {
	cosmosdb.Iterator
	close func() error
}

// Close ends the walk; again is harmless.
func (i *iterator) Close() error { return i.close() }

// Close writes everything to disk and closes the database, once every call has
// returned and every iterator is closed; again is harmless.
func (d *database) Close() error {
	d.mu.Lock()
	again := d.closed
	d.closed = true
	d.mu.Unlock()
	if again {
		return nil
	}
	d.users.Wait()
	if err := d.db.Close(); err != nil {
		return fmt.Errorf("close database %s: %w", d.name, err)
	}
	return nil
}

// NewBatch starts an atomic set of writes.
func (d *database) NewBatch() cometdb.Batch {
	if !d.enter() {
		return &batch{database: d}
	}
	defer d.leave()
	return &batch{database: d, batch: d.db.NewBatch()}
}

// Print does nothing: a node's standard output belongs to its commands.
func (d *database) Print() error { return nil }

// Stats returns pebble's counters, or nothing once the database is closed.
func (d *database) Stats() map[string]string {
	if !d.enter() {
		return nil
	}
	defer d.leave()
	return d.db.Stats()
}

// Compact does nothing: pebble compacts by itself.
func (d *database) Compact(_, _ []byte) error { return nil }

// batch is a set of writes of a database that may be closed before it is used.
type batch struct {
	database *database
	batch    cosmosdb.Batch // nil if the database was closed before
}

func (b *batch) write(f func() error) error {
	return b.database.write(func() error {
		if b.batch == nil {
			return b.database.errClosed()
		}
		return f()
	})
}

// Set adds a write.
func (b *batch) Set(key, value []byte) error {
	return b.write(func() error { return b.batch.Set(key, value) })
}

// Delete adds a removal.
func (b *batch) Delete(key []byte) error {
	return b.write(func() error { return b.batch.Delete(key) })
}

// Write applies the batch, all or nothing. A crash may undo it.
func (b *batch) Write() error { return b.write(func() error { return b.batch.Write() }) }

// WriteSync applies the batch and returns when it is on the disk.
func (b *batch) WriteSync() error { return b.write(func() error { return b.batch.WriteSync() }) }

// Close drops the batch; again is harmless.
func (b *batch) Close() error {
	if b.batch == nil {
		return nil
	}
	return b.batch.Close()
}

// databases opens CometBFT's databases under dir and closes all of them, which
// CometBFT itself does not when it fails to start.
type databases struct {
	dir  string
	open []*database
}

// provide is CometBFT's DBProvider.
func (d *databases) provide(context *cometconfig.DBContext) (cometdb.DB, error) {
	db, err := openDatabase(context.ID, d.dir)
	if err != nil {
		return nil, err
	}
	d.open = append(d.open, db)
	return db, nil
}

// Close closes every database that was opened.
func (d *databases) Close() error {
	var problems []error
	for _, db := range d.open {
		problems = append(problems, db.Close())
	}
	return errors.Join(problems...)
}
