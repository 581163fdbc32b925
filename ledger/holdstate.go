package ledger

import (
	"errors"

	"github.com/tallystick/tallystick/crypto"
)

// errHeld means that held balances and holds do not add up.
var errHeld = errors.New("state is corrupt: what is held is not the sum of the holds")

// movable checks asset, payer and payee of a movement, and that the payee may hold
// the asset, as a transfer's leg does.
func (s *state) movable(asset, from, to crypto.Address) (Code, error) {
	if code, err := s.moving(asset); code != Applied || err != nil {
		return code, err
	}
	if code, err := s.paying(from); code != Applied || err != nil {
		return code, err
	}
	if code, err := s.receiving(to); code != Applied || err != nil {
		return code, err
	}
	return s.mayHold(asset, to)
}

// createHold checks expiry, asset, both accounts, the payee as a holder, ID, what
// the payer may spend, and balance, in this order.
func (s *state) createHold(id crypto.Address, h *Hold) (Code, error) {
	switch {
	case s.reached(h.Expiry):
		return CodeExpiryPassed, nil
	case h.Expiry-s.time > MaxHoldTime:
		return CodeExpiryTooFar, nil
	}
	if code, err := s.movable(h.Asset, h.From, h.To); code != Applied || err != nil {
		return code, err
	}
	c, err := s.hold(id)
	if err != nil {
		return 0, err
	}
	if c.present {
		return CodeHoldTaken, nil
	}
	if code, err := s.maySpend(h.Asset, h.From, h.Amount); code != Applied || err != nil {
		return code, err
	}
	if code, err := s.debit(h.From, h.Asset, h.Amount); code != Applied || err != nil {
		return code, err
	}
	if err := s.setAside(h.From, h.Asset, h.Amount); err != nil {
		return 0, err
	}
	if err := s.schedule(holdDue(id, h.Expiry)); err != nil {
		return 0, err
	}
	s.holdTable.set(c, *h)
	s.emit(Event{
		Type: EventHoldCreated, Other: id, From: h.From, To: h.To, Account: h.Arbiter, Asset: h.Asset,
		Amount: h.Amount, Until: h.Expiry, Reference: h.Reference,
	})
	return Applied, s.countHold(h, 1)
}

// captureHold pays a part of a hold to its payee. It checks hold, expiry, who
// captures, asset, both accounts, payee and payer as holders, and amount, in this
// order.
func (s *state) captureHold(id, by crypto.Address, amount Amount, reference string) (Code, error) {
	c, code, err := s.openHold(id)
	if code != Applied || err != nil {
		return code, err
	}
	h := c.value
	if by != h.captor() {
		return CodeNotHoldParty, nil
	}
	if code, err := s.paying(by); code != Applied || err != nil {
		return CodeCaptorInactive, err
	}
	if code, err := s.movable(h.Asset, h.From, h.To); code != Applied || err != nil {
		return code, err
	}
	if code, err := s.mayPayHeld(h.Asset, h.From); code != Applied || err != nil {
		return code, err
	}
	left, ok := h.Amount.Sub(amount)
	if !ok {
		return CodeExceedsHold, nil
	}
	if err := s.takeAside(h.From, h.Asset, amount); err != nil {
		return 0, err
	}
	if err := s.credit(h.To, h.Asset, amount); err != nil {
		return 0, err
	}
	s.emit(Event{Type: EventHoldCaptured, Other: id, From: h.From, To: h.To, Asset: h.Asset, Amount: amount, Reference: reference})
	if !left.IsZero() {
		h.Amount = left
		s.holdTable.set(c, h)
		return Applied, nil
	}
	if err := s.unschedule(holdDue(id, h.Expiry)); err != nil {
		return 0, err
	}
	s.holdTable.remove(c)
	return Applied, s.countHold(&h, -1)
}

// expireHold is what happens to a hold that is due. It cannot be refused.
func (s *state) expireHold(id string) error {
	if len(id) != crypto.AddressSize {
		return errHeld
	}
	c, err := s.hold(crypto.Address([]byte(id)))
	if err != nil {
		return err
	}
	if !c.present {
		return errHeld
	}
	return s.endHold(c, HoldExpired)
}

// endHold gives what is left of a hold back to the payer. It is off the
// schedule already.
func (s *state) endHold(c *cell[crypto.Address, Hold], end HoldEnd) error {
	h := c.value
	if err := s.takeAside(h.From, h.Asset, h.Amount); err != nil {
		return err
	}
	if err := s.credit(h.From, h.Asset, h.Amount); err != nil {
		return err
	}
	s.holdTable.remove(c)
	s.emit(Event{Type: EventHoldReleased, Other: c.id, From: h.From, To: h.To, Asset: h.Asset, Amount: h.Amount, Number: uint64(end)})
	return s.countHold(&h, -1)
}

// openHold finds a hold that is not due. A due one counts as ended, whether or
// not it was handled: how many fall due together must not decide who is paid.
func (s *state) openHold(id crypto.Address) (*cell[crypto.Address, Hold], Code, error) {
	c, err := s.hold(id)
	switch {
	case err != nil:
		return nil, 0, err
	case !c.present:
		return nil, CodeUnknownHold, nil
	case s.reached(c.value.Expiry):
		return nil, CodeHoldDue, nil
	}
	return c, Applied, nil
}

// captor is who alone captures.
func (h *Hold) captor() crypto.Address {
	if h.Arbiter.IsZero() {
		return h.To
	}
	return h.Arbiter
}

// mayRelease: the payee, the arbiter, and the issuer who can claw back.
func (s *state) mayRelease(h *Hold, sender crypto.Address) (bool, error) {
	if sender == h.To || sender == h.captor() {
		return true, nil
	}
	asset, err := s.asset(h.Asset)
	if err != nil {
		return false, err
	}
	return asset.value.Flags&FlagClawback != 0 && sender == asset.value.Issuer, nil
}

// holdDue is a hold's place in the schedule.
func holdDue(id crypto.Address, expiry UnixTime) dueID {
	return dueID{expiry, dueHold, string(id[:])}
}

// setAside adds to the held balance what debit took from the available one.
func (s *state) setAside(account, asset crypto.Address, amount Amount) error {
	return s.setHeld(account, asset, amount, Amount.Add)
}

// takeAside takes from the held balance.
func (s *state) takeAside(account, asset crypto.Address, amount Amount) error {
	return s.setHeld(account, asset, amount, Amount.Sub)
}

func (s *state) setHeld(account, asset crypto.Address, amount Amount, change func(Amount, Amount) (Amount, bool)) error {
	c, err := s.balance(account, asset)
	if err != nil {
		return err
	}
	b := c.value
	held, ok := change(b.Held, amount)
	if !ok {
		return errHeld
	}
	b.Held = held
	return s.setBalance(c, b)
}

// countHold counts a hold in, or out, at both accounts and the asset.
func (s *state) countHold(h *Hold, by int64) error {
	for _, a := range [...]crypto.Address{h.From, h.To} {
		c, err := s.account(a)
		if err != nil {
			return err
		}
		counted := c.value
		if counted.Holds += uint64(by); !c.present || counted.Holds == ^uint64(0) {
			return errHeld
		}
		s.accountTable.set(c, counted)
	}
	c, err := s.asset(h.Asset)
	if err != nil {
		return err
	}
	counted := c.value
	if counted.Holds += uint64(by); !c.present || counted.Holds == ^uint64(0) {
		return errHeld
	}
	s.assetTable.set(c, counted)
	return nil
}
