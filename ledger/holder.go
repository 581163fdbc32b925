package ledger

import (
	"fmt"

	"github.com/tallystick/tallystick/crypto"
)

// Holder is what the issuer of an asset with flags has said about an account.
// The record stays whatever the account holds; where nothing was said, there
// is none.
type Holder struct {
	Approved     bool   // it may receive an asset that is restricted
	Frozen       bool   // it may neither spend nor receive an asset that is freezable
	FrozenAmount Amount // so much of the available balance must stay, also of what comes
}

// IsZero reports whether nothing was said.
func (h Holder) IsZero() bool { return h == Holder{} }

// holderID names a holder's record.
type holderID struct{ asset, account crypto.Address }

// writeHolder writes rlp([approved, frozen, frozenAmount]).
func writeHolder(w *encoder, h *Holder) {
	l := w.list()
	w.bool(h.Approved)
	w.bool(h.Frozen)
	w.amount(h.FrozenAmount)
	w.end(l)
}

// DecodeHolder reads a holder's record as the state keeps it; nothing (an
// absent key) says nothing.
func DecodeHolder(value []byte) (Holder, error) {
	if len(value) == 0 {
		return Holder{}, nil
	}
	d := decoder{rest: value}
	l := d.list()
	h := Holder{Approved: l.bool(), Frozen: l.bool(), FrozenAmount: l.amount()}
	d.close(l)
	if !d.done() || h.IsZero() {
		return Holder{}, fmt.Errorf("holder record %x is not well formed", value)
	}
	return h, nil
}

// bool writes 1 for true and 0 for false.
func (w *encoder) bool(b bool) {
	if b {
		w.uint(1)
	} else {
		w.uint(0)
	}
}

func (d *decoder) bool() bool { return d.uintUpTo(1) == 1 }

func (s *state) holder(asset, account crypto.Address) (*cell[holderID, Holder], error) {
	return s.holderTable.get(s.reader, holderID{asset, account})
}

// setHolder writes a holder's record; one that says nothing is not kept.
func (s *state) setHolder(c *cell[holderID, Holder], h Holder) {
	if h.IsZero() {
		s.holderTable.remove(c)
	} else {
		s.holderTable.set(c, h)
	}
}

// mayHold judges by the asset's flags whether an account may receive it:
// approval, then freezing. The issuer needs no approval. The asset exists. It
// reads a record more only where a flag asks for it.
func (s *state) mayHold(asset, account crypto.Address) (Code, error) {
	c, err := s.asset(asset)
	if err != nil || c.value.Flags&(FlagRestricted|FlagFreezable) == 0 {
		return Applied, err
	}
	a := &c.value
	h, err := s.holder(asset, account)
	switch {
	case err != nil:
		return 0, err
	case a.Flags&FlagRestricted != 0 && !h.value.Approved && account != a.Issuer:
		return CodeRecipientNotApproved, nil
	case h.value.Frozen && !a.Status.retired():
		return CodeRecipientFrozen, nil
	}
	return Applied, nil
}

// mayPayHeld judges whether what is held of an account's asset may be paid out of
// it: not while the issuer keeps the holder from spending. A part that must stay
// is a part of what is available, and does not count.
func (s *state) mayPayHeld(asset, account crypto.Address) (Code, error) {
	c, err := s.asset(asset)
	if err != nil || c.value.Flags&FlagFreezable == 0 {
		return Applied, err
	}
	h, err := s.holder(asset, account)
	if err == nil && h.value.Frozen {
		return CodeSourceFrozen, nil
	}
	return Applied, err
}

// maySpend judges by the asset's flags whether an account may give away an
// amount of what it has available: freezing, then the balance and what of it
// is frozen. It spends nothing. Without a freeze it does not look at the
// balance. Once the asset is retired freezes do not count: nothing could end
// them, and what is left can only go to the issuer.
func (s *state) maySpend(asset, account crypto.Address, amount Amount) (Code, error) {
	c, err := s.asset(asset)
	if err != nil || c.value.Flags&FlagFreezable == 0 || c.value.Status.retired() {
		return Applied, err
	}
	h, err := s.holder(asset, account)
	switch {
	case err != nil:
		return 0, err
	case h.value.Frozen:
		return CodeSourceFrozen, nil
	case h.value.FrozenAmount.IsZero():
		return Applied, nil
	}
	balance, err := s.balance(account, asset)
	if err != nil {
		return 0, err
	}
	left, ok := balance.value.Available.Sub(amount)
	switch {
	case !ok:
		return CodeInsufficientBalance, nil
	case left.Cmp(h.value.FrozenAmount) < 0:
		return CodeBalanceFrozen, nil
	}
	return Applied, nil
}
