package store

import (
	"fmt"
	"time"

	"github.com/tallystick/tallystick/ledger"
)

// Commit makes the staged changes the state at height h, with block time t. h
// is Height() + 1, or anything from 1 for the first commit. When it returns nil
// the state survives power loss and st is used up.
//
// A stage that is not on the latest height is ErrStale, one that was committed
// or discarded ErrClosed; a failure while the batch is put together comes back
// as it is. After these the store goes on at its old height. A failed write is
// ErrUnusable, then and from every later call: nobody knows whether it
// persisted, and only opening the store again tells.
func (s *Store) Commit(h ledger.Height, t ledger.UnixTime, st *Staged) error {
	s.commitMu.Lock()
	defer s.commitMu.Unlock()
	p := s.past.Load()
	if p.failed != nil {
		return p.failed
	}
	if err := s.admit(p, h, st); err != nil {
		return fmt.Errorf("store %s: commit height %d: %w", s.dir, h, err)
	}
	r := &record{height: h, root: st.root, committed: s.o.Now()}
	r.keys.Store(&st.plan.keys)
	r.body.Store(st.plan.undo)
	next := head{height: h, time: t, root: st.root}
	if err := finishBatch(p, next, st.plan); err != nil {
		st.release()
		return fmt.Errorf("store %s: commit height %d: %w", s.dir, h, err)
	}
	if err := s.write(p, r, st); err != nil {
		st.release()
		return err
	}
	s.publish(p, next, r, st.plan)
	return nil
}

// admit checks that st may become height h, and takes it.
func (s *Store) admit(p *past, h ledger.Height, st *Staged) error {
	if st == nil || st.store != s {
		return ErrStale
	}
	if latest := p.head.height; latest > 0 && h != latest+1 {
		return fmt.Errorf("the latest height is %d, so the next one is %d", latest, latest+1)
	} else if h == 0 {
		return fmt.Errorf("heights begin at 1")
	}
	if st.base != p.head.height {
		return ErrStale
	}
	if !st.take() {
		return fmt.Errorf("staged changes: %w", ErrClosed)
	}
	return nil
}

// finishBatch adds to the changes what else belongs to the commit.
func finishBatch(p *past, next head, plan *plan) error {
	type op struct{ key, value []byte }
	ops := []op{
		{heightKey(diskUndo, next.height), plan.undo.raw},
		{heightKey(diskRoot, next.height), next.root[:]},
		{[]byte{diskHead}, next.encode()},
	}
	if len(p.records) == HistoryHeights {
		ops = append(ops,
			op{key: heightKey(diskUndo, p.oldest())},
			op{key: heightKey(diskRoot, p.oldest())})
	}
	for _, o := range ops {
		if err := setOrDelete(plan.batch, o.key, o.value); err != nil {
			return err
		}
	}
	return nil
}

// write is the commit point: one synced batch that holds the changes of the
// table, the undo record, the root, the head record, and the deletion of what
// leaves the history. Nothing else that this package writes matters.
//
// A crash before the batch is in pebble's log leaves the old height. So does
// one while it is being written: pebble's log ends before a batch that is not
// whole. CometBFT then replays the block, and the same changes are staged and
// committed again.
//
// A crash after the sync leaves the new height: the head record names it, its
// root is checked against the table at opening, and CometBFT, told the height
// by Info, does not replay the block. Between the two, when the batch is in
// the log and not yet synced, either may be found, as whole.
//
// All that follows the write happens in memory: the cache, the tree and the
// published height. A crash there loses nothing that opening does not make
// again from the disk.
//
// An error from the write says neither that the batch will be found at the next
// opening nor that it will not; so the store refuses to go on.
func (s *Store) write(p *past, r *record, st *Staged) error {
	// Readers must have the undo record before the table can change: see View.
	pending := p.with(r)
	s.past.Store(pending)
	if err := st.plan.batch.WriteSync(); err != nil {
		return s.fail(pending, fmt.Errorf("store %s: write height %d: %w: %w", s.dir, r.height, ErrUnusable, err))
	}
	if err := s.tree.Commit(st.tree, uint64(r.height)); err != nil {
		// Only the tree's owner stages on it, and st was on its head.
		return s.fail(pending, fmt.Errorf("store %s: height %d is written, but its tree is not kept: %w: %w", s.dir, r.height, ErrUnusable, err))
	}
	return nil
}

// fail makes err the answer to every later call.
func (s *Store) fail(p *past, err error) error {
	s.past.Store(&past{head: p.head, records: p.records, failed: err})
	return err
}

// publish lets readers see what was written as the latest height. The cache
// comes first: once the height is published, its values are what is right.
func (s *Store) publish(p *past, next head, r *record, plan *plan) {
	s.cache.raise()
	for i, c := range plan.changes {
		s.cache.put(plan.hashes[i], c.Key, c.Value)
	}
	records := p.with(r).records
	if len(records) > HistoryHeights {
		records = records[len(records)-HistoryHeights:]
	}
	latest := &past{head: next, records: records}
	s.past.Store(latest)
	s.undos.add(r)
	s.undos.forget(latest.oldest() - 1)
	s.tree.Prune(s.provableFrom(latest, r.committed))
}

// provableFrom is the first height that stays provable after a commit.
func (s *Store) provableFrom(p *past, now time.Time) uint64 {
	from := len(p.records) - min(s.o.ProvableHeights, len(p.records))
	for from > 0 && now.Sub(p.records[from].committed) <= s.o.ProvablePeriod {
		from-- // it was the latest within the period, until the next one came
	}
	return uint64(p.records[from].height)
}
