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
	sender, err := s.account(tx.Sender)
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

// keys counts the keys that could sign for it.
func (r *required) keys() int {
	if r.account == nil {
		return 0
	}
	return max(1, len(r.account.Authority.Keys))
}

// authorised judges the signatures against the authorities of all accounts
// that must authorise tx. Signatures are counted before any is recovered, so
// that what can never be authorised costs no recovery.
func (s *state) authorised(tx *Tx, sender *Account) (Code, error) {
	self := [1]required{{tx.Sender, sender}}
	accounts, err := s.appendAuthorisers(self[:], tx)
	if err != nil {
		return 0, err
	}
	keys := 0
	for i := range accounts {
		keys += accounts[i].keys()
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

// appendAuthorisers appends every account besides the sender that must
// authorise tx, each once.
func (s *state) appendAuthorisers(list []required, tx *Tx) ([]required, error) {
	others := tx.Op.authorisers(tx.Sender)
	slices.SortFunc(others, crypto.Address.Compare)
	for _, a := range slices.Compact(others) {
		c, err := s.account(a)
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
	var needed [MaxSignatures]bool
	for i := range accounts {
		if !accounts[i].markNeeded(signers, &needed) {
			return CodeUnauthorized
		}
	}
	if slices.Contains(needed[:len(signers)], false) {
		return CodeSuperfluous
	}
	return Applied
}

// markNeeded marks the signers without whom the account falls below its
// threshold. ok is false when it is below it with all of them. Keys and
// signers both stand ascending.
func (r *required) markNeeded(signers []crypto.Address, needed *[MaxSignatures]bool) (ok bool) {
	if r.account == nil {
		return false
	}
	own := [1]Key{{r.address, 1}}
	keys := r.account.Authority.Keys
	if len(keys) == 0 {
		keys = own[:]
	}
	var weights [MaxAuthorityKeys]uint64 // of the keys that signed
	var places [MaxAuthorityKeys]int     // their places among the signers
	var total uint64
	signed, at := 0, 0
	for _, k := range keys {
		for at < len(signers) && signers[at].Compare(k.Address) < 0 {
			at++
		}
		if at < len(signers) && signers[at] == k.Address {
			weights[signed], places[signed] = uint64(k.Weight), at
			total += uint64(k.Weight)
			signed++
		}
	}
	threshold := r.account.Authority.threshold()
	if total < threshold {
		return false
	}
	for i := range signed {
		if total-weights[i] < threshold {
			needed[places[i]] = true
		}
	}
	return true
}

// lifetime bounds validUntil where somebody else than the sender signs, so
// that nobody holds another's signature as an option without end. validUntil
// is 0 or not before the block's time.
func (s *state) lifetime(tx *Tx, sender *Account) Code {
	foreign := slices.ContainsFunc(tx.Signers, func(a crypto.Address) bool {
		return sender.Authority.weight(tx.Sender, a) == 0
	})
	switch {
	case !foreign:
		return Applied
	case tx.ValidUntil == 0:
		return CodeLifetimeRequired
	case uint64(tx.ValidUntil-s.time) > s.params.MaxMultiPartyLifetime:
		return CodeLifetimeTooLong
	}
	return Applied
}
