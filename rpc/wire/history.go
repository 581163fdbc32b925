package wire

import (
	"github.com/tallystick/tallystick/crypto"
)

// Subject is whose history is asked for: exactly one of its fields. An account's
// address alone, as a string, means the same as with the field account.
type Subject struct {
	Account   *crypto.Address `json:"account,omitempty"`   // or a member's or a hold's
	Asset     string          `json:"asset,omitempty"`     // address or symbol
	Reference string          `json:"reference,omitempty"` // exactly as it was written
}

// HistoryPage is a part of a history, the newest first.
type HistoryPage struct {
	Items []HistoryItem `json:"items"`
	Next  *string       `json:"next"` // cursor of the next page; null when there is none
}

// HistoryItem is a transaction or, where receipt is null, what a block did by
// itself: at height 0, what the network began with.
type HistoryItem struct {
	Height    uint64       `json:"height"`
	Index     *uint32      `json:"index"`     // of the transaction in its block; null for a block's own events
	Hash      *crypto.Hash `json:"hash"`      // of the transaction; null for a block's own events
	BlockHash crypto.Hash  `json:"blockHash"` // at height 0 what eth_* shows as block 0
	BlockTime uint64       `json:"blockTime"`
	Receipt   *Receipt     `json:"receipt"` // the whole of it; null for a block's own events
	Events    []Event      `json:"events"`  // of the block itself, those that concern the subject; [] for a transaction
}

// Reasons of ledger_pending: why a transaction is in no block yet, as far as the
// node knows. PendingReasons has them in words.
const (
	PendingNext       = "nextBlock"
	PendingQueued     = "queued"
	PendingPaced      = "paced"
	PendingNew        = "new"
	PendingDoubted    = "doubted"
	PendingNoBlocks   = "noBlocks"
	PendingCatchingUp = "catchingUp"
)

// PendingReason is one of the reasons.
type PendingReason struct{ Name, Meaning string }

// PendingReasons are all of them, in the order of precedence.
var PendingReasons = []PendingReason{
	{PendingCatchingUp, "the node is fetching blocks that the network has made without it, and proposes none"},
	{PendingNoBlocks, "the network has made no block for some time: more than a third of the validators' power may be out of reach"},
	{PendingDoubted, "it could not stand in a block that the node made, and is judged again after the next block"},
	{PendingNext, "nothing on the node is in its way: it has its turn in the next block"},
	{PendingPaced, "the node keeps its blocks small for now, for members that send little, and others have their turn before"},
	{PendingNew, "it came a moment ago, and more waits than a block takes: whose turn is when is worked out again shortly"},
	{PendingQueued, "more waits than a block takes, and others have their turn before"},
}

// PendingPage is the result of ledger_pending, in order of arrival.
type PendingPage struct {
	Height    uint64        `json:"height"`    // of the newest block
	BlockTime uint64        `json:"blockTime"` // of that block
	Total     int           `json:"total"`     // transactions that wait on the node, of all senders
	Items     []PendingItem `json:"items"`
	Next      *string       `json:"next"` // cursor of the next page; null when there is none
}

// PendingItem is a transaction that waits on the node for a block.
type PendingItem struct {
	Hash       crypto.Hash    `json:"hash"`
	BodyHash   crypto.Hash    `json:"bodyHash"`
	Sender     crypto.Address `json:"sender"`
	Nonce      uint64         `json:"nonce"`
	Kind       string         `json:"kind"`
	ValidUntil uint64         `json:"validUntil"` // 0: no limit
	SizeBytes  uint64         `json:"sizeBytes"`  // of its raw bytes
	WaitingMs  uint64         `json:"waitingMs"`  // since it came to this node
	Reason     string         `json:"reason"`
	Message    string         `json:"message"` // the reason in words
}

// Peer is a node that this one is connected with.
type Peer struct {
	NodeID      string          `json:"nodeId"` // CometBFT's: 40 hex digits, no 0x
	Moniker     string          `json:"moniker"`
	Address     string          `json:"address"`   // at the other end of the connection: IP address and port
	Direction   string          `json:"direction"` // "out" where this node dialled, else "in"
	ConnectedMs uint64          `json:"connectedMs"`
	Height      *uint64         `json:"height"` // of the newest block that it is known to have; null where it has not said
	Member      *crypto.Address `json:"member"` // whose node it is; null where no member lists it
	MemberName  string          `json:"memberName"`
}

// Peers is the result of ledger_peers, ascending by node ID.
type Peers struct {
	NodeID string `json:"nodeId"` // of the node that answers
	Items  []Peer `json:"items"`
}
