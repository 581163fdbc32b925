package wire

import (
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// OpenHold is the result of ledger_getHold; null where there is none, or no more.
type OpenHold struct {
	Hold      crypto.Address  `json:"hold"`
	From      crypto.Address  `json:"from"`    // whose funds they are
	To        crypto.Address  `json:"to"`      // to whom they go when they are captured
	Arbiter   *crypto.Address `json:"arbiter"` // who captures in place of to; null for none
	Asset     crypto.Address  `json:"asset"`
	Amount    ledger.Amount   `json:"amount"` // what is left
	Expiry    uint64          `json:"expiry"` // block time from which on it is due
	Reference string          `json:"reference"`
}

// Holder is the result of ledger_getHolder: what an asset's issuer has said
// about an account.
type Holder struct {
	Asset        crypto.Address `json:"asset"`
	Account      crypto.Address `json:"account"`
	Approved     bool           `json:"approved"`     // it may receive a restricted asset
	Frozen       bool           `json:"frozen"`       // it may neither spend nor receive
	FrozenAmount ledger.Amount  `json:"frozenAmount"` // so much of the available balance must stay
}

// Metadata is the result of ledger_getMetadata: where an asset's terms stand.
type Metadata struct {
	Asset crypto.Address `json:"asset"`
	URI   string         `json:"uri"`  // empty for none
	Hash  crypto.Hash    `json:"hash"` // of the document; zero for none
}

// Authority is the result of ledger_getAuthority: who may act for an account;
// null where there is no account.
type Authority struct {
	Account   crypto.Address `json:"account"`
	Threshold uint64         `json:"threshold"` // the weight that must be reached
	Keys      []ledger.Key   `json:"keys"`      // ascending by address; never empty
	Holds     uint64         `json:"holds"`     // how many holds it pays or is paid by
}
