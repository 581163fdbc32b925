package store

import (
	"encoding/binary"

	"github.com/holiman/uint256"

	"github.com/tallystick/tallystick/ledger"
)

// Position is a place in the chain as one number: height * 2^20 + order. Order 0 is
// the block's own, order i + 1 its transaction i.
type Position int64

const orderBits = 20

// MaxTransactions is how many transactions of one block have positions.
const MaxTransactions = 1<<orderBits - 1

// OwnAt is the position of what a block does by itself.
func OwnAt(h ledger.Height) Position { return Position(h) << orderBits }

// TxAt is the position of a block's transaction i, from 0.
func TxAt(h ledger.Height, i int) Position { return OwnAt(h) + Position(i) + 1 }

// Height is the block's.
func (p Position) Height() ledger.Height { return ledger.Height(p >> orderBits) }

// Index is the transaction's, from 0; ok is false for the block's own.
func (p Position) Index() (i uint32, ok bool) {
	order := uint32(p & MaxTransactions)
	return order - 1, order > 0
}

// AmountBytes is an amount as the tables have it.
func AmountBytes(a ledger.Amount) []byte {
	b := a.Bytes32()
	return b[16:]
}

// ParseAmountBytes is the inverse of AmountBytes; ok is false for anything else.
func ParseAmountBytes(b []byte) (a ledger.Amount, ok bool) {
	if len(b) != 16 {
		return a, false
	}
	return ledger.AmountFromUint256(new(uint256.Int).SetBytes(b))
}

// ProposalKey is a proposal's number as the key of a version.
func ProposalKey(id uint64) []byte { return binary.BigEndian.AppendUint64(nil, id) }

// ValidatorBytes is how many bytes of validator_sets are of one validator.
const ValidatorBytes = 20 + 8
