package wire

import "github.com/tallystick/tallystick/crypto"

// BlockContents is the result of ledger_getBlockContents: a block and all that it
// did, or a part of it. All parts have the same block, millis, votes and parameters.
type BlockContents struct {
	Block        Block              `json:"block"`        // its transactions are left empty here; of height 0 it has the hash and the time alone
	Millis       uint64             `json:"millis"`       // the part of the second that its time leaves out
	Votes        []CommitVote       `json:"votes"`        // on the block before this one, in the order of the validators
	Params       *Params            `json:"params"`       // what the network began with; null above height 0
	Events       []Event            `json:"events"`       // of the block itself; at height 0 what the network began with
	Transactions []BlockTransaction `json:"transactions"` // in order
	Next         *uint64            `json:"next"`         // where the next part begins; null at the end
}

// BlockTransaction is a transaction as its block has it, and what came of it.
type BlockTransaction struct {
	Raw      Bytes       `json:"raw"`
	Code     uint32      `json:"code"` // 0: applied
	BodyHash crypto.Hash `json:"bodyHash"`
	Events   []Event     `json:"events"`
}

// CommitVote is what a commit shows of one validator.
type CommitVote struct {
	ConsensusAddress Bytes  `json:"consensusAddress"` // 20 bytes
	Power            uint64 `json:"power"`
	Vote             string `json:"vote"` // "signed", "nil" (for no block) or "missing"
}

// StateProof is the result of ledger_getStateProof. Verify it with any ics23 library
// and its SmtSpec against the appHash of the block at height + 1.
type StateProof struct {
	Height uint64 `json:"height"` // of the state
	Key    Bytes  `json:"key"`
	Value  Bytes  `json:"value"` // 0x where the key is absent
	Proof  Bytes  `json:"proof"` // an ics23.CommitmentProof in protobuf
}
