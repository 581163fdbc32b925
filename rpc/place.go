package rpc

import (
	"cmp"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// Place is where in the chain something was done: a transaction's place, or,
// with the index OwnEvents, that of a block's own events, which come before its
// transactions. Height 0 has the genesis as its own events and nothing else.
type Place struct {
	Height ledger.Height
	Index  uint32 // of the transaction in its block, from 0; or OwnEvents
}

// OwnEvents is the index of the place of a block's own events. No block has so
// many transactions.
const OwnEvents = 1<<32 - 1

// FirstPlace and LastPlace are the ends of a block: what is at its height lies
// between them, both included.
func FirstPlace(height ledger.Height) Place { return Place{height, OwnEvents} }

// LastPlace is the last place that a block can have.
func LastPlace(height ledger.Height) Place { return Place{height, OwnEvents - 1} }

// Compare orders places as the chain does: -1 where p comes before q, 1 where
// after it, else 0.
func (p Place) Compare(q Place) int {
	if c := cmp.Compare(p.Height, q.Height); c != 0 {
		return c
	}
	return cmp.Compare(p.Index+1, q.Index+1) // OwnEvents + 1 is 0
}

// PlaceQuery says what is sought, and where. Exactly one of Account, Asset and
// Reference is set.
type PlaceQuery struct {
	// Account is an account, a member or a hold: where it is a transaction's
	// sender, or in an event.
	Account *crypto.Address
	// Asset is where events are about an asset.
	Asset *crypto.Address
	// Reference is where events have exactly this reference.
	Reference string

	From, To   Place // the first and the last that may be answered
	Descending bool  // the last first
	Limit      int   // at least 1
}

// Concerns reports whether an event is about what is sought.
func (q *PlaceQuery) Concerns(e *ledger.Event) bool {
	switch {
	case q.Account != nil:
		for _, party := range e.Parties() {
			if party == *q.Account && !party.IsZero() {
				return true
			}
		}
		return false
	case q.Asset != nil:
		return e.Asset == *q.Asset && !e.Asset.IsZero()
	}
	return q.Reference != "" && e.SenderReference() == q.Reference
}
