package ledger

import (
	"fmt"

	"github.com/tallystick/tallystick/crypto"
)

// Limits of an account's authority.
const (
	MaxAuthorityKeys = 16
	maxKeyWeight     = 1<<32 - 1
)

// AccountStatus says what an account may do.
type AccountStatus uint8

// The statuses.
const (
	StatusActive          AccountStatus = 1 // may act and receive
	StatusFrozen          AccountStatus = 2 // frozen by its member's registrar: may do neither
	StatusFrozenByNetwork AccountStatus = 3 // frozen by a vote of the members
	StatusFrozenByBoth    AccountStatus = 4
	StatusClosed          AccountStatus = 5 // for ever; it holds nothing
)

// String returns the status's name in JSON.
func (s AccountStatus) String() string {
	switch s {
	case StatusActive:
		return "active"
	case StatusFrozen:
		return "frozen"
	case StatusFrozenByNetwork:
		return "frozenByNetwork"
	case StatusFrozenByBoth:
		return "frozenByBoth"
	case StatusClosed:
		return "closed"
	}
	return "unknown"
}

// Frozen is the status after one of two parties froze the account: by is
// StatusFrozen for its member's registrar, StatusFrozenByNetwork for the
// network. ok is false where that party has frozen it already, and for a closed
// account.
func (s AccountStatus) Frozen(by AccountStatus) (frozen AccountStatus, ok bool) {
	switch s {
	case StatusActive:
		return by, true
	case StatusFrozen, StatusFrozenByNetwork:
		return StatusFrozenByBoth, s != by
	}
	return s, false
}

// Unfrozen is the inverse of Frozen: what the other party froze stays frozen.
func (s AccountStatus) Unfrozen(by AccountStatus) (thawed AccountStatus, ok bool) {
	switch {
	case s == by:
		return StatusActive, true
	case s != StatusFrozenByBoth:
		return s, false
	case by == StatusFrozen:
		return StatusFrozenByNetwork, true
	}
	return StatusFrozen, true
}

// Key is one key of an authority.
type Key struct {
	Address crypto.Address `json:"address"`
	Weight  uint32         `json:"weight"` // above 0
}

// Authority says whose signatures act for an account: those of Keys whose
// weights together reach Threshold. The zero value stands for the account's
// own key alone.
type Authority struct {
	Keys      []Key  // strictly ascending by address, at most MaxAuthorityKeys
	Threshold uint64 // above 0, at most the sum of the weights
}

// Account is an account's record. Records are never deleted.
type Account struct {
	Status    AccountStatus
	Window    Window
	Authority Authority
	Member    crypto.Address // the member that answers for it; zero for none
	Balances  uint64         // how many balances it has: a closed account has none
	Holds     uint64         // how many holds it pays or is paid by
}

// weight is what a key counts in the authority of the account at self.
func (a *Authority) weight(self, key crypto.Address) uint64 {
	if len(a.Keys) == 0 {
		if key == self {
			return 1
		}
		return 0
	}
	for _, k := range a.Keys {
		if k.Address == key {
			return uint64(k.Weight)
		}
	}
	return 0
}

// threshold is the weight that must be reached.
func (a *Authority) threshold() uint64 {
	if len(a.Keys) == 0 {
		return 1
	}
	return a.Threshold
}

// Check reports what is wrong with an authority for the account at self. The
// account's own key alone must be written as the zero value.
func (a *Authority) Check(self crypto.Address) error {
	if len(a.Keys) == 1 && a.Keys[0] == (Key{self, 1}) && a.Threshold == 1 {
		return fmt.Errorf("the account's own key alone is the default: leave keys and threshold out")
	}
	return a.check()
}

// check is Check without what depends on whose authority it is.
func (a *Authority) check() error {
	if len(a.Keys) == 0 {
		if a.Threshold != 0 {
			return fmt.Errorf("threshold %d without keys", a.Threshold)
		}
		return nil
	}
	if len(a.Keys) > MaxAuthorityKeys {
		return fmt.Errorf("%d keys: at most %d", len(a.Keys), MaxAuthorityKeys)
	}
	var sum uint64
	for i, k := range a.Keys {
		if k.Weight == 0 || k.Address.IsZero() {
			return fmt.Errorf("key %s with weight %d: neither may be zero", k.Address, k.Weight)
		}
		if i > 0 && a.Keys[i-1].Address.Compare(k.Address) >= 0 {
			return fmt.Errorf("keys are not in ascending order at %s", k.Address)
		}
		sum += uint64(k.Weight)
	}
	if a.Threshold == 0 || a.Threshold > sum {
		return fmt.Errorf("threshold %d: must be from 1 to %d, the sum of the weights", a.Threshold, sum)
	}
	return nil
}

// writeAccount writes rlp([status, next, holes, threshold, [[address,
// weight]…], member, balances, holds]). No member is the empty string.
func writeAccount(w *encoder, a *Account) {
	outer := w.list()
	w.uint(uint64(a.Status))
	w.uint(uint64(a.Window.Next))
	w.bytes(a.Window.holes)
	w.uint(a.Authority.Threshold)
	w.keys(a.Authority.Keys)
	w.optional(a.Member[:])
	w.uint(a.Balances)
	w.uint(a.Holds)
	w.end(outer)
}

// DecodeAccount reads an account's record as the state keeps it. The result
// keeps a view of value.
func DecodeAccount(value []byte) (Account, error) {
	d := decoder{rest: value}
	l := d.list()
	a := Account{Status: AccountStatus(l.uintUpTo(255))}
	a.Window.Next = Nonce(l.uint())
	a.Window.holes = l.bytes()
	a.Authority.Threshold = l.uint()
	a.Authority.Keys = l.keys()
	l.optional(a.Member[:])
	a.Balances, a.Holds = l.uint(), l.uint()
	d.close(l)
	if !d.done() || a.Status.String() == "unknown" || !a.Window.valid() {
		return Account{}, fmt.Errorf("account record %x is not well formed", value)
	}
	if err := a.Authority.check(); err != nil {
		return Account{}, fmt.Errorf("account record %x: %w", value, err)
	}
	return a, nil
}
