package store

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"

	dbm "github.com/cosmos/cosmos-db"

	"github.com/tallystick/tallystick/crypto/smt"
	"github.com/tallystick/tallystick/ledger"
)

// Staged is a computed, uncommitted next state: its root, and all that Commit
// is going to write. It holds memory, about three times the changes' size,
// until it is committed or discarded.
type Staged struct {
	store *Store
	base  ledger.Height // the state it was staged on
	tree  *smt.Staged
	root  [32]byte
	plan  *plan

	mu   sync.Mutex
	open bool // not yet committed or discarded; mu
}

// plan is what a commit writes, prepared while the tree is hashed.
type plan struct {
	batch   dbm.Batch // the changes of the table
	undo    *undo
	keys    filter
	changes []ledger.Change
	hashes  []uint64 // of the changes' keys
}

// Stage computes the state that changes make of the latest one, without
// touching it. The changes are strictly ascending by key; keys are 1 to
// smt.MaxKeyLength bytes, values nil to delete the key or at least one byte.
// They must not be modified until the stage is committed or discarded. No
// changes give the same root.
//
// Several stages on one height may exist; one of them can be committed. The
// caller discards the others. The cost is that of smt.Tree.Stage, and one read
// of each key's old value, which Apply has just brought into the cache.
func (s *Store) Stage(changes []ledger.Change) (*Staged, error) {
	if !s.gate.enter() {
		return nil, s.past.Load().failed
	}
	defer s.gate.leave()
	p := s.past.Load()
	if p.failed != nil {
		return nil, p.failed
	}
	if err := checkOrder(changes); err != nil {
		return nil, fmt.Errorf("stage: %w", err)
	}
	st := &Staged{store: s, base: p.head.height, open: true}
	var planErr, treeErr error
	var wg sync.WaitGroup
	wg.Go(func() { st.plan, planErr = s.plan(&View{s, st.base}, changes) })
	st.tree, treeErr = s.tree.Stage(treeChanges(changes))
	wg.Wait()
	if errors.Is(treeErr, smt.ErrStale) {
		treeErr = ErrStale
	}
	if err := errors.Join(treeErr, planErr); err != nil {
		st.release()
		return nil, fmt.Errorf("store %s: stage on height %d: %w", s.dir, st.base, err)
	}
	st.root = st.tree.Root()
	return st, nil
}

// Root returns the root that the state will have once st is committed.
func (st *Staged) Root() [32]byte { return st.root }

// Discard gives st up. It does nothing when st was committed or discarded.
func (st *Staged) Discard() {
	if st.take() {
		st.release()
	}
}

// take reports whether st was still open, and closes it: whoever took it
// commits or releases it.
func (st *Staged) take() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	was := st.open
	st.open = false
	return was
}

// release gives back what st holds.
func (st *Staged) release() {
	if st.tree != nil {
		st.tree.Discard()
	}
	if st.plan != nil {
		_ = st.plan.batch.Close() // it was never written
		st.plan = nil
	}
}

func checkOrder(changes []ledger.Change) error {
	for i := 1; i < len(changes); i++ {
		if bytes.Compare(changes[i-1].Key, changes[i].Key) >= 0 {
			return fmt.Errorf("changes do not ascend: key %q after %q", changes[i].Key, changes[i-1].Key)
		}
	}
	return nil
}

// treeChanges are the same changes in the tree's type.
func treeChanges(changes []ledger.Change) []smt.Change {
	out := make([]smt.Change, len(changes))
	for i, c := range changes {
		out[i] = smt.Change(c)
	}
	return out
}

// plan prepares what a commit of the changes on base writes.
func (s *Store) plan(base *View, changes []ledger.Change) (*plan, error) {
	p := &plan{batch: s.db.NewBatch(), changes: changes, hashes: make([]uint64, len(changes)), keys: newFilter(len(changes))}
	keyBytes, valueBytes := 0, 0
	for _, c := range changes {
		keyBytes += 1 + len(c.Key)
		valueBytes += len(c.Value)
	}
	p.undo = newUndo(len(changes), keyBytes+valueBytes+8*len(changes))
	disk := slices.Grow([]byte(nil), keyBytes) // the batch may keep what it is given
	for i, c := range changes {
		p.hashes[i] = s.cache.hash(c.Key)
		old, err := base.get(p.hashes[i], c.Key)
		if err == nil {
			disk = append(append(disk, diskTable), c.Key...)
			err = setOrDelete(p.batch, disk[len(disk)-1-len(c.Key):], c.Value)
		}
		if err != nil {
			return p, err
		}
		p.undo.add(c.Key, old)
		p.keys.add(p.hashes[i])
	}
	if len(p.undo.raw) > maxUndoBytes {
		return p, fmt.Errorf("undo record of %d bytes: at most %d", len(p.undo.raw), maxUndoBytes)
	}
	return p, nil
}

func setOrDelete(batch dbm.Batch, key, value []byte) error {
	if value == nil {
		return batch.Delete(key)
	}
	return batch.Set(key, value)
}
