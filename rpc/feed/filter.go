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
	// Account is the sender, or a party of an event (ledger.Event.Parties): an
	// account, a member or a hold.
	Account *crypto.Address
	// Asset is named by an event.
	Asset *crypto.Address
	// Member is a party itself, or answers, after the block, for an account that
	// Account would find.
	Member *crypto.Address
	// Reference is one that a sender gave to an event's effect.
	Reference *string
}

// everything reports whether nothing is left out.
func (f *Filter) everything() bool {
	return f.Account == nil && f.Asset == nil && f.Member == nil && f.Reference == nil
}

// partiesOf calls yield with the accounts, members and holds that an event is
// about, perhaps twice.
func partiesOf(e *ledger.Event, yield func(crypto.Address)) {
	for _, a := range e.Parties() {
		if !a.IsZero() {
			yield(a)
		}
	}
}

// chooses judges one event. m is needed where the filter names a member.
func (f *Filter) chooses(e *ledger.Event, m *members) bool {
	var account, member bool
	partiesOf(e, func(a crypto.Address) {
		account = account || f.Account != nil && a == *f.Account
		member = member || f.Member != nil && (a == *f.Member || m.of[a] == *f.Member)
	})
	return (f.Account == nil || account) && (f.Member == nil || member) &&
		(f.Asset == nil || e.Asset == *f.Asset) && (f.Reference == nil || e.SenderReference() == *f.Reference)
}
