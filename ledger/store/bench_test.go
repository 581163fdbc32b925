package store

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// The benchmarks' network: single transfers between accounts that all exist.
const (
	benchAccounts = 100_000
	benchBlockTxs = 10_000
)

// benchNetwork is made once: signing takes some seconds.
type benchNetwork struct {
	genesis *ledger.GenesisState
	txs     []*ledger.Tx // one signed transfer from each account, signers recovered
}

var benchOnce = sync.OnceValue(func() *benchNetwork {
	keys := make([]*crypto.PrivateKey, benchAccounts)
	g := &ledger.Genesis{
		NetworkID: "bench", ChainID: 424242, Settlement: "CASH",
		Params: ledger.NewGenesisParams(ledger.DefaultParams()),
	}
	forEach(benchAccounts, func(i int) {
		var secret [32]byte
		binary.BigEndian.PutUint64(secret[24:], uint64(i)+1)
		keys[i], _ = crypto.PrivateKeyFromBytes(secret[:])
	})
	for _, k := range keys {
		g.Accounts = append(g.Accounts, ledger.GenesisAccount{Address: k.Address()})
		g.Balances = append(g.Balances, ledger.GenesisBalance{Account: k.Address(), Symbol: "CASH", Amount: ledger.NewAmount(1_000_000_000)})
	}
	g.Assets = []ledger.GenesisAsset{{Symbol: "CASH", Name: "Cash", Decimals: 2, Issuer: keys[0].Address()}}
	state, err := g.Build()
	if err != nil {
		panic(err)
	}
	b := &benchNetwork{genesis: state, txs: make([]*ledger.Tx, benchAccounts)}
	forEach(benchAccounts, func(i int) {
		to := keys[rand.IntN(benchAccounts)].Address()
		if to == keys[i].Address() {
			to = keys[(i+1)%benchAccounts].Address()
		}
		leg := ledger.Leg{From: keys[i].Address(), To: to, Asset: state.Network.Settlement, Amount: ledger.NewAmount(1)}
		body := ledger.Body{Sender: leg.From, Op: &ledger.Transfer{Legs: []ledger.Leg{leg}}}
		tx, code := ledger.Sign(state.Network, body, ledger.SchemeBodyHash, keys[i])
		if code != ledger.Applied {
			panic(code)
		}
		b.txs[i] = tx
	})
	rand.Shuffle(benchAccounts, func(i, j int) { b.txs[i], b.txs[j] = b.txs[j], b.txs[i] })
	return b
})

// forEach calls do for 0..n-1 on all cores.
func forEach(n int, do func(i int)) {
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				do(i)
			}
		})
	}
	wg.Wait()
}

// block returns the block after a number of blocks: the accounts in turn, each
// with its next nonce. Only the nonce of a signed transaction is changed: its
// signers are recovered, and nobody looks at its bytes again.
func (b *benchNetwork) block(before int) []*ledger.Tx {
	out := make([]*ledger.Tx, benchBlockTxs)
	for i := range out {
		n := before*benchBlockTxs + i
		tx := *b.txs[n%benchAccounts]
		tx.Nonce = ledger.Nonce(n / benchAccounts)
		out[i] = &tx
	}
	return out
}

func (b *benchNetwork) open(tb testing.TB) *Store {
	s, err := Open(tb.TempDir(), Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	commitNext(tb, s, b.genesis.Changes)
	return s
}

// apply runs a block and digests every result, as FinalizeBlock does.
func (b *benchNetwork) apply(tb testing.TB, s *Store, txs []*ledger.Tx) *ledger.BlockResult {
	result, err := ledger.Apply(b.genesis.Network, ledger.Block{Height: s.Height() + 1, Time: 1_800_000_000, Txs: txs}, s.Latest())
	if err != nil {
		tb.Fatal(err)
	}
	for i := range result.Results {
		if result.Results[i].Code != ledger.Applied {
			tb.Fatalf("transaction %d: code %d", i, result.Results[i].Code)
		}
		_ = result.Results[i].Digest()
	}
	return result
}

// BenchmarkApplyOnStore is ledger.Apply on a store, with events, nonce windows
// and outcomes. Commits happen between, and neither they nor the compactions
// that follow from them are timed. Run it with -cpu 1.
func BenchmarkApplyOnStore(b *testing.B) {
	net := benchOnce()
	s := net.open(b)
	b.ReportAllocs()
	b.ResetTimer()
	for n := range b.N {
		b.StopTimer()
		txs := net.block(n)
		b.StartTimer()
		result := net.apply(b, s, txs)
		b.StopTimer()
		commitNext(b, s, result.Changes)
		quiet(b)
		b.StartTimer()
	}
	b.ReportMetric(float64(b.N)*benchBlockTxs/b.Elapsed().Seconds(), "tx/s")
}

// BenchmarkBlock is a whole block: Apply, digests, Stage and the synced Commit.
func BenchmarkBlock(b *testing.B) {
	net := benchOnce()
	s := net.open(b)
	b.ReportAllocs()
	b.ResetTimer()
	for n := range b.N {
		b.StopTimer()
		txs := net.block(n)
		b.StartTimer()
		result := net.apply(b, s, txs)
		commitNext(b, s, result.Changes)
	}
	b.ReportMetric(float64(b.N)*benchBlockTxs/b.Elapsed().Seconds(), "tx/s")
}

// BenchmarkGetCached is a read of a cached key at the latest height, of 200,000
// in random order. The caller has just made the key, as Apply does, so the keys
// lie in memory in the order in which they are read.
func BenchmarkGetCached(b *testing.B) {
	const keys, keyBytes = 200_000, 48
	s := openTemp(b, Options{})
	numbers := rand.Perm(keys)
	all := make([]byte, 0, keys*keyBytes)
	for _, n := range numbers {
		all = append(all, benchKey(n)...)
	}
	var changes []ledger.Change
	for n := range keys {
		changes = append(changes, ledger.Change{Key: benchKey(n), Value: []byte("a value of about thirty bytes.")})
	}
	commitNext(b, s, changes)
	v := s.Latest()
	b.ReportAllocs()
	b.ResetTimer()
	for n := range b.N {
		at := n % keys * keyBytes
		if value, err := v.Get(all[at : at+keyBytes]); err != nil || value == nil {
			b.Fatal(value, err)
		}
	}
}

// benchKey is a key as long as that of a balance.
func benchKey(n int) []byte {
	return binary.BigEndian.AppendUint64([]byte("balance/01234567890123456789012345678901"), uint64(n))
}

// BenchmarkGetAbsent is a read of keys that are not there, each for the first
// time, behind a first commit of 200,000 keys: as a block makes them for what it
// creates. The search for what is due ends in the same place.
func BenchmarkGetAbsent(b *testing.B) {
	s := openTemp(b, Options{CacheBytes: 1 << 20})
	var changes []ledger.Change
	for n := range 200_000 {
		changes = append(changes, ledger.Change{Key: benchKey(n), Value: []byte("a value of about thirty bytes.")})
	}
	commitNext(b, s, changes)
	quiet(b)
	v := s.Latest()
	b.ResetTimer()
	for n := range b.N {
		key := binary.BigEndian.AppendUint64([]byte("hold/"), uint64(n))
		if value, err := v.Get(key); err != nil || value != nil {
			b.Fatal(value, err)
		}
	}
}
