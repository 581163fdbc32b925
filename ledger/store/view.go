package store

import (
	"fmt"

	"github.com/tallystick/tallystick/ledger"
)

// View is the committed state as of one height. It is a ledger.Reader. It
// stays what it is while later heights are committed, until its own has left
// the history; then its methods answer ErrUnknownHeight. It holds nothing open
// and needs no closing. Its methods may be called from any goroutines at once.
//
// # Why a view is right while commits go on
//
// A view at height h reads the table first and the undo records above h after.
// A commit of height g publishes its undo record in memory before it writes to
// the table. So:
//
//   - Whatever the table gave was the key's value at some height g >= h, since
//     h was committed when the view was made; and every undo record up to g
//     was published before the table was read, so the view sees it.
//   - If some height in h+1..g changed the key, the lowest such height's
//     record has the key's value before it: the value at h.
//   - If none did, the table's value is the value at h. The view may then meet
//     the key in a record above g, made after the table was read; the lowest
//     such record has the value before it, which is again the value at h.
//
// Read the other way round, undo first and table second, a commit could come
// between: its record not yet there, its change already.
//
// That different keys are read at different moments does no harm, as each is
// brought back to h by itself. An undo record is gone only after the heights
// below it have left the history, and the view checks that last of all.
type View struct {
	store  *Store
	height ledger.Height
}

// Latest returns a view at Height: before the first commit, of the empty state.
func (s *Store) Latest() *View { return &View{s, s.Height()} }

// At returns a view at one of the last HistoryHeights heights. Other heights
// are ErrUnknownHeight; the text names the oldest and the newest held.
func (s *Store) At(h ledger.Height) (*View, error) {
	if err := s.check(s.past.Load(), h); err != nil {
		return nil, err
	}
	return &View{s, h}, nil
}

// Height returns the view's height; 0 is the empty state before the first
// commit.
func (v *View) Height() ledger.Height { return v.height }

// Get returns the value of a key, or nil when it is absent. The caller must not
// modify it, and may keep it; keeping it can keep up to 64 KiB around it from
// being freed. The errors are ErrUnknownHeight, ErrClosed, and failures of the
// disk.
//
// For the latest height and a cached key the cost is one lookup without
// allocation; a key that is not cached costs a read from disk. A view n heights
// below the latest costs about n filter probes more, and for changed keys a
// binary search, after reading an undo record from disk if need be.
func (v *View) Get(key []byte) ([]byte, error) {
	return v.get(v.store.cache.hash(key), key)
}

// get is Get with the key's hash known.
func (v *View) get(hash uint64, key []byte) ([]byte, error) {
	s := v.store
	value, err := s.tableGet(hash, key)
	if err != nil {
		return nil, err
	}
	p := s.past.Load() // not earlier: see View
	if p.failed != nil {
		return nil, p.failed
	}
	if n := len(p.records); n == 0 || v.height == 0 {
		return nil, nil
	} else if p.records[n-1].height == v.height {
		return value, nil
	}
	return s.undone(p, v.height, hash, key, value)
}

// undone brings a value of the table back to the height of a view.
func (s *Store) undone(p *past, h ledger.Height, hash uint64, key, value []byte) ([]byte, error) {
	if h < p.oldest() {
		return nil, s.check(p, h)
	}
	for _, r := range p.above(h) {
		if keys := r.keys.Load(); keys != nil && !keys.maybe(hash) {
			continue
		}
		u, err := s.undoOf(r)
		if err != nil {
			return nil, err
		}
		if u == nil {
			return nil, s.left(h)
		}
		if old, found := u.find(key); found {
			return old, nil
		}
	}
	return value, nil
}

// left is the error for a view whose undo records are being deleted.
func (s *Store) left(h ledger.Height) error {
	if err := s.check(s.past.Load(), h); err != nil {
		return err
	}
	return fmt.Errorf("store %s: height %d: %w: it is leaving the history now", s.dir, h, ErrUnknownHeight)
}

// tableGet returns the latest value of a key that was written, or is about to
// be: between a commit's write and its end a cached key may still have the
// value before it.
func (s *Store) tableGet(hash uint64, key []byte) ([]byte, error) {
	if value, known := s.cache.get(hash, key); known {
		return value, nil
	}
	epoch := s.cache.epoch.Load() // before the disk is read: see cache
	if !s.gate.enter() {
		return nil, s.past.Load().failed
	}
	value, err := s.db.Get(tableKey(key))
	s.gate.leave()
	if err != nil {
		return nil, fmt.Errorf("store %s: read key %q: %w", s.dir, key, err)
	}
	s.cache.fill(epoch, hash, key, value)
	return value, nil
}
