package ledger

import "github.com/tallystick/tallystick/crypto"

// CreateHold sets funds of From aside for To. The account From must authorise
// it. The hold's ID is HoldID with index 0.
type CreateHold Hold

// CaptureHold pays Amount of a hold to its payee. Only the payee may send it,
// or, of a hold with an arbiter, only the arbiter. A hold may be captured in
// parts; the last one ends it.
type CaptureHold struct {
	Hold      crypto.Address `json:"hold"`
	Amount    Amount         `json:"amount"`              // above 0, at most what is left
	Reference string         `json:"reference,omitempty"` // at most MaxReferenceBytes of text
}

// ReleaseHold ends a hold: what is left goes back to the payer. Its payee may
// send it, its arbiter, and the issuer of an asset with FlagClawback.
type ReleaseHold struct {
	Hold crypto.Address `json:"hold"`
}

var createHoldSpec = kindSpec{
	kind: KindCreateHold, name: "createHold", form: holdForm, fields: typedHoldFields,
	empty: func() Operation { return new(CreateHold) }, decode: decodeCreateHold,
}

var captureHoldSpec = kindSpec{
	kind: KindCaptureHold, name: "captureHold", form: all("hold", "amount").with("reference"),
	fields: "address hold,uint128 amount,string reference",
	empty:  func() Operation { return new(CaptureHold) }, decode: decodeCaptureHold,
}

var releaseHoldSpec = kindSpec{
	kind: KindReleaseHold, name: "releaseHold", form: all("hold"), fields: "address hold",
	empty: func() Operation { return new(ReleaseHold) }, decode: decodeReleaseHold,
}

const typedHoldFields = "address from,address to,address arbiter,address asset,uint128 amount,uint64 expiry,string reference"

var holdForm = all("from", "to", "asset", "amount", "expiry").with("arbiter", "reference")

// Kind implements Operation.
func (*CreateHold) Kind() Kind { return KindCreateHold }

// Kind implements Operation.
func (*CaptureHold) Kind() Kind { return KindCaptureHold }

// Kind implements Operation.
func (*ReleaseHold) Kind() Kind { return KindReleaseHold }

// ---- createHold: [from, to, arbiter, asset, amount, expiry, reference]

func (o *CreateHold) terms() *Hold { return (*Hold)(o) }

func (o *CreateHold) recipients() []crypto.Address { return []crypto.Address{o.To} }
func (*CreateHold) legs() int                      { return 1 }
func (o *CreateHold) authorisers(sender crypto.Address) []crypto.Address {
	if o.From == sender {
		return nil
	}
	return []crypto.Address{o.From}
}

func (o *CreateHold) check(_, _ crypto.Address) Code { return o.terms().check() }
func (o *CreateHold) encode(w *encoder)              { o.terms().encode(w) }
func (o *CreateHold) typed(m *message)               { o.terms().typed(m) }

func decodeCreateHold(d *decoder) Operation {
	terms := decodeTerms(d)
	return (*CreateHold)(&terms)
}

func (o *CreateHold) apply(s *state, b *Body) (Code, error) {
	return s.createHold(s.net.HoldID(b.Sender, b.Nonce, 0), o.terms())
}

// ---- captureHold: [hold, amount, reference]

func (*CaptureHold) recipients() []crypto.Address                { return nil }
func (*CaptureHold) legs() int                                   { return 1 }
func (*CaptureHold) authorisers(crypto.Address) []crypto.Address { return nil }

func (o *CaptureHold) check(_, _ crypto.Address) Code {
	return checkQuantity(o.Hold, o.Hold, o.Amount, o.Reference)
}

func (o *CaptureHold) encode(w *encoder) {
	list := w.list()
	w.address(o.Hold)
	w.amount(o.Amount)
	w.string(o.Reference)
	w.end(list)
}

func decodeCaptureHold(d *decoder) Operation {
	return &CaptureHold{Hold: d.address(), Amount: d.amount(), Reference: string(d.bytes())}
}

func (o *CaptureHold) typed(m *message) {
	m.address("hold", o.Hold)
	m.amount("amount", o.Amount)
	m.string("reference", o.Reference)
}

func (o *CaptureHold) apply(s *state, b *Body) (Code, error) {
	return s.captureHold(o.Hold, b.Sender, o.Amount, o.Reference)
}

// ---- releaseHold: [hold]

func (*ReleaseHold) recipients() []crypto.Address                { return nil }
func (*ReleaseHold) legs() int                                   { return 1 }
func (*ReleaseHold) authorisers(crypto.Address) []crypto.Address { return nil }

func (o *ReleaseHold) check(_, _ crypto.Address) Code { return checkAsset(o.Hold) }
func (o *ReleaseHold) encode(w *encoder)              { encodeAsset(w, o.Hold) }
func (o *ReleaseHold) typed(m *message)               { m.address("hold", o.Hold) }

func decodeReleaseHold(d *decoder) Operation { return &ReleaseHold{Hold: d.address()} }

// apply of releaseHold checks hold, expiry and sender, in this order, and
// nothing of accounts or asset: funds can always go back.
func (o *ReleaseHold) apply(s *state, b *Body) (Code, error) {
	c, code, err := s.openHold(o.Hold)
	if code != Applied || err != nil {
		return code, err
	}
	may, err := s.mayRelease(&c.value, b.Sender)
	if err != nil {
		return 0, err
	}
	if !may {
		return CodeNotHoldParty, nil
	}
	if err := s.unschedule(holdDue(o.Hold, c.value.Expiry)); err != nil {
		return 0, err
	}
	return Applied, s.endHold(c, HoldReleased)
}
