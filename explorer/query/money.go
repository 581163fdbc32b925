package query

import (
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// MovementFilter chooses movements. Account with Asset, Account, Asset and Reference
// choose which index is read, the first of them in this order; with others beside it,
// and with Account alone, pages may be short.
type MovementFilter struct {
	Account   *crypto.Address // paid or was paid, or set aside or got back; a hold moves nothing of its payee's until it is captured
	Asset     *crypto.Address
	Reference string           // exactly, in either case
	Type      string           // as in Movement.Type
	From, To  *ledger.UnixTime // block times, both included
}

// Movement is an amount of an asset that changed its place.
type Movement struct {
	Place
	Order uint32       `json:"order"` // among the events there
	Hash  *crypto.Hash `json:"hash"`  // of its transaction; null where the block or genesis did it
	// Type is the event's: transfer, issue, redeem, clawback, holdCreated,
	// holdCaptured or holdReleased.
	Type string `json:"type"`
	AssetRef
	From      *crypto.Address `json:"from"` // null for an issue
	To        *crypto.Address `json:"to"`   // null for a redemption
	Amount    ledger.Amount   `json:"amount"`
	Reference string          `json:"reference"`
	Hold      *crypto.Address `json:"hold"`
}

// AccountFilter chooses accounts. Each is served by an index, the first that is
// there; with both, pages may be short.
type AccountFilter struct {
	Member *crypto.Address // that answers for them
	Status string          // active, frozen, frozenByNetwork, frozenByBoth or closed
}

// Account is an account. What is at a past moment is as it was then.
type Account struct {
	Address    crypto.Address  `json:"address"`
	Status     string          `json:"status"`
	Member     *crypto.Address `json:"member"`     // null for none
	MemberName string          `json:"memberName"` // now; empty for none
	Threshold  uint64          `json:"threshold"`
	Keys       []ledger.Key    `json:"keys"`     // never empty
	Created    Place           `json:"created"`  // where it began
	Assets     uint64          `json:"assets"`   // how many balances it has now
	Holds      uint64          `json:"holds"`    // open now, that it pays or is paid by
	IsMember   bool            `json:"isMember"` // it is a member's admin account
	Issues     uint64          `json:"issues"`   // assets of which it is the issuer now
}

// AccountChange is an account's record after a block that changed it.
type AccountChange struct {
	Height    uint64          `json:"height"`
	Time      uint64          `json:"time"`
	Status    string          `json:"status"`
	Member    *crypto.Address `json:"member"`
	Threshold uint64          `json:"threshold"`
	Keys      []ledger.Key    `json:"keys"`
}

// Balance is what an account has of one asset.
type Balance struct {
	AssetRef
	Available ledger.Amount `json:"available"`
	Held      ledger.Amount `json:"held"`
	Total     ledger.Amount `json:"total"`
	Since     uint64        `json:"since"` // height of the last change
}

// BalancePoint is a balance at a time.
type BalancePoint struct {
	Time      uint64        `json:"time"`
	Available ledger.Amount `json:"available"`
	Held      ledger.Amount `json:"held"`
	Total     ledger.Amount `json:"total"`
}

// StatementFilter chooses a statement. Times are block times: From included, To not;
// To nil is now, From nil the beginning.
type StatementFilter struct {
	Account, Asset crypto.Address
	From, To       *ledger.UnixTime
}

// Statement is what moved a balance in a period. Opening and closing are those of
// the whole period, on every page; lines go from the oldest, or the newest.
type Statement struct {
	Account crypto.Address `json:"account"`
	AssetRef
	From    uint64          `json:"from"` // of the period, block times
	To      uint64          `json:"to"`   // its end, not included; 0 while it is still running
	Opening BalancePoint    `json:"opening"`
	Closing BalancePoint    `json:"closing"`
	Items   []StatementLine `json:"items"`
	Next    *string         `json:"next"`
}

// StatementLine is one movement as the account sees it.
type StatementLine struct {
	Place
	Order        uint32          `json:"order"`
	Hash         *crypto.Hash    `json:"hash"`
	Type         string          `json:"type"`
	Side         string          `json:"side"`         // in, out, hold (available to held), unhold (held to available) or heldOut (from held, to another)
	Counterparty *crypto.Address `json:"counterparty"` // null for an issue or redemption
	Amount       ledger.Amount   `json:"amount"`
	Reference    string          `json:"reference"`
	Available    ledger.Amount   `json:"available"` // after it
	Held         ledger.Amount   `json:"held"`
}

// HoldFilter chooses holds. Account and Asset are each served by an index, alone and
// with Status; with both, pages may be short.
type HoldFilter struct {
	Account *crypto.Address // pays it or is paid by it
	Asset   *crypto.Address
	Status  string // open, captured, released or expired
}

// Hold is a hold, open or ended.
type Hold struct {
	Hold    crypto.Address  `json:"hold"`
	From    crypto.Address  `json:"from"`
	To      crypto.Address  `json:"to"`
	Arbiter *crypto.Address `json:"arbiter"`
	AssetRef
	Amount    ledger.Amount `json:"amount"` // at first
	Left      ledger.Amount `json:"left"`
	Captured  ledger.Amount `json:"captured"`
	Expiry    uint64        `json:"expiry"`
	Reference string        `json:"reference"`
	Status    string        `json:"status"`
	Created   Place         `json:"created"`
	Ended     *Place        `json:"ended"` // null while it is open
}

// AssetFilter chooses assets. Lists go by symbol.
type AssetFilter struct {
	Issuer *crypto.Address // no index serves it together with the order: pages may be short
	Status string          // likewise
}

// Asset is an asset now.
type Asset struct {
	AssetRef
	Name         string         `json:"name"`
	Issuer       crypto.Address `json:"issuer"`
	Cap          ledger.Amount  `json:"cap"` // "0": none but 2^128 - 1
	Supply       ledger.Amount  `json:"supply"`
	Flags        []string       `json:"flags"` // of freezable, clawback, restricted
	Status       string         `json:"status"`
	URI          string         `json:"uri"`
	DocumentHash *crypto.Hash   `json:"documentHash"`
	Holders      uint64         `json:"holders"` // accounts that have any of it
	Movements    uint64         `json:"movements"`
	Created      Place          `json:"created"`
	Settlement   bool           `json:"settlement"` // plain Ethereum value moves it
}

// SupplyPoint is an asset's supply at a time.
type SupplyPoint struct {
	Time   uint64        `json:"time"`
	Supply ledger.Amount `json:"supply"`
}

// Holder is an account that has an asset.
type Holder struct {
	Account   crypto.Address  `json:"account"`
	Member    *crypto.Address `json:"member"`
	Available ledger.Amount   `json:"available"`
	Held      ledger.Amount   `json:"held"`
	Total     ledger.Amount   `json:"total"`
	// What the issuer says of it.
	Approved     bool          `json:"approved"`
	Frozen       bool          `json:"frozen"`
	FrozenAmount ledger.Amount `json:"frozenAmount"`
}
