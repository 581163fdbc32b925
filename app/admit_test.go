package app

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

func TestAdmits(t *testing.T) {
	c := newChain(t, Options{}, nil)
	raw := c.pay("alice", 0, "bob", 5)
	wantCode(t, "before block 1, on the genesis state", c.check(raw), ledger.Applied)
	c.block()
	wantCode(t, "the identical bytes again", c.check(raw), ledger.Applied)
	tx := c.Decode(raw)
	if got, ok := c.Pending(tx.Hash); !ok || !bytes.Equal(got, raw) {
		t.Errorf("Pending: %x, %v", got, ok)
	}
	if got, ok := c.PendingByNonce(address("alice"), 0); !ok || got != tx {
		t.Errorf("PendingByNonce: %v, %v: not the transaction that the cache has", got, ok)
	}
	wallet := c.sign(c.transfer("carol", 1023, "bob", 5), ledger.SchemeTypedData, "carol")
	wantCode(t, "typed data, the highest nonce", c.check(wallet), ledger.Applied)
	c.block(raw)
	if _, ok := c.Pending(tx.Hash); ok {
		t.Error("a committed transaction still waits")
	}
	wantCode(t, "committed before", c.check(raw), ledger.CodeNonceSpent)
}

func TestAdmitRefuses(t *testing.T) {
	c := newChain(t, Options{}, nil)
	c.block()
	good := c.pay("alice", 0, "bob", 5)
	other, err := ledger.NewNetwork("another-network", 77_777, c.Network().Settlement, 18)
	if err != nil {
		t.Fatal(err)
	}
	foreign, code := ledger.Sign(other, c.transfer("alice", 0, "bob", 5), ledger.SchemeBodyHash, key("alice"))
	if code != ledger.Applied {
		t.Fatal(code)
	}
	expired := c.transfer("alice", 0, "bob", 5)
	expired.ValidUntil = genesisTime
	missing := c.transfer("alice", 0, "bob", 5)
	missing.Op.(*ledger.Transfer).Legs[0].Asset = address("no asset")
	cases := []struct {
		name string
		raw  []byte
		want ledger.Code
	}{
		{"nothing", nil, ledger.CodeMalformed},
		{"noise", []byte("GET / HTTP/1.1"), ledger.CodeUnsupportedType},
		{"truncated", good[:len(good)-1], ledger.CodeMalformed},
		{"a byte too much", append(bytes.Clone(good), 0), ledger.CodeMalformed},
		{"too large", make([]byte, ledger.MaxTxBytes+1), ledger.CodeTooLarge},
		{"another network", foreign.Raw, ledger.CodeWrongNetwork},
		{"a stranger", c.pay("mallory", 0, "bob", 5), ledger.CodeUnknownSender},
		{"nonce too high", c.pay("alice", 1024, "bob", 5), ledger.CodeNonceTooHigh},
		{"expired", c.sign(expired, ledger.SchemeBodyHash, "alice"), ledger.CodeExpired},
		{"signed by another", c.sign(c.transfer("alice", 0, "bob", 5), ledger.SchemeBodyHash, "bob"), ledger.CodeUnauthorized},
		{"more than there is", c.pay("alice", 0, "bob", funds+1), ledger.CodeInsufficientBalance},
		{"no such asset", c.sign(missing, ledger.SchemeBodyHash, "alice"), ledger.CodeUnknownAsset},
	}
	for _, tc := range cases {
		wantCode(t, tc.name, c.check(tc.raw), tc.want)
		if n := c.pending.len(); n != 0 {
			t.Fatalf("%s: %d transactions wait", tc.name, n)
		}
	}
	wantCode(t, "the good one", c.check(good), ledger.Applied)
}

// One node holds at most one transaction of a sender and nonce, and says which.
func TestOnePendingPerNonce(t *testing.T) {
	c := newChain(t, Options{}, nil)
	c.block()
	first, second := c.pay("alice", 3, "bob", 5), c.pay("alice", 3, "carol", 5)
	wantCode(t, "first", c.check(first), ledger.Applied)
	res := c.check(second)
	wantCode(t, "second", res, ledger.CodeDuplicateNonce)
	hash := c.Decode(first).Hash
	if res.Holder == nil || res.Holder.Hash != hash {
		t.Errorf("the answer names %v, not %s", res.Holder, hash)
	}
	wantCode(t, "another nonce", c.check(c.pay("alice", 4, "bob", 5)), ledger.Applied)
	wantCode(t, "another sender", c.check(c.pay("bob", 3, "alice", 5)), ledger.Applied)
	c.block(second) // through another node
	if _, ok := c.Pending(hash); ok {
		t.Error("the first still waits")
	}
}

