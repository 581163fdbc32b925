package app

import (
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// The cache stays within its bound, keeps what is used, and forgets the rest.
func TestCacheIsBounded(t *testing.T) {
	numbered := func(i int) *ledger.Tx { return &ledger.Tx{Hash: crypto.Hash{byte(i >> 8), byte(i)}} }
	size := footprint(numbered(0))
	const room = 20
	c := newTxCache(room * size)
	used := numbered(0)
	c.put(used)
	for i := 1; i < 1000; i++ {
		c.put(numbered(i))
		c.put(numbered(i)) // again changes nothing
		if c.get(used.Hash) != used {
			t.Fatalf("what is used is forgotten at %d", i)
		}
		if b := c.bytes(); b > room*size || int64(len(c.young)+len(c.old))*size != b {
			t.Fatalf("%d bytes by its own count, %d entries", b, len(c.young)+len(c.old))
		}
	}
	if c.get(numbered(1).Hash) != nil {
		t.Error("what nobody used is still there")
	}
	if c.get(numbered(999).Hash) == nil {
		t.Error("the newest is not there")
	}
	c.put(&ledger.Tx{Hash: crypto.Hash{0xff, 0xff}, Raw: make([]byte, room*size)})
	if c.get(crypto.Hash{0xff, 0xff}) != nil || c.bytes() > room*size {
		t.Error("what is larger than the bound is kept")
	}
}

// Decode answers from what waits or was judged, and judges nothing itself.
func TestDecodeRemembersTheJudged(t *testing.T) {
	c := newChain(t, Options{}, nil)
	good := c.pay("alice", 0, "bob", 1)
	if unjudged := c.Decode(good); unjudged == c.Decode(good) {
		t.Error("what nobody judged is remembered")
	}
	wantCode(t, "admission", c.check(good), ledger.Applied)
	first := c.Decode(good)
	if again := c.Decode(good); again != first {
		t.Error("a good transaction is decoded twice")
	}
	bad := c.unsigned(c.transfer("alice", 0, "bob", 1), ledger.Signature{})
	if tx := c.Decode(bad); tx == c.Decode(bad) || tx.RecoverSigners() != ledger.CodeInvalidSignature {
		t.Error("a bad transaction is remembered")
	}
	if tx := c.Decode(nil); tx.RecoverSigners() != ledger.CodeMalformed {
		t.Error("nothing is a transaction")
	}
}
