package app

import (
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/tallystick/tallystick/ledger"
)

// seeds are good and hostile transactions.
func seeds(f *testing.F, c *chain) {
	for _, raw := range variety(c) {
		f.Add(raw)
	}
	for _, tc := range hostile(c) {
		for _, raw := range tc.txs {
			if len(raw) < 5_000 {
				f.Add(raw)
			}
		}
	}
}

// FuzzCheckTx: no bytes make admission or recheck panic or fail, and nothing
// waits that was not admitted.
func FuzzCheckTx(f *testing.F) {
	c := newChain(f, Options{}, nil)
	c.block(c.pay("dave", 0, "bob", 1))
	seeds(f, c)
	f.Fuzz(func(t *testing.T, raw []byte) {
		hash := c.Decode(raw).Hash
		c.pending.drop(hash)
		for _, kind := range []abci.CheckTxType{abci.CheckTxType_New, abci.CheckTxType_Recheck} {
			res, err := c.CheckTx(ctx, &abci.RequestCheckTx{Tx: raw, Type: kind})
			if err != nil || c.Err() != nil {
				t.Fatal(err, c.Err())
			}
			if res.Code != 0 && res.Codespace != CodespaceLedger {
				t.Fatalf("%+v", res)
			}
			if _, waits := c.Pending(hash); waits != (res.Code == 0) {
				t.Fatalf("code %s, waits %v", ledger.Code(res.Code), waits)
			}
		}
	})
}

// FuzzProcessProposal: no bytes make the judgement of a block panic or fail,
// and a block that is accepted executes to results that all spend a nonce.
func FuzzProcessProposal(f *testing.F) {
	c := newChain(f, Options{}, nil)
	c.block(c.pay("dave", 0, "bob", 1))
	good := c.pay("bob", 77, "alice", 1)
	seeds(f, c)
	f.Fuzz(func(t *testing.T, raw []byte) {
		c := c.in(t)
		p := c.proposal(good, raw)
		accepted := c.accepts(p)
		res := c.finalize(p)
		if c.Err() != nil {
			t.Fatal(c.Err())
		}
		for i, r := range res.TxResults {
			result, err := ResultFromABCI(r)
			if err != nil {
				t.Fatalf("result %d: %v", i, err)
			}
			if accepted && !result.Code.SpendsNonce() {
				t.Fatalf("accepted, and result %d is %s", i, result.Code)
			}
		}
		c.mu.Lock()
		c.drop() // the next input stands on the same state
		c.mu.Unlock()
	})
}
