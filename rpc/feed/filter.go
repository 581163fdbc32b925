package feed

import (
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// Filter chooses receipts and events of blocks. A condition that is nil holds
// for all; those that are given must all hold. The zero Filter chooses everything.
//
// Of a receipt each condition is asked on its own: some event may name the account
// and another the asset. Of a block's own events each event is asked for itself.
type Filter struct {
	// Account is the sender, or an account that an event names: as payer, payee,
	// arbiter, issuer, or what the event is about.
	Account *crypto.Address
	// Asset is named by an event.
	Asset *crypto.Address
	// Member is named by an event, or answers, after the block, for an account
	// that Account would find. Its admin account is one of its own.
	Member *crypto.Address
	// Reference is that of an event: a transfer's, a hold's, an order's.
	Reference *string
}

// everything reports whether nothing is left out.
func (f *Filter) everything() bool {
	return f.Account == nil && f.Asset == nil && f.Member == nil && f.Reference == nil
}

// carries says which of an event's fields its type has.
type carries struct{ member, reference bool }

// carried are the types' fields. Other types use the same Go fields for other things.
var carried = func() (byType [256]carries) {
	for _, t := range ledger.EventTypes() {
		blank := ledger.Event{Type: t}
		for _, a := range blank.Attributes() {
			switch a.Key {
			case "member":
				byType[t].member = true
			case "reference":
				byType[t].reference = true
			}
		}
	}
	return byType
}()

// accountsOf calls yield with the accounts that an event names, maybe twice.
func accountsOf(e *ledger.Event, yield func(crypto.Address)) {
	for _, a := range [...]crypto.Address{e.Account, e.From, e.To} {
		if !a.IsZero() {
			yield(a)
		}
	}
}

// memberOf is the member that an event names; zero for none.
func memberOf(e *ledger.Event) crypto.Address {
	if !carried[e.Type].member {
		return crypto.Address{}
	}
	return e.Other
}

// referenceOf is an event's reference; empty for none.
func referenceOf(e *ledger.Event) string {
	if !carried[e.Type].reference {
		return ""
	}
	return e.Reference
}
