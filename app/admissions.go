package app

import (
	"context"
	"sync"

	"github.com/tallystick/tallystick/crypto"
)

// keptAdmissions is how many hashes of what came last are kept.
const keptAdmissions = 16 << 10

// admissions are the hashes of the transactions that came to wait last, numbered
// from 1 as they came. Who follows them reads from a number on, at its own pace;
// what is older than keptAdmissions is forgotten.
type admissions struct {
	mu    sync.Mutex // guards what follows
	last  uint64     // the number of the newest
	kept  []crypto.Hash
	again chan struct{} // closed by the next one; nil while nobody waits
}

// add numbers one more.
func (a *admissions) add(hash crypto.Hash) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.last++; len(a.kept) < keptAdmissions {
		a.kept = append(a.kept, hash)
	} else {
		a.kept[(a.last-1)%keptAdmissions] = hash
	}
	if a.again != nil {
		close(a.again)
		a.again = nil
	}
}

// after returns up to limit hashes of those behind number, and the number of the
// last that it returns, or that it passed over because it is forgotten.
func (a *admissions) after(number uint64, limit int) (hashes []crypto.Hash, upTo uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	number = min(number, a.last)
	if oldest := a.last - uint64(len(a.kept)); number < oldest {
		number = oldest
	}
	for ; number < a.last && len(hashes) < limit; number++ {
		hashes = append(hashes, a.kept[number%keptAdmissions])
	}
	return hashes, number
}

// wait waits for one behind number, or for ctx.
func (a *admissions) wait(ctx context.Context, number uint64) error {
	for {
		a.mu.Lock()
		if a.last > number {
			a.mu.Unlock()
			return nil
		}
		if a.again == nil {
			a.again = make(chan struct{})
		}
		again := a.again
		a.mu.Unlock()
		select {
		case <-again:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Admitted returns the hashes of transactions that came to wait on this node, from
// clients or peers, behind a number, at most limit, with the number of the last.
// They may wait no more by now. The last few thousand are kept; those older are
// passed over. Numbers begin anew with the process.
func (a *Application) Admitted(behind uint64, limit int) (hashes []crypto.Hash, upTo uint64) {
	return a.pending.admissions.after(behind, limit)
}

// AwaitAdmission waits until something has come behind a number, or for ctx.
func (a *Application) AwaitAdmission(ctx context.Context, behind uint64) error {
	return a.pending.admissions.wait(ctx, behind)
}
