package ledger

import "github.com/tallystick/tallystick/crypto"

// Transfer moves assets, leg by leg, all or nothing.
type Transfer struct {
	Legs []Leg `json:"legs"` // 1..MaxLegs, applied in order, each seeing the earlier ones
}

// Leg is one movement of a transfer. The account From must authorise it.
type Leg struct {
	From      crypto.Address `json:"from"`
	To        crypto.Address `json:"to"`
	Asset     crypto.Address `json:"asset"`
	Amount    Amount         `json:"amount"`              // above 0, but see CodeZeroAmount
	Reference string         `json:"reference,omitempty"` // at most MaxReferenceBytes of text
}

const typedLeg = "Leg(address from,address to,address asset,uint128 amount,string reference)"

var legTypeHash = crypto.TypeHash(typedLeg)

var legForm = all("from", "to", "asset", "amount").with("reference")

var transferSpec = kindSpec{
	kind: KindTransfer, name: "transfer", form: jsonForm{{name: "legs", form: legForm}},
	fields: "Leg[] legs", nested: []string{typedLeg},
	empty: func() Operation { return new(Transfer) }, decode: decodeTransfer,
}

// Kind implements Operation.
func (*Transfer) Kind() Kind { return KindTransfer }

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

func (t *Transfer) typed(m *message) {
	m.array("legs", "Leg", legTypeHash, len(t.Legs), func(i int, m *message) { t.Legs[i].typed(m) })
}

func (l *Leg) typed(m *message) {
	m.address("from", l.From)
	m.address("to", l.To)
	m.address("asset", l.Asset)
	m.amount("amount", l.Amount)
	m.string("reference", l.Reference)
}

// apply of a transfer. Each leg is checked in this order: asset, retirement,
// pause, payer, recipient, what the asset's flags ask of the recipient and of
// the payer, balance.
func (t *Transfer) apply(s *state, b *Body) (Code, error) {
	if t.isCancel(b.Sender, s.net.Settlement) {
		return Applied, nil
	}
	for i := range t.Legs {
		if code, err := t.Legs[i].apply(s); code != Applied || err != nil {
			return code, err
		}
	}
	return Applied, nil
}

func (l *Leg) apply(s *state) (Code, error) {
	if code, err := s.moving(l.Asset); code != Applied || err != nil {
		return code, err
	}
	if code, err := s.paying(l.From); code != Applied || err != nil {
		return code, err
	}
	if code, err := s.receiving(l.To); code != Applied || err != nil {
		return code, err
	}
	if code, err := s.mayHold(l.Asset, l.To); code != Applied || err != nil {
		return code, err
	}
	if code, err := s.maySpend(l.Asset, l.From, l.Amount); code != Applied || err != nil {
		return code, err
	}
	if code, err := s.debit(l.From, l.Asset, l.Amount); code != Applied || err != nil {
		return code, err
	}
	if err := s.credit(l.To, l.Asset, l.Amount); err != nil {
		return 0, err
	}
	s.emit(Event{Type: EventTransfer, From: l.From, To: l.To, Asset: l.Asset, Amount: l.Amount, Reference: l.Reference})
	return Applied, nil
}

// paying: the account may act. It exists, for it has authorised.
func (s *state) paying(from crypto.Address) (Code, error) {
	c, err := s.account(from)
	if err != nil {
		return 0, err
	}
	if !c.present || c.value.Status != StatusActive {
		return CodeSourceInactive, nil
	}
	if acts, err := s.memberActs(c.value.Member); !acts || err != nil {
		return CodeSourceInactive, err
	}
	return Applied, nil
}

// receiving: the account may receive. Under the open policy it is created
// where there is none.
func (s *state) receiving(to crypto.Address) (Code, error) {
	account, err := s.account(to)
	if err != nil {
		return 0, err
	}
	if account.present {
		if account.value.Status != StatusActive {
			return CodeRecipientInactive, nil
		}
		return Applied, nil
	}
	asset, err := s.asset(to)
	switch {
	case err != nil:
		return 0, err
	case asset.present:
		return CodeRecipientIsAsset, nil
	case s.params.AccountPolicy != PolicyOpen:
		return CodeRecipientNotAdmitted, nil
	case s.created >= s.params.MaxNewAccounts:
		return CodeNewAccountLimit, nil
	}
	s.accountTable.set(account, Account{Status: StatusActive})
	s.created++
	s.emit(Event{Type: EventAccountCreated, Account: to})
	return Applied, nil
}

// debit takes from the available balance.
func (s *state) debit(account, asset crypto.Address, amount Amount) (Code, error) {
	c, err := s.balance(account, asset)
	if err != nil {
		return 0, err
	}
	b := c.value
	left, ok := b.Available.Sub(amount)
	if !ok {
		return CodeInsufficientBalance, nil
	}
	b.Available = left
	return Applied, s.setBalance(c, b)
}

// credit adds to the available balance. The sum cannot overflow: it is at
// most the asset's supply.
func (s *state) credit(account, asset crypto.Address, amount Amount) error {
	c, err := s.balance(account, asset)
	if err != nil {
		return err
	}
	b := c.value
	sum, ok := b.Available.Add(amount)
	if !ok {
		return errSupply
	}
	b.Available = sum
	return s.setBalance(c, b)
}

// setBalance writes a balance; an empty one is not kept. The account counts
// those it has.
func (s *state) setBalance(c *cell[balanceID, Balance], b Balance) error {
	had := c.present
	if b.IsZero() {
		s.balanceTable.remove(c)
	} else {
		s.balanceTable.set(c, b)
	}
	if had == c.present {
		return nil
	}
	account, err := s.account(c.id.account)
	if err != nil {
		return err
	}
	counted := account.value
	if c.present {
		counted.Balances++
	} else {
		counted.Balances--
	}
	s.accountTable.set(account, counted)
	return nil
}
