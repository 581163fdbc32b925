package index

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// happening is a place in the chain whose events are applied, one after another.
type happening struct {
	*state
	ctx context.Context

	height   ledger.Height
	time     ledger.UnixTime
	position store.Position
	n        int64 // of the event at hand

	movements     int64 // at this place
	firstMovement int64 // its number among the events; -1 for none
	transfers     int64 // of the whole block
}

// moves reports whether events of a type move an amount.
func moves(t ledger.EventType) bool {
	switch t {
	case ledger.EventTransfer, ledger.EventIssue, ledger.EventRedeem, ledger.EventClawback,
		ledger.EventHoldCreated, ledger.EventHoldCaptured, ledger.EventHoldReleased:
		return true
	}
	return false
}

// told reports whether a movement tells all of its event.
func told(t ledger.EventType) bool {
	switch t {
	case ledger.EventTransfer, ledger.EventIssue, ledger.EventRedeem, ledger.EventHoldCaptured:
		return true
	}
	return false
}

// apply writes one event, and what it comes to.
func (h *happening) apply(e *ledger.Event) error {
	if e.Type.Name() == "unknown" {
		return fmt.Errorf("event type %d is not known to the explorer: it needs a later version", e.Type)
	}
	if moves(e.Type) {
		if err := h.move(e); err != nil {
			return err
		}
	}
	if !told(e.Type) {
		if err := h.keep(e); err != nil {
			return err
		}
	}
	switch e.Type {
	case ledger.EventTransfer, ledger.EventClawback:
		return nil
	case ledger.EventIssue, ledger.EventRedeem:
		return h.supply(e)
	case ledger.EventHoldCreated, ledger.EventHoldCaptured, ledger.EventHoldReleased:
		return h.hold(e)
	case ledger.EventAccountCreated, ledger.EventAccountAdmitted, ledger.EventAccountFrozen, ledger.EventAccountUnfrozen,
		ledger.EventAccountClosed, ledger.EventAuthorityChanged:
		return h.account(e)
	case ledger.EventAssetCreated:
		return h.newAsset(e)
	case ledger.EventAssetPaused, ledger.EventAssetResumed, ledger.EventAssetRetired, ledger.EventAssetPausedByNetwork,
		ledger.EventAssetResumedByNetwork, ledger.EventIssuerChanged, ledger.EventMetadataChanged:
		return h.asset(e)
	case ledger.EventHolderApproved, ledger.EventHolderRevoked, ledger.EventHolderFrozen, ledger.EventHolderUnfrozen, ledger.EventBalanceFrozen:
		return h.holder(e)
	}
	return h.govern(e)
}

// keep writes an event that no movement tells whole.
func (h *happening) keep(e *ledger.Event) error {
	body, err := json.Marshal(wire.Event{Event: *e})
	if err != nil {
		return fmt.Errorf("event %s: %w", e.Type.Name(), err)
	}
	h.w.Add(store.Events, int64(h.position), h.n, int64(e.Type), optional(e.Asset), string(body))
	return nil
}

// optional is an address, or NULL for none.
func optional(a crypto.Address) []byte {
	if a.IsZero() {
		return nil
	}
	return a[:]
}

// The sides of entries. The numbers stand in the database.
const (
	sideOut     = 0 // from what is available
	sideIn      = 1 // to what is available
	sideHold    = 2 // from available to held, of the same account
	sideUnhold  = 3 // back
	sideHeldOut = 4 // from what is held, to another account
)

// move writes a movement, and an entry for each account that it changes.
func (h *happening) move(e *ledger.Event) error {
	hold := e.Other // of the events of holds alone
	h.w.Add(store.Movements, int64(h.position), h.n, int64(e.Type), e.Asset[:], optional(e.From), optional(e.To),
		store.AmountBytes(e.Amount), optional(hold), e.SenderReference(), store.ReferenceKey(e.SenderReference()))
	if h.movements++; h.firstMovement < 0 {
		h.firstMovement = h.n
	}
	counts, err := h.count(h.ctx, e.Asset)
	if err != nil {
		return err
	}
	counts.movements++
	switch e.Type {
	case ledger.EventTransfer, ledger.EventClawback:
		h.transfers++
		return first(h.entry(e, e.From, sideOut), h.entry(e, e.To, sideIn))
	case ledger.EventIssue:
		return h.entry(e, e.To, sideIn)
	case ledger.EventRedeem:
		return h.entry(e, e.From, sideOut)
	case ledger.EventHoldCreated:
		return h.entry(e, e.From, sideHold)
	case ledger.EventHoldReleased:
		return h.entry(e, e.From, sideUnhold)
	}
	h.transfers++
	return first(h.entry(e, e.From, sideHeldOut), h.entry(e, e.To, sideIn))
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// entry changes a balance and writes what was left.
func (h *happening) entry(e *ledger.Event, account crypto.Address, side int64) error {
	b, err := h.balance(h.ctx, balanceID{account, e.Asset})
	if err != nil {
		return err
	}
	had := !b.IsZero()
	if !b.change(side, e.Amount) {
		return fmt.Errorf("%w: %s of %s, balance of %s in asset %s", errAddUp, e.Type.Name(), e.Amount, account, e.Asset)
	}
	b.position = h.position
	if has := !b.IsZero(); had != has {
		counts, err := h.count(h.ctx, e.Asset)
		if err != nil {
			return err
		}
		if has {
			counts.holders++
		} else {
			counts.holders--
		}
	}
	if !b.moved {
		b.moved = true
		h.moved = append(h.moved, b)
	}
	h.w.Add(store.Entries, b.account[:], b.asset[:], int64(h.position), h.n, side,
		store.AmountBytes(e.Amount), store.AmountBytes(b.Available), store.AmountBytes(b.Held))
	return nil
}

// change moves an amount; ok is false where it is not there.
func (b *balance) change(side int64, amount ledger.Amount) (ok bool) {
	taken, given := &b.Available, &b.Held
	switch side {
	case sideOut:
		given = nil
	case sideIn:
		taken, given = nil, &b.Available
	case sideUnhold:
		taken, given = &b.Held, &b.Available
	case sideHeldOut:
		taken, given = &b.Held, nil
	}
	if taken != nil {
		if *taken, ok = taken.Sub(amount); !ok {
			return false
		}
	}
	if given != nil {
		if *given, ok = given.Add(amount); !ok {
			return false
		}
	}
	_, ok = b.Available.Add(b.Held)
	return ok
}

// supply follows an issue or a redemption.
func (h *happening) supply(e *ledger.Event) error {
	return change(h.ctx, h.state, store.KindAsset, e.Asset[:], e, func(a *store.AssetRecord) (ok bool) {
		if e.Type == ledger.EventIssue {
			a.Supply, ok = a.Supply.Add(e.Amount)
		} else {
			a.Supply, ok = a.Supply.Sub(e.Amount)
		}
		h.w.Add(store.Supplies, e.Asset[:], int64(h.position), h.n, store.AmountBytes(a.Supply))
		return ok
	})
}
