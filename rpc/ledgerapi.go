package rpc

import (
	"context"
	"encoding/json"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// arg is one positional parameter as it came; nil when left out or null.
type arg = *json.RawMessage

// ledgerAPI has one method for each ledger_* method. go-ethereum's server
// finds them by reflection: the first letter becomes lower case.
type ledgerAPI struct{ s *Server }

// Status is ledger_status.
func (a *ledgerAPI) Status(ctx context.Context) (json.RawMessage, error) {
	return a.s.answer(ctx, "ledger_status", nil, func(ctx context.Context, _ *params) (any, error) {
		return a.s.backend.Status(ctx)
	})
}

// GetReceipt is ledger_getReceipt.
func (a *ledgerAPI) GetReceipt(ctx context.Context, hash arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "ledger_getReceipt", []arg{hash}, func(_ context.Context, p *params) (any, error) {
		hash := p.hash()
		if p.err != nil {
			return nil, p.err
		}
		return a.s.backend.Receipt(hash)
	})
}

// GetReceiptByNonce is ledger_getReceiptByNonce.
func (a *ledgerAPI) GetReceiptByNonce(ctx context.Context, sender, nonce arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "ledger_getReceiptByNonce", []arg{sender, nonce}, func(_ context.Context, p *params) (any, error) {
		sender, nonce := p.address(), p.nonce()
		if p.err != nil {
			return nil, p.err
		}
		return a.s.backend.ReceiptByNonce(sender, nonce)
	})
}

// GetTransaction is ledger_getTransaction.
func (a *ledgerAPI) GetTransaction(ctx context.Context, hash arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "ledger_getTransaction", []arg{hash}, func(ctx context.Context, p *params) (any, error) {
		hash := p.hash()
		if p.err != nil {
			return nil, p.err
		}
		found, err := a.s.findTransaction(ctx, hash)
		if err != nil || found == nil {
			return nil, err
		}
		return describe(a.s.backend.Network(), found), nil
	})
}

// findTransaction finds what is committed or pending, and has no moment between the
// two in which it does not. nil for every other transaction.
func (s *Server) findTransaction(ctx context.Context, hash crypto.Hash) (*Transaction, error) {
	found, err := s.backend.Transaction(hash)
	if found != nil || err != nil {
		return found, err
	}
	s.backend.Follow(ctx)
	return s.backend.Transaction(hash)
}

// describe decodes a transaction for people. It is nil for bytes that are no
// transaction: they may stand in a block, but have no effect there.
func describe(net *ledger.Network, found *Transaction) *wire.Transaction {
	tx, code := ledger.Decode(net, found.Raw)
	if code != ledger.Applied {
		return nil
	}
	tx.RecoverSigners() // where it fails, signers stay unknown
	out := &wire.Transaction{
		Hash: tx.Hash, BodyHash: tx.BodyHash, Envelope: tx.Envelope.String(), Tx: tx.Body,
		Signatures: make([]wire.Signature, len(tx.Signatures)), Raw: found.Raw,
	}
	for i, s := range tx.Signatures {
		out.Signatures[i] = wire.Signature{Scheme: uint8(s.Scheme), Signature: s.Signature[:]}
		if i < len(tx.Signers) {
			out.Signatures[i].Signer = &tx.Signers[i]
		}
	}
	if found.Height != 0 {
		height, index, block := uint64(found.Height), found.Index, found.BlockHash
		out.Height, out.Index, out.BlockHash = &height, &index, &block
	}
	return out
}

// GetBlock is ledger_getBlock.
func (a *ledgerAPI) GetBlock(ctx context.Context, block arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "ledger_getBlock", []arg{block}, func(_ context.Context, p *params) (any, error) {
		height, hash, latest := p.block()
		if p.err != nil {
			return nil, p.err
		}
		if hash != nil {
			return a.s.backend.BlockByHash(*hash)
		}
		top := a.s.backend.Height()
		if latest {
			height = top
		}
		if height > top {
			return nil, unknownHeight(height, top)
		}
		found, err := a.s.backend.Block(height)
		if err == nil && found == nil {
			err = kindUnknownHeight.with("there is no block %d here: the chain begins with block 1, and this node may keep later ones only", height)
		}
		return found, err
	})
}

func unknownHeight(height, top ledger.Height) *callError {
	return kindUnknownHeight.with("there is no height %d yet: the newest is %d", height, top)
}

// view opens the state at a height.
func (s *Server) view(height ledger.Height, latest bool) (View, error) {
	top := s.backend.Height()
	if latest {
		height = top
	}
	if height > top {
		return nil, unknownHeight(height, top)
	}
	return s.backend.View(height)
}

// GetAccount is ledger_getAccount.
func (a *ledgerAPI) GetAccount(ctx context.Context, address, height arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "ledger_getAccount", []arg{address, height}, func(_ context.Context, p *params) (any, error) {
		address := p.address()
		height, latest := p.height()
		if p.err != nil {
			return nil, p.err
		}
		view, err := a.s.view(height, latest)
		if err != nil {
			return nil, err
		}
		return view.Account(address)
	})
}

// GetBalance is ledger_getBalance.
func (a *ledgerAPI) GetBalance(ctx context.Context, address, asset, height arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "ledger_getBalance", []arg{address, asset, height}, func(_ context.Context, p *params) (any, error) {
		address, asset := p.address(), p.address()
		height, latest := p.height()
		if p.err != nil {
			return nil, p.err
		}
		view, err := a.s.view(height, latest)
		if err != nil {
			return nil, err
		}
		balance, err := view.Balance(address, asset)
		return wire.Balance{Available: balance.Available, Held: balance.Held}, err
	})
}

// GetAsset is ledger_getAsset.
func (a *ledgerAPI) GetAsset(ctx context.Context, asset arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "ledger_getAsset", []arg{asset}, func(_ context.Context, p *params) (any, error) {
		address, symbol := p.asset()
		if p.err != nil {
			return nil, p.err
		}
		view, err := a.s.view(0, true)
		if err != nil {
			return nil, err
		}
		if symbol != "" {
			return view.AssetBySymbol(symbol)
		}
		return view.Asset(address)
	})
}

// ListAssets is ledger_listAssets.
func (a *ledgerAPI) ListAssets(ctx context.Context, page arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "ledger_listAssets", []arg{page}, func(_ context.Context, p *params) (any, error) {
		limit, after := p.page()
		if p.err != nil {
			return nil, p.err
		}
		view, err := a.s.view(0, true)
		if err != nil {
			return nil, err
		}
		return listAssets(view, after, limit)
	})
}

// listAssets asks for one more than the page has, to know whether it is the last.
func listAssets(view View, after crypto.Address, limit int) (*wire.AssetPage, error) {
	items, err := view.Assets(after, limit+1)
	if err != nil {
		return nil, err
	}
	if items == nil {
		items = []wire.Asset{}
	}
	page := &wire.AssetPage{Items: items}
	if len(items) > limit {
		page.Items = items[:limit]
		next := items[limit-1].Asset.String()
		page.Next = &next
	}
	return page, nil
}
