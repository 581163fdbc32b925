package index

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/explorer/store"
)

// validatorSet is who votes, since a height.
type validatorSet struct {
	height     int64
	validators []byte
}

// votes notes where the validators have changed: a block tells the votes, and so the
// validators, of the one before it.
func (h *happening) votes(b *explorer.Block) error {
	if len(b.LastCommit) == 0 {
		return nil
	}
	if b.Height < 2 {
		return fmt.Errorf("block %d has votes on a block that does not exist", b.Height)
	}
	validators := make([]byte, 0, store.ValidatorBytes*len(b.LastCommit))
	power := uint64(0)
	for _, v := range b.LastCommit {
		validators = append(validators, v.Validator[:]...)
		validators = binary.BigEndian.AppendUint64(validators, v.Power)
		power += v.Power
	}
	if bytes.Equal(validators, h.set.validators) {
		return nil
	}
	h.set = validatorSet{int64(b.Height) - 1, validators}
	h.w.Add(store.ValidatorSets, h.set.height, int64(power), validators)
	return nil
}

func (s *state) loadSet(ctx context.Context) error {
	err := s.w.QueryRow(ctx, "SELECT height, validators FROM validator_sets ORDER BY height DESC LIMIT 1").Scan(&s.set.height, &s.set.validators)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read the last validators: %w", err)
	}
	return nil
}
