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

// includable is the rule. Cheapest first: bytes, sender, nonce, time, the
// number of signatures, and only then the signatures. (An Ethereum envelope
// names its sender only through its signature.)
func (s *state) includable(tx *Tx) (Code, error) {
	if tx.Envelope != EnvelopeNative {
		if code := tx.RecoverSigners(); code != Applied {
			return code, nil
		}
	}
	c, code, err := s.unsigned(tx)
	if code != Applied || err != nil {
		return code, err
	}
	if code := tx.RecoverSigners(); code != Applied {
		return code, nil
	}
	return s.authorised(tx, c)
}

// claim is a transaction's sender, and the other accounts that must authorise
// it, each once, ascending.
type claim struct {
	sender *Account
	others []crypto.Address
}

// unsigned is the part of the rule that recovers no signer. tx is native, or
// its signer is recovered.
func (s *state) unsigned(tx *Tx) (claim, Code, error) {
	if tx.fault != Applied {
		return claim{}, tx.fault, nil
	}
	sender, err := s.account(tx.Sender)
	if err != nil {
		return claim{}, 0, err
	}
	switch {
	case !sender.present:
		return claim{}, CodeUnknownSender, nil
	case sender.value.Status != StatusActive:
		return claim{}, CodeSenderInactive, nil
	}
	if acts, err := s.memberActs(sender.value.Member); !acts || err != nil {
		return claim{}, CodeSenderInactive, err
	}
	if code := sender.value.Window.Usable(tx.Nonce); code != Applied {
		return claim{}, code, nil
	}
	if tx.ValidUntil != 0 && tx.ValidUntil < s.time {
		return claim{}, CodeExpired, nil
	}
	c := claim{sender: &sender.value, others: tx.Op.authorisers(tx.Sender)}
	slices.SortFunc(c.others, crypto.Address.Compare)
	c.others = slices.Compact(c.others)
	code, err := s.countSignatures(tx, c)
	return c, code, err
}

// countSignatures refuses what has no signature, and more of them than there
// are keys of the accounts that must authorise tx: so many can never all be
// needed. It reads the others' accounts only where their number of keys
// decides.
func (s *state) countSignatures(tx *Tx, c claim) (Code, error) {
	count := tx.SignatureCount()
	keys := c.sender.keys()
	switch {
	case count == 0:
		return CodeUnauthorized, nil
	case count <= keys:
		return Applied, nil
	case count > keys+MaxAuthorityKeys*len(c.others):
		return CodeTooManySignatures, nil
	}
	for _, a := range c.others {
		other, err := s.account(a)
		if err != nil {
			return 0, err
		}
		if other.present {
			keys += other.value.keys()
		}
	}
	if count > keys {
		return CodeTooManySignatures, nil
	}
	return Applied, nil
}

// keys counts the keys that could sign for the account.
func (a *Account) keys() int { return max(1, len(a.Authority.Keys)) }

// authorised judges the recovered signers: every account reaches its
// threshold, the sender first, and without any one signature some account
// would not.
func (s *state) authorised(tx *Tx, c claim) (Code, error) {
	var needed [MaxSignatures]bool
	if !c.sender.markNeeded(tx.Sender, tx.Signers, &needed) {
		return CodeUnauthorized, nil
	}
	for _, a := range c.others {
		other, err := s.account(a)
		if err != nil {
			return 0, err
		}
		if !other.present || !other.value.markNeeded(a, tx.Signers, &needed) {
			return CodeUnauthorized, nil
		}
	}
	if slices.Contains(needed[:len(tx.Signers)], false) {
		return CodeSuperfluous, nil
	}
	return s.lifetime(tx, c.sender), nil
}

// markNeeded marks the signers without whom the account at self falls below
// its threshold. ok is false when it is below it with all of them. Keys and
// signers both stand ascending.
func (a *Account) markNeeded(self crypto.Address, signers []crypto.Address, needed *[MaxSignatures]bool) (ok bool) {
	own := [1]Key{{self, 1}}
	keys := a.Authority.Keys
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
	threshold := a.Authority.threshold()
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
