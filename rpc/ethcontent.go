package rpc

import (
	"fmt"
	"sync"

	"github.com/ethereum/go-ethereum/common/lru"
	"golang.org/x/sync/singleflight"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/eth"
)

// ethContent is everything that is known of a block; nil above the newest.
func (s *Server) ethContent(height ledger.Height) (*eth.Content, error) {
	done, err := s.backend.Done(height)
	if err != nil || done == nil {
		return nil, err
	}
	c := &eth.Content{Height: height, Hash: done.Hash, Time: done.Time, Events: done.Events, Receipts: done.Receipts}
	if height == 0 {
		return c, nil
	}
	block, err := s.backend.Block(height)
	if err == nil && block == nil {
		err = fmt.Errorf("block %d is done and not there", height)
	}
	if err != nil {
		return nil, err
	}
	c.Parent, c.Proposer, c.AppHash, c.SizeBytes = block.ParentHash, block.Proposer, block.AppHash, block.SizeBytes
	if height == 1 {
		genesis, err := s.backend.Done(0)
		if err != nil {
			return nil, err
		}
		c.Parent = genesis.Hash
	}
	c.Raw, err = s.backend.Raw(height)
	return c, err
}

// ethBlock is a block as Ethereum's tools see it; nil above the newest. Those asked
// for last are kept.
func (s *Server) ethBlock(height ledger.Height) (*eth.Block, error) {
	if b := s.ethBlocks.get(height); b != nil {
		return b, nil
	}
	made, err, _ := s.ethBlocks.making.Do(fmt.Sprint(height), func() (any, error) {
		if b := s.ethBlocks.get(height); b != nil {
			return b, nil // made since the look above
		}
		c, err := s.ethContent(height)
		if err != nil || c == nil {
			return (*eth.Block)(nil), err
		}
		b, err := eth.NewBlock(s.backend.Network(), c)
		if err == nil {
			s.ethBlocks.put(height, b)
		}
		return b, err
	})
	if err != nil {
		return nil, err
	}
	return made.(*eth.Block), nil
}

// The blocks that are kept are these many, of together so many transactions: some
// 10 MB.
const (
	keptEthBlocks       = 256
	keptEthTransactions = 100_000
)

// ethBlockCache keeps translated blocks, which never change.
type ethBlockCache struct {
	making singleflight.Group // of the same block once

	mu     sync.Mutex
	blocks lru.BasicLRU[ledger.Height, *eth.Block] // mu
	held   int                                     // transactions of all blocks; mu
}

func newEthBlockCache() *ethBlockCache {
	return &ethBlockCache{blocks: lru.NewBasicLRU[ledger.Height, *eth.Block](keptEthBlocks)}
}

func (c *ethBlockCache) get(height ledger.Height) *eth.Block {
	c.mu.Lock()
	defer c.mu.Unlock()
	b, _ := c.blocks.Get(height)
	return b
}

func (c *ethBlockCache) put(height ledger.Height, b *eth.Block) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.blocks.Contains(height) {
		return
	}
	for c.blocks.Len() >= keptEthBlocks || c.blocks.Len() > 0 && c.held+len(b.Hashes) > keptEthTransactions {
		_, oldest, _ := c.blocks.RemoveOldest()
		c.held -= len(oldest.Hashes)
	}
	c.blocks.Add(height, b)
	c.held += len(b.Hashes)
}

// heightOf finds the height that a block's name stands for; ok is false where there
// is no such block.
func (s *Server) heightOf(id eth.BlockID) (height ledger.Height, ok bool, err error) {
	top := s.backend.Height()
	switch {
	case id.Hash != nil:
		return s.heightOfHash(*id.Hash)
	case id.Latest:
		return top, true, nil
	}
	return id.Height, id.Height <= top, nil
}

func (s *Server) heightOfHash(hash crypto.Hash) (ledger.Height, bool, error) {
	genesis, err := s.backend.Done(0)
	if err != nil {
		return 0, false, err
	}
	if genesis.Hash == hash {
		return 0, true, nil
	}
	block, err := s.backend.BlockByHash(hash)
	if err != nil || block == nil {
		return 0, false, err
	}
	return ledger.Height(block.Height), true, nil
}

// needHeight is heightOf where there must be such a block.
func (s *Server) needHeight(id eth.BlockID) (ledger.Height, error) {
	height, ok, err := s.heightOf(id)
	switch {
	case err != nil:
		return 0, err
	case ok:
		return height, nil
	case id.Hash != nil:
		return 0, kindUnknownHeight.with("header not found: no block has the hash %s", *id.Hash)
	}
	return 0, kindUnknownHeight.with("header not found: there is no block %d yet, the newest is %d", id.Height, s.backend.Height())
}
