package node

import (
	"context"
	"errors"
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/mempool"
	cmttypes "github.com/cometbft/cometbft/types"

	"github.com/tallystick/tallystick/app"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/store"
	"github.com/tallystick/tallystick/node/index"
	"github.com/tallystick/tallystick/rpc"
	"github.com/tallystick/tallystick/rpc/wire"
)

// blockStore is what the backend reads of CometBFT's block store.
type blockStore interface {
	LoadBlock(height int64) *cmttypes.Block
	LoadBlockMeta(height int64) *cmttypes.BlockMeta
	Base() int64
	Height() int64
}

// pool is what the backend needs of CometBFT's mempool.
type pool interface {
	CheckTx(tx cmttypes.Tx, callback func(*abci.ResponseCheckTx), info mempool.TxInfo) error
}

// backend is the node as the RPC sees it. Every answer is about the height
// that the receipt index has reached: the store has committed that height
// before, so state, receipts and history of it are all there.
type backend struct {
	net        *ledger.Network
	app        *app.Application
	store      *store.Store
	index      *index.Index
	pool       pool
	admitting  chan struct{} // a place for each submission being judged, see Submit
	blocks     blockStore
	failed     func(error) // why the node must not go on: its disk or what it holds is damaged
	catchingUp func() bool
	version    string
	nodeID     string
	validator  []byte // consensus address
}

var _ rpc.Backend = (*backend)(nil)

func (b *backend) Network() *ledger.Network { return b.net }

func (b *backend) Height() ledger.Height { return b.index.Height() }

func (b *backend) Status(context.Context) (*wire.Status, error) {
	s := &wire.Status{
		ChainID: b.net.ChainID, NetworkID: b.net.ID, CatchingUp: b.catchingUp(),
		Version: b.version, NodeID: b.nodeID, ValidatorAddress: b.validator,
		SettlementAsset: b.net.Settlement,
	}
	block, err := b.index.Block(b.Height())
	if err != nil || block == nil {
		return s, err
	}
	s.Height, s.BlockHash, s.BlockTime, s.AppHash = uint64(block.Height), block.Hash, uint64(block.Time), block.Root
	return s, nil
}

// Submit hands raw to CometBFT's mempool, which asks the application. Few do so
// at a time and the others wait outside: the mempool keeps every commit waiting
// for all that are inside.
func (b *backend) Submit(ctx context.Context, raw []byte) (rpc.Verdict, error) {
	hash := crypto.Keccak256(raw)
	if _, pending := b.app.Pending(hash); pending {
		return rpc.Verdict{Hash: hash}, nil
	}
	if b.catchingUp() {
		return b.unlessCommitted(hash, rpc.ErrCatchingUp)
	}
	select {
	case b.admitting <- struct{}{}:
		defer func() { <-b.admitting }()
	case <-ctx.Done():
		return rpc.Verdict{}, ctx.Err()
	}
	answer := make(chan *abci.ResponseCheckTx, 1)
	err := b.pool.CheckTx(raw, func(r *abci.ResponseCheckTx) { answer <- r }, mempool.TxInfo{})
	switch {
	case errors.Is(err, mempool.ErrTxInCache):
		return b.cached(ctx, hash, raw)
	case errors.As(err, new(mempool.ErrTxTooLarge)):
		return rpc.Verdict{Hash: hash, Code: ledger.CodeTooLarge}, nil
	case errors.As(err, new(mempool.ErrMempoolIsFull)), errors.Is(err, mempool.ErrRecheckFull):
		return b.unlessCommitted(hash, rpc.ErrPoolFull)
	case err != nil:
		return rpc.Verdict{}, fmt.Errorf("mempool: %w", err)
	}
	select {
	case r := <-answer:
		if r.Code != abci.CodeTypeOK && r.Codespace != app.CodespaceLedger {
			return rpc.Verdict{}, fmt.Errorf("admission: %s", r.Log)
		}
		return b.verdict(ctx, hash, raw, ledger.Code(r.Code))
	case <-ctx.Done():
		return rpc.Verdict{}, ctx.Err()
	}
}

// unlessCommitted answers for bytes that cannot be taken now: the reason, but
// none for those that are committed, which may be sent again at any time.
func (b *backend) unlessCommitted(hash crypto.Hash, reason error) (rpc.Verdict, error) {
	_, _, committed, err := b.index.Place(hash)
	if !committed && err == nil {
		err = reason
	}
	return rpc.Verdict{Hash: hash}, err
}

