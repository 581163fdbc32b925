package app

import (
	"testing"
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

// FuzzAdmit: no bytes make admission panic or fail, from whomever they come,
// and nothing waits that was not admitted.
func FuzzAdmit(f *testing.F) {
	c := newChain(f, Options{}, nil)
	c.block(c.pay("dave", 0, "bob", 1))
	seeds(f, c)
	f.Fuzz(func(t *testing.T, raw []byte) {
		c := c.in(t)
		hash := c.Decode(raw).Hash
		for _, offer := range []func([]byte) Admission{c.offer, c.check} {
			c.clear()
			v := offer(raw)
			if c.Err() != nil {
				t.Fatal(c.Err())
			}
			if _, waits := c.Pending(hash); waits != (v.Code == 0) {
				t.Fatalf("code %s, waits %v", v.Code, waits)
			}
		}
	})
}

// clear forgets everything that waits.
func (c *chain) clear() {
	c.pending.mu.Lock()
	defer c.pending.mu.Unlock()
	for _, e := range c.pending.hashes {
		c.pending.remove(e)
	}
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
