package app

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// benchAccounts is the size of the ledger that benchmarks work on.
const benchAccounts = 100_000

// benchChain is a ledger of benchAccounts funded accounts, those of senders
// first, with limits that hold the blocks of the benchmarks.
func benchChain(b *testing.B, senders int, o Options) (*chain, []*crypto.PrivateKey) {
	b.Helper()
	o.SignerCacheBytes = 2 << 30
	c := openChain(b, b.TempDir(), o)
	keys := make([]*crypto.PrivateKey, senders)
	c.initChain(genesisDoc(everybody, func(g *ledger.Genesis) {
		g.Params.MaxBlockSignatures, g.Params.MaxBlockBytes = 1_000_000, 64<<20
		for i := range benchAccounts {
			a := benchRecipient(i)
			if i < senders {
				keys[i] = key(fmt.Sprint("sender ", i))
				a = keys[i].Address()
			}
			g.Accounts = append(g.Accounts, ledger.GenesisAccount{Address: a})
			g.Balances = append(g.Balances, ledger.GenesisBalance{Account: a, Symbol: "SET", Amount: ledger.NewAmount(funds)})
		}
	}))
	c.block()
	return c, keys
}

func benchRecipient(i int) (a crypto.Address) {
	h := crypto.Keccak256(fmt.Append(nil, "recipient ", i))
	copy(a[:], h[:])
	return a
}

// benchTx is a transfer to one of the accounts. It is signed and not checked.
func benchTx(c *chain, k *crypto.PrivateKey, nonce, to int, scheme ledger.Scheme) []byte {
	body := ledger.Body{Sender: k.Address(), Nonce: ledger.Nonce(nonce), Op: &ledger.Transfer{Legs: []ledger.Leg{
		{From: k.Address(), To: benchRecipient(benchAccounts - 1 - to%(benchAccounts/2)), Asset: c.Network().Settlement, Amount: ledger.NewAmount(1)},
	}}}
	signature := ledger.Signature{Scheme: scheme, Signature: k.Sign(c.Network().Digest(&body, scheme))}
	return ledger.EncodeNative(c.Network(), &body, []ledger.Signature{signature})
}

// BenchmarkAdmit admits new scheme 0 transfers, whose signers nobody has
// recovered, on all cores.
func BenchmarkAdmit(b *testing.B) {
	const senders = 1000
	c, keys := benchChain(b, senders, Options{})
	raws := make(chan []byte, b.N)
	for i := range b.N {
		raws <- benchTx(c, keys[i%senders], i/senders%ledger.WindowAbove, i, ledger.SchemeTypedData)
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if v, err := c.Offer(<-raws, "a peer"); err != nil || v.Code != 0 {
				b.Errorf("%v, %v", v.Code, err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
}

// BenchmarkBlock10000 is a block of 10,000 transfers among 100,000 accounts,
// signers known: judged, executed and committed, one after another. The parts
// are reported in milliseconds.
func BenchmarkBlock10000(b *testing.B) {
	const size = 10_000
	for _, early := range []bool{false, true} {
		b.Run(map[bool]string{false: "finalize", true: "process"}[early], func(b *testing.B) {
			r := prometheus.NewRegistry()
			c, keys := benchChain(b, size, Options{Metrics: r})
			blocks := make([][][]byte, b.N)
			for n := range blocks {
				for i := range size {
					raw := benchTx(c, keys[i], n, i*7+n, ledger.SchemeBodyHash)
					c.Decode(raw)
					blocks[n] = append(blocks[n], raw)
				}
			}
			before := stepSeconds(b, r)
			var blocked time.Duration
			b.ReportAllocs()
			b.ResetTimer()
			for _, txs := range blocks {
				p := c.proposal(txs...)
				begin := time.Now()
				if early && !c.accepts(p) {
					b.Fatal("rejected")
				}
				res := c.finalize(p)
				c.commit()
				blocked += time.Since(begin)
				for _, r := range res.TxResults {
					if r.Code != 0 {
						b.Fatal(r)
					}
				}
			}
			b.ReportMetric(float64(b.N*size)/blocked.Seconds(), "tx/s")
			for step, seconds := range stepSeconds(b, r) {
				b.ReportMetric(1000*(seconds-before[step])/float64(b.N), step+"-ms")
			}
		})
	}
}

// stepSeconds is the time that each step took in all.
func stepSeconds(b *testing.B, r *prometheus.Registry) map[string]float64 {
	b.Helper()
	families, err := r.Gather()
	if err != nil {
		b.Fatal(err)
	}
	seconds := make(map[string]float64)
	for _, f := range families {
		if f.GetName() == "tallystick_app_step_seconds" {
			for _, m := range f.GetMetric() {
				seconds[m.GetLabel()[0].GetValue()] = m.GetHistogram().GetSampleSum()
			}
		}
	}
	return seconds
}

// BenchmarkPrepareProposal picks a block out of 5,000 waiting transfers.
func BenchmarkPrepareProposal(b *testing.B) {
	const size = 5000
	c, keys := benchChain(b, 1000, Options{})
	for i := range size {
		wantCode(b, "new", c.check(benchTx(c, keys[i%1000], i/1000, i, ledger.SchemeBodyHash)), ledger.Applied)
	}
	b.ReportAllocs()
	for b.Loop() {
		if got := c.prepare(); len(got) != size {
			b.Fatal(len(got))
		}
	}
}
