package ledger

import (
	"errors"

	"github.com/tallystick/tallystick/crypto"
)

// errSupply means that stored balances exceed their asset's supply.
var errSupply = errors.New("state is corrupt: a balance exceeds its asset's supply")

// apply of createAsset checks flags, symbol and address, in this order.
func (c *CreateAsset) apply(s *state, b *Body) (Code, error) {
	if c.Flags != 0 {
		return CodeUnsupportedFlags, nil
	}
	symbol, err := s.symbol(c.Symbol)
	if err != nil {
		return 0, err
	}
	if symbol.present {
		return CodeSymbolTaken, nil
	}
	address := s.net.AssetAddress(b.Sender, b.Nonce)
	account, err := s.account(address)
	if err != nil {
		return 0, err
	}
	asset, err := s.asset(address)
	if err != nil {
		return 0, err
	}
	if account.present || asset.present {
		return CodeAddressTaken, nil
	}
	s.symbolTable.set(symbol, address)
	s.assetTable.set(asset, Asset{
		Symbol: c.Symbol, Name: c.Name, Decimals: c.Decimals, Issuer: b.Sender,
		Cap: c.Cap, Flags: c.Flags, Status: AssetActive,
	})
	s.emit(Event{
		Type: EventAssetCreated, Asset: address, Symbol: c.Symbol, Name: c.Name,
		Decimals: c.Decimals, Account: b.Sender, Amount: c.Cap, Flags: c.Flags,
	})
	return Applied, nil
}

// issued finds an asset that sender issues.
func (s *state) issued(asset, sender crypto.Address) (*cell[crypto.Address, Asset], Code, error) {
	c, err := s.asset(asset)
	switch {
	case err != nil:
		return nil, 0, err
	case !c.present:
		return nil, CodeUnknownAsset, nil
	case c.value.Issuer != sender:
		return nil, CodeNotIssuer, nil
	}
	return c, Applied, nil
}

// apply of issue checks asset, issuer, pause, recipient and cap, in this order.
func (o *Issue) apply(s *state, b *Body) (Code, error) {
	c, code, err := s.issued(o.Asset, b.Sender)
	if code != Applied || err != nil {
		return code, err
	}
	asset := c.value
	if asset.Status == AssetPaused {
		return CodeAssetPaused, nil
	}
	if code, err := s.receiving(o.To); code != Applied || err != nil {
		return code, err
	}
	if room := asset.room(); room.Cmp(o.Amount) < 0 {
		return CodeCapExceeded, nil
	}
	sum, ok := asset.Supply.Add(o.Amount)
	if !ok {
		return 0, errSupply
	}
	asset.Supply = sum
	s.assetTable.set(c, asset)
	if err := s.credit(o.To, o.Asset, o.Amount); err != nil {
		return 0, err
	}
	s.emit(Event{Type: EventIssue, Asset: o.Asset, To: o.To, Amount: o.Amount, Reference: o.Reference})
	return Applied, nil
}

// apply of redeem checks asset, issuer, pause, source and balance, in this order.
func (o *Redeem) apply(s *state, b *Body) (Code, error) {
	c, code, err := s.issued(o.Asset, b.Sender)
	if code != Applied || err != nil {
		return code, err
	}
	asset := c.value
	if asset.Status == AssetPaused {
		return CodeAssetPaused, nil
	}
	if code, err := s.paying(o.From); code != Applied || err != nil {
		return code, err
	}
	if code, err := s.debit(o.From, o.Asset, o.Amount); code != Applied || err != nil {
		return code, err
	}
	left, ok := asset.Supply.Sub(o.Amount)
	if !ok {
		return 0, errSupply
	}
	asset.Supply = left
	s.assetTable.set(c, asset)
	s.emit(Event{Type: EventRedeem, Asset: o.Asset, From: o.From, Amount: o.Amount, Reference: o.Reference})
	return Applied, nil
}

// apply of pauseAsset checks asset, issuer and status, in this order.
func (o *PauseAsset) apply(s *state, b *Body) (Code, error) {
	return s.setAssetStatus(o.Asset, b.Sender, AssetPaused, CodeAssetPaused, EventAssetPaused)
}

// apply of resumeAsset checks asset, issuer and status, in this order.
func (o *ResumeAsset) apply(s *state, b *Body) (Code, error) {
	return s.setAssetStatus(o.Asset, b.Sender, AssetActive, CodeAssetNotPaused, EventAssetResumed)
}

func (s *state) setAssetStatus(asset, sender crypto.Address, to AssetStatus, already Code, event EventType) (Code, error) {
	c, code, err := s.issued(asset, sender)
	if code != Applied || err != nil {
		return code, err
	}
	changed := c.value
	if changed.Status == to {
		return already, nil
	}
	changed.Status = to
	s.assetTable.set(c, changed)
	s.emit(Event{Type: event, Asset: asset})
	return Applied, nil
}