// cached answers for bytes that CometBFT has seen and the application does
// not hold as pending: they are committed, or being judged at this moment. The
// index knows the first, and the rules decide the second.
func (b *backend) cached(ctx context.Context, hash crypto.Hash, raw []byte) (rpc.Verdict, error) {
	if _, _, committed, err := b.index.Place(hash); committed || err != nil {
		return rpc.Verdict{Hash: hash}, err
	}
	result, err := ledger.Simulate(b.net, b.store.Time(), b.store.Latest(), b.app.Decode(raw))
	if err != nil {
		return rpc.Verdict{}, err
	}
	return b.verdict(ctx, hash, raw, result.Code)
}

// verdict adds to a code what the sender needs to know. A nonce spent by this
// very transaction is no refusal.
func (b *backend) verdict(ctx context.Context, hash crypto.Hash, raw []byte, code ledger.Code) (rpc.Verdict, error) {
	v := rpc.Verdict{Hash: hash, Code: code}
	switch code {
	case ledger.CodeNonceSpent:
		tx := b.app.Decode(raw)
		if err := b.index.WaitHeight(ctx, b.store.Height()); err != nil {
			return rpc.Verdict{}, err
		}
		holder, err := b.index.ReceiptByNonce(tx.Sender, tx.Nonce)
		if err != nil || holder == nil {
			return v, err
		}
		if holder.Hash == hash {
			return rpc.Verdict{Hash: hash}, nil
		}
		v.HolderHash, v.HolderBodyHash = &holder.Hash, &holder.BodyHash
	case ledger.CodeDuplicateNonce:
		tx := b.app.Decode(raw)
		if holder, ok := b.app.PendingByNonce(tx.Sender, tx.Nonce); ok {
			v.HolderHash, v.HolderBodyHash = &holder.Hash, &holder.BodyHash
		}
	}
	return v, nil
}

func (b *backend) Receipt(hash crypto.Hash) (*wire.Receipt, error) { return b.index.Receipt(hash) }

func (b *backend) ReceiptByNonce(sender crypto.Address, nonce ledger.Nonce) (*wire.Receipt, error) {
	return b.index.ReceiptByNonce(sender, nonce)
}

func (b *backend) WaitReceipt(ctx context.Context, hash crypto.Hash) (*wire.Receipt, error) {
	return b.index.WaitReceipt(ctx, hash, func() bool {
		_, pending := b.app.Pending(hash)
		return pending
	})
}

func (b *backend) Transaction(hash crypto.Hash) (*rpc.Transaction, error) {
	height, at, committed, err := b.index.Place(hash)
	if err != nil {
		return nil, err
	}
	if !committed {
		if raw, pending := b.app.Pending(hash); pending {
			return &rpc.Transaction{Raw: raw}, nil
		}
		return nil, nil
	}
	_, block, err := b.load(height)
	if err == nil && int(at) >= len(block.Txs) {
		err = b.damage(fmt.Errorf("block %d has no transaction %d, which is indexed", height, at))
	}
	if err != nil {
		return nil, err
	}
	return &rpc.Transaction{Raw: block.Txs[at], Height: height, Index: at, BlockHash: hash32(block.Hash())}, nil
}

func (b *backend) BlockByHash(hash crypto.Hash) (*wire.Block, error) {
	height, ok, err := b.index.HeightOf(hash)
	if err != nil || !ok {
		return nil, err
	}
	return b.Block(height)
}

func (b *backend) Block(height ledger.Height) (*wire.Block, error) {
	if height == 0 || height > b.Height() {
		return nil, nil
	}
	meta, block, err := b.load(height)
	if err != nil {
		return nil, err
	}
	out := &wire.Block{
		Height: uint64(height), Hash: hash32(meta.BlockID.Hash), ParentHash: hash32(meta.Header.LastBlockID.Hash),
		Time: uint64(meta.Header.Time.Unix()), Proposer: wire.Bytes(meta.Header.ProposerAddress),
		AppHash: hash32(meta.Header.AppHash), ResultsHash: hash32(meta.Header.LastResultsHash),
		SizeBytes: uint64(meta.BlockSize), Transactions: make([]crypto.Hash, len(block.Txs)),
	}
	for i, tx := range block.Txs {
		out.Transactions[i] = crypto.Keccak256(tx)
	}
	return out, nil
}

// load reads a block that is indexed. If it cannot be, the node has failed,
// unless the block is of those that are no longer kept.
func (b *backend) load(height ledger.Height) (*cmttypes.BlockMeta, *cmttypes.Block, error) {
	meta, block, err := loadBlock(b.blocks, height)
	if err != nil && int64(height) >= b.blocks.Base() {
		err = b.damage(err)
	}
	return meta, block, err
}

// damage says that the node must not go on because of err, and returns it.
func (b *backend) damage(err error) error {
	b.failed(err)
	return err
}

// hash32 takes over one of CometBFT's hashes; an absent one is zero.
func hash32(b []byte) (h crypto.Hash) {
	copy(h[:], b)
	return h
}
