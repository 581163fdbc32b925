package index

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
)

// rollBack takes back all blocks above height, in one transaction: what happened is
// deleted, and what it came to is read from what is left. Cost: some tables are read
// whole.
func rollBack(ctx context.Context, w *store.Writer, height ledger.Height) error {
	if err := w.Begin(ctx); err != nil {
		return err
	}
	r := &rollback{w: w, ctx: ctx, height: int64(height), first: int64(store.OwnAt(height + 1))}
	for _, step := range []func() error{r.findMoved, r.findRecords, r.findTime, r.deleteRows, r.restoreRecords, r.restoreBalances, r.restoreCounts, r.restoreStatistics} {
		if err := step(); err != nil {
			return fmt.Errorf("roll back to block %d: %w", height, err)
		}
	}
	return w.Commit(ctx, height)
}

// empty deletes all that was made from blocks.
func empty(ctx context.Context, w *store.Writer) error {
	if err := w.Begin(ctx); err != nil {
		return err
	}
	for t := range store.FromBlocks {
		if err := w.Exec(ctx, "DELETE FROM "+t.Name()); err != nil {
			return fmt.Errorf("empty %s: %w", t.Name(), err)
		}
	}
	return w.Reset(ctx)
}

type rollback struct {
	w      *store.Writer
	ctx    context.Context
	height int64 // the last block that stays
	first  int64 // position that goes

	moved   []balanceID
	assets  map[crypto.Address]bool // that moved or began
	records []recordID
	since   int64 // time of the first block that goes, in seconds; -1 where none does
}

