package app

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/tallystick/tallystick/ledger"
)

var (
	errClosed    = errors.New("application is closed")
	errCancelled = errors.New("execution is cancelled")
)

// paramsReader answers for the parameters, which every judgement reads, from
// memory.
type paramsReader struct {
	ledger.Reader
	params []byte
}

// Get implements ledger.Reader.
func (r paramsReader) Get(key []byte) ([]byte, error) {
	if string(key) == ledger.KeyParams {
		return r.params, nil
	}
	return r.Reader.Get(key)
}

// Warm implements ledger.Warmer.
func (r paramsReader) Warm(keys [][]byte) { warm(r.Reader, keys) }

// warm passes on what is read next, where r has a use for it.
func warm(r ledger.Reader, keys [][]byte) {
	if w, ok := r.(ledger.Warmer); ok {
		w.Warm(keys)
	}
}

// memoReader remembers what it read. Rechecking a pool asks for few accounts
// many times.
type memoReader struct {
	below ledger.Reader

	mu   sync.Mutex
	seen map[string][]byte // mu
}

func newMemoReader(below ledger.Reader) *memoReader {
	return &memoReader{below: below, seen: make(map[string][]byte)}
}

// Get implements ledger.Reader.
func (r *memoReader) Get(key []byte) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if value, ok := r.seen[string(key)]; ok {
		return value, nil
	}
	value, err := r.below.Get(key)
	if err == nil {
		r.seen[string(key)] = value
	}
	return value, err
}

// Scan implements ledger.Reader. It is for what a whole block does, which nobody
// asks twice.
func (r *memoReader) Scan(prefix, after []byte, visit func(key, value []byte) bool) error {
	return r.below.Scan(prefix, after, visit)
}

// stoppableReader fails once stop is set: so an execution ends early.
type stoppableReader struct {
	below ledger.Reader
	stop  *atomic.Bool
}

// Get implements ledger.Reader.
func (r stoppableReader) Get(key []byte) ([]byte, error) {
	if r.stop.Load() {
		return nil, errCancelled
	}
	return r.below.Get(key)
}

// Scan implements ledger.Reader.
func (r stoppableReader) Scan(prefix, after []byte, visit func(key, value []byte) bool) error {
	err := r.below.Scan(prefix, after, func(key, value []byte) bool { return !r.stop.Load() && visit(key, value) })
	if err == nil && r.stop.Load() {
		err = errCancelled
	}
	return err
}

// Warm implements ledger.Warmer.
func (r stoppableReader) Warm(keys [][]byte) { warm(r.below, keys) }
