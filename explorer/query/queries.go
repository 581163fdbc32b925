package query

import (
	"context"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// Queries is everything that can be asked. All methods may be called from many
// goroutines, and ask the database once or a few times each.
//
// Single objects: ErrNotFound where the index has none. Lists and filters: an
// *InvalidError says what is wrong with a cursor, a limit or a filter. Any other
// error is the database's.
type Queries interface {
	// Status is how far the index is and how sure.
	Status(ctx context.Context) (*Status, error)
	// WaitHeight waits until the index has height, or for ctx. Cost: none while it
	// waits.
	WaitHeight(ctx context.Context, height ledger.Height) error

	Blocks(ctx context.Context, f BlockFilter, p Page) (*List[Block], error)
	Block(ctx context.Context, height ledger.Height) (*Block, error)
	BlockByHash(ctx context.Context, hash crypto.Hash) (*Block, error)
	// BlockAt is the last block whose time is not after at: what held at a date.
	BlockAt(ctx context.Context, at ledger.UnixTime) (*Block, error)
	// BlockEvents are the events of a block itself; of height 0 the genesis'.
	BlockEvents(ctx context.Context, height ledger.Height, p Page) (*List[Event], error)

	Transactions(ctx context.Context, f TransactionFilter, p Page) (*List[Transaction], error)
	// Transaction is one transaction with its raw bytes, body and the first
	// MaxEvents of its events. One that spent no nonce may stand in the chain
	// again; then it is where its nonce was spent, or else the first.
	Transaction(ctx context.Context, hash crypto.Hash) (*TransactionDetail, error)
	// TransactionEvents are all the events of a transaction.
	TransactionEvents(ctx context.Context, hash crypto.Hash, p Page) (*List[Event], error)

	Movements(ctx context.Context, f MovementFilter, p Page) (*List[Movement], error)

	Accounts(ctx context.Context, f AccountFilter, p Page) (*List[Account], error)
	// Account is an account now or, with a moment, as it was then.
	Account(ctx context.Context, address crypto.Address, at Moment) (*Account, error)
	// AccountHistory is what an account's record was, the newest first.
	AccountHistory(ctx context.Context, address crypto.Address, p Page) (*List[AccountChange], error)
	// Balances are an account's balances, ascending by asset, now or at a past moment.
	Balances(ctx context.Context, account crypto.Address, at Moment, p Page) (*List[Balance], error)
	// Statement is what moved an account's balance of one asset in a period.
	Statement(ctx context.Context, f StatementFilter, p Page) (*Statement, error)
	// BalanceSeries is a balance over time, at most points samples, evenly spread,
	// each what held at its time.
	BalanceSeries(ctx context.Context, account, asset crypto.Address, s Span) ([]BalancePoint, error)

	Holds(ctx context.Context, f HoldFilter, p Page) (*List[Hold], error)
	Hold(ctx context.Context, hold crypto.Address) (*Hold, error)

	Assets(ctx context.Context, f AssetFilter, p Page) (*List[Asset], error)
	Asset(ctx context.Context, asset crypto.Address) (*Asset, error)
	AssetBySymbol(ctx context.Context, symbol string) (*Asset, error)
	// AssetEvents is what happened to an asset beside movements: pauses, another
	// issuer, metadata, approvals and freezes of holders.
	AssetEvents(ctx context.Context, asset crypto.Address, p Page) (*List[Event], error)
	SupplySeries(ctx context.Context, asset crypto.Address, s Span) ([]SupplyPoint, error)
	// Holders are who has an asset, the richest first.
	Holders(ctx context.Context, asset crypto.Address, p Page) (*List[Holder], error)

	// Members are all that were ever admitted (at most ledger.MaxMembers), by name.
	Members(ctx context.Context) ([]Member, error)
	Member(ctx context.Context, member crypto.Address) (*Member, error)
	// MemberHistory is what a member's record was, the newest first.
	MemberHistory(ctx context.Context, member crypto.Address, p Page) (*List[MemberChange], error)

	// Validators are those of the newest block of which the votes are known, by
	// power, with what they signed of the last UptimeWindow.
	Validators(ctx context.Context) (*Validators, error)
	// HeatMap is how a validator voted on each of the last blocks, at most
	// UptimeWindow.
	HeatMap(ctx context.Context, validator ledger.ConsensusAddress, blocks int) (*HeatMap, error)
	// PowerHistory is the validator's power at each height where the set of
	// validators changed, the newest first.
	PowerHistory(ctx context.Context, validator ledger.ConsensusAddress, p Page) (*List[PowerPoint], error)

	// Proposals go by number, the newest first.
	Proposals(ctx context.Context, f ProposalFilter, p Page) (*List[Proposal], error)
	Proposal(ctx context.Context, id ledger.ProposalID) (*Proposal, error)

	Parameters(ctx context.Context, at Moment) (*Parameters, error)
	// Statistics are the network's figures, one for each period that has a block,
	// ascending, at most MaxBuckets.
	Statistics(ctx context.Context, f StatisticsFilter) ([]Statistic, error)
	Totals(ctx context.Context) (*Totals, error)

	// Search finds what a person may mean by a text, the likeliest first. No text
	// is an error; one that means nothing finds nothing.
	Search(ctx context.Context, text string, limit int) ([]Hit, error)

	// Differences are where the index and the node's proven state did not agree,
	// the newest first.
	Differences(ctx context.Context, p Page) (*List[Difference], error)
}

// Bounds of answers.
const (
	DefaultLimit = 25
	MaxLimit     = 1000
	MaxEvents    = 100   // events beside one transaction
	MaxPoints    = 400   // samples of a series
	MaxBuckets   = 2000  // periods of statistics
	UptimeWindow = 1000  // blocks
	MaxHits      = 50    // of a search
	scanned      = 2_000 // rows that a page looks at for what no index sorts by
)
