package smt

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	ics23 "github.com/cosmos/ics23/go"
)

// Verify checks, against a root, the proof that key has the given value, or for
// a nil value that key is absent. It returns nil or an error that wraps
// ErrProof and says what is wrong.
//
// The proof may come from anyone. Before ics23's verifier sees it, it must have
// the one form that Prove gives: a single proof of the kind asked for, for this
// key, with every part present, the exact leaf and inner operations of
// ics23.SmtSpec, at most 256 of them, and turns that follow the key's own path.
// Nothing in proof is written to.
func Verify(root [32]byte, key, value []byte, proof *ics23.CommitmentProof) (err error) {
	// ics23 indexes past the end of two neighbours' paths that never part. Only a
	// collision of SHA-256 gives such paths one root, but a stranger's proof is
	// no place to depend on having thought of everything.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", ErrProof, r)
		}
	}()
	switch {
	case len(key) == 0 || len(key) > MaxKeyLength:
		return fmt.Errorf("%w: %w", ErrProof, checkKey(key))
	case proof == nil:
		return fmt.Errorf("%w: no proof", ErrProof)
	case value == nil:
		err = verifyAbsent(root, key, proof)
	case len(value) == 0:
		err = ErrEmptyValue
	default:
		err = verifyPresent(root, key, value, proof)
	}
	if err != nil {
		return fmt.Errorf("%w: key %x: %w", ErrProof, key, err)
	}
	return nil
}

func verifyPresent(root hash, key, value []byte, proof *ics23.CommitmentProof) error {
	p, ok := proof.Proof.(*ics23.CommitmentProof_Exist)
	if !ok || p == nil {
		return fmt.Errorf("not a proof of existence")
	}
	exist, err := cleanExistence(p.Exist)
	if err != nil {
		return err
	}
	if !bytes.Equal(exist.Key, key) {
		return fmt.Errorf("proof is for key %x", exist.Key)
	}
	if !bytes.Equal(exist.Value, value) {
		return fmt.Errorf("proof is for another value")
	}
	return exist.Verify(ics23.SmtSpec, root[:], key, value)
}

func verifyAbsent(root hash, key []byte, proof *ics23.CommitmentProof) error {
	p, ok := proof.Proof.(*ics23.CommitmentProof_Nonexist)
	if !ok || p == nil || p.Nonexist == nil {
		return fmt.Errorf("not a proof of non-existence")
	}
	if !bytes.Equal(p.Nonexist.Key, key) {
		return fmt.Errorf("proof is for key %x", p.Nonexist.Key)
	}
	clean := &ics23.NonExistenceProof{Key: key}
	var err error
	if p.Nonexist.Left != nil {
		if clean.Left, err = cleanExistence(p.Nonexist.Left); err != nil {
			return fmt.Errorf("left neighbour: %w", err)
		}
	}
	if p.Nonexist.Right != nil {
		if clean.Right, err = cleanExistence(p.Nonexist.Right); err != nil {
			return fmt.Errorf("right neighbour: %w", err)
		}
	}
	return clean.Verify(ics23.SmtSpec, root[:], key)
}

// cleanExistence checks the form of a proof and returns a copy for ics23, which
// appends to the slices it is given and so may write into their backing.
func cleanExistence(p *ics23.ExistenceProof) (*ics23.ExistenceProof, error) {
	if p == nil {
		return nil, fmt.Errorf("no existence proof")
	}
	if err := checkKey(p.Key); err != nil {
		return nil, err
	}
	if len(p.Value) == 0 {
		return nil, ErrEmptyValue
	}
	if err := checkLeafOp(p.Leaf); err != nil {
		return nil, err
	}
	if len(p.Path) > pathBits {
		return nil, fmt.Errorf("path of %d operations", len(p.Path))
	}
	clean := &ics23.ExistenceProof{Key: p.Key, Value: p.Value, Leaf: leafOp()}
	path := hash(sha256.Sum256(p.Key))
	for i, op := range p.Path {
		turn, err := checkInnerOp(op)
		if err != nil {
			return nil, fmt.Errorf("operation %d: %w", i, err)
		}
		if turn != bit(&path, len(p.Path)-1-i) {
			return nil, fmt.Errorf("operation %d: turn is not the key's", i)
		}
		clean.Path = append(clean.Path, &ics23.InnerOp{
			Hash: op.Hash, Prefix: bytes.Clone(op.Prefix)[:len(op.Prefix):len(op.Prefix)], Suffix: op.Suffix,
		})
	}
	return clean, nil
}

func checkLeafOp(op *ics23.LeafOp) error {
	want := leafOp()
	switch {
	case op == nil:
		return fmt.Errorf("no leaf operation")
	case op.Hash != want.Hash, op.PrehashKey != want.PrehashKey,
		op.PrehashValue != want.PrehashValue, op.Length != want.Length,
		!bytes.Equal(op.Prefix, want.Prefix):
		return fmt.Errorf("leaf operation is not the tree's")
	}
	return nil
}

// checkInnerOp returns the turn that an operation stands for: 0 when the child
// is the left one and the suffix carries its sibling, else 1.
func checkInnerOp(op *ics23.InnerOp) (turn byte, err error) {
	switch {
	case op == nil:
		return 0, fmt.Errorf("missing")
	case op.Hash != ics23.HashOp_SHA256:
		return 0, fmt.Errorf("hash is not SHA-256")
	case len(op.Prefix) == 0 || op.Prefix[0] != innerTag:
		return 0, fmt.Errorf("prefix is not an inner node's")
	case len(op.Prefix) == 1 && len(op.Suffix) == len(hash{}):
		return 0, nil
	case len(op.Prefix) == 1+len(hash{}) && len(op.Suffix) == 0:
		return 1, nil
	}
	return 0, fmt.Errorf("prefix of %d and suffix of %d bytes", len(op.Prefix), len(op.Suffix))
}
