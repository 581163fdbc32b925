package eth

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/trie"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Header is a block's header as a subscriber to newHeads gets it.
type Header struct {
	Number           hexutil.Uint64   `json:"number"`
	Hash             common.Hash      `json:"hash"` // CometBFT's
	ParentHash       common.Hash      `json:"parentHash"`
	Timestamp        hexutil.Uint64   `json:"timestamp"`
	Miner            common.Address   `json:"miner"`     // the proposer's consensus address; zero in block 0
	StateRoot        common.Hash      `json:"stateRoot"` // the header's AppHash: the state before this block
	TransactionsRoot common.Hash      `json:"transactionsRoot"`
	ReceiptsRoot     common.Hash      `json:"receiptsRoot"`
	LogsBloom        types.Bloom      `json:"logsBloom"`
	GasLimit         hexutil.Uint64   `json:"gasLimit"`
	GasUsed          hexutil.Uint64   `json:"gasUsed"`
	BaseFeePerGas    hexutil.Uint64   `json:"baseFeePerGas"` // always zero
	ExtraData        hexutil.Bytes    `json:"extraData"`
	Difficulty       hexutil.Uint64   `json:"difficulty"`
	MixHash          common.Hash      `json:"mixHash"`
	Nonce            types.BlockNonce `json:"nonce"`
	Sha3Uncles       common.Hash      `json:"sha3Uncles"`
}

// Block is what of a block is worth keeping: its header, its transactions'
// hashes, and what places each of its receipts among the others. It does not
// change, and takes some 100 bytes a transaction.
type Block struct {
	Header Header
	Size   uint64
	Hashes []common.Hash
	places []place
}

// place is what a receipt must know of its block and its transaction.
type place struct {
	cumulative uint64 // gas up to and with it
	firstLog   uint32
	kind       byte
	to         *common.Address
}

// Shown is a block as eth_getBlockByNumber returns it.
type Shown struct {
	*Header
	Size            hexutil.Uint64 `json:"size"`
	TotalDifficulty hexutil.Uint64 `json:"totalDifficulty"`
	Transactions    any            `json:"transactions"` // hashes, or transactions
	Uncles          []common.Hash  `json:"uncles"`
}

// NewBlock translates a block. It errs when the parts of c are not of one block.
// Cost: some 10 µs a transaction.
func NewBlock(net *ledger.Network, c *Content) (*Block, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	b := &Block{Size: c.SizeBytes, Hashes: make([]common.Hash, len(c.Raw)), places: make([]place, len(c.Raw))}
	own := NewLogs(&Content{Height: c.Height, Hash: c.Hash, Events: c.Events})
	bloom, logs, gas := bloomOf(own), uint32(len(own)), uint64(0)
	receipts := make(types.Receipts, len(c.Raw))
	for i, raw := range c.Raw {
		r := c.Receipts[i]
		f := fieldsOf(net, raw, r.Hash)
		gas += f.used
		b.Hashes[i] = common.Hash(r.Hash)
		b.places[i] = place{gas, logs, f.kind, f.to}
		receipts[i] = consensusReceipt(&b.places[i], r)
		orBloom(&bloom, &receipts[i].Bloom)
		logs += movements(r.Events)
	}
	b.Header = Header{
		Number: hexutil.Uint64(c.Height), Hash: common.Hash(c.Hash), ParentHash: common.Hash(c.Parent),
		Timestamp: hexutil.Uint64(c.Time), Miner: common.BytesToAddress(c.Proposer), StateRoot: common.Hash(c.AppHash),
		TransactionsRoot: types.DeriveSha(rawList(c.Raw), trie.NewStackTrie(nil)),
		ReceiptsRoot:     types.DeriveSha(receipts, trie.NewStackTrie(nil)),
		LogsBloom:        bloom, GasLimit: hexutil.Uint64(GasLimit), GasUsed: hexutil.Uint64(gas),
		ExtraData: hexutil.Bytes{}, Sha3Uncles: types.EmptyUncleHash,
	}
	return b, nil
}

// WithHashes shows the block with its transactions' hashes.
func (b *Block) WithHashes() *Shown { return b.shown(b.Hashes) }

// WithTransactions shows the block with these, which must be its transactions.
func (b *Block) WithTransactions(txs []*Transaction) *Shown { return b.shown(txs) }

func (b *Block) shown(transactions any) *Shown {
	return &Shown{Header: &b.Header, Size: hexutil.Uint64(b.Size), Transactions: transactions, Uncles: []common.Hash{}}
}

// Transactions are those of a block, in order. No signer is recovered.
func Transactions(net *ledger.Network, c *Content) ([]*Transaction, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	out := make([]*Transaction, len(c.Raw))
	for i, raw := range c.Raw {
		out[i] = NewTransaction(net, raw, c.Receipts[i].Hash, PlaceOf(c.Receipts[i]))
	}
	return out, nil
}

// PlaceOf is the place of the transaction that has this receipt.
func PlaceOf(r *wire.Receipt) *Place {
	return &Place{ledger.Height(r.Height), r.BlockHash, ledger.UnixTime(r.BlockTime), r.Index, r.Sender}
}
