package ledger

import "github.com/tallystick/tallystick/crypto"

// ApproveHolder lets an account receive a restricted asset. Only the issuer may
// send it.
type ApproveHolder struct {
	Asset   crypto.Address `json:"asset"`
	Account crypto.Address `json:"account"`
}

// RevokeHolder takes an approval back. What the account has stays, and can be
// sent away, redeemed and clawed back. Only the issuer may send it.
type RevokeHolder struct {
	Asset   crypto.Address `json:"asset"`
	Account crypto.Address `json:"account"`
}

var approveHolderSpec = kindSpec{
	kind: KindApproveHolder, name: "approveHolder", form: all("asset", "account"),
	fields: "address asset,address account",
	empty:  func() Operation { return new(ApproveHolder) }, decode: decodeApproveHolder,
}

var revokeHolderSpec = kindSpec{
	kind: KindRevokeHolder, name: "revokeHolder", form: all("asset", "account"),
	fields: "address asset,address account",
	empty:  func() Operation { return new(RevokeHolder) }, decode: decodeRevokeHolder,
}

// Kind implements Operation.
func (*ApproveHolder) Kind() Kind { return KindApproveHolder }

// Kind implements Operation.
func (*RevokeHolder) Kind() Kind { return KindRevokeHolder }

// ---- approveHolder, revokeHolder: [asset, account]

func (*ApproveHolder) recipients() []crypto.Address                { return nil }
func (*ApproveHolder) legs() int                                   { return 1 }
func (*ApproveHolder) authorisers(crypto.Address) []crypto.Address { return nil }
func (*RevokeHolder) recipients() []crypto.Address                 { return nil }
func (*RevokeHolder) legs() int                                    { return 1 }
func (*RevokeHolder) authorisers(crypto.Address) []crypto.Address  { return nil }

func (o *ApproveHolder) check(_, _ crypto.Address) Code { return checkHolder(o.Asset, o.Account) }
func (o *RevokeHolder) check(_, _ crypto.Address) Code  { return checkHolder(o.Asset, o.Account) }

// checkHolder judges an asset and an account.
func checkHolder(asset, account crypto.Address) Code {
	if asset.IsZero() || account.IsZero() {
		return CodeInvalidField
	}
	return Applied
}

func (o *ApproveHolder) encode(w *encoder) { encodeHolder(w, o.Asset, o.Account) }
func (o *RevokeHolder) encode(w *encoder)  { encodeHolder(w, o.Asset, o.Account) }

func encodeHolder(w *encoder, asset, account crypto.Address) {
	l := w.list()
	w.address(asset)
	w.address(account)
	w.end(l)
}

func decodeApproveHolder(d *decoder) Operation {
	return &ApproveHolder{Asset: d.address(), Account: d.address()}
}

func decodeRevokeHolder(d *decoder) Operation {
	return &RevokeHolder{Asset: d.address(), Account: d.address()}
}

func (o *ApproveHolder) typed(m *message) { typedHolder(m, o.Asset, o.Account) }
func (o *RevokeHolder) typed(m *message)  { typedHolder(m, o.Asset, o.Account) }

func typedHolder(m *message, asset, account crypto.Address) {
	m.address("asset", asset)
	m.address("account", account)
}

// apply of approveHolder checks asset, issuer, flag, retirement, account and
// approval, in this order. The issuer may approve itself: that counts once
// another is the issuer.
func (o *ApproveHolder) apply(s *state, b *Body) (Code, error) {
	return s.setApproved(o.Asset, o.Account, b.Sender, true, CodeHolderApproved, EventHolderApproved)
}

// apply of revokeHolder checks as that of approveHolder.
func (o *RevokeHolder) apply(s *state, b *Body) (Code, error) {
	return s.setApproved(o.Asset, o.Account, b.Sender, false, CodeHolderNotApproved, EventHolderRevoked)
}

func (s *state) setApproved(asset, account, sender crypto.Address, to bool, already Code, event EventType) (Code, error) {
	c, code, err := s.regulated(asset, account, sender, FlagRestricted, CodeNotRestricted)
	if code != Applied || err != nil {
		return code, err
	}
	if c.value.Approved == to {
		return already, nil
	}
	changed := c.value
	changed.Approved = to
	s.setHolder(c, changed)
	s.emit(Event{Type: event, Asset: asset, Account: account})
	return Applied, nil
}

// regulated finds what the issuer has said about an account that exists and is
// not closed, of an asset that has the flag.
func (s *state) regulated(asset, account, sender crypto.Address, flag AssetFlags, lacking Code) (*cell[holderID, Holder], Code, error) {
	if _, code, err := s.administered(asset, sender, flag, lacking); code != Applied || err != nil {
		return nil, code, err
	}
	a, err := s.account(account)
	if err != nil {
		return nil, 0, err
	}
	if !a.present || a.value.Status == StatusClosed {
		return nil, CodeUnknownHolder, nil
	}
	c, err := s.holder(asset, account)
	return c, Applied, err
}
