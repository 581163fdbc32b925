package wire

import (
	"cmp"

	"github.com/tallystick/tallystick/crypto"
)

// Cursor is a place in the stream of everything that happens on the ledger,
// which is the same on every node: first by height, then by index. It stands
// behind what it names, so a reader that goes on from the cursor of what it saw
// last sees everything once.
type Cursor struct {
	Height uint64 `json:"height"`
	Index  int64  `json:"index"` // of the receipt in the block; or one of the constants below
}

// The indexes of a Cursor that are no receipt's.
const (
	IndexBlockBegin = -2        // nothing of the block yet: its own events come next
	IndexOwnEvents  = -1        // the events of the block itself, which come before its receipts
	IndexBlockEnd   = 1<<32 - 1 // everything of the block, however many receipts it has
)

// Compare orders cursors: negative where c stands before other.
func (c Cursor) Compare(other Cursor) int {
	return cmp.Or(cmp.Compare(c.Height, other.Height), cmp.Compare(c.Index, other.Index))
}

// BlockEvents are the events of a block itself: of what fell due there, or, at
// height 0, of what the network began with.
type BlockEvents struct {
	Height    uint64      `json:"height"`
	BlockHash crypto.Hash `json:"blockHash"`
	BlockTime uint64      `json:"blockTime"`
	Events    []Event     `json:"events"`
}

// Notice is what a subscription, or a webhook, tells: with a receipt, a block, or
// the events of a block itself; with an error, which ends it; or with the cursor
// alone, which says that up to there nothing else was to be told.
type Notice struct {
	Cursor  Cursor       `json:"cursor"`
	Block   *Block       `json:"block,omitempty"`   // newBlocks
	Own     *BlockEvents `json:"own,omitempty"`     // receipts, and newBlocks: the block's own events
	Receipt *Receipt     `json:"receipt,omitempty"` // receipts
	Error   *NoticeError `json:"error,omitempty"`
}

// NoticeError says why a subscription has ended.
type NoticeError struct {
	Code    int       `json:"code"`
	Message string    `json:"message"`
	Data    ErrorData `json:"data"`
}

// SubscribeOptions are the second parameter of ledger_subscribe. Each condition
// that is given must hold.
type SubscribeOptions struct {
	Account   *crypto.Address `json:"account,omitempty"`
	Asset     *crypto.Address `json:"asset,omitempty"`
	Member    *crypto.Address `json:"member,omitempty"`
	Reference *string         `json:"reference,omitempty"`
	Cursor    *Cursor         `json:"cursor,omitempty"` // go on from here; from the newest block where it is left out
}
