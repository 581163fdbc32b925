package app

import (
	"sync"
	"sync/atomic"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// decode returns raw decoded, with its signers recovered, through the cache.
func (a *Application) decode(net *ledger.Network, raw []byte) *ledger.Tx {
	if tx := a.cache.get(crypto.Keccak256(raw)); tx != nil {
		return tx
	}
	tx, _ := ledger.Decode(net, raw)
	if tx.RecoverSigners() == ledger.Applied {
		a.cache.put(tx)
	}
	return tx
}

// batch is how many items a goroutine takes at a time: enough that taking costs
// nothing, few enough that the last to end is soon done.
const batch = 16

// parallel calls do for 0 to n-1 on up to Workers goroutines, this one
// included, until all are done or one call answered false.
func (a *Application) parallel(n int, do func(i int) bool) {
	var taken atomic.Int64
	var stopped atomic.Bool
	work := func() {
		for !stopped.Load() {
			end := int(taken.Add(batch))
			if end-batch >= n {
				return
			}
			for i := end - batch; i < min(end, n); i++ {
				if !do(i) {
					stopped.Store(true)
					return
				}
			}
		}
	}
	var wg sync.WaitGroup
	for range min(a.options.Workers, (n+batch-1)/batch) - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
}

// decodedBlock is the transactions of a block, decoded, in two steps: the
// signatures wait until somebody has counted them.
type decodedBlock struct {
	txs    []*ledger.Tx
	codes  []ledger.Code // what is wrong with the bytes, and after recoverBlock with the signatures
	unseen []int         // those whose signers are not recovered
}

// decodeBlock decodes transactions, faulty or not, and recovers no signers.
func (a *Application) decodeBlock(net *ledger.Network, raws [][]byte) *decodedBlock {
	b := &decodedBlock{txs: make([]*ledger.Tx, len(raws)), codes: make([]ledger.Code, len(raws))}
	known := make([]bool, len(raws))
	a.parallel(len(raws), func(i int) bool {
		if b.txs[i] = a.cache.get(crypto.Keccak256(raws[i])); b.txs[i] != nil {
			known[i] = true
			return true
		}
		b.txs[i], b.codes[i] = ledger.Decode(net, raws[i])
		return true
	})
	for i := range raws {
		if !known[i] && b.codes[i] == ledger.Applied {
			b.unseen = append(b.unseen, i)
		}
	}
	return b
}

// recoverBlock recovers the signers of what the cache did not know. With
// stopAtFault the first fault ends the work. Without, b may be shared after it.
func (a *Application) recoverBlock(b *decodedBlock, stopAtFault bool) {
	a.parallel(len(b.unseen), func(n int) bool {
		i := b.unseen[n]
		if b.codes[i] = b.txs[i].RecoverSigners(); b.codes[i] == ledger.Applied {
			a.cache.put(b.txs[i])
			return true
		}
		return !stopAtFault
	})
}

// fault finds the first transaction known to be faulty.
func (b *decodedBlock) fault() (index int, ok bool) {
	for i, code := range b.codes {
		if code != ledger.Applied {
			return i, true
		}
	}
	return 0, false
}
