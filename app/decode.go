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

// decodeBatch is how many transactions a goroutine takes at a time: enough
// that taking costs nothing, few enough that the last to end is soon done.
const decodeBatch = 16

// decodeBlock decodes transactions and recovers their signers, in parallel
// where there are enough of them. Faulty ones stand in their place like the
// others; with stopAtFault the first one found ends the work, and what was not
// reached is nil.
func (a *Application) decodeBlock(net *ledger.Network, raws [][]byte, stopAtFault bool) []*ledger.Tx {
	txs := make([]*ledger.Tx, len(raws))
	var taken atomic.Int64
	var faulty atomic.Bool
	work := func() {
		for !stopAtFault || !faulty.Load() {
			end := int(taken.Add(decodeBatch))
			begin := end - decodeBatch
			if begin >= len(raws) {
				return
			}
			for i := begin; i < min(end, len(raws)); i++ {
				txs[i] = a.decode(net, raws[i])
				if txs[i].RecoverSigners() != ledger.Applied {
					faulty.Store(true)
				}
			}
		}
	}
	var wg sync.WaitGroup
	for range min(a.options.Workers, (len(raws)+decodeBatch-1)/decodeBatch) - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
	return txs
}
