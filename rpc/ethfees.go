package rpc

import (
	"context"
	"encoding/json"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/tallystick/tallystick/ledger"
)

// Nothing is ever charged. docs/decisions/0019-ethereum-facade.md says why wallets
// are shown a base fee of zero and not none.

// GasPrice is eth_gasPrice.
func (a *ethAPI) GasPrice(ctx context.Context) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_gasPrice", nil, func(context.Context, *params) (any, error) { return hexutil.Uint64(0), nil })
}

// MaxPriorityFeePerGas is eth_maxPriorityFeePerGas.
func (a *ethAPI) MaxPriorityFeePerGas(ctx context.Context) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_maxPriorityFeePerGas", nil, func(context.Context, *params) (any, error) { return hexutil.Uint64(0), nil })
}

// feeHistory is the result of eth_feeHistory.
type feeHistory struct {
	OldestBlock   hexutil.Uint64     `json:"oldestBlock"`
	BaseFeePerGas []hexutil.Uint64   `json:"baseFeePerGas"` // one more than there are blocks
	GasUsedRatio  []float64          `json:"gasUsedRatio"`
	Reward        [][]hexutil.Uint64 `json:"reward,omitempty"` // of each block one for each percentile
}

// maxFeeHistory is how many blocks eth_feeHistory answers for, as in go-ethereum.
const maxFeeHistory = 1024

// FeeHistory is eth_feeHistory.
func (a *ethAPI) FeeHistory(ctx context.Context, count, newest, percentiles arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_feeHistory", []arg{count, newest, percentiles}, func(_ context.Context, p *params) (any, error) {
		count, newest, percentiles := p.quantity(), p.numberedBlock(), p.percentiles()
		if p.err != nil {
			return nil, p.err
		}
		last, err := a.s.needHeight(newest)
		if err != nil {
			return nil, err
		}
		return newFeeHistory(min(count, maxFeeHistory, uint64(last)+1), last, len(percentiles)), nil
	})
}

// newFeeHistory is the history of so many blocks. Blocks are not filled by gas, so
// no share of it is used.
func newFeeHistory(count uint64, last ledger.Height, percentiles int) *feeHistory {
	h := &feeHistory{BaseFeePerGas: []hexutil.Uint64{}, GasUsedRatio: make([]float64, count)}
	if count == 0 {
		return h
	}
	h.OldestBlock = hexutil.Uint64(uint64(last) + 1 - count)
	h.BaseFeePerGas = make([]hexutil.Uint64, count+1)
	if percentiles > 0 {
		h.Reward = make([][]hexutil.Uint64, count)
		for i := range h.Reward {
			h.Reward[i] = make([]hexutil.Uint64, percentiles)
		}
	}
	return h
}
