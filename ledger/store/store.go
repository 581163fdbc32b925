package store

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	dbm "github.com/cosmos/cosmos-db"
	"github.com/gofrs/flock"

	"github.com/tallystick/tallystick/crypto/smt"
	"github.com/tallystick/tallystick/ledger"
)

// The errors of this package, for errors.Is; each is returned wrapped with its
// subject.
var (
	// ErrUnknownHeight: the height was never committed, or has left the history.
	ErrUnknownHeight = errors.New("height is not held")
	// ErrNotProvable: the height can be read, but its tree is no longer held.
	ErrNotProvable = errors.New("height is no longer provable")
	// ErrStale: the changes were not staged on the latest height.
	ErrStale = errors.New("changes were not staged on the latest height")
	// ErrClosed: the store, or the staged changes, are closed.
	ErrClosed = errors.New("closed")
	// ErrLocked: another process has the store open.
	ErrLocked = errors.New("another process has the store open")
	// ErrUnusable: a write failed, and nobody knows whether it was persisted.
	ErrUnusable = errors.New("unusable after a failed write; opening it again decides")
)

// HistoryHeights is how many heights, the latest included, can be read.
const HistoryHeights = 128

// Defaults of Options.
const (
	DefaultCacheBytes      = 256 << 20
	DefaultProvableHeights = 16
	DefaultProvablePeriod  = 30 * time.Second
)

// Options are the settings of a store. The zero value of a field is its
// default.
type Options struct {
	// CacheBytes bounds the memory of the cache of recent values, roughly.
	CacheBytes int64
	// ProvableHeights and ProvablePeriod say which heights Prove serves: the
	// latest ProvableHeights, and those that were latest, or became so, within
	// ProvablePeriod before the last commit, whichever is more; never more than
	// HistoryHeights. Each costs memory for what it does not share with the
	// next: about 0.4 KiB for each change.
	ProvableHeights int
	ProvablePeriod  time.Duration
	// Now tells the time, for ProvablePeriod alone. nil is time.Now.
	Now func() time.Time

	openDB func(dir string) (dbm.DB, error) // nil is pebble; tests inject failures
}

// withDefaults fills in what was left zero.
func (o Options) withDefaults() Options {
	if o.CacheBytes == 0 {
		o.CacheBytes = DefaultCacheBytes
	}
	if o.ProvableHeights == 0 {
		o.ProvableHeights = DefaultProvableHeights
	}
	if o.ProvablePeriod == 0 {
		o.ProvablePeriod = DefaultProvablePeriod
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.openDB == nil {
		o.openDB = openPebble
	}
	return o
}

// Store is the committed state. Its methods may be called from any goroutines
// at once; commits wait for each other and for nothing else.
type Store struct {
	dir  string
	o    Options
	lock *flock.Flock
	db   dbm.DB
	gate *gate // around every use of db but Commit's, which commitMu covers

	cache *cache
	tree  *smt.Tree
	undos undoMemory

	past     atomic.Pointer[past] // replaced under commitMu, read freely
	commitMu sync.Mutex           // held through a commit and by Close
}

// Height returns the latest committed height; 0 before the first commit.
func (s *Store) Height() ledger.Height { return s.past.Load().head.height }

// Time returns the block time of Height; 0 before the first commit.
func (s *Store) Time() ledger.UnixTime { return s.past.Load().head.time }

// Root returns the root at Height; 32 zero bytes before the first commit.
func (s *Store) Root() [32]byte { return s.past.Load().head.root }

// RootAt returns the root at one of the last HistoryHeights heights, also
// those committed before the store was opened. Other heights are
// ErrUnknownHeight; the text names the oldest and the newest held.
func (s *Store) RootAt(h ledger.Height) ([32]byte, error) {
	p := s.past.Load()
	if err := s.check(p, h); err != nil {
		return [32]byte{}, err
	}
	if h == 0 {
		return [32]byte{}, nil
	}
	return p.record(h).root, nil
}

// check says why a height cannot be read, if it cannot. Height 0, the empty
// state, can until the first commit.
func (s *Store) check(p *past, h ledger.Height) error {
	if p.failed != nil {
		return p.failed
	}
	if p.head.height == 0 {
		if h == 0 {
			return nil
		}
		return fmt.Errorf("store %s: height %d: %w: nothing is committed yet", s.dir, h, ErrUnknownHeight)
	}
	if h < p.oldest() || h > p.head.height {
		return fmt.Errorf("store %s: height %d: %w: oldest is %d, newest is %d", s.dir, h, ErrUnknownHeight, p.oldest(), p.head.height)
	}
	return nil
}

// Close waits for the commit and the readers at work, Scan's visits included,
// and releases the directory. From then on every method that can fails with
// ErrClosed. Closing again does nothing. It must not be called from a visit.
func (s *Store) Close() error {
	s.commitMu.Lock()
	defer s.commitMu.Unlock()
	p := *s.past.Load()
	if p.closed {
		return nil
	}
	p.closed = true
	if p.failed == nil {
		p.failed = fmt.Errorf("store %s: %w", s.dir, ErrClosed)
	}
	s.past.Store(&p)
	s.gate.close()
	err := errors.Join(s.db.Close(), s.lock.Unlock())
	if err != nil {
		return fmt.Errorf("close store %s: %w", s.dir, err)
	}
	return nil
}
