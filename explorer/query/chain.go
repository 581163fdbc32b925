package query

import (
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Status is how far the index is and how sure.
type Status struct {
	NetworkID string          `json:"networkId"`
	ChainID   uint64          `json:"chainId"`
	Height    uint64          `json:"height"`    // the last block in the index
	BlockTime uint64          `json:"blockTime"` // its time
	Source    uint64          `json:"source"`    // the last block that the node has, as far as is known
	Lag       uint64          `json:"lag"`       // Source - Height, in blocks
	LagSecs   uint64          `json:"lagSeconds"`
	Behind    bool            `json:"behind"`          // the lag is one that readers should be told of
	Error     string          `json:"error,omitempty"` // why the index does not go on, while it does not
	Checked   *Reconciliation `json:"reconciliation"`  // null before the first
	// Differences are where the index does not agree with the node's proven state
	// now; above 0 nothing here can be relied upon.
	Differences uint64 `json:"differences"`
}

// Reconciliation is a comparison of the index with the node's state, by proof.
type Reconciliation struct {
	Height      uint64 `json:"height"` // of the state
	Time        uint64 `json:"time"`   // when, on this machine's clock
	Compared    uint64 `json:"compared"`
	Differences uint64 `json:"differences"`
	TotalRuns   uint64 `json:"totalRuns"`
}

// Difference is something that the index and the node's proven state told otherwise.
type Difference struct {
	ID       int64  `json:"id"`
	Time     uint64 `json:"time"`     // when it was found, on this machine's clock
	Height   uint64 `json:"height"`   // of the state
	Subject  string `json:"subject"`  // balance, asset or account
	Key      string `json:"key"`      // the state's key, as text or 0x hex
	Index    string `json:"index"`    // what the index says
	Proven   string `json:"proven"`   // what the proof says
	Resolved bool   `json:"resolved"` // a later comparison found none
}

// BlockFilter chooses blocks.
type BlockFilter struct {
	From, To *ledger.UnixTime         // times, both included
	Proposer *ledger.ConsensusAddress // no index serves it: pages may be short
	NonEmpty bool                     // with transactions only; pages may be short
}

// Block is a block.
type Block struct {
	Height       uint64      `json:"height"`
	Hash         crypto.Hash `json:"hash"`
	ParentHash   crypto.Hash `json:"parentHash"`
	Time         uint64      `json:"time"`
	Millis       uint16      `json:"millis"`      // the part of the second that time leaves out
	IntervalMs   uint64      `json:"intervalMs"`  // since the block before
	Proposer     wire.Bytes  `json:"proposer"`    // consensus address; 0x for genesis
	AppHash      crypto.Hash `json:"appHash"`     // the state's root after the block before
	ResultsHash  crypto.Hash `json:"resultsHash"` // of the block before
	SizeBytes    uint64      `json:"sizeBytes"`
	Transactions uint64      `json:"transactions"`
	Refused      uint64      `json:"refused"`   // of them
	Transfers    uint64      `json:"transfers"` // movements of an asset from one account to another
	Events       uint64      `json:"events"`    // of the block itself
}

// TransactionFilter chooses transactions. What is left nil does not matter. Height,
// Account, Sender, Kind and Refused (or a Code above 0) choose which index is read,
// the first of them in this order; with Account, Sender or several, pages may be short.
type TransactionFilter struct {
	Height   *ledger.Height
	Account  *crypto.Address // who sent it or is in its events: an account, member or hold
	Sender   *crypto.Address
	Kind     string           // as in Transaction.Kind
	Refused  *bool            // refused ones only, or applied ones only
	Code     *ledger.Code     // with this result
	From, To *ledger.UnixTime // block times, both included
}

// Transaction is a committed transaction.
type Transaction struct {
	Hash crypto.Hash `json:"hash"`
	Place
	Sender    crypto.Address `json:"sender"`
	Nonce     uint64         `json:"nonce"`
	Kind      string         `json:"kind"`
	Envelope  string         `json:"envelope"` // native, legacy or dynamicFee
	Code      uint32         `json:"code"`     // 0: applied
	CodeName  string         `json:"codeName"` // stable, lowerCamelCase
	Status    string         `json:"status"`   // applied or refused
	Message   string         `json:"message"`  // the code's meaning; empty when applied
	Memo      string         `json:"memo"`
	SizeBytes uint64         `json:"sizeBytes"`
	Events    uint64         `json:"events"`    // how many it has
	Movements uint64         `json:"movements"` // of which move an asset
	// First is its first movement, for lists that say who moved what to whom.
	First *Movement `json:"first"`
}

// TransactionDetail is all of a transaction.
type TransactionDetail struct {
	Transaction
	BodyHash   crypto.Hash      `json:"bodyHash"`
	BlockHash  crypto.Hash      `json:"blockHash"`
	ValidUntil uint64           `json:"validUntil"`
	Signers    []crypto.Address `json:"signers"`
	Raw        wire.Bytes       `json:"raw"`
	Body       *ledger.Body     `json:"body"` // decoded; null where the bytes were at fault
	EventList  []Event          `json:"eventList"`
}

// Event is one effect, as JSON of the native RPC: {"type": …} and its fields.
type Event struct {
	Place
	Order uint32       `json:"order"` // among the events of its transaction or block, from 0
	Hash  *crypto.Hash `json:"hash"`  // of its transaction; null for the block's own
	Event wire.Event   `json:"event"`
}
