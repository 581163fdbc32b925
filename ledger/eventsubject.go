package ledger

import "github.com/tallystick/tallystick/crypto"

// Parties are the accounts, members and holds that the event is about, in no
// order and perhaps twice; zero where there are fewer. The asset is not among
// them.
func (e *Event) Parties() [4]crypto.Address {
	return [...]crypto.Address{e.From, e.To, e.Account, e.Other}
}

// SenderReference is the reference that the transaction's sender wrote to the
// event's effect, or nothing. It is not always the field Reference, in which
// some types keep other texts.
func (e *Event) SenderReference() string {
	if !hasReference[e.Type] {
		return ""
	}
	return e.Reference
}

// hasReference are the types with the field "reference".
var hasReference = func() (has [256]bool) {
	for i := range eventSpecs {
		for _, f := range eventSpecs[i].fields {
			has[eventSpecs[i].kind] = has[eventSpecs[i].kind] || f.key == fieldRef.key
		}
	}
	return has
}()
