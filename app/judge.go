package app

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/tallystick/tallystick/ledger"
)

var (
	accept = &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_ACCEPT}
	reject = &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_REJECT}
)

// objection is what speaks against a proposed block.
type objection struct {
	index  int // of the transaction, or -1 for the block as a whole
	tx     *ledger.Tx
	code   ledger.Code
	reason string
}

// ProcessProposal judges a proposed block by the block and the committed state
// alone, so that all honest nodes answer alike. What it accepts it begins to
// execute in the background. The bytes may come from anybody.
func (a *Application) ProcessProposal(_ context.Context, req *abci.RequestProcessProposal) (*abci.ResponseProcessProposal, error) {
	if err := a.follow(); err != nil {
		return nil, err
	}
	defer a.leave()
	if err := a.enter(); err != nil {
		return nil, err
	}
	defer a.timed("process")()
	if a.running.is(req.Hash) {
		return accept, nil // judged in an earlier round, on this same state
	}
	if a.proposer != nil && bytes.Equal(req.ProposerAddress, a.proposer) {
		return accept, nil
	}
	txs, against, err := a.judge(a.latest.Load(), req)
	if err != nil {
		return nil, a.fail(fmt.Errorf("process proposal %d: %w", req.Height, err))
	}
	if against != nil {
		a.refuse(req, against)
		return reject, nil
	}
	a.begin(blockOf(req.Hash, req.Height, blockTime(req.Time), txs, req.Misbehavior))
	return accept, nil
}

// judge decodes the block and answers with what speaks against it, or nil. The
// cheapest first: a block that is too large costs no signature.
func (a *Application) judge(c *committed, req *abci.RequestProcessProposal) ([]*ledger.Tx, *objection, error) {
	switch {
	case c.net == nil:
		return nil, &objection{index: -1, reason: "the chain has not begun on this node"}, nil
	case req.Height != c.next():
		return nil, &objection{index: -1, reason: fmt.Sprintf("it does not follow the committed height %d", c.height)}, nil
	case req.Time.Unix() < 0:
		return nil, &objection{index: -1, reason: "its time is before 1970"}, nil
	}
	params, err := ledger.ReadParams(c.reader)
	if err != nil {
		return nil, nil, err
	}
	b, against := a.decodeProposal(c, req.Txs, &params)
	if against != nil {
		return nil, against, nil
	}
	if against, err = a.judgeDecoded(c, b, blockTime(req.Time)); against != nil || err != nil {
		return nil, against, err
	}
	for _, i := range b.unseen {
		a.cache.put(b.txs[i])
	}
	return b.txs, nil, nil
}

// decodeProposal decodes a block, unless its bytes alone speak against it, or
// the number of what it holds: a block over its caps costs no signature.
func (a *Application) decodeProposal(c *committed, raws [][]byte, params *ledger.Params) (*decodedBlock, *objection) {
	var size, signatures, legs uint64
	for i, raw := range raws {
		if size += uint64(len(raw)); size > params.MaxBlockBytes || uint64(i) >= params.MaxBlockSignatures {
			return nil, &objection{index: i, code: ledger.CodeBlockLimit}
		}
	}
	b := a.decodeBlock(c.net, raws)
	if o := b.fault(); o != nil {
		return nil, o
	}
	for i, tx := range b.txs {
		signatures, legs = signatures+uint64(tx.SignatureCount()), legs+uint64(tx.Legs())
		if signatures > params.MaxBlockSignatures || legs > params.MaxBlockLegs {
			return nil, &objection{index: i, tx: tx, code: ledger.CodeBlockLimit}
		}
	}
	return b, nil
}

// judgeDecoded judges a block of a time on committed state: where signers are
// unknown, what needs none first, of all its transactions, so that signatures
// without a sender cost nothing; then the signers, in parallel; then the whole
// rule.
func (a *Application) judgeDecoded(c *committed, b *decodedBlock, at ledger.UnixTime) (*objection, error) {
	check, err := ledger.NewBlockCheck(c.net, at, c.reader)
	if err != nil {
		return nil, err
	}
	if len(b.unseen) > 0 {
		if o, err := b.against(check.Precheck); o != nil || err != nil {
			return o, err
		}
		a.recoverBlock(b, true)
		if o := b.fault(); o != nil {
			return o, nil
		}
	}
	return b.against(check.Admit)
}

// refuse says why the node votes against a block.
func (a *Application) refuse(req *abci.RequestProcessProposal, o *objection) {
	a.metrics.rejected.Inc()
	attributes := []any{
		"height", req.Height, "block", hex.EncodeToString(req.Hash), "proposer", hex.EncodeToString(req.ProposerAddress),
	}
	if o.index >= 0 {
		attributes = append(attributes, "index", o.index, "code", uint32(o.code), "name", o.code.String())
		o.reason = o.code.Info().Meaning
	}
	if o.tx != nil {
		attributes = append(attributes, "tx", o.tx.Hash.String())
	}
	a.log.Warn("rejected a proposed block", append(attributes, "reason", o.reason)...)
}
