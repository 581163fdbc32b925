package query

import (
	"errors"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// ErrNotFound: the index has no such thing.
var ErrNotFound = errors.New("not found")

// InvalidError is a question that cannot be meant: Field is wrong for Reason.
type InvalidError struct {
	Field  string // cursor, limit, or a filter's name as in its JSON tag
	Reason string // a sentence for a person
}

func (e *InvalidError) Error() string { return e.Field + ": " + e.Reason }

// Page asks for a part of a list.
type Page struct {
	Limit     int    // 1..MaxLimit; 0 is DefaultLimit
	Cursor    string // Next of the page before; empty to begin
	Ascending bool   // the oldest first, where a list goes by time; otherwise it has no meaning
}

// List is a page of a list.
type List[T any] struct {
	Items []T `json:"items"`
	// Next is the cursor of the page after this, or null at the end. A page may be
	// shorter than asked for, or empty, and not the last: a filter that no index
	// serves looks at so many rows a page and no more.
	Next *string `json:"next"`
}

// Moment is a past date: after the block at Height, or after the last block that
// was not later than Time. The zero value is now.
type Moment struct {
	Height *ledger.Height
	Time   *ledger.UnixTime
}

// Span is a period of time in samples. To 0 is now; From 0 is the beginning.
type Span struct {
	From, To ledger.UnixTime
	Points   int // 1..MaxPoints; 0 is 100
}

// Place is where something stands in the chain.
type Place struct {
	Height uint64 `json:"height"`
	// Index is the transaction's place in its block, from 0; null for what the
	// block did by itself, and in genesis.
	Index *uint32 `json:"index"`
	Time  uint64  `json:"time"` // the block's
}

// AssetRef names an asset, with what an amount needs to be read.
type AssetRef struct {
	Asset    crypto.Address `json:"asset"`
	Symbol   string         `json:"symbol"`
	Decimals uint8          `json:"decimals"`
}
