package store

import (
	"errors"
	"fmt"

	ics23 "github.com/cosmos/ics23/go"

	"github.com/tallystick/tallystick/crypto/smt"
	"github.com/tallystick/tallystick/ledger"
)

// Prove returns the value of key at height h with a proof of it, or a nil value
// with a proof of its absence. smt.Verify checks both against RootAt(h), and so
// does any ics23 library with its SmtSpec.
//
// Heights that can be proved are those that Options say, of the heights
// committed since the store was opened and the one it was opened at. Others are
// ErrNotProvable while they can be read, and then ErrUnknownHeight. A state
// without keys is smt.ErrEmptyTree; its root is 32 zero bytes.
func (s *Store) Prove(h ledger.Height, key []byte) (value []byte, proof *ics23.CommitmentProof, err error) {
	v, err := s.At(h)
	if err != nil {
		return nil, nil, err
	}
	if value, err = v.Get(key); err != nil {
		return nil, nil, err
	}
	proof, err = s.tree.Prove(uint64(h), key, v.Get)
	if errors.Is(err, smt.ErrUnknownVersion) {
		versions := s.tree.Versions()
		return nil, nil, fmt.Errorf("store %s: height %d: %w: oldest is %d, newest is %d", s.dir, h, ErrNotProvable, versions[0], versions[len(versions)-1])
	}
	if err != nil {
		return nil, nil, fmt.Errorf("store %s: height %d: %w", s.dir, h, err)
	}
	return value, proof, nil
}
