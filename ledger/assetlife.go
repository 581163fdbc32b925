package ledger

import "github.com/tallystick/tallystick/crypto"

// RetireAsset ends an asset for ever: what there is of it can only be redeemed
// and clawed back. Only the issuer may send it.
type RetireAsset struct {
	Asset crypto.Address `json:"asset"`
}

// ChangeIssuer makes To the issuer of an asset. Only the issuer may send it,
// and To must authorise it.
type ChangeIssuer struct {
	Asset crypto.Address `json:"asset"`
	To    crypto.Address `json:"to"` // another account than the sender
}

var retireAssetSpec = kindSpec{
	kind: KindRetireAsset, name: "retireAsset", form: all("asset"),
	fields: "address asset",
	empty:  func() Operation { return new(RetireAsset) }, decode: decodeRetireAsset,
}

var changeIssuerSpec = kindSpec{
	kind: KindChangeIssuer, name: "changeIssuer", form: all("asset", "to"),
	fields: "address asset,address to",
	empty:  func() Operation { return new(ChangeIssuer) }, decode: decodeChangeIssuer,
}

// Kind implements Operation.
func (*RetireAsset) Kind() Kind { return KindRetireAsset }

// Kind implements Operation.
func (*ChangeIssuer) Kind() Kind { return KindChangeIssuer }

// ---- retireAsset: [asset]

func (*RetireAsset) recipients() []crypto.Address                { return nil }
func (*RetireAsset) legs() int                                   { return 1 }
func (*RetireAsset) authorisers(crypto.Address) []crypto.Address { return nil }
func (o *RetireAsset) check(_, _ crypto.Address) Code            { return checkAsset(o.Asset) }
func (o *RetireAsset) encode(w *encoder)                         { encodeAsset(w, o.Asset) }
func (o *RetireAsset) typed(m *message)                          { m.address("asset", o.Asset) }

func decodeRetireAsset(d *decoder) Operation { return &RetireAsset{Asset: d.address()} }

// apply of retireAsset checks asset, issuer, retirement, settlement, pause and
// holds, in this order.
func (o *RetireAsset) apply(s *state, b *Body) (Code, error) {
	c, code, err := s.administered(o.Asset, b.Sender, 0, 0)
	switch {
	case code != Applied || err != nil:
		return code, err
	case o.Asset == s.net.Settlement:
		return CodeSettlementAsset, nil
	case c.value.Status.paused():
		return CodeAssetPaused, nil
	case c.value.Holds > 0:
		return CodeAssetHasHolds, nil
	}
	return s.step(c, EventAssetRetired, CodeAssetRetired), nil
}

// ---- changeIssuer: [asset, to]

func (*ChangeIssuer) recipients() []crypto.Address                  { return nil }
func (*ChangeIssuer) legs() int                                     { return 1 }
func (o *ChangeIssuer) authorisers(crypto.Address) []crypto.Address { return []crypto.Address{o.To} }

func (o *ChangeIssuer) check(sender, _ crypto.Address) Code {
	if o.To == sender {
		return CodeInvalidField
	}
	return checkHolder(o.Asset, o.To)
}

func (o *ChangeIssuer) encode(w *encoder) { encodeHolder(w, o.Asset, o.To) }

func decodeChangeIssuer(d *decoder) Operation {
	return &ChangeIssuer{Asset: d.address(), To: d.address()}
}

func (o *ChangeIssuer) typed(m *message) {
	m.address("asset", o.Asset)
	m.address("to", o.To)
}

// apply of changeIssuer checks asset, issuer, retirement, that the new issuer
// may act, and that it may issue, in this order. A pause stays, and becomes the
// new issuer's to end. Nobody's approval changes: where holders must be
// approved, the old issuer is no exception any more.
func (o *ChangeIssuer) apply(s *state, b *Body) (Code, error) {
	c, code, err := s.administered(o.Asset, b.Sender, 0, 0)
	if code != Applied || err != nil {
		return code, err
	}
	if code, err := s.paying(o.To); code != Applied || err != nil {
		return CodeNewIssuerInactive, err
	}
	if code, err := s.mayIssue(o.To); code != Applied || err != nil {
		return code, err
	}
	changed := c.value
	changed.Issuer = o.To
	s.assetTable.set(c, changed)
	s.emit(Event{Type: EventIssuerChanged, Asset: o.Asset, Account: o.To})
	return Applied, nil
}

// administered finds an asset that sender issues and that is not retired, with
// a flag that it needs; without it, the asset is refused with lacking.
func (s *state) administered(asset, sender crypto.Address, flag AssetFlags, lacking Code) (*cell[crypto.Address, Asset], Code, error) {
	c, code, err := s.issued(asset, sender)
	switch {
	case code != Applied || err != nil:
		return nil, code, err
	case c.value.Flags&flag != flag:
		return nil, lacking, nil
	case c.value.Status.retired():
		return nil, CodeAssetRetired, nil
	}
	return c, Applied, nil
}
