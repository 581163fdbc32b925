package app

import (
	"sync"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// txCache remembers decoded transactions with their recovered signers: a pure
// function of the bytes, never a verdict. It is keyed by transaction hash.
//
// Two generations bound it: when the young one has half the bound, the old one
// is forgotten and the young one grows old. What is used moves to the young.
type txCache struct {
	mu         sync.Mutex
	bound      int64                      // bytes of one generation
	young, old map[crypto.Hash]*ledger.Tx // mu
	youngBytes int64                      // mu
	oldBytes   int64                      // mu
}

func newTxCache(bytes int64) *txCache {
	return &txCache{bound: max(bytes/2, 1), young: make(map[crypto.Hash]*ledger.Tx)}
}

// get returns a remembered transaction or nil.
func (c *txCache) get(hash crypto.Hash) *ledger.Tx {
	c.mu.Lock()
	defer c.mu.Unlock()
	if tx, ok := c.young[hash]; ok {
		return tx
	}
	tx, ok := c.old[hash]
	if ok {
		delete(c.old, hash)
		c.oldBytes -= footprint(tx)
		c.add(tx)
	}
	return tx
}

// put remembers tx, whose signers are recovered.
func (c *txCache) put(tx *ledger.Tx) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.young[tx.Hash]; !known {
		c.add(tx)
	}
}

// add puts tx among the young. Needs mu.
func (c *txCache) add(tx *ledger.Tx) {
	size := footprint(tx)
	if c.youngBytes+size > c.bound {
		c.old, c.oldBytes = c.young, c.youngBytes
		c.young, c.youngBytes = make(map[crypto.Hash]*ledger.Tx), 0
	}
	if size > c.bound {
		return
	}
	c.young[tx.Hash] = tx
	c.youngBytes += size
}

// bytes estimates the memory in use.
func (c *txCache) bytes() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.youngBytes + c.oldBytes
}

// footprint estimates the memory that keeping tx takes, in bytes: the raw
// bytes, the fixed parts, and what the lists decode to.
func footprint(tx *ledger.Tx) int64 {
	const fixed, leg, signature = 640, 136, 96
	return int64(fixed + len(tx.Raw) + leg*tx.Legs() + signature*tx.SignatureCount())
}
