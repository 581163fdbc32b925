package ledger_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

const benchAccounts = 100_000

// benchState has many accounts, all with a balance.
func benchState(b *testing.B) (*ledger.Network, *ledgertest.State, []crypto.Address) {
	b.Helper()
	g := ledgertest.Genesis(ledger.PolicyAdmitted)
	addresses := make([]crypto.Address, benchAccounts)
	for i := range addresses {
		var seed [8]byte
		binary.BigEndian.PutUint64(seed[:], uint64(i))
		h := sha256.Sum256(seed[:])
		copy(addresses[i][:], h[:])
		g.Accounts = append(g.Accounts, ledger.GenesisAccount{Address: addresses[i]})
		g.Balances = append(g.Balances, ledger.GenesisBalance{Account: addresses[i], Symbol: "COIN", Amount: ledger.NewAmount(1e18)})
	}
	built, err := g.Build()
	if err != nil {
		b.Fatal(err)
	}
	return built.Network, ledgertest.NewState(built.Changes), addresses
}

// benchBlock is n transfers between accounts drawn at random, decoded, with
// their signers recovered.
func benchBlock(net *ledger.Network, addresses []crypto.Address, nonces map[crypto.Address]ledger.Nonce, r *rand.Rand, n int) []*ledger.Tx {
	txs := make([]*ledger.Tx, n)
	for i := range txs {
		from, to := addresses[r.IntN(len(addresses))], addresses[r.IntN(len(addresses))]
		body := ledger.Body{Sender: from, Nonce: nonces[from], Op: &ledger.Transfer{Legs: []ledger.Leg{{From: from, To: to, Asset: net.Settlement, Amount: ledger.NewAmount(1 + r.Uint64N(1e6)), Reference: "INV-2026-0042"}}}}
		nonces[from]++
		tx, code := ledger.Decode(net, ledger.EncodeNative(net, &body, []ledger.Signature{{Scheme: ledger.SchemeBodyHash, Signature: benchSignature}}))
		if code != ledger.Applied {
			panic(code.String())
		}
		tx.AssumeSigners(from)
		txs[i] = tx
	}
	return txs
}

// benchSignature has the right form and is nobody's.
var benchSignature = func() (s crypto.Signature) { s[31], s[63] = 1, 1; return s }()

// BenchmarkApply applies blocks of 10,000 single transfers on 100,000 accounts
// held in a map: signers recovered, nonces spent, events made, outcomes
// hashed, changes encoded and sorted. Run it with -cpu 1.
func BenchmarkApply(b *testing.B) {
	const perBlock = 10_000
	net, state, addresses := benchState(b)
	nonces, r := map[crypto.Address]ledger.Nonce{}, rand.New(rand.NewPCG(1, 2))
	b.ReportAllocs()
	transfers := 0
	for b.Loop() {
		b.StopTimer()
		block := ledger.Block{Height: 1, Time: 1, Txs: benchBlock(net, addresses, nonces, r, perBlock)}
		b.StartTimer()
		result, err := ledger.Apply(net, block, state)
		if err != nil {
			b.Fatal(err)
		}
		var sum byte
		for i := range result.Results {
			digest := result.Results[i].Digest()
			sum ^= digest[0]
		}
		b.StopTimer()
		for i := range result.Results {
			if result.Results[i].Code != ledger.Applied {
				b.Fatalf("transfer %d: %s", i, result.Results[i].Code)
			}
		}
		state.Write(result.Changes)
		transfers += perBlock
		b.StartTimer()
	}
	b.ReportMetric(float64(transfers)/b.Elapsed().Seconds(), "transfers/s")
}

// BenchmarkTypedDataDigest is what admission computes of every transaction
// that a wallet signed, beside recovering the signer.
func BenchmarkTypedDataDigest(b *testing.B) {
	net := goldenNet(b)
	for _, legs := range []int{1, 100, ledger.MaxLegs} {
		body := goldenBodies(net)[0].body
		op := &ledger.Transfer{}
		for range legs {
			op.Legs = append(op.Legs, body.Op.(*ledger.Transfer).Legs[0])
		}
		body.Op = op
		b.Run(fmt.Sprint(legs), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				net.TypedDataDigest(&body)
			}
		})
	}
}

// BenchmarkDecode is admission's first step.
func BenchmarkDecode(b *testing.B) {
	net := goldenNet(b)
	tx, _ := ledger.Sign(net, goldenBodies(net)[0].body, ledger.SchemeTypedData, ledgertest.Key("alice"))
	b.ReportAllocs()
	for b.Loop() {
		if _, code := ledger.Decode(net, tx.Raw); code != ledger.Applied {
			b.Fatal(code)
		}
	}
}

// BenchmarkGreatest judges and applies one transaction of 64 signers and 4096
// legs whose signers are recovered: the worst that one transaction may cost.
func BenchmarkGreatest(b *testing.B) {
	c, tx := manyPayers(b, ledger.MaxSignatures, ledger.MaxLegs, ledger.SchemeBodyHash)
	b.ReportAllocs()
	for b.Loop() {
		result, err := ledger.Simulate(c.Net, c.Time+1, c.State, tx)
		if err != nil || result.Code != ledger.Applied {
			b.Fatal(result.Code, err)
		}
	}
}
