package ledger

import (
	"slices"

	"github.com/tallystick/tallystick/crypto"
)

// Includable says whether tx may stand in a block of the given time on top of
// the state that r reads: Applied, or the first code that fits, all of them
// below the refusals. It recovers the signers if nobody has; a tx shared
// between goroutines must have been recovered before.
func Includable(net *Network, time UnixTime, r Reader, tx *Tx) (Code, error) {
	s, err := newState(net, time, r)
	if err != nil {
		return 0, err
	}
	return s.includable(tx)
}

// includable is the rule. Cheapest first: bytes, sender, nonce, time, and
// only then signatures. (An Ethereum envelope names its sender only through
// its signature.)
func (s *state) includable(tx *Tx) (Code, error) {
	if tx.fault != Applied {
		return tx.fault, nil
	}
	if tx.Envelope != EnvelopeNative {
		if code := tx.RecoverSigners(); code != Applied {
			return code, nil
		}
	}
	sender, err := s.accounts.get(tx.Sender)
	if err != nil {
		return 0, err
	}
	switch {
	case !sender.present:
		return CodeUnknownSender, nil
	case sender.value.Status != StatusActive:
		return CodeSenderInactive, nil
	}
	if code := sender.value.Window.Usable(tx.Nonce); code != Applied {
		return code, nil
	}
	if tx.ValidUntil != 0 && tx.ValidUntil < s.time {
		return CodeExpired, nil
	}
	return s.authorised(tx, &sender.value)
}

// required is one account whose authority tx needs.
type required struct {
	address crypto.Address
	account *Account // nil when there is none
}

// authorised judges the signatures against the authorities of all accounts
// that must authorise tx.
func (s *state) authorised(tx *Tx, sender *Account) (Code, error) {
	accounts, err := s.requiredAccounts(tx, sender)
	if err != nil {
		return 0, err
	}
	keys := 0
	for _, a := range accounts {
		if a.account == nil {
			return CodeUnauthorized, nil
		}
		keys += max(1, len(a.account.Authority.Keys))
	}
	if tx.SignatureCount() > keys {
		return CodeTooManySignatures, nil
	}
	if code := tx.RecoverSigners(); code != Applied {
		return code, nil
	}
	if code := judgeSigners(accounts, tx.Signers); code != Applied {
		return code, nil
	}
	return s.lifetime(tx, sender), nil
}

// requiredAccounts lists the sender and every other account that must
// authorise tx, each once.
func (s *state) requiredAccounts(tx *Tx, sender *Account) ([]required, error) {
	list := []required{{tx.Sender, sender}}
	others := tx.Op.authorisers()
	others = slices.DeleteFunc(others, func(a crypto.Address) bool { return a == tx.Sender })
	slices.SortFunc(others, crypto.Address.Compare)
	for _, a := range slices.Compact(others) {
		c, err := s.accounts.get(a)
		if err != nil {
			return nil, err
		}
		r := required{address: a}
		if c.present {
			r.account = &c.value
		}
		list = append(list, r)
	}
	return list, nil
}

// judgeSigners: every account reaches its threshold, and without any one
// signature some account would not.
func judgeSigners(accounts []required, signers []crypto.Address) Code {
	needed := make([]bool, len(signers))
	for _, a := range accounts {
		if !markNeeded(a, signers, needed) {
			return CodeUnauthorized
		}
	}
	if slices.Contains(needed, false) {
		return CodeSuperfluous
	}
	return Applied
}

// markNeeded marks the signers without whom a falls below its threshold. ok
// is false when it is below it with all of them.
func markNeeded(a required, signers []crypto.Address, needed []bool) (ok bool) {
	authority := &a.account.Authority
	own := [1]Key{{a.address, 1}}
	keys := authority.Keys
	if len(keys) == 0 {
		keys = own[:]
	}
	var total uint64
	for _, k := range keys {
		if _, signed := slices.BinarySearchFunc(signers, k.Address, crypto.Address.Compare); signed {
			total += uint64(k.Weight)
		}
	}
	threshold := authority.threshold()
	if total < threshold {
		return false
	}
	for _, k := range keys {
		i, signed := slices.BinarySearchFunc(signers, k.Address, crypto.Address.Compare)
		if signed && total-uint64(k.Weight) < threshold {
			needed[i] = true
		}
	}
	return true
}

// lifetime bounds validUntil where somebody else than the sender signs, so
// that nobody holds another's signature as an option without end.
func (s *state) lifetime(tx *Tx, sender *Account) Code {
	foreign := slices.ContainsFunc(tx.Signers, func(a crypto.Address) bool {
		return sender.Authority.weight(tx.Sender, a) == 0
	})
	switch {
	case !foreign:
		return Applied
	case tx.ValidUntil == 0:
		return CodeLifetimeRequired
	case uint64(tx.ValidUntil) > uint64(s.time)+s.params.MaxMultiPartyLifetime:
		return CodeLifetimeTooLong
	}
	return Applied
}
