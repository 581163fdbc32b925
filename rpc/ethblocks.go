package rpc

import (
	"context"
	"encoding/json"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/tallystick/tallystick/rpc/eth"
)

// GetBlockByNumber is eth_getBlockByNumber.
func (a *ethAPI) GetBlockByNumber(ctx context.Context, block, full arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_getBlockByNumber", []arg{block, full}, func(_ context.Context, p *params) (any, error) {
		return a.s.showBlock(p, p.numberedBlock())
	})
}

// GetBlockByHash is eth_getBlockByHash.
func (a *ethAPI) GetBlockByHash(ctx context.Context, hash, full arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_getBlockByHash", []arg{hash, full}, func(_ context.Context, p *params) (any, error) {
		return a.s.showBlock(p, p.hashedBlock())
	})
}

// hashedBlock takes a block by its hash.
func (p *params) hashedBlock() eth.BlockID {
	h := p.hash()
	return eth.BlockID{Hash: &h}
}

// showBlock answers for a block, after reading whether its transactions are to be
// shown in full; nil where there is none.
func (s *Server) showBlock(p *params, id eth.BlockID) (any, error) {
	full := p.flag()
	if p.err != nil {
		return nil, p.err
	}
	height, ok, err := s.heightOf(id)
	if err != nil || !ok {
		return nil, err
	}
	b, err := s.ethBlock(height)
	if err != nil || b == nil {
		return nil, err
	}
	if !full {
		return b.WithHashes(), nil
	}
	c, err := s.ethContent(height)
	if err != nil || c == nil {
		return nil, err
	}
	txs, err := eth.Transactions(s.backend.Network(), c)
	if err != nil {
		return nil, err
	}
	return b.WithTransactions(txs), nil
}

// counted answers with a number about a block; null where there is no such block.
func (s *Server) counted(p *params, id eth.BlockID, count func(*eth.Block) int) (any, error) {
	if p.err != nil {
		return nil, p.err
	}
	height, ok, err := s.heightOf(id)
	if err != nil || !ok {
		return nil, err
	}
	b, err := s.ethBlock(height)
	if err != nil || b == nil {
		return nil, err
	}
	return hexutil.Uint64(count(b)), nil
}

func transactionsOf(b *eth.Block) int { return len(b.Hashes) }

func unclesOf(*eth.Block) int { return 0 } // no block ever competes with another

// GetBlockTransactionCountByNumber is eth_getBlockTransactionCountByNumber.
func (a *ethAPI) GetBlockTransactionCountByNumber(ctx context.Context, block arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_getBlockTransactionCountByNumber", []arg{block}, func(_ context.Context, p *params) (any, error) {
		return a.s.counted(p, p.numberedBlock(), transactionsOf)
	})
}

// GetBlockTransactionCountByHash is eth_getBlockTransactionCountByHash.
func (a *ethAPI) GetBlockTransactionCountByHash(ctx context.Context, hash arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_getBlockTransactionCountByHash", []arg{hash}, func(_ context.Context, p *params) (any, error) {
		return a.s.counted(p, p.hashedBlock(), transactionsOf)
	})
}

// GetUncleCountByBlockNumber is eth_getUncleCountByBlockNumber.
func (a *ethAPI) GetUncleCountByBlockNumber(ctx context.Context, block arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_getUncleCountByBlockNumber", []arg{block}, func(_ context.Context, p *params) (any, error) {
		return a.s.counted(p, p.numberedBlock(), unclesOf)
	})
}

// GetUncleCountByBlockHash is eth_getUncleCountByBlockHash.
func (a *ethAPI) GetUncleCountByBlockHash(ctx context.Context, hash arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_getUncleCountByBlockHash", []arg{hash}, func(_ context.Context, p *params) (any, error) {
		return a.s.counted(p, p.hashedBlock(), unclesOf)
	})
}

// GetUncleByBlockNumberAndIndex is eth_getUncleByBlockNumberAndIndex.
func (a *ethAPI) GetUncleByBlockNumberAndIndex(ctx context.Context, block, index arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_getUncleByBlockNumberAndIndex", []arg{block, index}, func(_ context.Context, p *params) (any, error) {
		p.numberedBlock()
		p.quantity()
		return noUncle(p)
	})
}

