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
	signatures uint64
	legs       uint64
	bytes      uint64
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
	signatures, legs, bytes := c.signatures+uint64(tx.SignatureCount()), c.legs+uint64(tx.Legs()), c.bytes+uint64(len(tx.Raw))
	if p := &c.s.params; signatures > p.MaxBlockSignatures || legs > p.MaxBlockLegs || bytes > p.MaxBlockBytes {
		return CodeBlockLimit, nil
	}
	c.seen[id] = struct{}{}
	c.signatures, c.legs, c.bytes = signatures, legs, bytes
	return Applied, nil
}

// NewAccounts counts the recipients of tx that have no account yet, under the
// open policy, each once: the most it may weigh against MaxNewAccounts. A
// proposer uses it to leave what would be refused for the next block. The tx
// must have been admitted.
func (c *BlockCheck) NewAccounts(tx *Tx) (int, error) {
	if c.s.params.AccountPolicy != PolicyOpen {
		return 0, nil
	}
	count := 0
	recipients := tx.Op.recipients()
	slices.SortFunc(recipients, crypto.Address.Compare)
	for _, to := range slices.Compact(recipients) {
		account, err := c.s.account(to)
		if err != nil {
			return 0, err
		}
		if !account.present {
			count++
		}
	}
	return count, nil
}

// MaxNewAccounts is the block's cap on new accounts.
func (c *BlockCheck) MaxNewAccounts() uint64 { return c.s.params.MaxNewAccounts }
