package ledger

import (
	"slices"

	"github.com/tallystick/tallystick/crypto"
)

// Authorisers lists the accounts that must authorise a body, the sender first,
// each once.
func (b *Body) Authorisers() []crypto.Address {
	accounts := []crypto.Address{b.Sender}
	for _, a := range b.Op.authorisers(b.Sender) {
		if !slices.Contains(accounts, a) {
			accounts = append(accounts, a)
		}
	}
	return accounts
}
