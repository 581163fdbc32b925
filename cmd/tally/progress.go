package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// progress is how far a transaction file has come: whose signatures count for
// what, by the keys that act for its accounts now.
type progress struct {
	Accounts []accountProgress `json:"accounts"`
	// Superfluous signers are needed by no account. The ledger refuses a
	// transaction that has any.
	Superfluous []crypto.Address `json:"superfluous"`
	// Complete says that every account reaches its threshold, and that no
	// signature is superfluous: it can be sent.
	Complete bool `json:"complete"`
}

// accountProgress is that of one account that must authorise the transaction.
type accountProgress struct {
	Account   crypto.Address `json:"account"`
	Weight    uint64         `json:"weight"`    // of the signatures that there are
	Threshold uint64         `json:"threshold"` // the weight that it needs; 0: there is no such account
	Signed    []ledger.Key   `json:"signed"`
	Missing   []ledger.Key   `json:"missing"` // keys that could still sign
}

// count asks a node which keys act for the accounts of a transaction, and counts
// the signatures.
func (t *txFile) count(ctx context.Context, node *client.Client) (*progress, error) {
	p := &progress{Accounts: []accountProgress{}, Superfluous: []crypto.Address{}, Complete: true}
	needed := map[crypto.Address]bool{}
	for _, account := range t.Tx.Authorisers() {
		authority, err := node.Authority(ctx, account)
		if e, is := errors.AsType[*client.Error](err); is && e.Name == client.NameNotFound {
			authority, err = &wire.Authority{Account: account}, nil
		}
		if err != nil {
			return nil, err
		}
		a := t.countOf(account, authority)
		p.Complete = p.Complete && a.Threshold > 0 && a.Weight >= a.Threshold
		for _, k := range a.Signed {
			needed[k.Address] = needed[k.Address] || a.Weight-uint64(k.Weight) < a.Threshold
		}
		p.Accounts = append(p.Accounts, a)
	}
	for _, s := range t.Signatures {
		if !needed[*s.Signer] {
			p.Superfluous = append(p.Superfluous, *s.Signer)
			p.Complete = false
		}
	}
	return p, nil
}

// countOf counts the signatures for one account.
func (t *txFile) countOf(account crypto.Address, authority *wire.Authority) accountProgress {
	a := accountProgress{Account: account, Threshold: authority.Threshold, Signed: []ledger.Key{}, Missing: []ledger.Key{}}
	for _, k := range authority.Keys {
		if t.has(k.Address) {
			a.Weight += uint64(k.Weight)
			a.Signed = append(a.Signed, k)
		} else {
			a.Missing = append(a.Missing, k)
		}
	}
	return a
}

// has reports whether a key has signed.
func (t *txFile) has(signer crypto.Address) bool {
	return slices.ContainsFunc(t.Signatures, func(s wire.Signature) bool { return *s.Signer == signer })
}

// text says how far it has come, and what is to be done next.
func (p *progress) text(file string) string {
	var b strings.Builder
	for _, a := range p.Accounts {
		state := fmt.Sprintf("%d of %d weights", a.Weight, a.Threshold)
		switch {
		case a.Threshold == 0:
			state = "there is no such account"
		case a.Weight >= a.Threshold:
			state += ", complete"
		}
		fmt.Fprintf(&b, "account     %s  %s\n", a.Account, state)
		for _, k := range a.Signed {
			fmt.Fprintf(&b, "  signed    %s  weight %d\n", k.Address, k.Weight)
		}
		if a.Weight < a.Threshold {
			for _, k := range a.Missing {
				fmt.Fprintf(&b, "  may sign  %s  weight %d\n", k.Address, k.Weight)
			}
		}
	}
	for _, signer := range p.Superfluous {
		fmt.Fprintf(&b, "superfluous %s has signed, and no account needs it: take that signature out of the file\n", signer)
	}
	if p.Complete {
		fmt.Fprintf(&b, "complete    send it with `tally tx send %s`\n", file)
	}
	return b.String()
}

// needs reports whether a further signature would bring an account nearer to its
// threshold.
func (p *progress) needs(signer crypto.Address) bool {
	return slices.ContainsFunc(p.Accounts, func(a accountProgress) bool {
		return a.Weight < a.Threshold && slices.ContainsFunc(a.Missing, func(k ledger.Key) bool { return k.Address == signer })
	})
}

// check refuses the signature of who is not needed: the ledger refuses a
// transaction that has one.
func (p *progress) check(signer crypto.Address) error {
	if p.needs(signer) {
		return nil
	}
	for _, a := range p.Accounts {
		if slices.ContainsFunc(a.Missing, func(k ledger.Key) bool { return k.Address == signer }) {
			return fails(exitFailed, fmt.Errorf("%s need not sign: %d of %d weights for %s are there already", signer, a.Weight, a.Threshold, a.Account),
				"nothing was signed: one signature too many makes the ledger refuse it")
		}
	}
	return fails(exitFailed, fmt.Errorf("%s acts for no account that must authorise this transaction", signer),
		"nothing was signed; `tally tx show` with --rpc shows which keys may sign")
}

// ofNetwork refuses a node of another network than the file's.
func (t *txFile) ofNetwork(name string, network *ledger.Network) error {
	if network.ID == t.NetworkID && network.ChainID == t.ChainID {
		return nil
	}
	return fails(exitConfig, fmt.Errorf("%s is for the network %s (chain %d), and the node is of %s (chain %d)",
		name, t.NetworkID, t.ChainID, network.ID, network.ChainID), "name a node of that network with --rpc")
}
