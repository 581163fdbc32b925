package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cometbft/cometbft/p2p"
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

// backend is the node as the RPC sees it. Every answer is about the height
// that the receipt index has reached: the store has committed that height
// before, so state, receipts and history of it are all there.
type backend struct {
	net        *ledger.Network
	genesis    *rpc.Done     // what the network began with
	params     ledger.Params // likewise
	app        *app.Application
	store      *store.Store
	index      *index.Index
	blocks     blockStore
	commits    commitStore
	validators validatorStore
	results    resultStore
	failed     func(error) // why the node must not go on: its disk or what it holds is damaged
	catchingUp func() bool
	committed  func() time.Time // when the last block was
	peers      func() []p2p.Peer
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

// Submit hands raw to the application, where it waits for a block if it may.
func (b *backend) Submit(ctx context.Context, raw []byte) (rpc.Verdict, error) {
	if b.catchingUp() {
		hash := crypto.Keccak256(raw)
		if _, pending := b.app.Pending(hash); pending {
			return rpc.Verdict{Hash: hash}, nil
		}
		return b.unlessCommitted(hash, rpc.ErrCatchingUp)
	}
	v, err := b.app.Admit(raw)
	switch {
	case errors.Is(err, app.ErrPoolFull):
		return b.unlessCommitted(v.Hash, rpc.ErrPoolFull)
	case errors.Is(err, app.ErrAccountQuota):
		return b.unlessCommitted(v.Hash, rpc.ErrAccountQuota)
	case errors.Is(err, app.ErrMemberQuota):
		return b.unlessCommitted(v.Hash, rpc.ErrMemberQuota)
	case err != nil:
		return rpc.Verdict{}, fmt.Errorf("admission: %w", err)
	}
	return b.verdict(ctx, v)
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

// verdict adds to an admission what the sender needs to know. A nonce spent by
// this very transaction is no refusal.
func (b *backend) verdict(ctx context.Context, a app.Admission) (rpc.Verdict, error) {
	v := rpc.Verdict{Hash: a.Hash, Code: a.Code}
	switch a.Code {
	case ledger.CodeNonceSpent:
		if err := b.index.WaitHeight(ctx, b.store.Height()); err != nil {
			return rpc.Verdict{}, err
		}
		holder, err := b.index.ReceiptByNonce(a.Tx.Sender, a.Tx.Nonce)
		if err != nil || holder == nil {
			return v, err
		}
		if holder.Hash == a.Hash {
			return rpc.Verdict{Hash: a.Hash}, nil
		}
		v.HolderHash, v.HolderBodyHash = &holder.Hash, &holder.BodyHash
	case ledger.CodeDuplicateNonce:
		v.HolderHash, v.HolderBodyHash = &a.Holder.Hash, &a.Holder.BodyHash
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

const (
	// indexLag is how many blocks the index can be behind the state as a matter of
	// course. One that is further behind is being made anew.
	indexLag = 4
	// indexPatience bounds the wait for it.
	indexPatience = time.Second
)

func (b *backend) Follow(ctx context.Context) {
	top := b.store.Height()
	if top > b.Height()+indexLag {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, indexPatience)
	defer cancel()
	_ = b.index.WaitHeight(ctx, top) // in vain: then the answer is about the height that there is
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

func (b *backend) WaitHeight(ctx context.Context, height ledger.Height) error {
	return b.index.WaitHeight(ctx, height)
}

func (b *backend) Done(height ledger.Height) (*rpc.Done, error) {
	if height == 0 {
		return b.genesis, nil
	}
	block, err := b.index.Block(height)
	if err != nil || block == nil {
		return nil, err
	}
	receipts, err := b.index.Receipts(height)
	if err != nil {
		return nil, err
	}
	events, err := b.index.BlockEvents(height)
	return &rpc.Done{Height: height, Hash: block.Hash, Time: block.Time, Receipts: receipts, Events: events}, err
}

func (b *backend) Raw(height ledger.Height) ([][]byte, error) {
	if height == 0 || height > b.Height() {
		return nil, nil
	}
	_, block, err := b.load(height)
	if err != nil {
		return nil, err
	}
	raw := make([][]byte, len(block.Txs))
	for i, tx := range block.Txs {
		raw[i] = tx
	}
	return raw, nil
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
