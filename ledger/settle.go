package ledger

import "github.com/tallystick/tallystick/crypto"

// Settle is delivery versus payment with holds on either side: captures, then
// legs, then new holds, all or nothing. Each sees what stands before it. There
// are 1..MaxLegs items in all.
type Settle struct {
	Captures []Capture `json:"captures,omitempty"`
	Legs     []Leg     `json:"legs,omitempty"`
	Holds    []Hold    `json:"holds,omitempty"` // their IDs: HoldID with their place here as index
}

// Capture is a captureHold within a settlement. The account By must authorise
// it: the payee, or, of a hold with an arbiter, the arbiter.
type Capture struct {
	Hold   crypto.Address `json:"hold"`
	By     crypto.Address `json:"by"`
	Amount Amount         `json:"amount"` // above 0, at most what is left
}

const (
	typedCapture = "Capture(address hold,address by,uint128 amount)"
	typedHold    = "Hold(" + typedHoldFields + ")"
)

var (
	captureTypeHash = crypto.TypeHash(typedCapture)
	holdTypeHash    = crypto.TypeHash(typedHold)
)

var settleSpec = kindSpec{
	kind: KindSettle, name: "settle",
	form: jsonForm{
		{name: "captures", optional: true, form: all("hold", "by", "amount")},
		{name: "legs", optional: true, form: legForm},
		{name: "holds", optional: true, form: holdForm},
	},
	fields: "Capture[] captures,Leg[] legs,Hold[] holds", nested: []string{typedCapture, typedHold, typedLeg},
	empty: func() Operation { return new(Settle) }, decode: decodeSettle,
}

// Kind implements Operation.
func (*Settle) Kind() Kind { return KindSettle }

// ---- settle: [[[hold, by, amount]…], [leg…], [terms…]]

func (o *Settle) legs() int { return len(o.Captures) + len(o.Legs) + len(o.Holds) }

func (o *Settle) authorisers(sender crypto.Address) (out []crypto.Address) {
	add := func(a crypto.Address) {
		if a != sender {
			out = append(out, a)
		}
	}
	for i := range o.Captures {
		add(o.Captures[i].By)
	}
	for i := range o.Legs {
		add(o.Legs[i].From)
	}
	for i := range o.Holds {
		add(o.Holds[i].From)
	}
	return out
}

// recipients leaves the payees of captured holds out: they have accounts.
func (o *Settle) recipients() (out []crypto.Address) {
	for i := range o.Legs {
		out = append(out, o.Legs[i].To)
	}
	for i := range o.Holds {
		out = append(out, o.Holds[i].To)
	}
	return out
}

func (o *Settle) check(_, _ crypto.Address) Code {
	if o.legs() == 0 {
		return CodeInvalidField
	}
	if o.legs() > MaxLegs {
		return CodeLimitExceeded
	}
	worst := Applied
	for i := range o.Captures {
		worst = first(worst, o.Captures[i].check())
	}
	for i := range o.Legs {
		worst = first(worst, o.Legs[i].check())
	}
	for i := range o.Holds {
		worst = first(worst, o.Holds[i].check())
	}
	return worst
}

func (c *Capture) check() Code { return checkQuantity(c.Hold, c.By, c.Amount, "") }

func (o *Settle) encode(w *encoder) {
	outer := w.list()
	list := w.list()
	for i := range o.Captures {
		c := &o.Captures[i]
		item := w.list()
		w.address(c.Hold)
		w.address(c.By)
		w.amount(c.Amount)
		w.end(item)
	}
	w.end(list)
	(&Transfer{Legs: o.Legs}).encode(w)
	list = w.list()
	for i := range o.Holds {
		o.Holds[i].encode(w)
	}
	w.end(list)
	w.end(outer)
}

func decodeSettle(d *decoder) Operation {
	o := new(Settle)
	captures := d.list()
	for len(captures.rest) > 0 && !captures.bad {
		item := captures.list()
		c := Capture{Hold: item.address(), By: item.address(), Amount: item.amount()}
		captures.close(item)
		o.Captures = append(o.Captures, c)
	}
	d.close(captures)
	legs := d.list()
	o.Legs = decodeTransfer(&legs).(*Transfer).Legs
	d.close(legs)
	holds := d.list()
	for len(holds.rest) > 0 && !holds.bad {
		item := holds.list()
		o.Holds = append(o.Holds, decodeTerms(&item))
		holds.close(item)
	}
	d.close(holds)
	return o
}

func (o *Settle) typed(m *message) {
	addList(m, "captures", "Capture", captureTypeHash, o.Captures, (*Capture).typed)
	addList(m, "legs", "Leg", legTypeHash, o.Legs, (*Leg).typed)
	addList(m, "holds", "Hold", holdTypeHash, o.Holds, (*Hold).typed)
}

func (c *Capture) typed(m *message) {
	m.address("hold", c.Hold)
	m.address("by", c.By)
	m.amount("amount", c.Amount)
}

// addList adds a list of structs.
func addList[T any](m *message, name, elem string, elemHash crypto.Hash, list []T, typed func(*T, *message)) {
	m.array(name, elem, elemHash, len(list), func(i int, m *message) { typed(&list[i], m) })
}

// apply of a settlement. Each capture is checked as captureHold is, and before
// the asset whether By may act; each leg and each hold as alone.
func (o *Settle) apply(s *state, b *Body) (Code, error) {
	for i := range o.Captures {
		c := &o.Captures[i]
		if code, err := s.captureHold(c.Hold, c.By, c.Amount, ""); code != Applied || err != nil {
			return code, err
		}
	}
	for i := range o.Legs {
		if code, err := o.Legs[i].apply(s); code != Applied || err != nil {
			return code, err
		}
	}
	for i := range o.Holds {
		id := s.net.HoldID(b.Sender, b.Nonce, uint32(i))
		if code, err := s.createHold(id, &o.Holds[i]); code != Applied || err != nil {
			return code, err
		}
	}
	return Applied, nil
}
