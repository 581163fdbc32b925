package store

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tallystick/tallystick/ledger"
)

// past is what is known of the latest height and those before it. It is
// immutable: a commit replaces it twice, before and after its write.
type past struct {
	head head

	// records are those of consecutive heights, ascending. Between a commit's
	// two replacements the last one belongs to the height above head.
	records []*record

	failed error // not nil: what every later call answers
	closed bool
}

// record is what is kept of one height in the history.
type record struct {
	height    ledger.Height
	root      [32]byte
	committed time.Time // zero for heights from before the store was opened

	// body is the undo record, or nil while it is only on disk. keys tells
	// which it changed; nil until the body was seen.
	body atomic.Pointer[undo]
	keys atomic.Pointer[filter]

	loading sync.Mutex // held while the body is read from disk
}

// oldest is the first height that can be read. Needs a record.
func (p *past) oldest() ledger.Height { return p.records[0].height }

// record returns the record of a height that is held.
func (p *past) record(h ledger.Height) *record { return p.records[h-p.oldest()] }

// above returns the records above a height that is held, ascending.
func (p *past) above(h ledger.Height) []*record { return p.records[h+1-p.oldest():] }

// with returns p with one more record, still without its height.
func (p *past) with(r *record) *past {
	return &past{head: p.head, records: append(slices.Clip(p.records), r)}
}

// undoMemory bounds the memory of undo records: the last ones committed or read
// from disk stay, the others are read again when needed.
type undoMemory struct {
	mu    sync.Mutex
	limit int       // bytes
	used  int       // bytes; mu
	queue []*record // those with a body, oldest first; mu
}

// undoMemoryBytes is the limit of a store's undoMemory.
const undoMemoryBytes = 64 << 20

// add counts a record whose body was just set and is on disk. The newest stays
// whatever its size.
func (m *undoMemory) add(r *record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used += r.body.Load().sizeBytes()
	m.queue = append(m.queue, r)
	for m.used > m.limit && len(m.queue) > 1 {
		m.used -= m.queue[0].body.Swap(nil).sizeBytes()
		m.queue[0] = nil
		m.queue = m.queue[1:]
	}
}

// forget drops the records up to a height.
func (m *undoMemory) forget(h ledger.Height) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.queue = slices.DeleteFunc(m.queue, func(r *record) bool {
		if r.height > h {
			return false
		}
		m.used -= r.body.Swap(nil).sizeBytes()
		return true
	})
}

// undoOf returns a record's undo, from memory or from disk. It answers nil when
// the record has left the history meanwhile.
func (s *Store) undoOf(r *record) (*undo, error) {
	if u := r.body.Load(); u != nil {
		return u, nil
	}
	r.loading.Lock()
	defer r.loading.Unlock()
	if u := r.body.Load(); u != nil {
		return u, nil
	}
	if !s.gate.enter() {
		return nil, s.past.Load().failed
	}
	raw, err := s.db.Get(heightKey(diskUndo, r.height))
	s.gate.leave()
	if err != nil {
		return nil, fmt.Errorf("store %s: read the undo record of height %d: %w", s.dir, r.height, err)
	}
	if raw == nil {
		return nil, s.missing(r)
	}
	u, err := decodeUndo(raw)
	if err != nil {
		return nil, fmt.Errorf("store %s: height %d: %w", s.dir, r.height, err)
	}
	if r.keys.Load() == nil {
		r.keys.Store(s.filterOf(u))
	}
	r.body.Store(u)
	s.undos.add(r)
	return u, nil
}

// missing says whether it is an error that a record has no bytes on disk. It is
// not when a commit is deleting it, or has.
func (s *Store) missing(r *record) error {
	p := s.past.Load()
	if len(p.records) > HistoryHeights || r.height < p.oldest() {
		return nil
	}
	return fmt.Errorf("store %s: the undo record of height %d is missing: the directory is damaged", s.dir, r.height)
}

// filterOf makes the filter of an undo's keys.
func (s *Store) filterOf(u *undo) *filter {
	f := newFilter(len(u.at))
	for i := range u.at {
		key, _ := u.entry(i)
		f.add(s.cache.hash(key))
	}
	return &f
}
