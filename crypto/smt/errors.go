package smt

import "errors"

// The errors of this package, for errors.Is; each is returned wrapped with its
// subject where there is one.
var (
	// ErrUnknownVersion: the version was never committed, or has been pruned.
	ErrUnknownVersion = errors.New("smt: version is not held")
	// ErrStale: another stage was committed since this one was made, or the
	// stage belongs to another tree.
	ErrStale = errors.New("smt: not staged on the current head")
	// ErrClosed: the stage was already committed or discarded.
	ErrClosed = errors.New("smt: stage was already committed or discarded")
	// ErrVersionOrder: the version committed is not above the head's.
	ErrVersionOrder = errors.New("smt: version does not ascend")
	// ErrKeyLength: a key is empty or longer than MaxKeyLength.
	ErrKeyLength = errors.New("smt: key length out of range")
	// ErrEmptyValue: a value has no bytes; to delete a key, its Value is nil.
	ErrEmptyValue = errors.New("smt: value is empty")
	// ErrDuplicateKey: a batch changes one key twice.
	ErrDuplicateKey = errors.New("smt: key occurs twice")
	// ErrKeyOrder: the keys streamed to Build do not strictly ascend.
	ErrKeyOrder = errors.New("smt: keys do not ascend")
	// ErrEmptyTree: the version has no keys. ics23 proves absence by neighbours,
	// and here there are none. The root of 32 zero bytes says it all.
	ErrEmptyTree = errors.New("smt: an empty tree has no proofs")
	// ErrValueMismatch: the value read for a proof is not the one committed to.
	ErrValueMismatch = errors.New("smt: value is not the one committed to")
	// ErrFull: all handles for nodes or for keys are in use.
	ErrFull = errors.New("smt: tree is full")
	// ErrProof: the proof does not prove the claim.
	ErrProof = errors.New("smt: invalid proof")
)
