package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"

	"github.com/tallystick/tallystick/crypto/smt"
	"github.com/tallystick/tallystick/ledger"
)

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

// decodeRecord reads a root record.
func decodeRecord(key, value []byte) (*record, error) {
	if len(key) != 1+8 || len(value) != rootBytes {
		return nil, fmt.Errorf("the root record %x: %x is damaged", key, value)
	}
	r := &record{height: ledger.Height(binary.BigEndian.Uint64(key[1:]))}
	copy(r.root[:], value)
	return r, nil
}

// checkRecords compares the history with the head record.
func (s *Store) checkRecords(h head, records []*record) error {
	n := len(records)
	switch {
	case h.height == 0:
		return nil // checkNoData has seen that there are none
	case n == 0:
		return fmt.Errorf("history: the roots are missing: %s", remedy)
	case n > HistoryHeights:
		return fmt.Errorf("history: %d roots, where at most %d are kept: the directory is damaged: %s", n, HistoryHeights, remedy)
	case records[n-1].height != h.height || records[n-1].root != h.root:
		return fmt.Errorf("history: its newest is height %d with the root %x, but the head record has the root %x: the directory is damaged: %s", records[n-1].height, records[n-1].root, h.root, remedy)
	}
	return nil
}

// row is a key of the table with its value.
type row struct{ key, value []byte }

// rowsAtOnce is how many rows pass from the reader to the tree together.
const rowsAtOnce = 1024

// rebuild makes the tree from the table. One goroutine reads ahead while the
// tree hashes. What it reads is put in the cache as long as there is room.
func (s *Store) rebuild(h ledger.Height) (*smt.Tree, error) {
	chunks, stop := make(chan []row, 4), make(chan struct{})
	var readErr error // set before chunks is closed
	go func() {
		defer close(chunks)
		readErr = s.readTable(chunks, stop)
	}()
	tree, err := smt.Build(uint64(h), s.stream(chunks))
	close(stop)
	for range chunks { // until the reader has ended
	}
	if err := errors.Join(readErr, err); err != nil {
		return nil, fmt.Errorf("read the table: %w", err)
	}
	return tree, nil
}

// readTable sends the rows of the table, ascending by key, until stopped.
func (s *Store) readTable(chunks chan<- []row, stop <-chan struct{}) error {
	it, err := s.db.Iterator([]byte{diskTable}, []byte{diskTable + 1})
	if err != nil {
		return err
	}
	defer it.Close()
	for it.Valid() {
		chunk := make([]row, 0, rowsAtOnce)
		for ; it.Valid() && len(chunk) < rowsAtOnce; it.Next() {
			chunk = append(chunk, row{it.Key()[1:], it.Value()})
		}
		select {
		case chunks <- chunk:
		case <-stop:
			return nil
		}
	}
	return it.Error()
}

// stream yields the rows that come in.
func (s *Store) stream(chunks <-chan []row) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		for chunk := range chunks {
			for _, r := range chunk {
				if !yield(r.key, r.value) {
					return
				}
				if hash := s.cache.hash(r.key); s.cache.hasRoom(hash) {
					s.cache.put(hash, r.key, r.value)
				}
			}
		}
	}
}
