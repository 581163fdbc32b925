package eth

import (
	"bytes"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// The roots of transactions and receipts are derived as Ethereum derives them,
// from what this package shows; the native envelope counts as one of EIP-2718's
// typed ones. So an empty block, and only one, has the empty root. Nothing that
// validators sign commits to these roots.

// rawList is the bytes of a block's transactions, as types.DeriveSha wants them.
type rawList [][]byte

// Len implements types.DerivableList.
func (l rawList) Len() int { return len(l) }

// EncodeIndex implements types.DerivableList. A trie takes no empty values; that
// only dishonest validators could put such bytes into a block does not matter here.
func (l rawList) EncodeIndex(i int, w *bytes.Buffer) {
	if len(l[i]) == 0 {
		w.WriteByte(0x80) // the empty string in RLP
		return
	}
	w.Write(l[i])
}

// consensusReceipt has of a receipt what its encoding in Ethereum has.
func consensusReceipt(at *place, r *wire.Receipt) *types.Receipt {
	logs := logsOf(r, at.firstLog)
	out := &types.Receipt{
		Type: at.kind, CumulativeGasUsed: at.cumulative, Bloom: bloomOf(logs), Logs: make([]*types.Log, len(logs)),
	}
	if ledger.Code(r.Code) == ledger.Applied {
		out.Status = types.ReceiptStatusSuccessful
	}
	for i, l := range logs {
		out.Logs[i] = &types.Log{Address: l.Address, Topics: l.Topics, Data: l.Data}
	}
	return out
}

// orBloom adds one filter to another.
func orBloom(to, from *types.Bloom) {
	for i := range to {
		to[i] |= from[i]
	}
}

// addressOf returns a pointer to an address of Ethereum's type.
func addressOf(a [common.AddressLength]byte) *common.Address { return (*common.Address)(&a) }