// each runs a query and visits its rows.
func (r *rollback) each(visit func(scan func(...any) error) error, query string, args ...any) error {
	rows, err := r.w.Query(r.ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := visit(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (r *rollback) findMoved() error {
	r.assets = map[crypto.Address]bool{}
	known := map[balanceID]bool{}
	return r.each(func(scan func(...any) error) error {
		var asset, payer, payee []byte
		if err := scan(&asset, &payer, &payee); err != nil {
			return err
		}
		r.assets[crypto.Address(asset)] = true
		for _, account := range [][]byte{payer, payee} {
			if len(account) == 0 {
				continue
			}
			if id := (balanceID{crypto.Address(account), crypto.Address(asset)}); !known[id] {
				known[id] = true
				r.moved = append(r.moved, id)
			}
		}
		return nil
	}, "SELECT DISTINCT asset, payer, payee FROM movements WHERE position >= ?", r.first)
}

func (r *rollback) findRecords() error {
	return r.each(func(scan func(...any) error) error {
		var id recordID
		var kind int64
		var key []byte
		if err := scan(&kind, &key); err != nil {
			return err
		}
		id.kind, id.key = store.RecordKind(kind), string(key)
		if id.kind == store.KindAsset {
			r.assets[crypto.Address(key)] = true
		}
		r.records = append(r.records, id)
		return nil
	}, "SELECT DISTINCT kind, key FROM versions WHERE height > ?", r.height)
}

func (r *rollback) findTime() error {
	r.since = -1
	return r.each(func(scan func(...any) error) error {
		err := scan(&r.since)
		r.since /= 1000
		return err
	}, "SELECT time_ms FROM blocks WHERE height > ? ORDER BY height LIMIT 1", max(r.height, 0))
}

func (r *rollback) deleteRows() error {
	for _, query := range []string{
		"DELETE FROM transactions WHERE position >= ?", "DELETE FROM subjects WHERE position >= ?", "DELETE FROM events WHERE position >= ?",
		"DELETE FROM movements WHERE position >= ?", "DELETE FROM entries WHERE position >= ?", "DELETE FROM supplies WHERE position >= ?",
		"DELETE FROM validator_keys WHERE position >= ?", r.w.DeleteMemos(),
	} {
		if err := r.w.Exec(r.ctx, query, r.first); err != nil {
			return fmt.Errorf("%s: %w", query, err)
		}
	}
	for _, query := range []string{
		"DELETE FROM blocks WHERE height > ?", "DELETE FROM versions WHERE height > ?", "DELETE FROM validator_sets WHERE height >= ?",
	} {
		if err := r.w.Exec(r.ctx, query, r.height); err != nil {
			return fmt.Errorf("%s: %w", query, err)
		}
	}
	return nil
}

// restoreRecords puts the newest version that is left in the place of those that
// are gone.
func (r *rollback) restoreRecords() error {
	for _, id := range r.records {
		var text string
		found := false
		err := r.each(func(scan func(...any) error) error { found = true; return scan(&text) },
			"SELECT record FROM versions WHERE kind = ? AND key = ? ORDER BY height DESC LIMIT 1", int64(id.kind), []byte(id.key))
		if err != nil {
			return err
		}
		if !found {
			if err := r.deleteRecord(id); err != nil {
				return err
			}
			continue
		}
		value := emptyRecord(id.kind)
		if err := json.Unmarshal([]byte(text), value); err != nil {
			return fmt.Errorf("record of kind %d, key %x: %w", id.kind, id.key, err)
		}
		if err := putRecord(r.w, id.kind, []byte(id.key), value, false); err != nil {
			return err
		}
	}
	return r.w.Flush(r.ctx)
}

func (r *rollback) deleteRecord(id recordID) error {
	key := []byte(id.key)
	switch id.kind {
	case store.KindAccount:
		return r.w.Exec(r.ctx, "DELETE FROM accounts WHERE account = ?", key)
	case store.KindAsset:
		return first(r.w.Exec(r.ctx, "DELETE FROM assets WHERE asset = ?", key),
			r.w.Exec(r.ctx, "DELETE FROM asset_counts WHERE asset = ?", key),
			r.w.Exec(r.ctx, "DELETE FROM trigrams WHERE kind = ? AND key = ?", int64(store.TrigramAsset), key))
	case store.KindHolder:
		return r.w.Exec(r.ctx, "DELETE FROM holders WHERE asset = ? AND account = ?", key[:20], key[20:])
	case store.KindHold:
		return r.w.Exec(r.ctx, "DELETE FROM holds WHERE hold = ?", key)
	case store.KindMember:
		return first(r.w.Exec(r.ctx, "DELETE FROM members WHERE member = ?", key),
			r.w.Exec(r.ctx, "DELETE FROM trigrams WHERE kind = ? AND key = ?", int64(store.TrigramMember), key))
	case store.KindProposal:
		number := int64(binary.BigEndian.Uint64(key))
		return first(r.w.Exec(r.ctx, "DELETE FROM proposals WHERE proposal = ?", number),
			r.w.Exec(r.ctx, "DELETE FROM proposal_words WHERE proposal = ?", number))
	}
	return nil
}

// restoreBalances reads each balance that moved from the last entry that is left.
func (r *rollback) restoreBalances() error {
	for _, id := range r.moved {
		b := balance{balanceID: id}
		found := false
		err := r.each(func(scan func(...any) error) error {
			found = true
			return scanBalance(scan, &b)
		}, "SELECT available, held, position FROM entries WHERE account = ? AND asset = ? ORDER BY position DESC, n DESC, side DESC LIMIT 1", id.account[:], id.asset[:])
		if err == nil && found {
			err = putBalance(r.w, &b)
		} else if err == nil {
			err = r.w.Exec(r.ctx, "DELETE FROM balances WHERE account = ? AND asset = ?", id.account[:], id.asset[:])
		}
		if err != nil {
			return err
		}
	}
	return r.w.Flush(r.ctx)
}

func scanBalance(scan func(...any) error, b *balance) error {
	var available, held []byte
	var position int64
	if err := scan(&available, &held, &position); err != nil {
		return err
	}
	var ok, okHeld bool
	b.Available, ok = store.ParseAmountBytes(available)
	b.Held, okHeld = store.ParseAmountBytes(held)
	b.position = store.Position(position)
	if !ok || !okHeld {
		return fmt.Errorf("balance of %s in %s is damaged", b.account, b.asset)
	}
	return nil
}

func (r *rollback) restoreCounts() error {
	for name, query := range map[string]string{
		"accounts": "SELECT count(*) FROM accounts", "assets": "SELECT count(*) FROM assets", "members": "SELECT count(*) FROM members",
		"proposals": "SELECT count(*) FROM proposals", "holds": "SELECT count(*) FROM holds WHERE status = 1",
	} {
		var value int64
		if err := r.w.QueryRow(r.ctx, query).Scan(&value); err != nil {
			return fmt.Errorf("count %s: %w", name, err)
		}
		r.w.Add(store.Counts, name, value)
	}
	for asset := range r.assets {
		var there, holders, movements int64
		for at, query := range map[*int64]string{
			&there:     "SELECT count(*) FROM assets WHERE asset = ?",
			&holders:   "SELECT count(*) FROM balances WHERE asset = ? AND total > ?",
			&movements: "SELECT count(*) FROM movements WHERE asset = ?",
		} {
			args := []any{asset[:]}
			if at == &holders {
				args = append(args, store.AmountBytes(ledger.Amount{}))
			}
			if err := r.w.QueryRow(r.ctx, query, args...).Scan(at); err != nil {
				return fmt.Errorf("count what asset %s has: %w", asset, err)
			}
		}
		if there > 0 {
			r.w.Add(store.AssetCounts, asset[:], holders, movements)
		}
	}
	return nil
}

// restoreStatistics counts the period anew in which the first block that goes was.
func (r *rollback) restoreStatistics() error {
	if r.since < 0 {
		return nil
	}
	for _, seconds := range periods {
		start := r.since - r.since%seconds
		if err := r.w.Exec(r.ctx, "DELETE FROM statistics WHERE seconds = ? AND start >= ?", seconds, start); err != nil {
			return err
		}
		b := bucket{bucketID: bucketID{seconds, start}}
		err := r.each(func(scan func(...any) error) error {
			var f blockFigures
			if err := scan(&f.transactions, &f.refused, &f.transfers, &f.size, &f.interval); err != nil {
				return err
			}
			b.add(f)
			return nil
		}, "SELECT transactions, refused, transfers, size_bytes, interval_ms FROM blocks WHERE height > 0 AND time_ms >= ?", start*1000)
		if err != nil {
			return err
		}
		if b.blocks > 0 {
			r.w.Add(store.Statistics, b.seconds, b.start, b.blocks, b.transactions, b.refused, b.transfers, b.size, b.maxSize, b.interval, b.maxInterval)
		}
	}
	return nil
}