// GetUncleByBlockHashAndIndex is eth_getUncleByBlockHashAndIndex.
func (a *ethAPI) GetUncleByBlockHashAndIndex(ctx context.Context, hash, index arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_getUncleByBlockHashAndIndex", []arg{hash, index}, func(_ context.Context, p *params) (any, error) {
		p.hashedBlock()
		p.quantity()
		return noUncle(p)
	})
}

func noUncle(p *params) (any, error) {
	if p.err != nil {
		return nil, p.err
	}
	return nil, nil
}

// GetTransactionByHash is eth_getTransactionByHash.
func (a *ethAPI) GetTransactionByHash(ctx context.Context, hash arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_getTransactionByHash", []arg{hash}, func(ctx context.Context, p *params) (any, error) {
		hash := p.hash()
		if p.err != nil {
			return nil, p.err
		}
		found, err := a.s.findTransaction(ctx, hash)
		if err != nil || found == nil {
			return nil, err
		}
		net := a.s.backend.Network()
		if found.Height == 0 {
			return eth.NewTransaction(net, found.Raw, hash, nil), nil
		}
		receipt, err := a.s.backend.Receipt(hash)
		if err != nil || receipt == nil {
			return nil, err
		}
		return eth.NewTransaction(net, found.Raw, hash, eth.PlaceOf(receipt)), nil
	})
}

// GetTransactionByBlockNumberAndIndex is eth_getTransactionByBlockNumberAndIndex.
func (a *ethAPI) GetTransactionByBlockNumberAndIndex(ctx context.Context, block, index arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_getTransactionByBlockNumberAndIndex", []arg{block, index}, func(_ context.Context, p *params) (any, error) {
		return a.s.transactionAt(p, p.numberedBlock())
	})
}

// GetTransactionByBlockHashAndIndex is eth_getTransactionByBlockHashAndIndex.
func (a *ethAPI) GetTransactionByBlockHashAndIndex(ctx context.Context, hash, index arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_getTransactionByBlockHashAndIndex", []arg{hash, index}, func(_ context.Context, p *params) (any, error) {
		return a.s.transactionAt(p, p.hashedBlock())
	})
}

// transactionAt answers for the transaction at the place in a block that is read
// next; nil where there is none.
func (s *Server) transactionAt(p *params, id eth.BlockID) (any, error) {
	index := p.quantity()
	if p.err != nil {
		return nil, p.err
	}
	height, ok, err := s.heightOf(id)
	if err != nil || !ok || height == 0 || index >= OwnEvents {
		return nil, err
	}
	at, err := s.backend.DoneAt(Place{height, uint32(index)})
	if err != nil || at == nil || len(at.Receipts) == 0 {
		return nil, err
	}
	raw, err := s.backend.Raw(height)
	if err != nil || index >= uint64(len(raw)) {
		return nil, err
	}
	receipt := at.Receipts[0]
	return eth.NewTransaction(s.backend.Network(), raw[index], receipt.Hash, eth.PlaceOf(receipt)), nil
}

// GetBlockReceipts is eth_getBlockReceipts.
func (a *ethAPI) GetBlockReceipts(ctx context.Context, block arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_getBlockReceipts", []arg{block}, func(_ context.Context, p *params) (any, error) {
		id := p.blockID()
		if p.err != nil {
			return nil, p.err
		}
		height, ok, err := a.s.heightOf(id)
		if err != nil || !ok {
			return nil, err
		}
		b, err := a.s.ethBlock(height)
		if err != nil || b == nil {
			return nil, err
		}
		done, err := a.s.backend.Done(height)
		if err != nil || done == nil {
			return nil, err
		}
		out := make([]*eth.Receipt, 0, len(done.Receipts))
		for _, r := range done.Receipts {
			if shown, ok := b.Receipt(r); ok {
				out = append(out, shown)
			}
		}
		return out, nil
	})
}
