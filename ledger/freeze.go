package ledger

import "github.com/tallystick/tallystick/crypto"

// FreezeHolder keeps an account from spending and receiving a freezable asset.
// Only the issuer may send it.
type FreezeHolder struct {
	Asset     crypto.Address `json:"asset"`
	Account   crypto.Address `json:"account"`
	Reference string         `json:"reference,omitempty"` // at most MaxReferenceBytes of text: why
}

// UnfreezeHolder ends what FreezeHolder began. Only the issuer may send it.
type UnfreezeHolder struct {
	Asset     crypto.Address `json:"asset"`
	Account   crypto.Address `json:"account"`
	Reference string         `json:"reference,omitempty"`
}

// FreezeBalance says how much of what an account has available of a freezable
// asset it cannot spend. The amount replaces the one before, and may exceed
// what is there: then it catches what comes, too. Only the issuer may send it.
type FreezeBalance struct {
	Asset     crypto.Address `json:"asset"`
	Account   crypto.Address `json:"account"`
	Amount    Amount         `json:"amount"` // 0 ends it
	Reference string         `json:"reference,omitempty"`
}

var freezeHolderSpec = kindSpec{
	kind: KindFreezeHolder, name: "freezeHolder", form: all("asset", "account").with("reference"),
	fields: "address asset,address account,string reference",
	empty:  func() Operation { return new(FreezeHolder) }, decode: decodeFreezeHolder,
}

var unfreezeHolderSpec = kindSpec{
	kind: KindUnfreezeHolder, name: "unfreezeHolder", form: all("asset", "account").with("reference"),
	fields: "address asset,address account,string reference",
	empty:  func() Operation { return new(UnfreezeHolder) }, decode: decodeUnfreezeHolder,
}

var freezeBalanceSpec = kindSpec{
	kind: KindFreezeBalance, name: "freezeBalance", form: all("asset", "account", "amount").with("reference"),
	fields: "address asset,address account,uint128 amount,string reference",
	empty:  func() Operation { return new(FreezeBalance) }, decode: decodeFreezeBalance,
}

// Kind implements Operation.
func (*FreezeHolder) Kind() Kind { return KindFreezeHolder }

// Kind implements Operation.
func (*UnfreezeHolder) Kind() Kind { return KindUnfreezeHolder }

// Kind implements Operation.
func (*FreezeBalance) Kind() Kind { return KindFreezeBalance }

// ---- freezeHolder, unfreezeHolder: [asset, account, reference]

func (*FreezeHolder) recipients() []crypto.Address                  { return nil }
func (*FreezeHolder) legs() int                                     { return 1 }
func (*FreezeHolder) authorisers(crypto.Address) []crypto.Address   { return nil }
func (*UnfreezeHolder) recipients() []crypto.Address                { return nil }
func (*UnfreezeHolder) legs() int                                   { return 1 }
func (*UnfreezeHolder) authorisers(crypto.Address) []crypto.Address { return nil }

func (o *FreezeHolder) check(_, _ crypto.Address) Code {
	return checkFreeze(o.Asset, o.Account, o.Reference)
}

func (o *UnfreezeHolder) check(_, _ crypto.Address) Code {
	return checkFreeze(o.Asset, o.Account, o.Reference)
}

// checkFreeze judges an asset, an account and a reference.
func checkFreeze(asset, account crypto.Address, reference string) Code {
	return checkQuantity(asset, account, MaxAmount, reference)
}

func (o *FreezeHolder) encode(w *encoder)   { encodeFreeze(w, o.Asset, o.Account, o.Reference) }
func (o *UnfreezeHolder) encode(w *encoder) { encodeFreeze(w, o.Asset, o.Account, o.Reference) }

func encodeFreeze(w *encoder, asset, account crypto.Address, reference string) {
	l := w.list()
	w.address(asset)
	w.address(account)
	w.string(reference)
	w.end(l)
}

func decodeFreezeHolder(d *decoder) Operation {
	return &FreezeHolder{Asset: d.address(), Account: d.address(), Reference: string(d.bytes())}
}

func decodeUnfreezeHolder(d *decoder) Operation {
	return &UnfreezeHolder{Asset: d.address(), Account: d.address(), Reference: string(d.bytes())}
}

func (o *FreezeHolder) typed(m *message) {
	typedHolder(m, o.Asset, o.Account)
	m.string("reference", o.Reference)
}

func (o *UnfreezeHolder) typed(m *message) {
	typedHolder(m, o.Asset, o.Account)
	m.string("reference", o.Reference)
}

// apply of freezeHolder checks asset, issuer, flag, retirement, account and
// freeze, in this order.
func (o *FreezeHolder) apply(s *state, b *Body) (Code, error) {
	return s.setFrozen(o, b.Sender, true, CodeHolderFrozen, EventHolderFrozen)
}

// apply of unfreezeHolder checks as that of freezeHolder.
func (o *UnfreezeHolder) apply(s *state, b *Body) (Code, error) {
	return s.setFrozen((*FreezeHolder)(o), b.Sender, false, CodeHolderNotFrozen, EventHolderUnfrozen)
}

func (s *state) setFrozen(o *FreezeHolder, sender crypto.Address, to bool, already Code, event EventType) (Code, error) {
	c, code, err := s.regulated(o.Asset, o.Account, sender, FlagFreezable, CodeNotFreezable)
	if code != Applied || err != nil {
		return code, err
	}
	if c.value.Frozen == to {
		return already, nil
	}
	changed := c.value
	changed.Frozen = to
	s.setHolder(c, changed)
	s.emit(Event{Type: event, Asset: o.Asset, Account: o.Account, Reference: o.Reference})
	return Applied, nil
}

// ---- freezeBalance: [asset, account, amount, reference]

func (*FreezeBalance) recipients() []crypto.Address                { return nil }
func (*FreezeBalance) legs() int                                   { return 1 }
func (*FreezeBalance) authorisers(crypto.Address) []crypto.Address { return nil }

// check takes an amount of zero.
func (o *FreezeBalance) check(_, _ crypto.Address) Code {
	return checkFreeze(o.Asset, o.Account, o.Reference)
}

func (o *FreezeBalance) encode(w *encoder) {
	encodeQuantity(w, o.Asset, o.Account, o.Amount, o.Reference)
}

func decodeFreezeBalance(d *decoder) Operation {
	return &FreezeBalance{Asset: d.address(), Account: d.address(), Amount: d.amount(), Reference: string(d.bytes())}
}

func (o *FreezeBalance) typed(m *message) {
	typedHolder(m, o.Asset, o.Account)
	m.amount("amount", o.Amount)
	m.string("reference", o.Reference)
}

// apply of freezeBalance checks asset, issuer, flag, retirement, account and
// whether anything changes, in this order.
func (o *FreezeBalance) apply(s *state, b *Body) (Code, error) {
	c, code, err := s.regulated(o.Asset, o.Account, b.Sender, FlagFreezable, CodeNotFreezable)
	if code != Applied || err != nil {
		return code, err
	}
	if c.value.FrozenAmount == o.Amount {
		return CodeFrozenUnchanged, nil
	}
	changed := c.value
	changed.FrozenAmount = o.Amount
	s.setHolder(c, changed)
	s.emit(Event{Type: EventBalanceFrozen, Asset: o.Asset, Account: o.Account, Amount: o.Amount, Reference: o.Reference})
	return Applied, nil
}
