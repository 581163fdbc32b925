package smt

import (
	"errors"
	"iter"

	ics23 "github.com/cosmos/ics23/go"
)

// MaxKeyLength is the longest key, in bytes.
const MaxKeyLength = 4096

// Named errors; test with errors.Is.
var (
	ErrUnknownVersion = errors.New("smt: version is not held")
	ErrStale          = errors.New("smt: not staged on the current head")
	ErrVersionOrder   = errors.New("smt: version does not ascend")
	ErrClosed         = errors.New("smt: stage was already committed or discarded")
	ErrKeyLength      = errors.New("smt: key length out of range")
	ErrEmptyValue     = errors.New("smt: value is empty")
	ErrDuplicateKey   = errors.New("smt: key occurs twice")
	ErrKeyOrder       = errors.New("smt: keys do not ascend")
	ErrEmptyTree      = errors.New("smt: an empty tree has no proofs")
	ErrValueMismatch  = errors.New("smt: value is not the one committed to")
	ErrFull           = errors.New("smt: tree is full")
	ErrProof          = errors.New("smt: invalid proof")
)

// Change sets a key to a value, or deletes it when Value is nil.
type Change struct{ Key, Value []byte }

// Tree holds the head and the recent versions.
type Tree struct{}

// Staged is a computed, uncommitted next version.
type Staged struct{}

// New returns an empty tree at version 0.
func New() *Tree { return &Tree{} }

// Build makes the tree of a table, streamed in ascending order of raw keys.
func Build(version uint64, stream iter.Seq2[[]byte, []byte]) (*Tree, error) {
	return nil, errors.ErrUnsupported
}

// Root returns the head's root.
func (t *Tree) Root() [32]byte { return [32]byte{} }

// Version returns the head's version.
func (t *Tree) Version() uint64 { return 0 }

// Len returns the number of keys at the head.
func (t *Tree) Len() int { return 0 }

// Versions lists the versions held, ascending.
func (t *Tree) Versions() []uint64 { return nil }

// RootAt returns the root of a version held.
func (t *Tree) RootAt(version uint64) ([32]byte, bool) { return [32]byte{}, false }

// Stage computes the next root without changing the head.
func (t *Tree) Stage(changes []Change) (*Staged, error) { return nil, errors.ErrUnsupported }

// Root returns the root that the head will have once s is committed.
func (s *Staged) Root() [32]byte { return [32]byte{} }

// Discard gives up the stage. Harmless when repeated or after Commit.
func (s *Staged) Discard() {}

// Commit makes s the head, as the given version.
func (t *Tree) Commit(s *Staged, version uint64) error { return errors.ErrUnsupported }

// Prune forgets the versions below keepFrom, but never the head.
func (t *Tree) Prune(keepFrom uint64) {}

// Prove proves that key has its value at version, or has none.
func (t *Tree) Prove(version uint64, key []byte, value func(key []byte) ([]byte, error)) (*ics23.CommitmentProof, error) {
	return nil, errors.ErrUnsupported
}

// Verify checks a proof against a root; a nil value means that key is absent.
func Verify(root [32]byte, key, value []byte, proof *ics23.CommitmentProof) error {
	return errors.ErrUnsupported
}
