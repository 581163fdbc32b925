package ledger

import "github.com/tallystick/tallystick/crypto"

// Clawback moves what From has available to To, whatever is frozen and whatever
// From's status. Only the issuer may send it, and only of an asset with the
// flag. What is held stays.
type Clawback struct {
	Asset     crypto.Address `json:"asset"`
	From      crypto.Address `json:"from"`
	To        crypto.Address `json:"to"` // another account than From
	Amount    Amount         `json:"amount"`
	Reason    uint16         `json:"reason"` // above 0: what for, in a list that the issuer keeps
	Reference string         `json:"reference,omitempty"`
}

var clawbackSpec = kindSpec{
	kind: KindClawback, name: "clawback", form: all("asset", "from", "to", "amount", "reason").with("reference"),
	fields: "address asset,address from,address to,uint128 amount,uint16 reason,string reference",
	empty:  func() Operation { return new(Clawback) }, decode: decodeClawback,
}

// Kind implements Operation.
func (*Clawback) Kind() Kind { return KindClawback }

// ---- clawback: [asset, from, to, amount, reason, reference]

func (o *Clawback) recipients() []crypto.Address              { return []crypto.Address{o.To} }
func (*Clawback) legs() int                                   { return 1 }
func (*Clawback) authorisers(crypto.Address) []crypto.Address { return nil }

func (o *Clawback) check(_, _ crypto.Address) Code {
	l := Leg{From: o.From, To: o.To, Asset: o.Asset, Amount: o.Amount, Reference: o.Reference}
	code := l.check()
	if o.From == o.To || o.Reason == 0 {
		code = first(code, CodeInvalidField)
	}
	return code
}

func (o *Clawback) encode(w *encoder) {
	l := w.list()
	w.address(o.Asset)
	w.address(o.From)
	w.address(o.To)
	w.amount(o.Amount)
	w.uint(uint64(o.Reason))
	w.string(o.Reference)
	w.end(l)
}

func decodeClawback(d *decoder) Operation {
	return &Clawback{
		Asset: d.address(), From: d.address(), To: d.address(), Amount: d.amount(),
		Reason: uint16(d.uintUpTo(1<<16 - 1)), Reference: string(d.bytes()),
	}
}

func (o *Clawback) typed(m *message) {
	m.address("asset", o.Asset)
	m.address("from", o.From)
	m.address("to", o.To)
	m.amount("amount", o.Amount)
	m.small("reason", "uint16", uint32(o.Reason))
	m.string("reference", o.Reference)
}

// apply of clawback checks asset, issuer, flag, the members' pause, recipient,
// what the flags ask of the recipient, and balance, in this order. Neither the
// issuer's own pause nor retirement stands against it. An account that is not
// there, or closed, has no balance.
func (o *Clawback) apply(s *state, b *Body) (Code, error) {
	c, code, err := s.issued(o.Asset, b.Sender)
	switch {
	case code != Applied || err != nil:
		return code, err
	case c.value.Flags&FlagClawback == 0:
		return CodeNotClawback, nil
	case c.value.Status.pausedByNetwork():
		return CodeAssetPaused, nil
	}
	if code, err := s.receiving(o.To); code != Applied || err != nil {
		return code, err
	}
	if code, err := s.mayHold(o.Asset, o.To); code != Applied || err != nil {
		return code, err
	}
	if code, err := s.debit(o.From, o.Asset, o.Amount); code != Applied || err != nil {
		return code, err
	}
	if err := s.credit(o.To, o.Asset, o.Amount); err != nil {
		return 0, err
	}
	s.emit(Event{
		Type: EventClawback, Asset: o.Asset, From: o.From, To: o.To, Amount: o.Amount,
		Number: uint64(o.Reason), Reference: o.Reference,
	})
	return Applied, nil
}
