package app

import (
	"sync"
	"sync/atomic"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// lookup returns raw decoded, and what is wrong with its bytes. What is known, because it was
// found includable before, has its signers recovered and is shared.
func (a *Application) lookup(net *ledger.Network, raw []byte) (tx *ledger.Tx, code ledger.Code, known bool) {
	hash := crypto.Keccak256(raw)
	if tx := a.pending.get(hash); tx != nil {
		return tx, ledger.Applied, true
	}
	if tx := a.cache.get(hash); tx != nil {
		return tx, ledger.Applied, true
	}
	tx, code = ledger.DecodeHashed(net, raw, hash)
	return tx, code, false
}

// decode returns raw decoded, with its signers recovered. It is not remembered:
// nobody has judged it.
func (a *Application) decode(net *ledger.Network, raw []byte) *ledger.Tx {
	tx, _, known := a.lookup(net, raw)
	if !known {
		a.recoverSigners(tx)
	}
	return tx
}

// recoverSigners recovers the signers of what was not known.
func (a *Application) recoverSigners(tx *ledger.Tx) ledger.Code {
	defer a.count(tx)
	return tx.RecoverSigners()
}

// count measures the recovery of what was not known, if there was one.
func (a *Application) count(tx *ledger.Tx) {
	if tx.Recovered() {
		a.metrics.recovered.Add(float64(tx.SignatureCount()))
	}
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
		b.txs[i], b.codes[i], known[i] = a.lookup(net, raws[i])
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
		b.codes[i] = a.recoverSigners(b.txs[i])
		return b.codes[i] == ledger.Applied || !stopAtFault
	})
}

// fault is the first transaction known to be faulty.
func (b *decodedBlock) fault() *objection {
	for i, code := range b.codes {
		if code != ledger.Applied {
			return &objection{index: i, tx: b.txs[i], code: code}
		}
	}
	return nil
}

// against is the first transaction that judge has something against. An error
// is one of the machine.
func (b *decodedBlock) against(judge func(*ledger.Tx) (ledger.Code, error)) (*objection, error) {
	for i, tx := range b.txs {
		code, err := judge(tx)
		if err != nil {
			return nil, err
		}
		if code != ledger.Applied {
			return &objection{index: i, tx: tx, code: code}, nil
		}
	}
	return nil, nil
}
