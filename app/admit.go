package app

import (
	"context"
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"

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

// CheckTx judges a transaction for the node's pool. New ones must be
// includable now, be alone in waiting for their nonce, and not be refused when
// alone in the next block. Recheck, after each block, only asks whether a
// transaction is still includable: one that would now be refused stays, so
// that its sender gets a receipt. Any number run in parallel.
func (a *Application) CheckTx(_ context.Context, req *abci.RequestCheckTx) (*abci.ResponseCheckTx, error) {
	judge, counter := a.admit, a.metrics.admissions
	if req.Type == abci.CheckTxType_Recheck {
		judge, counter = a.recheck, a.metrics.rechecks
	}
	c := a.latest.Load()
	if c.net == nil {
		return &abci.ResponseCheckTx{Code: CodeNotReady, Codespace: CodespaceApp, Log: "the chain has not begun on this node"}, nil
	}
	verdict, err := judge(c, req.Tx)
	if err != nil {
		if now := a.latest.Load(); now != c { // c may have left the store's history
			verdict, err = judge(now, req.Tx)
		}
	}
	if err != nil {
		a.fail(fmt.Errorf("check transaction: %w", err))
		return &abci.ResponseCheckTx{Code: CodeInternal, Codespace: CodespaceApp, Log: "the node failed; it stops"}, nil
	}
	counter.WithLabelValues(verdict.code.String()).Inc()
	return verdict.response(), nil
}

// admission is the verdict of CheckTx.
type admission struct {
	code  ledger.Code
	other *ledger.Tx // with CodeDuplicateNonce: what waits for the nonce already
}

func (v admission) response() *abci.ResponseCheckTx {
	res := &abci.ResponseCheckTx{Code: uint32(v.code)}
	if v.code != ledger.Applied {
		res.Codespace, res.Log = CodespaceLedger, v.code.Info().Meaning
	}
	if v.other != nil {
		res.Log = "another transaction with the same sender and nonce waits on this node"
		res.Data, res.Info = v.other.Hash[:], v.other.Hash.String()
	}
	return res
}

// admit judges a new transaction, the cheapest first.
func (a *Application) admit(c *committed, raw []byte) (admission, error) {
	if len(raw) > ledger.MaxTxBytes {
		return admission{code: ledger.CodeTooLarge}, nil
	}
	tx, code, known := a.lookup(c.net, raw)
	if code != ledger.Applied {
		return admission{code: code}, nil
	}
	if !known {
		a.recovery <- struct{}{} // Simulate recovers the signers
		defer func() { <-a.recovery }()
		defer a.count(tx)
	}
	result, err := ledger.Simulate(c.net, c.time, c.reader, tx)
	if err != nil || result.Code != ledger.Applied {
		return admission{code: result.Code}, err
	}
	if !known {
		a.cache.put(tx)
	}
	if other := a.pending.hold(tx); other != nil {
		return admission{ledger.CodeDuplicateNonce, other}, nil
	}
	return admission{}, nil
}

// recheck judges a waiting transaction on a new state.
func (a *Application) recheck(c *committed, raw []byte) (admission, error) {
	tx, _, known := a.lookup(c.net, raw)
	if !known {
		defer a.count(tx)
	}
	code, err := ledger.Includable(c.net, c.time, c.memo, tx)
	if err != nil {
		return admission{}, err
	}
	if code != ledger.Applied {
		a.pending.drop(tx.Hash)
		return admission{code: code}, nil
	}
	if !known {
		a.cache.put(tx)
	}
	if other := a.pending.hold(tx); other != nil {
		return admission{ledger.CodeDuplicateNonce, other}, nil
	}
	return admission{}, nil
}
