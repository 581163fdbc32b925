package node

import (
	"errors"
	"fmt"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/store"
	"github.com/tallystick/tallystick/node/index"
	"github.com/tallystick/tallystick/rpc"
	"github.com/tallystick/tallystick/rpc/wire"
)

// View reads the committed state where the store still has that height, and
// otherwise the receipt index, which has them all. Both give the same answers.
func (b *backend) View(height ledger.Height) (rpc.View, error) {
	if height > b.Height() {
		return nil, rpc.ErrUnknownHeight
	}
	past := &pastView{b.index, height}
	if height == 0 {
		return past, nil
	}
	v, err := b.store.At(height)
	if errors.Is(err, store.ErrUnknownHeight) {
		return past, nil
	}
	if err != nil {
		return nil, err
	}
	return &stateView{v, past, b.failed}, nil
}

// stateView reads the store, and the index where a commit has overtaken the
// view so far that the store no longer has its height.
type stateView struct {
	state  *store.View
	past   *pastView
	failed func(error)
}

// or answers with past when the store has lost the view's height. Any other
// error is one of the machine, and the node has failed.
func or[T any](s *stateView, v T, err error, past func() (T, error)) (T, error) {
	if errors.Is(err, store.ErrUnknownHeight) {
		return past()
	}
	if err != nil {
		s.failed(fmt.Errorf("committed state: %w", err))
	}
	return v, err
}

func (v *stateView) Account(address crypto.Address) (*wire.Account, error) {
	account, err := v.account(address)
	return or(v, account, err, func() (*wire.Account, error) { return v.past.Account(address) })
}

func (v *stateView) account(address crypto.Address) (*wire.Account, error) {
	raw, err := v.state.Get(ledger.KeyAccount(address))
	if err != nil || raw == nil {
		return nil, err
	}
	record, err := ledger.DecodeAccount(raw)
	if err != nil {
		return nil, err
	}
	held, err := v.held(address)
	if err != nil {
		return nil, err
	}
	balances, err := named(held, v.Asset)
	return newAccount(address, index.AccountInfo{NextNonce: record.Window.Next, Status: record.Status, Member: record.Member}, balances), err
}

func (v *stateView) Member(account crypto.Address) (crypto.Address, error) {
	member, err := v.member(account)
	return or(v, member, err, func() (crypto.Address, error) { return v.past.Member(account) })
}

func (v *stateView) member(account crypto.Address) (crypto.Address, error) {
	raw, err := v.state.Get(ledger.KeyAccount(account))
	if err != nil || raw == nil {
		return crypto.Address{}, err
	}
	record, err := ledger.DecodeAccount(raw)
	return record.Member, err
}

// held lists an account's balances, ascending by asset.
func (v *stateView) held(address crypto.Address) ([]index.HeldAsset, error) {
	var out []index.HeldAsset
	var bad error
	prefix := ledger.KeyBalances(address)
	err := v.state.Scan(prefix, nil, func(key, value []byte) bool {
		var h index.HeldAsset
		copy(h.Asset[:], key[len(prefix):])
		h.Balance, bad = ledger.DecodeBalance(value)
		out = append(out, h)
		return bad == nil
	})
	return out, errors.Join(err, bad)
}

func (v *stateView) Balance(account, asset crypto.Address) (ledger.Balance, error) {
	b, err := v.balance(account, asset)
	return or(v, b, err, func() (ledger.Balance, error) { return v.past.Balance(account, asset) })
}

func (v *stateView) balance(account, asset crypto.Address) (ledger.Balance, error) {
	raw, err := v.state.Get(ledger.KeyBalance(account, asset))
	if err != nil {
		return ledger.Balance{}, err
	}
	return ledger.DecodeBalance(raw)
}

func (v *stateView) Asset(asset crypto.Address) (*wire.Asset, error) {
	a, err := v.asset(asset)
	return or(v, a, err, func() (*wire.Asset, error) { return v.past.Asset(asset) })
}

func (v *stateView) asset(asset crypto.Address) (*wire.Asset, error) {
	raw, err := v.state.Get(ledger.KeyAsset(asset))
	if err != nil || raw == nil {
		return nil, err
	}
	record, err := ledger.DecodeAsset(raw)
	if err != nil {
		return nil, err
	}
	return newAsset(asset, &record), nil
}

func (v *stateView) AssetBySymbol(symbol string) (*wire.Asset, error) {
	return v.past.AssetBySymbol(symbol)
}

func (v *stateView) Assets(after crypto.Address, limit int) ([]wire.Asset, error) {
	return v.past.Assets(after, limit)
}

// pastView reads the receipt index.
type pastView struct {
	index  *index.Index
	height ledger.Height
}

func (v *pastView) Account(address crypto.Address) (*wire.Account, error) {
	info, ok, err := v.index.AccountAt(address, v.height)
	if err != nil || !ok {
		return nil, err
	}
	held, err := v.index.BalancesAt(address, v.height)
	if err != nil {
		return nil, err
	}
	balances, err := named(held, v.Asset)
	return newAccount(address, info, balances), err
}

func (v *pastView) Member(account crypto.Address) (crypto.Address, error) {
	info, _, err := v.index.AccountAt(account, v.height)
	return info.Member, err
}

func (v *pastView) Balance(account, asset crypto.Address) (ledger.Balance, error) {
	return v.index.BalanceAt(account, asset, v.height)
}

func (v *pastView) Asset(asset crypto.Address) (*wire.Asset, error) {
	record, err := v.index.AssetAt(asset, v.height)
	if err != nil || record == nil {
		return nil, err
	}
	return newAsset(asset, record), nil
}

func (v *pastView) AssetBySymbol(symbol string) (*wire.Asset, error) {
	asset, ok, err := v.index.AssetBySymbol(symbol)
	if err != nil || !ok {
		return nil, err
	}
	return v.Asset(asset)
}

func (v *pastView) Assets(after crypto.Address, limit int) ([]wire.Asset, error) {
	out := make([]wire.Asset, 0, min(limit, 100))
	err := v.index.AssetsAt(after, v.height, func(asset crypto.Address, record *ledger.Asset) bool {
		out = append(out, *newAsset(asset, record))
		return len(out) < limit
	})
	return out, err
}

// named adds each asset's symbol to a list of balances.
func named(held []index.HeldAsset, find func(crypto.Address) (*wire.Asset, error)) ([]wire.AssetBalance, error) {
	out := make([]wire.AssetBalance, 0, len(held))
	for _, h := range held {
		asset, err := find(h.Asset)
		if err != nil {
			return nil, err
		}
		line := wire.AssetBalance{Asset: h.Asset, Available: h.Balance.Available, Held: h.Balance.Held}
		if asset != nil {
			line.Symbol = asset.Symbol
		}
		out = append(out, line)
	}
	return out, nil
}

func newAccount(address crypto.Address, info index.AccountInfo, balances []wire.AssetBalance) *wire.Account {
	out := &wire.Account{Address: address, Status: info.Status.String(), NextNonce: uint64(info.NextNonce), Balances: balances}
	if !info.Member.IsZero() {
		out.Member = &info.Member
	}
	return out
}

func newAsset(address crypto.Address, a *ledger.Asset) *wire.Asset {
	return &wire.Asset{
		Asset: address, Symbol: a.Symbol, Name: a.Name, Decimals: a.Decimals, Issuer: a.Issuer,
		Cap: a.Cap, Supply: a.Supply, Flags: a.Flags, Status: a.Status.String(),
	}
}
