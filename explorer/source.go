package explorer

import (
	"context"
	"errors"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Source is the chain as a node tells it. Methods may be called from several
// goroutines. An error is one of those named, or says that the source failed; the
// index tries again later.
type Source interface {
	// Network is the ledger's identity.
	Network() *ledger.Network
	// Height is the highest block that Block has.
	Height(ctx context.Context) (ledger.Height, error)
	// WaitHeight waits until Height is at least height, or for ctx. It may return
	// nil early: the caller asks again.
	WaitHeight(ctx context.Context, height ledger.Height) error
	// Block is a committed block with all that it did; height 0 is the genesis,
	// whose Events are what the network began with. nil above Height.
	// Error: ErrPruned.
	Block(ctx context.Context, height ledger.Height) (*Block, error)
	// Proof is a value of the committed state with its proof, as recent as the
	// source can prove it. Who asks must check it. Error: ErrNoProof.
	Proof(ctx context.Context, key []byte) (*Proof, error)
	// ReceiptProof is a transaction and what became of it, with a proof for who trusts
	// neither the source nor the explorer; nil for what the source does not know.
	// Errors: ErrNoProof where the next block is not there yet, ErrPruned.
	ReceiptProof(ctx context.Context, hash crypto.Hash) (*wire.ReceiptProof, error)
}

// ErrPruned: the source does not keep the block any more.
var ErrPruned = errors.New("the block is not kept any more")

// ErrNoProof: the source can prove nothing now, and perhaps later.
var ErrNoProof = errors.New("no proof at present")

// Block is a committed block and all that it did. Nothing in it is changed by
// either side afterwards.
type Block struct {
	Height      ledger.Height
	Hash        crypto.Hash
	ParentHash  crypto.Hash // zero for the first block
	AppHash     crypto.Hash // of the header: the state's root after the block before this
	ResultsHash crypto.Hash // of the header: the results of the block before this
	Time        ledger.UnixTime
	Millis      uint16                  // the part of the second that Time leaves out, 0..999
	Proposer    ledger.ConsensusAddress // zero for the genesis
	SizeBytes   uint64                  // of the block as it is stored

	Txs     []*ledger.Tx // signers recovered
	Results []ledger.TxResult
	Events  []ledger.Event // of the block itself
	// Params are what the network began with; of the genesis alone.
	Params *ledger.Params
	// LastCommit is who signed the block before this one, a vote for each of that
	// block's validators, in the order of their set. Empty for genesis and block 1.
	LastCommit []Vote
}

// Vote is what a commit shows of one validator.
type Vote struct {
	Validator ledger.ConsensusAddress
	Power     uint64
	Vote      VoteFlag
}

// VoteFlag says how a validator voted on a block.
type VoteFlag byte

// The votes.
const (
	VoteMissing VoteFlag = 0 // not in the commit: it may have come later
	VoteSigned  VoteFlag = 1
	VoteNil     VoteFlag = 2 // for no block: it had not seen this one in time
)

// Proof is a value of the state, and why it is one.
type Proof struct {
	// Height is of the state; the proof holds against the AppHash of the header
	// of the next height.
	Height ledger.Height
	Value  []byte // nil where the key is absent
	// Proof is an ics23.CommitmentProof in protobuf, by ics23.SmtSpec.
	Proof []byte
}
