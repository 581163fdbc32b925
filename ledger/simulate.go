package ledger

import (
	"slices"

	"github.com/holiman/uint256"

	"github.com/tallystick/tallystick/crypto"
)

// SimulateBody says what would become of a body that nobody has signed yet, if it
// were signed, natively, and alone in the next block: what Simulate says of the
// transaction. Signers are the addresses whose signatures it would carry. Where
// they are nil it is signed by as many keys of each account that must authorise it
// as that takes, and none too many.
//
// The body goes the way of a transaction; only the signatures are taken on trust.
// A signature that no key could make is trusted too, so that what becomes of a
// body depends on nothing but the state.
func SimulateBody(net *Network, time UnixTime, r Reader, body *Body, signers []crypto.Address) (TxResult, error) {
	s, err := newState(net, time, r)
	if err != nil {
		return TxResult{}, err
	}
	tx := &Tx{Envelope: EnvelopeNative, Body: *body, net: net, recovered: true, fault: CheckBody(net, body)}
	if tx.fault != Applied {
		return TxResult{Code: tx.fault}, nil
	}
	tx.BodyHash = net.BodyHash(body)
	if signers == nil {
		if signers, err = s.enough(body); err != nil {
			return TxResult{}, err
		}
	}
	tx.Signers = slices.Clone(signers)
	slices.SortFunc(tx.Signers, crypto.Address.Compare)
	switch {
	case len(signers) > MaxSignatures:
		tx.fault = CodeLimitExceeded
	case len(slices.Compact(slices.Clone(tx.Signers))) < len(signers):
		tx.sigFault = CodeSignatureOrder // one of them stands there twice
	}
	tx.Signatures = make([]Signature, len(signers)) // they are counted, and not looked at
	return s.run(tx)
}

// enough finds signers for a body: every account that must authorise it reaches
// its threshold, and without any one of them some would not. Keys of others than
// the sender are left out first, since with one of theirs validUntil is bounded.
// An account that does not exist has none. Cost: as the keys of all these accounts
// are many.
func (s *state) enough(body *Body) ([]crypto.Address, error) {
	others := body.Op.authorisers(body.Sender)
	slices.SortFunc(others, crypto.Address.Compare)
	var p pool
	for _, address := range append([]crypto.Address{body.Sender}, slices.Compact(others)...) {
		account, err := s.account(address)
		if err != nil {
			return nil, err
		}
		if account.present {
			p.add(address, &account.value.Authority)
		}
	}
	return p.needed(), nil
}

// pool is the keys of some accounts, and what each counts for which of them.
type pool struct {
	order  []crypto.Address // the keys as they came, each once
	shares map[crypto.Address][]poolShare
	spare  []uint64 // of each account, by how much its keys exceed its threshold
}

// poolShare is a key's weight for one account.
type poolShare struct {
	account int
	weight  uint64
}

// add takes in the keys of the account at self.
func (p *pool) add(self crypto.Address, a *Authority) {
	keys := a.Keys
	if len(keys) == 0 {
		keys = []Key{{self, 1}}
	}
	if p.shares == nil {
		p.shares = map[crypto.Address][]poolShare{}
	}
	var total uint64
	for _, k := range keys {
		if _, known := p.shares[k.Address]; !known {
			p.order = append(p.order, k.Address)
		}
		p.shares[k.Address] = append(p.shares[k.Address], poolShare{len(p.spare), uint64(k.Weight)})
		total += uint64(k.Weight)
	}
	p.spare = append(p.spare, total-a.threshold())
}

// needed leaves out, the last first, each key without which every account still
// reaches its threshold.
func (p *pool) needed() (signers []crypto.Address) {
	for _, key := range slices.Backward(p.order) {
		shares := p.shares[key]
		if slices.ContainsFunc(shares, func(s poolShare) bool { return s.weight > p.spare[s.account] }) {
			signers = append(signers, key)
			continue
		}
		for _, s := range shares {
			p.spare[s.account] -= s.weight
		}
	}
	return signers
}

// EthereumLeg says what an Ethereum transaction with this recipient (nil where it
// creates a contract), value and call data would move: the leg, whose From is left
// empty, or why it is no transaction that is carried. It is the rule that Decode
// goes by.
func EthereumLeg(net *Network, to *crypto.Address, value *uint256.Int, data []byte) (Leg, Code) {
	f := ethFields{value: value, data: data}
	if to != nil {
		f.to = to[:]
	}
	return f.movement(net)
}