// Many goroutines admit and query while blocks are committed. The
// race detector watches.
func TestParallelAdmissionWhileCommitting(t *testing.T) {
	senders, each, blocks := 8, 40, 12
	if testing.Short() {
		senders, each, blocks = 4, 10, 4
	}
	var people []string
	for i := range senders {
		people = append(people, fmt.Sprint("sender ", i))
	}
	c := openChain(t, t.TempDir(), Options{Workers: 3, SignerCacheBytes: 40_000})
	c.initChain(genesisDoc(append(people, everybody...), nil))
	c.block()
	raws := make([][][]byte, senders)
	for i, p := range people {
		for n := range each {
			raws[i] = append(raws[i], c.pay(p, uint64(n), "alice", 1))
		}
	}
	var wg sync.WaitGroup
	committed := make(chan struct{})
	for i := range people {
		wg.Go(func() {
			for round := 0; ; round++ {
				select {
				case <-committed:
					return
				default:
				}
				raw := raws[i][round%each]
				v, err := c.Admit(raw)
				if err == nil && v.Code == ledger.Applied {
					v, err = c.Offer(raw, "a peer")
				}
				if err != nil || (v.Code != ledger.Applied && v.Code != ledger.CodeNonceSpent) {
					t.Errorf("%s, %v", v.Code, err)
					return
				}
				if res, err := c.Query(ctx, &abci.RequestQuery{Path: "/store/params", Prove: true}); err != nil || res.Code != 0 {
					t.Errorf("query: %v, %v", res, err)
					return
				}
				c.Pending(c.Decode(raw).Hash)
			}
		})
	}
	for b := range blocks {
		var txs [][]byte
		for i := range people {
			txs = append(txs, raws[i][b%each])
		}
		p := c.proposal(txs...)
		if !c.accepts(p) {
			t.Error("a good block is rejected")
		}
		for _, code := range codesOf(c.finalize(p)) {
			if code != ledger.Applied {
				t.Errorf("a transfer: %s", code)
			}
		}
		c.commit()
	}
	close(committed)
	wg.Wait()
	if got, want := c.balance("alice"), uint64(funds+senders*blocks); got != want || c.Err() != nil {
		t.Errorf("alice has %d, want %d; %v", got, want, c.Err())
	}
}

// Signer recovery takes no more goroutines than Workers, and admission does not
// wait for the consensus methods.
func TestAdmitDoesNotWaitForConsensus(t *testing.T) {
	c := newChain(t, Options{Workers: 1}, nil)
	c.block()
	raw := c.pay("alice", 0, "bob", 1)
	c.mu.Lock() // as in the middle of FinalizeBlock
	defer c.mu.Unlock()
	done := make(chan Admission, 1)
	go func() {
		v, _ := c.Admit(raw)
		done <- v
	}()
	select {
	case res := <-done:
		wantCode(t, "meanwhile", res, ledger.Applied)
	case <-time.After(10 * time.Second):
		t.Fatal("admission waits for a consensus method")
	}
	if _, err := c.Info(ctx, &abci.RequestInfo{}); err != nil {
		t.Error(err)
	}
}

// TestMember: whose member a peer's transaction seems to be is seen without its
// signers, and nothing is believed of what is no transaction.
func TestMember(t *testing.T) {
	c := newBanks(t, Options{}, "alice 0", "free 0")
	forged := c.sign(c.transfer("alice 0", 0, "bob", 1), ledger.SchemeBodyHash, "free 0")
	paid := c.pay("alice 0", 0, "bob", 1)
	for name, test := range map[string]struct {
		raw  []byte
		want crypto.Address
	}{
		"of a customer":      {paid, address("alice")},
		"with a wrong key":   {forged, address("alice")},
		"of the member":      {c.pay("bob", 0, "alice", 1), address("bob")},
		"of no member":       {c.pay("free 0", 0, "bob", 1), crypto.Address{}},
		"of nobody":          {c.pay("a stranger", 0, "bob", 1), crypto.Address{}},
		"cut off":            {paid[:20], crypto.Address{}},
		"empty":              {nil, crypto.Address{}},
		"the type alone":     {paid[:1], crypto.Address{}},
		"Ethereum's":         {append([]byte{2}, paid[1:]...), crypto.Address{}},
		"a short sender":     {append([]byte{ledger.NativeType, 0xc3, 1}, 0x81, 0x80), crypto.Address{}},
		"a list of nothing":  {[]byte{ledger.NativeType, 0xc0}, crypto.Address{}},
		"a list as a sender": {[]byte{ledger.NativeType, 0xc2, 1, 0xc0}, crypto.Address{}},
	} {
		if got := c.Member(test.raw); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
	c.check(paid)
	c.WaitingAfter(0, func(w Waiting) bool {
		if w.Member != address("alice") {
			t.Errorf("it waits as of %s", w.Member)
		}
		return true
	})
	c = newChain(t, Options{}, nil)
	c.block()
	if got := c.Member(c.pay("alice", 0, "bob", 1)); !got.IsZero() {
		t.Errorf("where there are no members: %s", got)
	}
}
