package node

import (
	"errors"
	"fmt"

	"github.com/cometbft/cometbft/types"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/store"
	"github.com/tallystick/tallystick/rpc"
	"github.com/tallystick/tallystick/rpc/wire"
)

// livenessWindow is over how many blocks the signatures of validators are counted.
const livenessWindow = 100

// validatorStore is what the backend reads of CometBFT's state store.
type validatorStore interface {
	LoadValidators(height int64) (*types.ValidatorSet, error)
}

// loadValidators reads who votes on a height. CometBFT stores a set where it
// changes, and LoadValidators then takes the proposers' turns again for each height
// since, up to 100,000 times: too much for a call of anybody's. Powers do not need
// it.
func loadValidators(s validatorStore, height int64) (*types.ValidatorSet, error) {
	type quick interface {
		LoadValidatorsFast(height int64) (*types.ValidatorSet, error)
	}
	if q, ok := s.(quick); ok {
		return q.LoadValidatorsFast(height)
	}
	return s.LoadValidators(height)
}

// commitStore is what it reads of commits.
type commitStore interface {
	LoadBlockCommit(height int64) *types.Commit
	LoadSeenCommit(height int64) *types.Commit
}

// State is the committed state at the height that the node answers for. Before
// block 1 there is none: with that block, the genesis state becomes durable.
func (b *backend) State() (ledger.Reader, error) {
	height := b.Height()
	if height == 0 {
		return nil, rpc.ErrCatchingUp
	}
	state, err := b.store.At(height)
	if errors.Is(err, store.ErrUnknownHeight) { // the index is being made anew, and far behind
		return nil, rpc.ErrCatchingUp
	}
	if err != nil {
		return nil, err
	}
	return state, nil
}

// StateAt reads the committed state where the store still has that height.
func (b *backend) StateAt(height ledger.Height) (ledger.Reader, ledger.UnixTime, error) {
	switch top := b.Height(); {
	case top == 0:
		return nil, 0, rpc.ErrCatchingUp
	case height == 0 || height > top:
		return nil, 0, rpc.ErrUnknownHeight
	}
	block, err := b.index.Block(height)
	if err != nil {
		return nil, 0, err
	}
	if block == nil {
		return nil, 0, rpc.ErrUnknownHeight
	}
	view, err := b.store.At(height)
	if err != nil {
		return nil, 0, unknownHeight(err)
	}
	return leaving{view}, block.Time, nil
}

// leaving is a state that may leave the store's history while it is read, as the
// oldest one does at the next commit: that is no failure of the node.
type leaving struct{ ledger.Reader }

// Get implements ledger.Reader.
func (l leaving) Get(key []byte) ([]byte, error) {
	value, err := l.Reader.Get(key)
	return value, unknownHeight(err)
}

// Scan implements ledger.Reader.
func (l leaving) Scan(prefix, after []byte, visit func(key, value []byte) bool) error {
	return unknownHeight(l.Reader.Scan(prefix, after, visit))
}

// unknownHeight is the store's error in the words of the RPC.
func unknownHeight(err error) error {
	if errors.Is(err, store.ErrUnknownHeight) {
		return rpc.ErrUnknownHeight
	}
	return err
}

// Validators are those that vote on the next block. Who signed is read from the
// commits themselves: nothing about it is state.
func (b *backend) Validators() (*wire.Validators, error) {
	height := int64(b.Height())
	set, err := loadValidators(b.validators, height+1)
	if err != nil {
		return nil, b.damage(fmt.Errorf("read the validators of height %d: %w", height+1, err))
	}
	signed, last := make(map[string]uint64), make(map[string]uint64)
	lowest := max(height-livenessWindow+1, 1, b.blocks.Base())
	for h := lowest; h <= height; h++ {
		countSigners(b.commits, h, signed, last)
	}
	out := &wire.Validators{Height: uint64(height), TotalPower: uint64(set.TotalVotingPower()), Window: uint64(max(height-lowest+1, 0)), Items: []wire.Validator{}}
	for _, v := range set.Validators { // CometBFT keeps them by power, the highest first
		item := wire.Validator{
			ConsensusAddress: wire.Bytes(v.Address), ConsensusKey: v.PubKey.Bytes(), Power: uint64(v.VotingPower),
			Signed: signed[string(v.Address)],
		}
		if at, ok := last[string(v.Address)]; ok {
			item.LastSigned = &at
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}

// countSigners counts whose signatures a commit has. That of the newest block is
// the one this node has seen; the others stand in the blocks after them.
func countSigners(s commitStore, height int64, signed, last map[string]uint64) {
	commit := s.LoadBlockCommit(height)
	if commit == nil {
		commit = s.LoadSeenCommit(height)
	}
	if commit == nil {
		return
	}
	for _, sig := range commit.Signatures {
		if sig.BlockIDFlag == types.BlockIDFlagCommit {
			signed[string(sig.ValidatorAddress)]++
			last[string(sig.ValidatorAddress)] = uint64(height)
		}
	}
}
