package index

import (
	"slices"

	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
)

// account follows what an event makes of an account.
func (h *happening) account(e *ledger.Event) error {
	if e.Type == ledger.EventAccountCreated {
		h.counts["accounts"]++
		return h.create(store.KindAccount, e.Account[:], &store.AccountRecord{Created: h.position, Status: ledger.StatusActive})
	}
	return change(h.ctx, h.state, store.KindAccount, e.Account[:], e, func(a *store.AccountRecord) (ok bool) {
		by := ledger.StatusFrozen
		if e.Other.IsZero() {
			by = ledger.StatusFrozenByNetwork
		}
		switch {
		case a.Status == ledger.StatusClosed:
			return false
		case e.Type == ledger.EventAccountAdmitted:
			a.Member = e.Other
		case e.Type == ledger.EventAccountFrozen:
			a.Status, ok = a.Status.Frozen(by)
			return ok
		case e.Type == ledger.EventAccountUnfrozen:
			a.Status, ok = a.Status.Unfrozen(by)
			return ok
		case e.Type == ledger.EventAccountClosed:
			a.Status = ledger.StatusClosed
		case e.Type == ledger.EventAuthorityChanged:
			a.Keys, ok = ledger.ParseKeys(e.Keys)
			a.Threshold = e.Number
			return ok
		}
		return true
	})
}

func (h *happening) newAsset(e *ledger.Event) error {
	h.counts["assets"]++
	counts, err := h.count(h.ctx, e.Asset) // so that there is a row of it
	if err != nil {
		return err
	}
	counts.touched = true
	for _, t := range slices.Concat(store.Trigrams(e.Symbol), store.Trigrams(e.Name)) {
		h.w.Add(store.TrigramRows, []byte(t), int64(store.TrigramAsset), e.Asset[:])
	}
	return h.create(store.KindAsset, e.Asset[:], &store.AssetRecord{
		Created: h.position, Symbol: e.Symbol, Name: e.Name, Decimals: e.Decimals, Issuer: e.Account, Cap: e.Amount,
		Flags: e.Flags, Status: ledger.AssetActive,
	})
}

// asset follows what an event makes of an asset.
func (h *happening) asset(e *ledger.Event) error {
	return change(h.ctx, h.state, store.KindAsset, e.Asset[:], e, func(a *store.AssetRecord) (ok bool) {
		switch e.Type {
		case ledger.EventIssuerChanged:
			a.Issuer = e.Account
		case ledger.EventMetadataChanged:
			a.URI, a.Hash = e.Name, e.Hash
		default:
			a.Status, ok = a.Status.After(e.Type)
			return ok
		}
		return true
	})
}

// holder follows what an issuer says of an account.
func (h *happening) holder(e *ledger.Event) error {
	key := append(append(make([]byte, 0, 40), e.Asset[:]...), e.Account[:]...)
	r, err := h.find(h.ctx, store.KindHolder, key)
	if err != nil {
		return err
	}
	if r.value == nil {
		r.value = new(store.HolderRecord)
	}
	holder := r.value.(*store.HolderRecord)
	switch e.Type {
	case ledger.EventHolderApproved, ledger.EventHolderRevoked:
		holder.Approved = e.Type == ledger.EventHolderApproved
	case ledger.EventHolderFrozen, ledger.EventHolderUnfrozen:
		holder.Frozen = e.Type == ledger.EventHolderFrozen
	case ledger.EventBalanceFrozen:
		holder.FrozenAmount = e.Amount
	}
	h.touch(r)
	return nil
}

// hold follows a hold from its making to its end.
func (h *happening) hold(e *ledger.Event) error {
	if e.Type == ledger.EventHoldCreated {
		h.counts["holds"]++
		made := &store.HoldRecord{
			Created: h.position, From: e.From, To: e.To, Arbiter: e.Account, Asset: e.Asset, Amount: e.Amount, Left: e.Amount,
			Expiry: e.Until, Reference: e.Reference, Status: store.HoldOpen,
		}
		if err := h.create(store.KindHold, e.Other[:], made); err != nil {
			return err
		}
		return h.countHold(e, 1)
	}
	ended := false
	err := change(h.ctx, h.state, store.KindHold, e.Other[:], e, func(r *store.HoldRecord) (ok bool) {
		if r.Status != store.HoldOpen {
			return false
		}
		if r.Left, ok = r.Left.Sub(e.Amount); !ok {
			return false
		}
		switch {
		case e.Type == ledger.EventHoldCaptured:
			if r.Captured, ok = r.Captured.Add(e.Amount); !ok {
				return false
			}
			if ended = r.Left.IsZero(); ended {
				r.Status = store.HoldCaptured
			}
		case !r.Left.IsZero():
			return false
		case e.Number == uint64(ledger.HoldExpired):
			r.Status, ended = store.HoldExpired, true
		default:
			r.Status, ended = store.HoldReleased, true
		}
		if ended {
			r.Ended = h.position
		}
		return true
	})
	if err != nil || !ended {
		return err
	}
	h.counts["holds"]--
	return h.countHold(e, -1)
}

// countHold counts the asset's open holds.
func (h *happening) countHold(e *ledger.Event, by int64) error {
	return change(h.ctx, h.state, store.KindAsset, e.Asset[:], e, func(a *store.AssetRecord) bool {
		a.Holds = uint64(int64(a.Holds) + by)
		return int64(a.Holds) >= 0
	})
}
