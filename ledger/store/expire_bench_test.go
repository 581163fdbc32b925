package store

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// The benchmark's holds: so many fall due in one second, the most that a block
// handles, and the first of them a second after expireTime.
const (
	expirePerBlock = 10_000
	expireTime     = 1_800_000_000
	expirePayees   = 2_000
)

// expireNetwork is a genesis with a payer for each ledger.MaxLegs holds, and
// settlements of theirs that make all the holds.
type expireNetwork struct {
	genesis *ledger.GenesisState
	blocks  [][]*ledger.Tx
}

func newExpireNetwork(b *testing.B, holds int) *expireNetwork {
	b.Helper()
	g := &ledger.Genesis{
		NetworkID: "bench", ChainID: 424242, Settlement: "CASH",
		Params: ledger.NewGenesisParams(ledger.DefaultParams()),
	}
	var keys []*crypto.PrivateKey
	for i := range (holds + ledger.MaxLegs - 1) / ledger.MaxLegs {
		var secret [32]byte
		binary.BigEndian.PutUint64(secret[24:], uint64(i)+1)
		key, err := crypto.PrivateKeyFromBytes(secret[:])
		if err != nil {
			b.Fatal(err)
		}
		keys = append(keys, key)
		g.Accounts = append(g.Accounts, ledger.GenesisAccount{Address: key.Address()})
		g.Balances = append(g.Balances, ledger.GenesisBalance{Account: key.Address(), Symbol: "CASH", Amount: ledger.NewAmount(1 << 40)})
	}
	for i := range expirePayees {
		g.Accounts = append(g.Accounts, ledger.GenesisAccount{Address: expirePayee(i)})
	}
	g.Assets = []ledger.GenesisAsset{{Symbol: "CASH", Name: "Cash", Decimals: 2, Issuer: keys[0].Address()}}
	genesis, err := g.Build()
	if err != nil {
		b.Fatal(err)
	}
	n := &expireNetwork{genesis: genesis}
	for i, key := range keys {
		op := &ledger.Settle{}
		for at := i * ledger.MaxLegs; at < min(holds, (i+1)*ledger.MaxLegs); at++ {
			op.Holds = append(op.Holds, ledger.Hold{
				From: key.Address(), To: expirePayee(at * 7919 % expirePayees), Asset: genesis.Network.Settlement,
				Amount: ledger.NewAmount(1), Expiry: expireTime + 1 + ledger.UnixTime(at/expirePerBlock),
			})
		}
		tx, code := ledger.Sign(genesis.Network, ledger.Body{Sender: key.Address(), Op: op}, ledger.SchemeBodyHash, key)
		if code != ledger.Applied {
			b.Fatal(code)
		}
		if i%16 == 0 {
			n.blocks = append(n.blocks, nil)
		}
		last := &n.blocks[len(n.blocks)-1]
		*last = append(*last, tx)
	}
	return n
}

// expirePayee is an account that nobody has the key of.
func expirePayee(i int) (a crypto.Address) {
	h := crypto.Keccak256(binary.BigEndian.AppendUint64([]byte("payee"), uint64(i)))
	copy(a[:], h[:])
	return a
}

// open returns a store with all the holds.
func (n *expireNetwork) open(b *testing.B) *Store {
	b.Helper()
	s := openTemp(b, Options{})
	commitNext(b, s, n.genesis.Changes)
	for _, txs := range n.blocks {
		for _, r := range n.apply(b, s, expireTime, txs) {
			if r.Code != ledger.Applied {
				b.Fatal(r.Code)
			}
		}
	}
	return s
}

// apply runs and commits a block.
func (n *expireNetwork) apply(b *testing.B, s *Store, time ledger.UnixTime, txs []*ledger.Tx) []ledger.TxResult {
	b.Helper()
	result, err := ledger.Apply(n.genesis.Network, ledger.Block{Height: s.Height() + 1, Time: time, Txs: txs}, s.Latest())
	if err != nil {
		b.Fatal(err)
	}
	if due := time > expireTime; due != (len(result.Events) == expirePerBlock) {
		b.Fatalf("at %d: %d events", time, len(result.Events))
	}
	commitNext(b, s, result.Changes)
	return result.Results
}

// BenchmarkExpire is a block in which 10,000 of so many holds are due, with
// Stage and the synced Commit, and Apply of one in which none is: the first
// must cost the same however many there are, the second nothing to speak of.
// The million takes a minute or two to make, and is left out with -short.
func BenchmarkExpire(b *testing.B) {
	for _, holds := range []int{20_000, 1_000_000} {
		if testing.Short() && holds > 20_000 {
			continue
		}
		n := newExpireNetwork(b, holds)
		b.Run(fmt.Sprintf("due/holds=%d", holds), func(b *testing.B) { n.due(b, holds/expirePerBlock) })
		b.Run(fmt.Sprintf("idle/holds=%d", holds), n.idle)
	}
}

// due takes a new store when all blocks of the last have been.
func (n *expireNetwork) due(b *testing.B, blocks int) {
	b.ReportAllocs()
	var s *Store
	for i := range b.N {
		if i%blocks == 0 {
			b.StopTimer()
			s = n.open(b)
			b.StartTimer()
		}
		n.apply(b, s, expireTime+1+ledger.UnixTime(i%blocks), nil)
	}
	b.ReportMetric(float64(b.N)*expirePerBlock/b.Elapsed().Seconds(), "holds/s")
}

func (n *expireNetwork) idle(b *testing.B) {
	s := n.open(b)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		result, err := ledger.Apply(n.genesis.Network, ledger.Block{Height: s.Height() + 1, Time: expireTime}, s.Latest())
		if err != nil || len(result.Changes)+len(result.Events) != 0 {
			b.Fatalf("%+v, %v", result, err)
		}
	}
}
