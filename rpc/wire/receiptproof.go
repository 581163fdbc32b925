package wire

import "github.com/tallystick/tallystick/crypto"

// ReceiptProofFormat is the format of a ReceiptProof. Another way of proving would
// have another name.
const ReceiptProofFormat = "tallystick-receipt-proof-1"

// Sides of a step of a MerklePath.
const (
	SideLeft  = "left"
	SideRight = "right"
)

// ReceiptProof is the result of ledger_getReceiptProof, and the file that the explorer
// gives: what became of a transaction, and all that is needed to check it for who knows
// the network's validators and trusts nobody else. docs/FORMATS.md says how to check
// it; package client/proof does.
//
// Nothing stands in it that is not bound by a signature of NextHeader, so that no byte
// can be changed.
type ReceiptProof struct {
	Format   string        `json:"format"` // ReceiptProofFormat
	Hash     crypto.Hash   `json:"hash"`   // of the transaction
	Raw      Bytes         `json:"raw"`    // the transaction
	Network  *ProofNetwork `json:"network"`
	Code     uint32        `json:"code"` // 0: applied
	BodyHash crypto.Hash   `json:"bodyHash"`
	Events   []Event       `json:"events"`
	Outcome  Bytes         `json:"outcome"` // the canonical bytes of code, body hash and events

	TransactionPath []MerkleStep     `json:"transactionPath"` // from the transaction to Header.DataHash
	ResultPath      []MerkleStep     `json:"resultPath"`      // from its result to NextHeader.LastResultsHash
	Header          ProofHeader      `json:"header"`          // of the transaction's block
	NextHeader      ProofHeader      `json:"nextHeader"`      // of the block after it
	Commit          ProofCommit      `json:"commit"`          // of NextHeader
	Validators      []ProofValidator `json:"validators"`      // of NextHeader, in the order of their set
}

// ProofNetwork is what is needed to read the transaction, beside the network's ID.
type ProofNetwork struct {
	ChainID uint64 `json:"chainId"`
	// Settlement is the asset that plain Ethereum value moves. It is left out unless
	// the transaction moves some.
	Settlement *ProofSettlement `json:"settlement,omitempty"`
}

// ProofSettlement is the settlement asset.
type ProofSettlement struct {
	Asset    crypto.Address `json:"asset"`
	Decimals uint8          `json:"decimals"`
}

// MerkleStep is one step from a leaf towards the root of a tree of RFC 6962's rules:
// the hash of what stands beside, and on which side.
type MerkleStep struct {
	Side string      `json:"side"` // SideLeft or SideRight
	Hash crypto.Hash `json:"hash"`
}

// ProofHeader is a block's header, of which CometBFT's hash is the block hash.
type ProofHeader struct {
	BlockVersion       uint64       `json:"blockVersion"`
	AppVersion         uint64       `json:"appVersion"`
	ChainID            string       `json:"chainId"` // the network's ID
	Height             uint64       `json:"height"`
	Time               string       `json:"time"` // RFC 3339 in UTC, with as many digits of the second as it has
	LastBlockID        ProofBlockID `json:"lastBlockId"`
	LastCommitHash     Bytes        `json:"lastCommitHash"`
	DataHash           Bytes        `json:"dataHash"`
	ValidatorsHash     Bytes        `json:"validatorsHash"`
	NextValidatorsHash Bytes        `json:"nextValidatorsHash"`
	ConsensusHash      Bytes        `json:"consensusHash"`
	AppHash            Bytes        `json:"appHash"`
	LastResultsHash    Bytes        `json:"lastResultsHash"`
	EvidenceHash       Bytes        `json:"evidenceHash"`
	ProposerAddress    Bytes        `json:"proposerAddress"` // 20 bytes
}

// ProofBlockID names a block. That before the first has neither hash nor parts.
type ProofBlockID struct {
	Hash  Bytes      `json:"hash"`
	Parts ProofParts `json:"parts"`
}

// ProofParts are the parts in which a block travelled between validators.
type ProofParts struct {
	Total uint32 `json:"total"`
	Hash  Bytes  `json:"hash"`
}

// ProofCommit is what the votes of a commit have in common, beside the block's height
// and hash.
type ProofCommit struct {
	Round uint32     `json:"round"`
	Parts ProofParts `json:"parts"`
}

// ProofValidator is a validator, and how it voted in the commit.
type ProofValidator struct {
	PublicKey Bytes  `json:"publicKey"` // ed25519, 32 bytes
	Power     uint64 `json:"power"`
	Vote      string `json:"vote"`      // "signed", "nil" (for no block) or "missing"
	Time      string `json:"time"`      // that it signed, as Header.Time; empty where it is missing
	Signature Bytes  `json:"signature"` // ed25519, 64 bytes; 0x where it is missing
}
