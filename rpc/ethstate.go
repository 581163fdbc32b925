package rpc

import (
	"context"
	"encoding/json"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/eth"
)

// BlockNumber is eth_blockNumber.
func (a *ethAPI) BlockNumber(ctx context.Context) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_blockNumber", nil, func(context.Context, *params) (any, error) {
		return hexutil.Uint64(a.s.backend.Height()), nil
	})
}

// viewOf opens the state after a block.
func (s *Server) viewOf(id eth.BlockID) (View, error) {
	height, err := s.needHeight(id)
	if err != nil {
		return nil, err
	}
	return s.backend.View(height)
}

// GetBalance is eth_getBalance.
func (a *ethAPI) GetBalance(ctx context.Context, address, block arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_getBalance", []arg{address, block}, func(_ context.Context, p *params) (any, error) {
		address, id := p.ethAddress(), p.blockID()
		if p.err != nil {
			return nil, p.err
		}
		view, err := a.s.viewOf(id)
		if err != nil {
			return nil, err
		}
		net := a.s.backend.Network()
		has, err := holding(view, address, net.Settlement)
		return hexutil.U256(*eth.Wei(net, has)), err
	})
}

// holding is what an account has of an asset, available and held together. No
// asset's supply is above what an amount can be, so the sum never is.
func holding(view View, account, asset crypto.Address) (ledger.Amount, error) {
	b, err := view.Balance(account, asset)
	if err != nil {
		return ledger.Amount{}, err
	}
	sum, _ := b.Available.Add(b.Held)
	return sum, nil
}

// GetTransactionCount is eth_getTransactionCount: the next nonce that a wallet
// should take. Nonces may be spent in any order, so it is one above the highest
// spent, and with "pending" the first from there on with which nothing waits here.
func (a *ethAPI) GetTransactionCount(ctx context.Context, address, block arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_getTransactionCount", []arg{address, block}, func(ctx context.Context, p *params) (any, error) {
		address, id := p.ethAddress(), p.blockID()
		if p.err != nil {
			return nil, p.err
		}
		height, err := a.s.needHeight(id)
		if err != nil {
			return nil, err
		}
		if id.Pending {
			next, err := a.s.nextUnused(ctx, address)
			return hexutil.Uint64(next), err
		}
		next, err := a.s.nextNonce(address, height, id)
		return hexutil.Uint64(next), err
	})
}

// nextNonce is one above an account's highest spent nonce. The newest state is read
// without the account's balances.
func (s *Server) nextNonce(address crypto.Address, height ledger.Height, id eth.BlockID) (uint64, error) {
	if id.Latest && height > 0 {
		state, err := s.backend.State()
		if err != nil {
			return 0, err
		}
		raw, err := state.Get(ledger.KeyAccount(address))
		if err != nil || raw == nil {
			return 0, err
		}
		account, err := ledger.DecodeAccount(raw)
		return uint64(account.Window.Next), err
	}
	view, err := s.backend.View(height)
	if err != nil {
		return 0, err
	}
	account, err := view.Account(address)
	if err != nil || account == nil {
		return 0, err
	}
	return account.NextNonce, nil
}

// mostPending is more than can wait of one account: usable nonces lie within so
// many.
const mostPending = ledger.WindowAbove + ledger.WindowBelow

// nextUnused is the first nonce, from one above an account's highest spent, with
// which nothing waits on this node. What waits is looked at first: what a block
// takes from it in the meantime is spent by then, and so never missed.
func (s *Server) nextUnused(ctx context.Context, sender crypto.Address) (uint64, error) {
	waiting, err := s.backend.Pending(PendingQuery{Sender: &sender, Limit: mostPending})
	if err != nil {
		return 0, err
	}
	s.backend.Follow(ctx)
	next, err := s.nextNonce(sender, s.backend.Height(), eth.Latest)
	if err != nil {
		return 0, err
	}
	taken := make(map[ledger.Nonce]bool, len(waiting.Items))
	for _, item := range waiting.Items {
		taken[item.Tx.Nonce] = true
	}
	for taken[ledger.Nonce(next)] {
		next++
	}
	return next, nil
}

// GetCode is eth_getCode.
func (a *ethAPI) GetCode(ctx context.Context, address, block arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_getCode", []arg{address, block}, func(_ context.Context, p *params) (any, error) {
		address, id := p.ethAddress(), p.blockID()
		if p.err != nil {
			return nil, p.err
		}
		view, err := a.s.viewOf(id)
		if err != nil {
			return nil, err
		}
		asset, err := view.Asset(address)
		if err != nil || asset == nil {
			return ethData(nil), err
		}
		return ethData(eth.Code), nil
	})
}

// GetStorageAt is eth_getStorageAt: no contract stands anywhere, so every word is
// zero.
func (a *ethAPI) GetStorageAt(ctx context.Context, address, slot, block arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_getStorageAt", []arg{address, slot, block}, func(_ context.Context, p *params) (any, error) {
		p.ethAddress()
		p.slot()
		id := p.blockID()
		if p.err != nil {
			return nil, p.err
		}
		_, err := a.s.needHeight(id)
		return crypto.Hash{}, err
	})
}

// viewToken is an asset of a view as an ERC-20.
type viewToken struct {
	view    View
	address crypto.Address
	name    string
	symbol  string
	digits  uint8
	supply  ledger.Amount
}

// Name implements eth.Token.
func (t *viewToken) Name() string { return t.name }

// Symbol implements eth.Token.
func (t *viewToken) Symbol() string { return t.symbol }

// Decimals implements eth.Token.
func (t *viewToken) Decimals() uint8 { return t.digits }

// Supply implements eth.Token.
func (t *viewToken) Supply() ledger.Amount { return t.supply }

// Balance implements eth.Token.
func (t *viewToken) Balance(holder crypto.Address) (ledger.Amount, error) {
	return holding(t.view, holder, t.address)
}

// tokenAt is the asset at an address; nil where there is none.
func tokenAt(view View, address crypto.Address) (*viewToken, error) {
	asset, err := view.Asset(address)
	if err != nil || asset == nil {
		return nil, err
	}
	return &viewToken{view, address, asset.Name, asset.Symbol, asset.Decimals, asset.Supply}, nil
}
