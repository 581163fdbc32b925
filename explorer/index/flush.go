package index

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
)

// commit writes what the open transaction has come to, and ends it.
func (s *state) commit(ctx context.Context, height ledger.Height) error {
	for _, r := range s.touched {
		if err := first(putRecord(s.w, r.kind, []byte(r.key), r.value, r.fresh), s.w.Relieve(ctx)); err != nil {
			return err
		}
	}
	for _, b := range s.moved {
		if err := first(putBalance(s.w, b), s.w.Relieve(ctx)); err != nil {
			return err
		}
	}
	for _, c := range s.recounts {
		s.w.Add(store.AssetCounts, c.asset[:], c.holders, c.movements)
	}
	for name, value := range s.counts {
		s.w.Add(store.Counts, name, value)
	}
	s.flushBuckets()
	if err := s.w.Commit(ctx, height); err != nil {
		return err
	}
	s.settle()
	return nil
}

func putBalance(w *store.Writer, b *balance) error {
	total, ok := b.Available.Add(b.Held)
	if !ok {
		return fmt.Errorf("%w: balance of %s in asset %s, %s and %s", errAddUp, b.account, b.asset, b.Available, b.Held)
	}
	w.Add(store.Balances, b.account[:], b.asset[:], store.AmountBytes(b.Available), store.AmountBytes(b.Held), store.AmountBytes(total), int64(b.position))
	return nil
}

// putRecord writes the newest version of a record where it is asked for. A fresh
// one must not be there yet.
func putRecord(w *store.Writer, kind store.RecordKind, key []byte, value any, fresh bool) error {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("record of kind %d: %w", kind, err)
	}
	record := string(text)
	switch v := value.(type) {
	case *store.AccountRecord:
		table := store.Accounts
		if fresh {
			table = store.NewAccounts
		}
		w.Add(table, key, int64(v.Created), int64(v.Status), optional(v.Member), record)
	case *store.AssetRecord:
		w.Add(store.Assets, key, []byte(v.Symbol), int64(v.Created), v.Issuer[:], int64(v.Status), record)
	case *store.HolderRecord:
		w.Add(store.Holders, key[:20], key[20:], record)
	case *store.HoldRecord:
		table := store.Holds
		if fresh {
			table = store.NewHolds
		}
		w.Add(table, key, v.From[:], v.To[:], v.Asset[:], int64(v.Created), int64(v.Status), record)
	case *store.MemberRecord:
		w.Add(store.Members, key, v.Name, record)
	case *store.ProposalRecord:
		w.Add(store.Proposals, int64(binary.BigEndian.Uint64(key)), v.Proposer[:], int64(v.Status), record)
	case *store.ParametersRecord: // its versions are all that is asked for
	default:
		return fmt.Errorf("no table takes records of kind %d", kind)
	}
	return nil
}

// load reads what the next block is joined to.
func (s *state) load(ctx context.Context, height ledger.Height) error {
	var hash []byte
	err := s.w.QueryRow(ctx, "SELECT hash, time_ms FROM blocks WHERE height = ?", int64(height)).Scan(&hash, &s.prevTime)
	copy(s.prevHash[:], hash)
	if err != nil {
		return fmt.Errorf("read block %d: %w", height, err)
	}
	rows, err := s.w.Query(ctx, "SELECT name, value FROM counts")
	if err != nil {
		return fmt.Errorf("read counts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var value int64
		if err := rows.Scan(&name, &value); err != nil {
			return fmt.Errorf("read counts: %w", err)
		}
		s.counts[name] = value
	}
	if err := first(rows.Err(), rows.Close()); err != nil {
		return fmt.Errorf("read counts: %w", err)
	}
	return first(s.loadSet(ctx), s.loadBuckets(ctx))
}
