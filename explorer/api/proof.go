package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Prover proves receipts, as explorer.Source does. It is asked each time: the index
// keeps no proofs.
type Prover interface {
	ReceiptProof(ctx context.Context, hash crypto.Hash) (*wire.ReceiptProof, error)
}

// proofRetry is after how many seconds the next block should be there.
const proofRetry = "2"

// proof registers what is asked of the node in place of the index.
func (s *server) proof(a huma.API) {
	read(a, s, huma.Operation{OperationID: "getReceiptProof", Path: "/transactions/{hash}/proof", Tags: []string{"Transactions"}, Summary: "A transaction's receipt with its proof",
		Description: "All that is needed to check what became of it, for who trusts neither this explorer nor its node: `tally receipt verify` does, and docs/FORMATS.md says how. " +
			"It comes from the node: 409 before the next block is there (Retry-After says when to ask again), 410 where the node no longer keeps the block, 502 where the node does not answer.",
		Errors: []int{http.StatusConflict, http.StatusGone, http.StatusBadGateway}}, s.receiptProof)
}

func (s *server) receiptProof(ctx context.Context, in *HashParam) (*answer[wire.ReceiptProof], error) {
	h, err := hashOf("hash", in.Hash)
	if err != nil {
		return nil, err
	}
	if _, err := s.q.Transaction(ctx, h); err != nil {
		return nil, err
	}
	var p *wire.ReceiptProof
	if err = explorer.ErrNoProof; s.proofs != nil {
		p, err = s.proofs.ReceiptProof(ctx, h)
	}
	switch {
	case errors.Is(err, explorer.ErrNoProof):
		early := huma.Error409Conflict("the receipt cannot be proved before the next block, whose header commits to it: ask again in a moment; an idle network makes a block at its heartbeat")
		return nil, huma.ErrorWithHeaders(early, http.Header{"Retry-After": {proofRetry}})
	case errors.Is(err, explorer.ErrPruned):
		return nil, huma.Error410Gone("the node behind this explorer no longer keeps the block: ask an explorer or a node that keeps all blocks")
	case err != nil && ctx.Err() != nil:
		return nil, err
	case err != nil:
		s.log.Error("explorer: the node does not prove a receipt", "hash", h, "err", err)
		return nil, huma.NewError(http.StatusBadGateway, "the node behind this explorer does not answer; this has been logged")
	case p == nil:
		return nil, huma.Error404NotFound("the node behind this explorer does not have this transaction: it may be behind the index for a moment")
	}
	return &answer[wire.ReceiptProof]{revalidate, *p}, nil
}
