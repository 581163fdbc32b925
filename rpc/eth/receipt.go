package eth

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Receipt is a receipt in the form of Ethereum's. Status is 0x1 for applied and
// 0x0 for refused; why, ledger_getReceipt tells.
type Receipt struct {
	BlockHash         common.Hash     `json:"blockHash"`
	BlockNumber       hexutil.Uint64  `json:"blockNumber"`
	TransactionHash   common.Hash     `json:"transactionHash"`
	TransactionIndex  hexutil.Uint64  `json:"transactionIndex"`
	Type              hexutil.Uint64  `json:"type"`
	From              common.Address  `json:"from"`
	To                *common.Address `json:"to"`
	Status            hexutil.Uint64  `json:"status"`
	GasUsed           hexutil.Uint64  `json:"gasUsed"`
	CumulativeGasUsed hexutil.Uint64  `json:"cumulativeGasUsed"`
	EffectiveGasPrice hexutil.Uint64  `json:"effectiveGasPrice"` // always zero
	ContractAddress   *common.Address `json:"contractAddress"`   // always null
	Logs              []*Log          `json:"logs"`
	LogsBloom         types.Bloom     `json:"logsBloom"`
}

// Receipt is the receipt r, which must be one of this block's, in its place. ok is
// false when the block has no such place.
func (b *Block) Receipt(r *wire.Receipt) (out *Receipt, ok bool) {
	if int(r.Index) >= len(b.places) {
		return nil, false
	}
	at := &b.places[r.Index]
	used := at.cumulative
	if r.Index > 0 {
		used -= b.places[r.Index-1].cumulative
	}
	logs := logsOf(r, at.firstLog)
	out = &Receipt{
		BlockHash: common.Hash(r.BlockHash), BlockNumber: hexutil.Uint64(r.Height),
		TransactionHash: common.Hash(r.Hash), TransactionIndex: hexutil.Uint64(r.Index),
		Type: hexutil.Uint64(at.kind), From: common.Address(r.Sender), To: at.to,
		GasUsed: hexutil.Uint64(used), CumulativeGasUsed: hexutil.Uint64(at.cumulative),
		Logs: logs, LogsBloom: bloomOf(logs),
	}
	if ledger.Code(r.Code) == ledger.Applied {
		out.Status = hexutil.Uint64(types.ReceiptStatusSuccessful)
	}
	return out, true
}
