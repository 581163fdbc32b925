package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick/rpc/wire"
)

// receiptProofMethods are the rows for who trusts no node.
var receiptProofMethods = []*method{
	{
		name: "ledger_getReceiptProof", summary: "What became of a transaction, with a proof for who trusts no node.",
		description: "Beside the transaction and its outcome: the paths to the headers that commit to them, and the signatures of the validators under the second. " +
			"The outcome stands in the header of the block after, so a receipt can be proved one block later than it is there: until then the error is notYetProvable. " +
			"docs/FORMATS.md says how to check it, and `tally receipt verify` does.",
		params: []param{paramHash},
		result: result{"proof", "no committed transaction has this hash", refTo[wire.ReceiptProof]}, errors: []errorComponent{errorNotFound}, heavy: true,
	},
}

// NotYetProvableError: the receipt is there, but not yet the block whose header has it.
type NotYetProvableError struct{ Height uint64 }

// Error implements error.
func (e *NotYetProvableError) Error() string {
	return fmt.Sprintf("the receipt is there, but cannot be proved before block %d, whose header will commit to it", e.Height+1)
}

// ErrBlockPruned: the block that is needed is no longer kept.
var ErrBlockPruned = errors.New("the block that has the transaction, or the one after it, is no longer kept")

var (
	kindNotProvable = errorKind{"notYetProvable", wire.CodeUnavailable, "the receipt is there, but not yet the next block, whose header commits to it", "ask again after the next block: an idle network makes one at its heartbeat"}
	kindBlockPruned = errorKind{"blockPruned", wire.CodeNotFound, "this node no longer keeps the block that has the transaction, or the one after it", "ask a node that keeps all blocks"}
)

// GetReceiptProof is ledger_getReceiptProof.
func (a *ledgerAPI) GetReceiptProof(ctx context.Context, hash arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "ledger_getReceiptProof", []arg{hash}, func(_ context.Context, p *params) (any, error) {
		hash := p.hash()
		if p.err != nil {
			return nil, p.err
		}
		proof, err := a.s.backend.ReceiptProof(hash)
		var early *NotYetProvableError
		switch {
		case errors.As(err, &early):
			return nil, kindNotProvable.with("%s", early.Error()).about(hash)
		case errors.Is(err, ErrBlockPruned):
			return nil, kindBlockPruned.plain().about(hash)
		case err != nil || proof == nil:
			return nil, err
		}
		return proof, nil
	})
}

func init() {
	for name, text := range map[string]string{
		"ReceiptProof":    "What became of a transaction, and why: raw is bound by header.dataHash, outcome by nextHeader.lastResultsHash, header by nextHeader.lastBlockId, and nextHeader by the validators' signatures. network is null where raw cannot be read.",
		"ProofNetwork":    "What is needed to read the transaction, beside the network's ID. settlement stands there where the transaction moves plain Ethereum value.",
		"ProofSettlement": "The asset that plain Ethereum value moves.",
		"MerkleStep":      "The hash beside a node on the way from a leaf to the root, and on which side it stands: left or right.",
		"ProofHeader":     "A block's header; its hash, by CometBFT's rules, is the block hash. chainId is the network's ID, time is RFC 3339 in UTC.",
		"ProofBlockID":    "A block's hash, and the parts in which it travelled; 0x for the block before the first.",
		"ProofParts":      "How many parts a block had, and the root of their hashes.",
		"ProofCommit":     "What the votes for nextHeader have in common.",
		"ProofValidator":  "A validator of nextHeader and its vote: signed, nil (for no block) or missing.",
	} {
		typeTexts[name] = text
	}
}
