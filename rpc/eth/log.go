package eth

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// TransferTopic is keccak256("Transfer(address,address,uint256)"), the first
// topic of every log.
var TransferTopic = common.Hash(crypto.Keccak256([]byte("Transfer(address,address,uint256)")))

// Log is a movement of an asset as the log of an ERC-20.
type Log struct {
	Address          common.Address `json:"address"` // the asset
	Topics           []common.Hash  `json:"topics"`  // TransferTopic, from, to
	Data             hexutil.Bytes  `json:"data"`    // the amount in the asset's smallest unit, 32 bytes
	BlockNumber      hexutil.Uint64 `json:"blockNumber"`
	TransactionHash  common.Hash    `json:"transactionHash"` // of what the block did by itself: the block's hash
	TransactionIndex hexutil.Uint64 `json:"transactionIndex"`
	BlockHash        common.Hash    `json:"blockHash"`
	BlockTimestamp   hexutil.Uint64 `json:"blockTimestamp"`
	LogIndex         hexutil.Uint64 `json:"logIndex"` // in the block
	Removed          bool           `json:"removed"`  // always false: blocks are final
}

// Movement is an amount of an asset that changes hands. From is zero where it
// comes into being, To where it ceases to be.
type Movement struct {
	Asset, From, To crypto.Address
	Amount          ledger.Amount
}

// MovementOf says what an event moves; ok is false when nothing. Setting aside
// and releasing a hold move nothing: what is held still is the payer's.
func MovementOf(e *ledger.Event) (m Movement, ok bool) {
	switch e.Type {
	case ledger.EventTransfer, ledger.EventIssue, ledger.EventRedeem, ledger.EventClawback, ledger.EventHoldCaptured:
		return Movement{e.Asset, e.From, e.To, e.Amount}, true
	}
	return Movement{}, false
}

// where is the part of a log that its transaction decides.
type where struct {
	height ledger.Height
	block  crypto.Hash
	time   uint64
	hash   crypto.Hash
	index  uint32
}

func (w *where) log(m Movement, logIndex uint32) *Log {
	amount := m.Amount.Bytes32()
	return &Log{
		Address: common.Address(m.Asset), Topics: []common.Hash{TransferTopic, topicOf(m.From), topicOf(m.To)},
		Data: amount[:], BlockNumber: hexutil.Uint64(w.height), TransactionHash: common.Hash(w.hash),
		TransactionIndex: hexutil.Uint64(w.index), BlockHash: common.Hash(w.block),
		BlockTimestamp: hexutil.Uint64(w.time), LogIndex: hexutil.Uint64(logIndex),
	}
}

// topicOf is an address as a topic: 32 bytes, zeros first.
func topicOf(a crypto.Address) (h common.Hash) {
	copy(h[common.HashLength-len(a):], a[:])
	return h
}

// NewLogs are the logs of a block in order. It needs no raw bytes, and of the
// receipts their events. What the block did by itself (of block 0: what the
// network began with) comes first, under the block's hash in place of a
// transaction's.
func NewLogs(c *Content) []*Log {
	logs := []*Log{}
	own := where{c.Height, c.Hash, uint64(c.Time), c.Hash, 0}
	for i := range c.Events {
		if m, ok := MovementOf(&c.Events[i]); ok {
			logs = append(logs, own.log(m, uint32(len(logs))))
		}
	}
	for _, r := range c.Receipts {
		logs = append(logs, logsOf(r, uint32(len(logs)))...)
	}
	return logs
}

// logsOf are the logs of one transaction; first is the index of the first.
func logsOf(r *wire.Receipt, first uint32) []*Log {
	logs := []*Log{}
	at := where{ledger.Height(r.Height), r.BlockHash, r.BlockTime, r.Hash, r.Index}
	for i := range r.Events {
		if m, ok := MovementOf(&r.Events[i].Event); ok {
			logs = append(logs, at.log(m, first+uint32(len(logs))))
		}
	}
	return logs
}

// movements counts the logs that events make.
func movements(events []wire.Event) (n uint32) {
	for i := range events {
		if _, ok := MovementOf(&events[i].Event); ok {
			n++
		}
	}
	return n
}

// bloomOf is the filter in which a log's address and topics can be looked up.
func bloomOf(logs []*Log) (b types.Bloom) {
	for _, l := range logs {
		b.Add(l.Address[:])
		for i := range l.Topics {
			b.Add(l.Topics[i][:])
		}
	}
	return b
}
