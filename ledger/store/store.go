package store

import (
	"errors"
	"time"

	ics23 "github.com/cosmos/ics23/go"

	"github.com/tallystick/tallystick/ledger"
)

// The errors of this package, for errors.Is; each is returned wrapped with its
// subject.
var (
	// ErrUnknownHeight: the height was never committed, or has left the history.
	ErrUnknownHeight = errors.New("height is not held")
	// ErrNotProvable: the height is held, but its tree is not.
	ErrNotProvable = errors.New("height is no longer provable")
	// ErrStale: another block was committed since the changes were staged.
	ErrStale = errors.New("changes were not staged on the latest height")
	// ErrClosed: the store, or the staged changes, are closed.
	ErrClosed = errors.New("closed")
	// ErrLocked: another process has the store open.
	ErrLocked = errors.New("another process has it open")
)

// HistoryHeights is how many heights, the latest included, can be read.
const HistoryHeights = 128

// Options are the settings of a store. The zero value is the default.
type Options struct {
	// CacheBytes bounds the cache of values. 0 is DefaultCacheBytes.
	CacheBytes int64
	// ProvableHeights is how many of the latest heights Prove serves at least.
	// 0 is 16; more than HistoryHeights has no effect.
	ProvableHeights int
	// ProvablePeriod is how long after its commit Prove serves a height at
	// least, but for at most HistoryHeights of them. 0 is 30 s.
	ProvablePeriod time.Duration
	// Now tells the time, for ProvablePeriod alone. nil is time.Now.
	Now func() time.Time
}

// Store is the committed state. Its methods may be called from any goroutines
// at once.
type Store struct{}

// View is the committed state as of one height.
type View struct{}

// Staged is a computed, uncommitted next state.
type Staged struct{}

var errSkeleton = errors.New("not written yet")

// Open opens the store in dir, and makes it if there is none.
func Open(dir string, o Options) (*Store, error) { return nil, errSkeleton }

// Height returns the latest committed height; 0 before the first commit.
func (s *Store) Height() ledger.Height { return 0 }

// Time returns the block time of Height.
func (s *Store) Time() ledger.UnixTime { return 0 }

// Root returns the root at Height.
func (s *Store) Root() [32]byte { return [32]byte{} }

// RootAt returns the root at one of the last HistoryHeights heights.
func (s *Store) RootAt(h ledger.Height) ([32]byte, error) { return [32]byte{}, errSkeleton }

// Latest returns a view at Height.
func (s *Store) Latest() *View { return nil }

// At returns a view at one of the last HistoryHeights heights, or
// ErrUnknownHeight.
func (s *Store) At(h ledger.Height) (*View, error) { return nil, errSkeleton }

// Height returns the view's height.
func (v *View) Height() ledger.Height { return 0 }

// Get returns the value of a key, or nil when it is absent.
func (v *View) Get(key []byte) ([]byte, error) { return nil, errSkeleton }

// Scan visits the keys with the prefix, ascending, from the first one above
// after, until visit returns false.
func (v *View) Scan(prefix, after []byte, visit func(key, value []byte) bool) error {
	return errSkeleton
}

// Stage computes the next state.
func (s *Store) Stage(changes []ledger.Change) (*Staged, error) { return nil, errSkeleton }

// Root returns the root that the state will have.
func (st *Staged) Root() [32]byte { return [32]byte{} }

// Discard gives the changes up.
func (st *Staged) Discard() {}

// Commit makes the staged changes the state at height h.
func (s *Store) Commit(h ledger.Height, t ledger.UnixTime, st *Staged) error { return errSkeleton }

// Prove returns the value of key at height h with its proof, or nil with a
// proof of its absence.
func (s *Store) Prove(h ledger.Height, key []byte) (value []byte, proof *ics23.CommitmentProof, err error) {
	return nil, nil, errSkeleton
}

// Close releases the store.
func (s *Store) Close() error { return nil }
