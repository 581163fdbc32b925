package ledger

import (
	"slices"

	"github.com/tallystick/tallystick/crypto"
)

// BlockCheck judges the transactions of a block one after another, all on the
// same committed state. Who proposes uses it to choose, who votes to refuse.
type BlockCheck struct {
	s          *state
	seen       map[nonceID]struct{}
	prechecked map[nonceID]struct{} // nil before the first Precheck
	signatures uint64
	legs       uint64
	bytes      uint64
	created    uint64 // the most accounts that the block can create
}

type nonceID struct {
	sender crypto.Address
	nonce  Nonce
}

// NewBlockCheck begins a block of the given time on the state that r reads.
func NewBlockCheck(net *Network, time UnixTime, r Reader) (*BlockCheck, error) {
	s, err := newState(net, time, r)
	if err != nil {
		return nil, err
	}
	return &BlockCheck{s: s, seen: make(map[nonceID]struct{})}, nil
}

// Precheck is the part of Admit that recovers no signer: with a code other
// than Applied, a block with tx and what was prechecked before it may not
// stand, whoever signed. Who votes asks it about every transaction of a block,
// each once and in order, before any signature is looked at. Of an Ethereum
// envelope, whose sender only the signature names, it judges the bytes alone.
// Cost: some state reads.
func (c *BlockCheck) Precheck(tx *Tx) (Code, error) {
	if tx.Envelope != EnvelopeNative && (!tx.recovered || tx.sigFault != Applied) {
		return first(tx.fault, tx.sigFault), nil
	}
	if _, code, err := c.s.unsigned(tx); code != Applied || err != nil {
		return code, err
	}
	id := nonceID{tx.Sender, tx.Nonce}
	if _, twice := c.prechecked[id]; twice {
		return CodeDuplicateNonce, nil
	}
	if c.prechecked == nil {
		c.prechecked = make(map[nonceID]struct{})
	}
	c.prechecked[id] = struct{}{}
	return Applied, nil
}

// Admit says whether tx may stand in the block beside those admitted so far,
// and counts it if so. CodeBlockLimit means that the block has no room for
// it; another block may.
func (c *BlockCheck) Admit(tx *Tx) (Code, error) {
	code, err := c.s.includable(tx)
	if err != nil || code != Applied {
		return code, err
	}
	id := nonceID{tx.Sender, tx.Nonce}
	if _, twice := c.seen[id]; twice {
		return CodeDuplicateNonce, nil
	}
	created, err := c.newAccounts(tx)
	if err != nil {
		return 0, err
	}
	created += c.created
	signatures, legs, bytes := c.signatures+uint64(tx.SignatureCount()), c.legs+uint64(tx.Legs()), c.bytes+uint64(len(tx.Raw))
	if p := &c.s.params; signatures > p.MaxBlockSignatures || legs > p.MaxBlockLegs || bytes > p.MaxBlockBytes || created > p.MaxNewAccounts {
		return CodeBlockLimit, nil
	}
	c.seen[id] = struct{}{}
	c.signatures, c.legs, c.bytes, c.created = signatures, legs, bytes, created
	return Applied, nil
}

// newAccounts is the most accounts that tx can create: its recipients without
// one, each once, where receiving creates accounts, or where it admits one. What alone exceeds the cap creates
// none, whatever stands before it: each account that others make for it counts
// against the same cap.
func (c *BlockCheck) newAccounts(tx *Tx) (uint64, error) {
	if c.s.params.AccountPolicy != PolicyOpen && tx.Op.Kind() != KindAdmitAccount {
		return 0, nil
	}
	recipients := tx.Op.recipients()
	slices.SortFunc(recipients, crypto.Address.Compare)
	count := uint64(0)
	for _, to := range slices.Compact(recipients) {
		account, err := c.s.account(to)
		if err != nil {
			return 0, err
		}
		if !account.present {
			count++
		}
	}
	if count > c.s.params.MaxNewAccounts {
		return 0, nil
	}
	return count, nil
}
