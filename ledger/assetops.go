package ledger

import (
	"errors"

	"github.com/tallystick/tallystick/crypto"
)

// CreateAsset creates an asset whose issuer is the sender.
type CreateAsset struct {
	Symbol   string `json:"symbol"`   // 1..MaxSymbolBytes of [A-Z0-9], unique
	Name     string `json:"name"`     // 1..MaxNameBytes of text, not white space alone
	Decimals uint8  `json:"decimals"` // 0..MaxDecimals: how a person writes an amount
	Cap      Amount `json:"cap"`      // the largest supply; 0 is no cap but 2^128 - 1
	Flags    uint32 `json:"flags"`    // bits of AssetFlags
}

// Issue creates Amount of an asset at To. Only the issuer may send it.
type Issue struct {
	Asset     crypto.Address `json:"asset"`
	To        crypto.Address `json:"to"`
	Amount    Amount         `json:"amount"`
	Reference string         `json:"reference,omitempty"`
}

// Redeem destroys Amount of an asset held by From. Only the issuer may send
// it, and From must authorise it.
type Redeem struct {
	Asset     crypto.Address `json:"asset"`
	From      crypto.Address `json:"from"`
	Amount    Amount         `json:"amount"`
	Reference string         `json:"reference,omitempty"`
}

// PauseAsset stops every movement of an asset but clawback. Only the issuer may
// send it.
type PauseAsset struct {
	Asset crypto.Address `json:"asset"`
}

// ResumeAsset ends a pause by the issuer. Only the issuer may send it.
type ResumeAsset struct {
	Asset crypto.Address `json:"asset"`
}

var createAssetSpec = kindSpec{
	kind: KindCreateAsset, name: "createAsset", form: all("symbol", "name", "decimals", "cap", "flags"),
	fields: "string symbol,string name,uint8 decimals,uint128 cap,uint32 flags",
	empty:  func() Operation { return new(CreateAsset) }, decode: decodeCreateAsset,
}

var issueSpec = kindSpec{
	kind: KindIssue, name: "issue", form: all("asset", "to", "amount").with("reference"),
	fields: "address asset,address to,uint128 amount,string reference",
	empty:  func() Operation { return new(Issue) }, decode: decodeIssue,
}

var redeemSpec = kindSpec{
	kind: KindRedeem, name: "redeem", form: all("asset", "from", "amount").with("reference"),
	fields: "address asset,address from,uint128 amount,string reference",
	empty:  func() Operation { return new(Redeem) }, decode: decodeRedeem,
}

var pauseAssetSpec = kindSpec{
	kind: KindPauseAsset, name: "pauseAsset", form: all("asset"),
	fields: "address asset",
	empty:  func() Operation { return new(PauseAsset) }, decode: decodePauseAsset,
}

var resumeAssetSpec = kindSpec{
	kind: KindResumeAsset, name: "resumeAsset", form: all("asset"),
	fields: "address asset",
	empty:  func() Operation { return new(ResumeAsset) }, decode: decodeResumeAsset,
}

// Kind implements Operation.
func (*CreateAsset) Kind() Kind { return KindCreateAsset }

// Kind implements Operation.
func (*Issue) Kind() Kind { return KindIssue }

// Kind implements Operation.
func (*Redeem) Kind() Kind { return KindRedeem }

// Kind implements Operation.
func (*PauseAsset) Kind() Kind { return KindPauseAsset }

// Kind implements Operation.
func (*ResumeAsset) Kind() Kind { return KindResumeAsset }

// ---- createAsset: [symbol, name, decimals, cap, flags]

func (*CreateAsset) recipients() []crypto.Address                { return nil }
func (*CreateAsset) legs() int                                   { return 1 }
func (*CreateAsset) authorisers(crypto.Address) []crypto.Address { return nil }

func (c *CreateAsset) check(_, _ crypto.Address) Code {
	if len(c.Symbol) > MaxSymbolBytes || len(c.Name) > MaxNameBytes {
		return CodeLimitExceeded
	}
	if !ValidSymbol(c.Symbol) || !validName(c.Name) || c.Decimals > MaxDecimals {
		return CodeInvalidField
	}
	return Applied
}

