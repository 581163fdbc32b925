package node

import (
	"errors"
	"fmt"

	"github.com/cometbft/cometbft/types"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/store"
	"github.com/tallystick/tallystick/rpc"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Header implements rpc.Backend.
func (b *backend) Header(height ledger.Height) (*rpc.Header, error) {
	if height == 0 {
		return &rpc.Header{
			Block: &wire.Block{Hash: b.genesis.Hash, Time: uint64(b.genesis.Time), Proposer: make(wire.Bytes, 20), Transactions: []crypto.Hash{}},
			Votes: []wire.CommitVote{}, Params: &b.params,
		}, nil
	}
	if height > b.Height() {
		return nil, nil
	}
	meta, block, err := b.load(height)
	if err != nil {
		return nil, err
	}
	out := &rpc.Header{Millis: uint64(meta.Header.Time.UnixMilli() % 1000), Votes: []wire.CommitVote{}, Block: &wire.Block{
		Height: uint64(height), Hash: hash32(meta.BlockID.Hash), ParentHash: hash32(meta.Header.LastBlockID.Hash),
		Time: uint64(meta.Header.Time.Unix()), Proposer: wire.Bytes(meta.Header.ProposerAddress),
		AppHash: hash32(meta.Header.AppHash), ResultsHash: hash32(meta.Header.LastResultsHash),
		SizeBytes: uint64(meta.BlockSize), Transactions: []crypto.Hash{},
	}}
	if height > 1 {
		out.Votes, err = b.votes(int64(height)-1, block.LastCommit)
	}
	return out, err
}

// votes are the votes of a commit, one for each validator of its height, in the
// order in which CometBFT has both.
func (b *backend) votes(height int64, commit *types.Commit) ([]wire.CommitVote, error) {
	set, err := loadValidators(b.validators, height)
	if err != nil {
		return nil, b.damage(fmt.Errorf("read the validators of height %d: %w", height, err))
	}
	if commit == nil || len(commit.Signatures) != len(set.Validators) {
		return nil, b.damage(fmt.Errorf("the commit of block %d is not by its %d validators", height, len(set.Validators)))
	}
	votes := make([]wire.CommitVote, len(set.Validators))
	for i, v := range set.Validators {
		votes[i] = wire.CommitVote{ConsensusAddress: wire.Bytes(v.Address), Power: uint64(v.VotingPower), Vote: "missing"}
		switch commit.Signatures[i].BlockIDFlag {
		case types.BlockIDFlagCommit:
			votes[i].Vote = "signed"
		case types.BlockIDFlagNil:
			votes[i].Vote = "nil"
		}
	}
	return votes, nil
}

// Prove implements rpc.Backend.
func (b *backend) Prove(key []byte) (*wire.StateProof, error) {
	height := b.Height()
	if height < 2 {
		return nil, rpc.ErrCatchingUp
	}
	height--
	value, proof, err := b.store.Prove(height, key)
	if errors.Is(err, store.ErrNotProvable) || errors.Is(err, store.ErrUnknownHeight) {
		return nil, rpc.ErrCatchingUp
	}
	if err != nil {
		return nil, err
	}
	data, err := proof.Marshal()
	if err != nil {
		return nil, fmt.Errorf("encode a proof: %w", err)
	}
	if value == nil {
		value = []byte{}
	}
	return &wire.StateProof{Height: uint64(height), Key: key, Value: value, Proof: data}, nil
}
