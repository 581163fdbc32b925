package app

import (
	"bytes"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// The last eight committed blocks are there as they were executed, whoever
// executed them when, from the Committed callback on; nothing else is.
func TestExecutedRemembersTheLastBlocks(t *testing.T) {
	var c *chain
	c = newChain(t, Options{Committed: func(h ledger.Height) {
		if _, ok := c.Executed(h); !ok {
			t.Errorf("block %d is not there when it is committed", h)
		}
	}}, nil)
	for h := ledger.Height(1); h <= recentBlocks+3; h++ {
		p := c.proposal(c.pay("alice", uint64(h-1), "bob", 1), c.pay("bob", 5000, "bob", 1))
		if h%2 == 0 { // the second cannot stand in a block: executed late, it fails
			p = c.proposal(c.pay("alice", uint64(h-1), "bob", 1))
			if !c.accepts(p) {
				t.Fatal("refused")
			}
		}
		res := c.finalize(p)
		if _, ok := c.Executed(h); ok {
			t.Errorf("block %d is there before it is committed", h)
		}
		c.commit()
		b, ok := c.Executed(h)
		if !ok || b.Height != h || b.Hash != crypto.Hash(p.Hash) || b.Time != ledger.UnixTime(p.Time.Unix()) || !bytes.Equal(b.Root[:], res.AppHash) {
			t.Fatalf("block %d: %+v, %v", h, b, ok)
		}
		if len(b.Txs) != len(p.Txs) || len(b.Results) != len(p.Txs) {
			t.Fatalf("block %d: %d transactions, %d results", h, len(b.Txs), len(b.Results))
		}
		for i := range b.Txs {
			result, err := ResultFromABCI(res.TxResults[i])
			if err != nil || !bytes.Equal(b.Txs[i].Raw, p.Txs[i]) || b.Results[i].Digest() != result.Digest() {
				t.Errorf("block %d: transaction %d differs (%v)", h, i, err)
			}
		}
	}
	for h := ledger.Height(0); h <= recentBlocks+4; h++ {
		if _, ok := c.Executed(h); ok != (h > 3 && h <= recentBlocks+3) {
			t.Errorf("block %d is there: %v", h, ok)
		}
	}
	if _, ok := c.reopen().Executed(recentBlocks + 3); ok {
		t.Error("a block is there that this process did not execute")
	}
}

func TestRecentBlocksAreBounded(t *testing.T) {
	large := func(h ledger.Height, size int) ExecutedBlock {
		return ExecutedBlock{Height: h, Txs: []*ledger.Tx{{Raw: make([]byte, size)}}}
	}
	for _, test := range []struct {
		name  string
		sizes []int
		kept  int
	}{
		{"all fit", []int{1, 2, 3}, 3},
		{"too many", []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, recentBlocks},
		{"just fit", []int{recentBytes / 2, recentBytes / 2}, 2},
		{"too large together", []int{recentBytes / 2, recentBytes / 2, 1}, 2},
		{"one too large alone", []int{1, recentBytes + 1}, 0},
		{"and one after it", []int{recentBytes + 1, 1}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			var r recentTable
			for i, size := range test.sizes {
				r.add(large(ledger.Height(i+1), size))
			}
			kept := 0
			for h := ledger.Height(1); h <= ledger.Height(len(test.sizes)); h++ {
				if b, ok := r.get(h); ok {
					kept++
					if b.Height != h || b.size() != test.sizes[h-1] {
						t.Errorf("block %d is %d of %d bytes", h, b.Height, b.size())
					}
				}
			}
			if kept != test.kept || len(r.blocks) != kept || r.bytes > recentBytes {
				t.Errorf("%d blocks of %d bytes are kept, want %d", kept, r.bytes, test.kept)
			}
		})
	}
}
