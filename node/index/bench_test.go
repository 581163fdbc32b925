package index

import (
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// payments is a block of single transfers between twice as many accounts, the
// same in every block, as they come out of execution.
func (c *chain) payments(height ledger.Height, n int) *Block {
	b := &Block{
		Height: height, Time: 1_700_000_000 + ledger.UnixTime(height),
		Hash: crypto.Keccak256(be64(uint64(height)), []byte("block")), Root: crypto.Keccak256(be64(uint64(height))),
		Txs: make([]*ledger.Tx, n), Results: make([]ledger.TxResult, n),
	}
	asset := c.assets(c.states[0])[0]
	for i := range n {
		hash := crypto.Keccak256(be64(uint64(height)), be32(uint32(i)))
		people := crypto.Keccak256(be32(uint32(i)))
		leg := ledger.Leg{
			From: crypto.Address(people[:20]), To: crypto.Address(people[12:]), Asset: asset, Amount: ledger.NewAmount(0), Reference: "invoice",
		}
		b.Txs[i] = &ledger.Tx{Body: ledger.Body{Sender: leg.From, Nonce: ledger.Nonce(height), Op: &ledger.Transfer{Legs: []ledger.Leg{leg}}}, Hash: hash}
		b.Results[i] = ledger.TxResult{BodyHash: hash, Events: []ledger.Event{{
			Type: ledger.EventTransfer, From: leg.From, To: leg.To, Asset: leg.Asset, Amount: leg.Amount, Reference: leg.Reference,
		}}}
		if height == 1 { // the accounts come from somewhere
			b.Events = append(b.Events, ledger.Event{Type: ledger.EventAccountCreated, Account: leg.From},
				ledger.Event{Type: ledger.EventAccountCreated, Account: leg.To})
		}
	}
	return b
}

// One operation is a block of 1,000 single transfers.
func BenchmarkIndexBlock(b *testing.B) {
	const size = 1000
	c := newChain(b, 1)
	x, err := Open(b.TempDir(), c.options())
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	if err := x.write(c.payments(1, size)); err != nil {
		b.Fatal(err)
	}
	height := ledger.Height(1)
	for b.Loop() {
		b.StopTimer()
		height++
		block := c.payments(height, size)
		b.StartTimer()
		if err := x.write(block); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size), "ns/tx")
}

// One operation is the check of an index of 200 blocks of 1,000 transfers.
func BenchmarkOpen(b *testing.B) {
	c, dir := newChain(b, 1), b.TempDir()
	x, err := Open(dir, c.options())
	if err != nil {
		b.Fatal(err)
	}
	for height := range ledger.Height(200) {
		if err := x.write(c.payments(height+1, 1000)); err != nil {
			b.Fatal(err)
		}
	}
	keys := uint64(0)
	for _, n := range x.counts {
		keys += n
	}
	if err := x.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		x, err := Open(dir, c.options())
		if err != nil {
			b.Fatal(err)
		}
		if err := x.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(keys)*float64(b.N)/b.Elapsed().Seconds(), "keys/s")
}
