package rpc

import (
	"context"
	"errors"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Backend is the node as the RPC sees it. Methods may be called from many
// goroutines. An error other than those named is a failure of the node.
//
// What the methods return is not changed afterwards by either side. Lists in it
// (events, balances, transactions) are never nil, so that JSON has [] and not
// null.
//
// All answers are about one height, Height, which grows only after the state,
// the receipts and the history of that height can all be read: nothing is
// ever shown half done.
type Backend interface {
	// Network is the ledger's identity.
	Network() *ledger.Network
	// Height is the highest height that everything answers for.
	Height() ledger.Height
	// Status describes the node and that height.
	Status(ctx context.Context) (*wire.Status, error)

	// Submit hands raw to admission. It returns when the transaction is in
	// the pool or has been found there or in the chain (Verdict.Code is
	// Applied), or has been refused. Errors: ErrPoolFull, ErrAccountQuota,
	// ErrMemberQuota, ErrCatchingUp.
	Submit(ctx context.Context, raw []byte) (Verdict, error)

	// Receipt, ReceiptByNonce, Transaction and Block answer nil for what the
	// chain (up to Height) does not have. Transaction also finds what is pending.
	Receipt(hash crypto.Hash) (*wire.Receipt, error)
	ReceiptByNonce(sender crypto.Address, nonce ledger.Nonce) (*wire.Receipt, error)
	Transaction(hash crypto.Hash) (*Transaction, error)
	Block(height ledger.Height) (*wire.Block, error)
	BlockByHash(hash crypto.Hash) (*wire.Block, error)
	// WaitReceipt waits for the receipt, or for ctx.
	WaitReceipt(ctx context.Context, hash crypto.Hash) (*wire.Receipt, error)

	// WaitHeight waits until Height is at least height, or for ctx.
	WaitHeight(ctx context.Context, height ledger.Height) error
	// Done is what a block did; nil above Height. Height 0 is the genesis: its
	// Events are what the network began with, and it has no receipts. Cost: as
	// the block is large.
	Done(height ledger.Height) (*Done, error)
	// Raw is the bytes of a block's transactions, in order; nil for height 0 and
	// above Height.
	Raw(height ledger.Height) ([][]byte, error)

	// Header is what an explorer keeps of a block beside what it did; nil above
	// Height. Height 0 is the genesis.
	Header(height ledger.Height) (*Header, error)
	// Prove is a value of the newest state whose root a header up to Height has, or
	// its absence, with a proof. Error: ErrCatchingUp while there is none.
	Prove(key []byte) (*wire.StateProof, error)
	// ReceiptProof is a transaction and what became of it, with a proof that can be
	// checked without the node; nil for what the chain up to Height does not have.
	// Errors: *NotYetProvableError, ErrBlockPruned. Cost: as the block is large.
	ReceiptProof(hash crypto.Hash) (*wire.ReceiptProof, error)

	// Places are where the chain up to Height has what concerns a subject, in
	// the order of the chain or the reverse, at most q.Limit. Cost: as many steps
	// as there are answers, wherever they lie.
	Places(q PlaceQuery) ([]Place, error)
	// DoneAt is Done of one place alone: with the receipt that stands there, or
	// with the block's own events. nil where the chain up to Height has nothing.
	DoneAt(at Place) (*Done, error)

	// Follow waits, not for long, until the chain up to Height has everything that a
	// block has taken out of what waits: for a moment that is in neither.
	Follow(ctx context.Context)
	// Pending lists what waits on this node for a block.
	Pending(q PendingQuery) (*Pending, error)
	// Admitted are the hashes of transactions that came to wait on this node, from
	// clients or peers, behind a number, at most limit, with the number of the last
	// returned. They may wait no more by now. Those long past are passed over; a
	// number above all means the newest.
	Admitted(behind uint64, limit int) (hashes []crypto.Hash, upTo uint64)
	// AwaitAdmission waits until something has come behind a number, or for ctx.
	AwaitAdmission(ctx context.Context, behind uint64) error
	// Peers are the nodes that this one is connected with now, by node ID.
	// Members are left empty.
	Peers() ([]wire.Peer, error)

	// State is the committed state at Height, for as long as it takes to answer.
	// Error: ErrCatchingUp before block 1, and while that state is too old to be read.
	State() (ledger.Reader, error)
	// StateAt is the committed state after the block at height, and that block's
	// time. Error: ErrUnknownHeight above Height, and where the state is no longer
	// kept.
	StateAt(height ledger.Height) (ledger.Reader, ledger.UnixTime, error)
	// Validators are those that vote on the block after Height, by power, the
	// highest first, with what their last commits show. Members and targets are
	// left empty.
	Validators() (*wire.Validators, error)

	// View reads the state as it was after the block at height, which is at
	// most Height. Error: ErrUnknownHeight.
	View(height ledger.Height) (View, error)
}

// View is the state at one height.
type View interface {
	// Account answers nil where there is no account. Balances are complete
	// and ascend by asset.
	Account(address crypto.Address) (*wire.Account, error)
	// Member answers the member that answers for an account; zero for none.
	Member(account crypto.Address) (crypto.Address, error)
	Balance(account, asset crypto.Address) (ledger.Balance, error)
	// Asset and AssetBySymbol answer nil where there is no asset.
	Asset(asset crypto.Address) (*wire.Asset, error)
	AssetBySymbol(symbol string) (*wire.Asset, error)
	// Assets lists up to limit assets whose address is above after.
	Assets(after crypto.Address, limit int) ([]wire.Asset, error)
}

// Transaction is a transaction and where it stands.
type Transaction struct {
	Raw       []byte
	Height    ledger.Height // 0 while it is pending
	Index     uint32
	BlockHash crypto.Hash
}

// Done is what a block did.
type Done struct {
	Height   ledger.Height
	Hash     crypto.Hash
	Time     ledger.UnixTime
	Receipts []*wire.Receipt // of its transactions, in order
	Events   []ledger.Event  // of the block itself; they come before its transactions
}

// Verdict is what admission said of a transaction.
type Verdict struct {
	Hash crypto.Hash
	Code ledger.Code // Applied: it is pending or committed

	// Of the transaction that has the nonce, for CodeNonceSpent and
	// CodeDuplicateNonce, where it is known.
	HolderHash, HolderBodyHash *crypto.Hash
}

// The conditions that a retry, here later or on another node at once, cures.
var (
	ErrPoolFull     = errors.New("the pool of pending transactions is full")
	ErrAccountQuota = errors.New("the account has too many pending transactions")
	ErrMemberQuota  = errors.New("the member's accounts have too many pending transactions")
	ErrCatchingUp   = errors.New("the node is catching up with the network")
)

// ErrUnknownHeight: the height is above the chain's, or no longer kept.
var ErrUnknownHeight = errors.New("unknown height")
