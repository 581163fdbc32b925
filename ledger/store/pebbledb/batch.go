package pebbledb

import (
	"github.com/cockroachdb/pebble"
	dbm "github.com/cosmos/cosmos-db"
)

// NewBatch starts a set of writes that happen together or not at all.
func (d *DB) NewBatch() dbm.Batch { return &batch{d.pebble.NewBatch()} }

// NewBatchWithSize is NewBatch for writes of about size bytes.
func (d *DB) NewBatchWithSize(size int) dbm.Batch { return &batch{d.pebble.NewBatchWithSize(size)} }

// batch is a set of writes; pebble is nil once it is written or closed.
type batch struct{ pebble *pebble.Batch }

func (b *batch) Set(key, value []byte) error {
	if err := check(key, value); err != nil {
		return err
	}
	if b.pebble == nil {
		return errBatchClosed
	}
	return b.pebble.Set(key, value, nil)
}

func (b *batch) Delete(key []byte) error {
	if len(key) == 0 {
		return errKeyEmpty
	}
	if b.pebble == nil {
		return errBatchClosed
	}
	return b.pebble.Delete(key, nil)
}

func (b *batch) Write() error { return b.commit(pebble.NoSync) }

func (b *batch) WriteSync() error { return b.commit(pebble.Sync) }

func (b *batch) commit(o *pebble.WriteOptions) error {
	if b.pebble == nil {
		return errBatchClosed
	}
	if err := b.pebble.Commit(o); err != nil {
		return err
	}
	return b.Close()
}

// Close ends the batch; again is harmless.
func (b *batch) Close() error {
	if b.pebble == nil {
		return nil
	}
	err := b.pebble.Close()
	b.pebble = nil
	return err
}

func (b *batch) GetByteSize() (int, error) {
	if b.pebble == nil {
		return 0, errBatchClosed
	}
	return b.pebble.Len(), nil
}
