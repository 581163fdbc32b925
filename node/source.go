package node

import (
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/types"

	"github.com/tallystick/tallystick/app"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/node/index"
)

// source reads the chain for the receipt index, up to the height whose commit
// is over: the last blocks as the application executed them, and the others from
// CometBFT's stores. What the application has committed, those stores have:
// CometBFT saves a block before it runs it, and its results before the
// application commits.
type source struct {
	executed  func(ledger.Height) (app.ExecutedBlock, bool)
	blocks    sm.BlockStore
	results   sm.Store
	committed func() ledger.Height
	decode    func(raw []byte) *ledger.Tx
}

var _ index.Source = (*source)(nil)

// Base is the lowest height that is still kept.
func (s *source) Base() ledger.Height { return ledger.Height(max(s.blocks.Base(), 1)) }

// Block returns the block at height and what it did, or nil while the
// application has not committed it.
func (s *source) Block(height ledger.Height) (*index.Block, error) {
	if height > s.committed() {
		return nil, nil
	}
	if b, ok := s.executed(height); ok {
		return &index.Block{Height: b.Height, Hash: b.Hash, Time: b.Time, Root: b.Root, Txs: b.Txs, Results: b.Results, Events: b.Events}, nil
	}
	return s.stored(height)
}

// stored is Block from CometBFT's stores alone.
func (s *source) stored(height ledger.Height) (*index.Block, error) {
	meta, block, err := loadBlock(s.blocks, height)
	if err != nil {
		return nil, err
	}
	saved, err := s.results.LoadFinalizeBlockResponse(int64(height))
	if err != nil {
		return nil, fmt.Errorf("read results of block %d: %w", height, err)
	}
	return s.block(height, meta, block, saved)
}

// loadBlock reads a block of the chain from CometBFT's block store, which panics
// where it cannot read or decode.
func loadBlock(s blockStore, height ledger.Height) (meta *types.BlockMeta, block *types.Block, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("read block %d from the block store: %v", height, r)
		}
	}()
	meta, block = s.LoadBlockMeta(int64(height)), s.LoadBlock(int64(height))
	if meta == nil || block == nil {
		return nil, nil, fmt.Errorf("block %d is committed and not in the block store, which has %d to %d", height, s.Base(), s.Height())
	}
	return meta, block, nil
}

// block joins a block with its results.
func (s *source) block(height ledger.Height, meta *types.BlockMeta, block *types.Block, saved *abci.ResponseFinalizeBlock) (*index.Block, error) {
	if len(saved.TxResults) != len(block.Txs) {
		return nil, fmt.Errorf("block %d has %d transactions and %d results", height, len(block.Txs), len(saved.TxResults))
	}
	own, err := app.EventsFromABCI(saved.Events)
	if err != nil {
		return nil, fmt.Errorf("block %d itself: %w", height, err)
	}
	out := &index.Block{
		Height:  height,
		Hash:    hash32(meta.BlockID.Hash),
		Time:    ledger.UnixTime(meta.Header.Time.Unix()),
		Root:    hash32(saved.AppHash),
		Txs:     make([]*ledger.Tx, len(block.Txs)),
		Results: make([]ledger.TxResult, len(block.Txs)),
		Events:  own,
	}
	for i, raw := range block.Txs {
		out.Txs[i] = s.decode(raw)
		result, err := app.ResultFromABCI(saved.TxResults[i])
		if err != nil {
			return nil, fmt.Errorf("result %d of block %d: %w", i, height, err)
		}
		out.Results[i] = result
	}
	return out, nil
}
