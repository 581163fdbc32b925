package app

import (
	"errors"
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