// ValidSymbol reports whether s is 1 to MaxSymbolBytes of [A-Z0-9].
func ValidSymbol(s string) bool {
	if s == "" || len(s) > MaxSymbolBytes {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func (c *CreateAsset) encode(w *encoder) {
	list := w.list()
	w.string(c.Symbol)
	w.string(c.Name)
	w.uint(uint64(c.Decimals))
	w.amount(c.Cap)
	w.uint(uint64(c.Flags))
	w.end(list)
}

func decodeCreateAsset(d *decoder) Operation {
	return &CreateAsset{
		Symbol: string(d.bytes()), Name: string(d.bytes()), Decimals: uint8(d.uintUpTo(255)),
		Cap: d.amount(), Flags: uint32(d.uintUpTo(1<<32 - 1)),
	}
}

// ---- issue: [asset, to, amount, reference]

func (o *Issue) recipients() []crypto.Address              { return []crypto.Address{o.To} }
func (*Issue) legs() int                                   { return 1 }
func (*Issue) authorisers(crypto.Address) []crypto.Address { return nil }

func (o *Issue) check(_, _ crypto.Address) Code {
	return checkQuantity(o.Asset, o.To, o.Amount, o.Reference)
}

// checkQuantity judges an asset, an account, an amount and a reference.
func checkQuantity(asset, account crypto.Address, amount Amount, reference string) Code {
	l := Leg{From: account, To: account, Asset: asset, Amount: amount, Reference: reference}
	return l.check()
}

func (o *Issue) encode(w *encoder) { encodeQuantity(w, o.Asset, o.To, o.Amount, o.Reference) }

func encodeQuantity(w *encoder, asset, account crypto.Address, amount Amount, reference string) {
	list := w.list()
	w.address(asset)
	w.address(account)
	w.amount(amount)
	w.string(reference)
	w.end(list)
}

func decodeIssue(d *decoder) Operation {
	return &Issue{Asset: d.address(), To: d.address(), Amount: d.amount(), Reference: string(d.bytes())}
}

// ---- redeem: [asset, from, amount, reference]

func (*Redeem) recipients() []crypto.Address { return nil }
func (*Redeem) legs() int                    { return 1 }
func (o *Redeem) authorisers(sender crypto.Address) []crypto.Address {
	if o.From == sender {
		return nil
	}
	return []crypto.Address{o.From}
}

func (o *Redeem) check(_, _ crypto.Address) Code {
	return checkQuantity(o.Asset, o.From, o.Amount, o.Reference)
}

func (o *Redeem) encode(w *encoder) { encodeQuantity(w, o.Asset, o.From, o.Amount, o.Reference) }

func decodeRedeem(d *decoder) Operation {
	return &Redeem{Asset: d.address(), From: d.address(), Amount: d.amount(), Reference: string(d.bytes())}
}

// ---- pauseAsset, resumeAsset: [asset]

func (*PauseAsset) recipients() []crypto.Address                 { return nil }
func (*PauseAsset) legs() int                                    { return 1 }
func (*PauseAsset) authorisers(crypto.Address) []crypto.Address  { return nil }
func (*ResumeAsset) recipients() []crypto.Address                { return nil }
func (*ResumeAsset) legs() int                                   { return 1 }
func (*ResumeAsset) authorisers(crypto.Address) []crypto.Address { return nil }

func (o *PauseAsset) check(_, _ crypto.Address) Code  { return checkAsset(o.Asset) }
func (o *ResumeAsset) check(_, _ crypto.Address) Code { return checkAsset(o.Asset) }

func checkAsset(asset crypto.Address) Code {
	if asset.IsZero() {
		return CodeInvalidField
	}
	return Applied
}

func (o *PauseAsset) encode(w *encoder)  { encodeAsset(w, o.Asset) }
func (o *ResumeAsset) encode(w *encoder) { encodeAsset(w, o.Asset) }

func encodeAsset(w *encoder, asset crypto.Address) {
	list := w.list()
	w.address(asset)
	w.end(list)
}

func decodePauseAsset(d *decoder) Operation  { return &PauseAsset{Asset: d.address()} }
func decodeResumeAsset(d *decoder) Operation { return &ResumeAsset{Asset: d.address()} }
func (c *CreateAsset) typed(m *message) {
	m.string("symbol", c.Symbol)
	m.string("name", c.Name)
	m.small("decimals", "uint8", uint32(c.Decimals))
	m.amount("cap", c.Cap)
	m.small("flags", "uint32", c.Flags)
}

func (o *Issue) typed(m *message) {
	m.address("asset", o.Asset)
	m.address("to", o.To)
	m.amount("amount", o.Amount)
	m.string("reference", o.Reference)
}

func (o *Redeem) typed(m *message) {
	m.address("asset", o.Asset)
	m.address("from", o.From)
	m.amount("amount", o.Amount)
	m.string("reference", o.Reference)
}

func (o *PauseAsset) typed(m *message)  { m.address("asset", o.Asset) }
func (o *ResumeAsset) typed(m *message) { m.address("asset", o.Asset) }

// errSupply means that stored balances exceed their asset's supply.
var errSupply = errors.New("state is corrupt: a balance exceeds its asset's supply")

// apply of createAsset checks flags, the sender's role, symbol and address, in
// this order.
func (c *CreateAsset) apply(s *state, b *Body) (Code, error) {
	if c.Flags&^allFlags != 0 {
		return CodeUnsupportedFlags, nil
	}
	if code, err := s.mayIssue(b.Sender); code != Applied || err != nil {
		return code, err
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

// apply of issue checks asset, issuer, retirement, pause, recipient, what the
// flags ask of the recipient, and cap, in this order.
func (o *Issue) apply(s *state, b *Body) (Code, error) {
	c, code, err := s.issued(o.Asset, b.Sender)
	if code != Applied || err != nil {
		return code, err
	}
	asset := c.value
	if code := asset.Status.moves(); code != Applied {
		return code, nil
	}
	if code, err := s.receiving(o.To); code != Applied || err != nil {
		return code, err
	}
	if code, err := s.mayHold(o.Asset, o.To); code != Applied || err != nil {
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

// apply of redeem checks asset, issuer, pause, source, freezes and balance, in
// this order. What is retired can be redeemed.
func (o *Redeem) apply(s *state, b *Body) (Code, error) {
	c, code, err := s.issued(o.Asset, b.Sender)
	if code != Applied || err != nil {
		return code, err
	}
	asset := c.value
	if asset.Status.paused() {
		return CodeAssetPaused, nil
	}
	if code, err := s.paying(o.From); code != Applied || err != nil {
		return code, err
	}
	if code, err := s.maySpend(o.Asset, o.From, o.Amount); code != Applied || err != nil {
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
