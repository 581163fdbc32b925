package query

import "github.com/tallystick/tallystick/ledger"

// The periods of statistics.
const (
	Minute = "minute"
	Hour   = "hour"
	Day    = "day"
)

// StatisticsFilter chooses periods. To nil is now.
type StatisticsFilter struct {
	Period   string           // minute, hour or day
	From, To *ledger.UnixTime // the period's start, both included; the newest are kept where there are more than MaxBuckets
	Newest   int              // at most so many, the newest; 0 is MaxBuckets
}

// Statistic is what happened in a period.
type Statistic struct {
	Start         uint64  `json:"start"` // of the period
	Seconds       uint64  `json:"seconds"`
	Blocks        uint64  `json:"blocks"`
	Transactions  uint64  `json:"transactions"`
	Refused       uint64  `json:"refused"` // of them
	Transfers     uint64  `json:"transfers"`
	SizeBytes     uint64  `json:"sizeBytes"` // of all blocks
	MaxSizeBytes  uint64  `json:"maxSizeBytes"`
	MeanSizeBytes float64 `json:"meanSizeBytes"`
	IntervalMs    float64 `json:"intervalMs"` // mean time between blocks; the first has none before it
	MaxIntervalMs uint64  `json:"maxIntervalMs"`
	TxsPerSecond  float64 `json:"transactionsPerSecond"` // over the whole period
}

// Totals are counts of everything.
type Totals struct {
	Blocks       uint64 `json:"blocks"`
	Transactions uint64 `json:"transactions"`
	Refused      uint64 `json:"refused"`
	Transfers    uint64 `json:"transfers"`
	Accounts     uint64 `json:"accounts"`
	Assets       uint64 `json:"assets"`
	Members      uint64 `json:"members"`
	Proposals    uint64 `json:"proposals"`
	Holds        uint64 `json:"holds"` // open
	SizeBytes    uint64 `json:"sizeBytes"`
}

// Hit is something that a text may mean.
type Hit struct {
	// Kind is block, transaction, account, asset, member, validator, hold,
	// proposal, reference or memo.
	Kind string `json:"kind"`
	// ID is what the object is asked for by: a height, hash, address or number; of
	// a reference and a memo, the transaction's hash.
	ID    string  `json:"id"`
	Label string  `json:"label"` // for a person: what was found
	Note  string  `json:"note"`  // and what it is
	Score float64 `json:"score"` // 0..1, the likeliest first
}
