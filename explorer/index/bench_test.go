package index

import (
	"context"
	"fmt"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/explorer/explorertest"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// finished is a chain of transfers between accounts that were all paid at genesis,
// made up as it is asked for: no ledger and no signature costs anything here.
type finished struct {
	explorer.Source
	genesis  *explorer.Block
	accounts []crypto.Address
	asset    crypto.Address
	blocks   int
	each     int // transfers in a block
}

func newFinished(b testing.TB, accounts, transfers, each int) *finished {
	b.Helper()
	chain := explorertest.New(b, 1)
	f := &finished{Source: chain.Source(), each: each, blocks: (transfers + each - 1) / each}
	genesis := *chain.At(0)
	f.asset = chain.Network().Settlement
	issue := ledger.NewAmount(1 << 40)
	for i := range accounts {
		h := crypto.Keccak256([]byte(fmt.Sprint("account ", i)))
		a := crypto.Address(h[:20])
		f.accounts = append(f.accounts, a)
		genesis.Events = append(genesis.Events, ledger.Event{Type: ledger.EventAccountCreated, Account: a},
			ledger.Event{Type: ledger.EventIssue, Asset: f.asset, To: a, Amount: issue})
	}
	f.genesis = &genesis
	return f
}

func (f *finished) hash(h ledger.Height) crypto.Hash {
	if h == 0 {
		return f.genesis.Hash
	}
	return crypto.Keccak256([]byte(fmt.Sprint("block ", h)))
}

func (f *finished) Height(context.Context) (ledger.Height, error) {
	return ledger.Height(f.blocks), nil
}

func (f *finished) WaitHeight(ctx context.Context, h ledger.Height) error {
	<-ctx.Done()
	return ctx.Err()
}

func (f *finished) Block(_ context.Context, h ledger.Height) (*explorer.Block, error) {
	if h == 0 {
		return f.genesis, nil
	}
	if int(h) > f.blocks {
		return nil, nil
	}
	key := ledgertest.ConsensusKey("m0").Address()
	b := &explorer.Block{Height: h, Hash: f.hash(h), ParentHash: f.hash(h - 1), Time: 1_800_000_000 + ledger.UnixTime(h), Proposer: key, SizeBytes: uint64(300 * f.each)}
	if h > 1 {
		b.LastCommit = []explorer.Vote{{Validator: key, Power: 1_000_000, Vote: explorer.VoteSigned}}
	}
	for i := range f.each {
		n := (int(h)*f.each + i)
		from, to := f.accounts[(n*7919)%len(f.accounts)], f.accounts[(n*104729+1)%len(f.accounts)]
		raw := make([]byte, 250)
		hash := crypto.Keccak256([]byte(fmt.Sprint("tx ", n)))
		copy(raw, hash[:])
		leg := ledger.Leg{From: from, To: to, Asset: f.asset, Amount: ledger.NewAmount(uint64(1 + n%1000)), Reference: fmt.Sprint("INV-", n)}
		b.Txs = append(b.Txs, &ledger.Tx{Raw: raw, Hash: hash, Envelope: ledger.EnvelopeNative, Signers: []crypto.Address{from},
			Body: ledger.Body{Sender: from, Nonce: ledger.Nonce(n), Op: &ledger.Transfer{Legs: []ledger.Leg{leg}}}})
		b.Results = append(b.Results, ledger.TxResult{BodyHash: hash, Events: []ledger.Event{
			{Type: ledger.EventTransfer, From: from, To: to, Asset: f.asset, Amount: leg.Amount, Reference: leg.Reference}}})
	}
	return b, nil
}

// BenchmarkIndex is how fast a finished chain of b.N transfers is indexed, 1,000 in a
// block, beside 100,000 accounts. Run it alone, with -benchtime 200000x or more:
//
//	scripts/postgres go test ./explorer/index -run '^$' -bench Index -benchtime 300000x
func BenchmarkIndex(b *testing.B) {
	for _, kind := range []string{"sqlite", "postgres"} {
		b.Run(kind, func(b *testing.B) {
			d, ok := explorertest.SQLite(b), true
			if kind == "postgres" {
				if d, ok = explorertest.Postgres(b); !ok {
					b.Skip(explorertest.PostgresVariable + " is not set")
				}
			}
			db := d.Open(b)
			chain := newFinished(b, 100_000, b.N, 1000)
			run(b, db, until{chain, 0}, 0, Options{}) // genesis is not measured
			b.ResetTimer()
			run(b, db, until{chain, ledger.Height(chain.blocks)}, ledger.Height(chain.blocks), Options{})
			b.StopTimer()
			b.ReportMetric(float64(chain.blocks*chain.each)/b.Elapsed().Seconds(), "transfers/s")
		})
	}
}
