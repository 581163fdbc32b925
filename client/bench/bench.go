package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// Scheme says how transactions are signed.
type Scheme uint8

// The schemes.
const (
	SchemeTypedData Scheme = iota // native envelope, EIP-712 typed data
	SchemeBodyHash                // native envelope, the body hash
	SchemeEthereum                // Ethereum's type 0x02, one leg
)

// Bounds of a Config.
const (
	MinAccounts = 2
	MaxAccounts = 100_000
	MaxRate     = 100_000
	MaxInflight = 100_000
	MaxDuration = 24 * time.Hour
	// maxPresigned bounds the memory for signed bytes, some 400 bytes each.
	maxPresigned = 2_000_000
)

// Config says what to do. All fields without a default in their comment must
// be set.
type Config struct {
	URLs     []string       // the nodes to drive, http(s) or ws(s)
	Client   client.Options // how to show oneself to them; may be zero
	Rate     float64        // transactions a second; 0: Inflight says how many
	Inflight int            // transactions in flight, where Rate is 0
	Legs     int            // of each transfer; 1 for SchemeEthereum
	Accounts int            // MinAccounts..MaxAccounts
	Duration time.Duration  // of driving, without funding and signing
	Scheme   Scheme         //
	Asset    string         // symbol or address; empty: the settlement asset
	Funder   client.Signer  // of the account that pays for the others
	// Registrar is of a registrar's admin account, whose member the accounts
	// become; nil where receiving creates accounts.
	Registrar client.Signer
	Seed      string        // the accounts follow from it: the same seed, the same accounts
	Grace     time.Duration // how long to wait for answers after the last sending; 0: 30 s
	Verify    bool          // compare every balance on every node at the end
	// Stage, if set, hears what the run is doing before and after it drives:
	// done of total, or 0 of 0.
	Stage func(name string, done, total int)
	// Live, if set, hears once a second how the driving goes.
	Live func(Live)
}

// Check reports the first field with a value that cannot be run.
func (c *Config) Check() error {
	switch {
	case len(c.URLs) == 0:
		return fmt.Errorf("no node to drive: name at least one")
	case c.Rate < 0 || c.Rate > MaxRate || c.Rate != c.Rate:
		return fmt.Errorf("rate %v: must be above 0 and at most %d a second", c.Rate, MaxRate)
	case c.Rate == 0 && (c.Inflight < 1 || c.Inflight > MaxInflight):
		return fmt.Errorf("in flight %d: must be from 1 to %d", c.Inflight, MaxInflight)
	case c.Rate > 0 && c.Inflight != 0:
		return fmt.Errorf("--rate and --inflight: give one of them")
	case c.Legs < 1 || c.Legs > ledger.MaxLegs:
		return fmt.Errorf("legs %d: must be from 1 to %d", c.Legs, ledger.MaxLegs)
	case c.Scheme == SchemeEthereum && c.Legs != 1:
		return fmt.Errorf("legs %d: an Ethereum transaction moves one asset to one account, so it must be 1", c.Legs)
	case c.Accounts < MinAccounts || c.Accounts > MaxAccounts:
		return fmt.Errorf("accounts %d: must be from %d to %d", c.Accounts, MinAccounts, MaxAccounts)
	case c.Duration <= 0 || c.Duration > MaxDuration:
		return fmt.Errorf("duration %s: must be above 0 and at most %s", c.Duration, MaxDuration)
	case c.Rate*c.Duration.Seconds() > maxPresigned:
		return fmt.Errorf("%.0f transactions: at most %d can be signed before the run; lower the rate or the duration", c.Rate*c.Duration.Seconds(), maxPresigned)
	case c.Funder == nil:
		return fmt.Errorf("no key of an account that pays")
	}
	return nil
}

// LatencyMs are percentiles of the latency in milliseconds.
type LatencyMs struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// Result is what a run measured. Submitted is the sum of the three others.
type Result struct {
	Submitted          uint64    `json:"submitted"`
	Committed          uint64    `json:"committed"` // applied
	Refused            uint64    `json:"refused"`   // by a node, or in a block
	Lost               uint64    `json:"lost"`      // without a definite answer
	TransfersPerSecond float64   `json:"transfersPerSecond"`
	LatencyMs          LatencyMs `json:"latencyMs"` // of the committed ones

	// Not part of the JSON form.
	Elapsed      time.Duration     `json:"-"` // from the first due time to the last receipt, or to the end of the grace where some came later
	Late         uint64            `json:"-"` // committed, but found only by a look-up at the end; without a latency
	Cores        float64           `json:"-"` // processor time of this process while driving, a second; 0 if unknown
	SignedLate   uint64            `json:"-"` // signed while driving, because more went through than was foreseen
	Reasons      map[string]uint64 `json:"-"` // why transactions were refused
	Retries      map[string]uint64 `json:"-"` // sendings beyond the first, by their reason
	LostHashes   []crypto.Hash     `json:"-"` // of the first lost transactions
	Verified     bool              `json:"-"`
	Differences  []Difference      `json:"-"`
	VerifyHeight ledger.Height     `json:"-"`
}

// Run does what cfg says. It returns an error where the run could not be made
// or its outcome not be judged; what the network did wrong is in the Result.
// When ctx ends while driving, the run ends early and is reported.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	if cfg.Stage == nil {
		cfg.Stage = func(string, int, int) {}
	}
	if cfg.Grace == 0 {
		cfg.Grace = 30 * time.Second
	}
	c, err := client.DialWith(ctx, cfg.Client, cfg.URLs...)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	p, err := prepare(ctx, c, &cfg)
	if err != nil {
		return nil, err
	}
	first, err := c.Status(ctx)
	if err != nil {
		return nil, err
	}
	e := newEngine(&cfg, p)
	e.drive(ctx)
	// An interrupted run is still reported, and that takes a live context.
	ctx = context.WithoutCancel(ctx)
	e.settle(ctx, c, 0)
	if !cfg.Verify {
		return e.result(), nil
	}
	v := verifier{
		client: c, plan: p, book: e.book, from: ledger.Height(first.Height), stage: cfg.Stage,
		settle: func(ctx context.Context, at ledger.Height) { e.settle(ctx, c, at) },
	}
	differences, err := v.run(ctx)
	result := e.result()
	if err != nil {
		return result, fmt.Errorf("verify: %w", err)
	}
	result.Differences, result.Verified, result.VerifyHeight = differences, true, v.height
	return result, nil
}

// prepare makes and funds the accounts and signs the transactions.
func prepare(ctx context.Context, c *client.Client, cfg *Config) (*plan, error) {
	p, err := newPlan(ctx, c, cfg)
	if err != nil {
		return nil, err
	}
	if err := p.fund(ctx, c, cfg); err != nil {
		return nil, err
	}
	return p, p.presign(ctx, cfg)
}
