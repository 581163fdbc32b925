package ledger

import "github.com/tallystick/tallystick/crypto"

// kindSpec is all that the codecs know of an operation besides its methods.
type kindSpec struct {
	kind   Kind
	name   string // in JSON and receipts
	decode func(*decoder) Operation
	empty  func() Operation
}

var kindSpecs = [...]kindSpec{
	{KindTransfer, "transfer", decodeTransfer, func() Operation { return new(Transfer) }},
	{KindCreateAsset, "createAsset", decodeCreateAsset, func() Operation { return new(CreateAsset) }},
	{KindIssue, "issue", decodeIssue, func() Operation { return new(Issue) }},
	{KindRedeem, "redeem", decodeRedeem, func() Operation { return new(Redeem) }},
	{KindPauseAsset, "pauseAsset", decodePauseAsset, func() Operation { return new(PauseAsset) }},
	{KindResumeAsset, "resumeAsset", decodeResumeAsset, func() Operation { return new(ResumeAsset) }},
}

func specOf(k Kind) (kindSpec, bool) {
	if k == 0 || int(k) > len(kindSpecs) {
		return kindSpec{}, false
	}
	return kindSpecs[k-1], true
}

// KindNames lists the names of the operations, in the order of their numbers.
func KindNames() []string {
	names := make([]string, len(kindSpecs))
	for i, s := range kindSpecs {
		names[i] = s.name
	}
	return names
}

// ---- transfer: [[from, to, asset, amount, reference]…]

func (t *Transfer) legs() int { return len(t.Legs) }

func (t *Transfer) authorisers(sender crypto.Address) (out []crypto.Address) {
	for i := range t.Legs {
		if from := t.Legs[i].From; from != sender {
			out = append(out, from)
		}
	}
	return out
}

func (t *Transfer) recipients() []crypto.Address {
	out := make([]crypto.Address, len(t.Legs))
	for i := range t.Legs {
		out[i] = t.Legs[i].To
	}
	return out
}

func (t *Transfer) check(sender, settlement crypto.Address) Code {
	if len(t.Legs) == 0 {
		return CodeInvalidField
	}
	if len(t.Legs) > MaxLegs {
		return CodeLimitExceeded
	}
	worst := Applied
	for i := range t.Legs {
		code := t.Legs[i].check()
		if code == CodeZeroAmount && t.isCancel(sender, settlement) {
			code = Applied
		}
		worst = first(worst, code)
	}
	return worst
}

// isCancel reports whether t only spends the sender's nonce: one leg, zero of
// the settlement asset, to oneself.
func (t *Transfer) isCancel(sender, settlement crypto.Address) bool {
	if len(t.Legs) != 1 {
		return false
	}
	l := &t.Legs[0]
	return l.Amount.IsZero() && l.From == sender && l.To == sender && l.Asset == settlement
}

func (l *Leg) check() Code {
	switch {
	case len(l.Reference) > MaxReferenceBytes:
		return CodeLimitExceeded
	case l.From.IsZero() || l.To.IsZero() || l.Asset.IsZero() || !validText(l.Reference):
		return CodeInvalidField
	case l.Amount.IsZero():
		return CodeZeroAmount
	}
	return Applied
}

func (t *Transfer) encode(w *encoder) {
	list := w.list()
	for i := range t.Legs {
		l := &t.Legs[i]
		item := w.list()
		w.address(l.From)
		w.address(l.To)
		w.address(l.Asset)
		w.amount(l.Amount)
		w.string(l.Reference)
		w.end(item)
	}
	w.end(list)
}

func decodeTransfer(d *decoder) Operation {
	t := new(Transfer)
	for len(d.rest) > 0 && !d.bad {
		item := d.list()
		leg := Leg{From: item.address(), To: item.address(), Asset: item.address(), Amount: item.amount(), Reference: string(item.bytes())}
		d.close(item)
		t.Legs = append(t.Legs, leg)
	}
	return t
}

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
