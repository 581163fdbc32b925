package node

import (
	"context"
	"errors"
	"fmt"

	cmttypes "github.com/cometbft/cometbft/types"

	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/store"
	"github.com/tallystick/tallystick/node/index"
)

// explorerSource is the chain as the explorer of this process reads it.
type explorerSource struct {
	*backend
	chain  index.Source   // blocks and what they did
	params *ledger.Params // of the genesis
}

var _ explorer.Source = (*explorerSource)(nil)

// Height implements explorer.Source.
func (s *explorerSource) Height(context.Context) (ledger.Height, error) {
	return s.backend.Height(), nil
}

// Block implements explorer.Source.
func (s *explorerSource) Block(_ context.Context, height ledger.Height) (*explorer.Block, error) {
	if height == 0 {
		g := s.genesis
		return &explorer.Block{Hash: g.Hash, Time: g.Time, Events: g.Events, Params: s.params}, nil
	}
	if height > s.backend.Height() {
		return nil, nil
	}
	meta, block, err := s.load(height)
	if err != nil && int64(height) < s.blocks.Base() {
		return nil, fmt.Errorf("block %d: %w", height, explorer.ErrPruned)
	}
	if err != nil {
		return nil, err
	}
	did, err := s.chain.Block(height)
	if err != nil {
		return nil, fmt.Errorf("what block %d did: %w", height, err)
	}
	if did == nil {
		return nil, nil
	}
	h := &meta.Header
	out := &explorer.Block{
		Height: height, Hash: hash32(meta.BlockID.Hash), ParentHash: hash32(h.LastBlockID.Hash), AppHash: hash32(h.AppHash),
		ResultsHash: hash32(h.LastResultsHash), Time: did.Time, Millis: uint16(h.Time.Nanosecond() / 1_000_000), SizeBytes: uint64(meta.BlockSize),
		Txs: did.Txs, Results: did.Results, Events: did.Events,
	}
	copy(out.Proposer[:], h.ProposerAddress)
	out.LastCommit, err = s.votes(height-1, block.LastCommit)
	return out, err
}

// votes are those of a block's validators, in the order of their set. They stand in
// the block after it.
func (s *explorerSource) votes(height ledger.Height, commit *cmttypes.Commit) ([]explorer.Vote, error) {
	if height == 0 || commit == nil {
		return nil, nil
	}
	set, err := loadValidators(s.validators, int64(height))
	if err != nil {
		return nil, fmt.Errorf("validators of block %d: %w", height, err)
	}
	votes := make([]explorer.Vote, len(set.Validators))
	for i, v := range set.Validators {
		copy(votes[i].Validator[:], v.Address)
		votes[i].Power = uint64(v.VotingPower)
		if i >= len(commit.Signatures) {
			continue
		}
		switch commit.Signatures[i].BlockIDFlag {
		case cmttypes.BlockIDFlagCommit:
			votes[i].Vote = explorer.VoteSigned
		case cmttypes.BlockIDFlagNil:
			votes[i].Vote = explorer.VoteNil
		}
	}
	return votes, nil
}

// Proof implements explorer.Source. The state that is proved is that of the block
// before the newest, whose header has its root.
func (s *explorerSource) Proof(_ context.Context, key []byte) (*explorer.Proof, error) {
	height := s.backend.Height()
	if height < 2 {
		return nil, explorer.ErrNoProof
	}
	value, proof, err := s.store.Prove(height-1, key)
	if errors.Is(err, store.ErrNotProvable) || errors.Is(err, store.ErrUnknownHeight) {
		return nil, explorer.ErrNoProof
	}
	if err != nil {
		return nil, err
	}
	encoded, err := proof.Marshal()
	return &explorer.Proof{Height: height - 1, Value: value, Proof: encoded}, err
}
