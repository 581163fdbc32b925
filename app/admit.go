package app

import (
	"context"
	"errors"
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// Codespaces of ABCI responses.
const (
	// CodespaceLedger: the code is a ledger.Code.
	CodespaceLedger = "ledger"
	// CodespaceApp: the code is one of this package's, which say nothing about
	// the transaction or query itself.
	CodespaceApp = "app"
)

// Codes of CodespaceApp.
const (
	CodeNotReady     uint32 = 1 // there is no state yet to judge by
	CodeInternal     uint32 = 2 // the machine beneath failed
	CodeInvalidQuery uint32 = 3 // the query is not one that is answered
	CodeUnheld       uint32 = 4 // the height is not held any more, or not yet
	CodeUnsupported  uint32 = 5 // the request is for a way of working that is off
)

// Token is the one entry of CometBFT's mempool, which holds no transaction:
// while it stands there CometBFT makes blocks, and CheckTx lets it in as long as
// something waits. See Signal.
var Token = []byte("tallystick: transactions wait")

// CheckTx answers for Token alone: nothing else belongs into CometBFT's mempool.
func (a *Application) CheckTx(_ context.Context, req *abci.RequestCheckTx) (*abci.ResponseCheckTx, error) {
	if string(req.Tx) != string(Token) || a.pending.len() == 0 {
		return &abci.ResponseCheckTx{Code: CodeUnsupported, Codespace: CodespaceApp, Log: "transactions do not wait in this pool"}, nil
	}
	return &abci.ResponseCheckTx{}, nil
}

// The conditions under which admission cannot judge.
var (
	ErrNotReady = errors.New("the chain has not begun on this node")
	ErrPoolFull = errors.New("as many transactions wait as this node holds")
)

// Admission is what is said of a transaction that was to wait for a block.
type Admission struct {
	Hash crypto.Hash
	// Tx is the transaction, decoded, unless it is too large. Its signers are
	// recovered where the judgement came so far. It may be shared and must not
	// be changed.
	Tx *ledger.Tx
	// Code is Applied when it waits from now on, or did so before.
	Code ledger.Code
	// Holder, with CodeDuplicateNonce, is what waits for the nonce already.
	Holder *ledger.Tx
}

// Admit judges a transaction from a client of this node: it must be includable
// now, be alone in waiting for its nonce, and not be refused if it stood alone
// in the next block. Then it waits for a block. Any number run in parallel.
// Errors: ErrNotReady, ErrPoolFull, ErrAccountQuota, ErrMemberQuota, failures of
// the machine.
func (a *Application) Admit(raw []byte) (Admission, error) {
	return a.admit(raw, "", func(c *committed, tx *ledger.Tx) (ledger.Code, error) {
		result, err := ledger.Simulate(c.net, c.time, c.reader, tx)
		return result.Code, err
	})
}

// Offer judges a transaction from a peer, as Admit does but for the last
// condition: it was the peer's to tell the sender of what would be refused, and
// if it stands in a block its sender gets a receipt.
func (a *Application) Offer(raw []byte, peer string) (Admission, error) {
	return a.admit(raw, peer, func(c *committed, tx *ledger.Tx) (ledger.Code, error) {
		return ledger.Includable(c.net, c.time, c.reader, tx)
	})
}

// verdict judges a transaction on a state.
type verdict func(*committed, *ledger.Tx) (ledger.Code, error)

// admit judges a new transaction, the cheapest first, and lets it wait.
func (a *Application) admit(raw []byte, from string, judge verdict) (Admission, error) {
	v := Admission{Hash: crypto.Keccak256(raw)}
	net := a.Network()
	switch {
	case net == nil:
		return v, ErrNotReady
	case len(raw) > a.options.MaxTxBytes:
		v.Code = ledger.CodeTooLarge
		return v, a.admitted(v.Code)
	}
	if v.Tx = a.pending.get(v.Hash); v.Tx != nil {
		return v, nil
	}
	if v.Tx = a.cache.get(v.Hash); v.Tx == nil {
		if v.Tx, v.Code = ledger.DecodeHashed(net, raw, v.Hash); v.Code != ledger.Applied {
			return v, a.admitted(v.Code)
		}
	}
	// A wrong guess costs or saves work, and decides nothing: what waits is judged
	// once more.
	member, _ := a.latest.Load().memberOf(v.Tx.Sender)
	if err := a.unless(a.pending.foresee(v.Tx, member)); err != nil {
		return v, err
	}
	if !v.Tx.Recovered() {
		a.recovery <- struct{}{} // the judgement recovers the signers
		defer func() { <-a.recovery }()
		defer a.count(v.Tx)
	}
	err := a.enrol(&v, from, judge)
	return v, err
}

// enrol judges a transaction until the state it was judged on is the one on
// which it then waits.
func (a *Application) enrol(v *Admission, from string, judge verdict) (err error) {
	for {
		c := a.latest.Load()
		var member crypto.Address
		if v.Code, err = judge(c, v.Tx); err == nil && v.Code == ledger.Applied {
			member, err = c.memberOf(v.Tx.Sender)
		}
		if err != nil {
			if a.latest.Load() != c { // c may have left the store's history
				continue
			}
			return a.fail(fmt.Errorf("judge transaction %s: %w", v.Hash, err))
		}
		if v.Code != ledger.Applied {
			return a.admitted(v.Code)
		}
		what, first := addition(0), false
		switch what, v.Holder, first = a.pending.add(v.Tx, member, c.height, from); what {
		case stale:
			continue
		case rival:
			v.Code = ledger.CodeDuplicateNonce
		}
		if err := a.unless(what); err != nil {
			return err
		}
		if first {
			a.raise()
		}
		return a.admitted(v.Code)
	}
}

// unless is the error for what has no room, and counts it.
func (a *Application) unless(what addition) error {
	bound, err := "", error(nil)
	switch what {
	case overAccount:
		bound, err = "account", ErrAccountQuota
	case overMember:
		bound, err = "member", ErrMemberQuota
	case full:
		bound, err = "pool", ErrPoolFull
	default:
		return nil
	}
	a.metrics.refused.WithLabelValues(bound).Inc()
	return err
}

// memberOf is the member that answers for an account; zero for none.
func (c *committed) memberOf(account crypto.Address) (crypto.Address, error) {
	if !c.founded {
		return crypto.Address{}, nil
	}
	value, err := c.reader.Get(ledger.KeyAccount(account))
	if err != nil || value == nil {
		return crypto.Address{}, err
	}
	record, err := ledger.DecodeAccount(value)
	return record.Member, err
}

// admitted counts an admission, and errs never.
func (a *Application) admitted(code ledger.Code) error {
	if code == ledger.Applied {
		a.metrics.admitted.Inc()
	} else {
		a.metrics.admissions.WithLabelValues(code.String()).Inc()
	}
	return nil
}
