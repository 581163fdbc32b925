package index

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
)

// How much of the tables is kept in memory; what is beyond is read again.
const (
	cachedBalances = 100_000
	cachedRecords  = 20_000
	cachedCounts   = 10_000
)

// state is what the tables say now, the open transaction included. It is read as
// it is needed. After an error it is thrown away.
type state struct {
	w *store.Writer

	balances map[balanceID]*balance
	records  map[recordID]*record
	counts   map[string]int64 // of everything
	assets   map[crypto.Address]*assetCount

	prevHash crypto.Hash // of the last block
	prevTime int64       // in milliseconds
	set      validatorSet
	buckets  map[bucketID]*bucket

	changed  []*record  // since the last block
	touched  []*record  // in the open transaction
	moved    []*balance // in the open transaction
	recounts []*assetCount
}

type balanceID struct{ account, asset crypto.Address }

// balance is an account's balance of an asset.
type balance struct {
	balanceID
	ledger.Balance
	position store.Position // of the last change
	moved    bool           // in the open transaction
}

type recordID struct {
	kind store.RecordKind
	key  string
}

// record is an account, an asset, or whatever has versions.
type record struct {
	recordID
	value   any  // a pointer to one of the store's records; nil where there is none
	fresh   bool // made in the open transaction, not read first
	changed bool // since the last block
	touched bool // in the open transaction
}

type assetCount struct {
	asset              crypto.Address
	holders, movements int64
	touched            bool
}

func newState(w *store.Writer) *state {
	return &state{
		w: w, balances: map[balanceID]*balance{}, records: map[recordID]*record{}, counts: map[string]int64{},
		assets: map[crypto.Address]*assetCount{}, buckets: map[bucketID]*bucket{},
	}
}

// emptyRecord makes the record of a kind.
func emptyRecord(kind store.RecordKind) any {
	switch kind {
	case store.KindAccount:
		return new(store.AccountRecord)
	case store.KindAsset:
		return new(store.AssetRecord)
	case store.KindHolder:
		return new(store.HolderRecord)
	case store.KindHold:
		return new(store.HoldRecord)
	case store.KindMember:
		return new(store.MemberRecord)
	case store.KindProposal:
		return new(store.ProposalRecord)
	case store.KindParameters:
		return new(store.ParametersRecord)
	}
	panic(fmt.Sprintf("index: records of kind %d", kind))
}

// find reads a record; its value is nil where there is none.
func (s *state) find(ctx context.Context, kind store.RecordKind, key []byte) (*record, error) {
	id := recordID{kind, string(key)}
	if r := s.records[id]; r != nil {
		return r, nil
	}
	r := &record{recordID: id}
	var text string
	err := s.w.QueryRow(ctx, "SELECT record FROM versions WHERE kind = ? AND key = ? ORDER BY height DESC LIMIT 1", int64(kind), key).Scan(&text)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read a record of kind %d: %w", kind, err)
	}
	if err == nil {
		r.value = emptyRecord(kind)
		if err := json.Unmarshal([]byte(text), r.value); err != nil {
			return nil, fmt.Errorf("record of kind %d, key %x: %w", kind, key, err)
		}
	}
	s.records[id] = r
	return r, nil
}

// create enters a record that is not there, without reading whether it is: the
// database refuses it if it is.
func (s *state) create(kind store.RecordKind, key []byte, value any) error {
	id := recordID{kind, string(key)}
	if r := s.records[id]; r != nil && r.value != nil {
		return fmt.Errorf("%w: a record of kind %d, key %x, is made twice", errAddUp, kind, key)
	}
	r := &record{recordID: id, value: value, fresh: true}
	s.records[id] = r
	s.touch(r)
	return nil
}

// touch notes that a record has changed.
func (s *state) touch(r *record) {
	if !r.changed {
		r.changed = true
		s.changed = append(s.changed, r)
	}
	if !r.touched {
		r.touched = true
		s.touched = append(s.touched, r)
	}
}

// change finds a record that must be there, changes it and notes that. change
// answers false for what cannot have happened.
func change[T any](ctx context.Context, s *state, kind store.RecordKind, key []byte, e *ledger.Event, do func(*T) bool) error {
	r, err := s.find(ctx, kind, key)
	if err != nil {
		return err
	}
	value, ok := r.value.(*T)
	if !ok || !do(value) {
		return fmt.Errorf("%w: %s of the record of kind %d, key %x", errAddUp, e.Type.Name(), kind, key)
	}
	s.touch(r)
	return nil
}

// balance finds a balance; one that never was is nothing.
func (s *state) balance(ctx context.Context, id balanceID) (*balance, error) {
	if b := s.balances[id]; b != nil {
		return b, nil
	}
	if err := s.fetchBalances(ctx, id.asset, []crypto.Address{id.account}); err != nil {
		return nil, err
	}
	return s.balances[id], nil
}

// fetchMost is how many balances one query asks for.
const fetchMost = 256

// fetchBalances reads balances of one asset, of accounts that are not known yet.
func (s *state) fetchBalances(ctx context.Context, asset crypto.Address, accounts []crypto.Address) error {
	for len(accounts) > 0 {
		size := 1 // two forms of the query, so that both stay prepared
		if len(accounts) > 1 {
			size = fetchMost
		}
		args := make([]any, 0, size+1)
		for i := range size {
			args = append(args, accounts[min(i, len(accounts)-1)][:])
		}
		args = append(args, asset[:])
		for _, a := range accounts[:min(size, len(accounts))] {
			s.balances[balanceID{a, asset}] = &balance{balanceID: balanceID{a, asset}}
		}
		// Written so that PostgreSQL, which may know nothing of the table yet, does not
		// read all holders of the asset to find these.
		query := "SELECT account, available, held, position FROM balances WHERE account IN (" + strings.Repeat("?, ", size-1) + "?) AND (asset = ? OR asset IS NULL)"
		if err := s.readBalances(ctx, asset, query, args); err != nil {
			return fmt.Errorf("read balances: %w", err)
		}
		accounts = accounts[min(size, len(accounts)):]
	}
	return nil
}

func (s *state) readBalances(ctx context.Context, asset crypto.Address, query string, args []any) error {
	rows, err := s.w.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var account, available, held []byte
		var position int64
		if err := rows.Scan(&account, &available, &held, &position); err != nil {
			return err
		}
		b := s.balances[balanceID{crypto.Address(account), asset}]
		var ok, okHeld bool
		b.Available, ok = store.ParseAmountBytes(available)
		b.Held, okHeld = store.ParseAmountBytes(held)
		b.position = store.Position(position)
		if !ok || !okHeld {
			return fmt.Errorf("balance of %x in %s is damaged", account, asset)
		}
	}
	return rows.Err()
}

// prefetch reads at once the balances that blocks will move.
func (s *state) prefetch(ctx context.Context, events [][]ledger.Event) error {
	wanted := map[crypto.Address][]crypto.Address{}
	want := func(account, asset crypto.Address) {
		id := balanceID{account, asset}
		if !account.IsZero() && s.balances[id] == nil {
			s.balances[id] = &balance{balanceID: id} // so that it is wanted once
			wanted[asset] = append(wanted[asset], account)
		}
	}
	for _, list := range events {
		for i := range list {
			if e := &list[i]; moves(e.Type) {
				want(e.From, e.Asset)
				want(e.To, e.Asset)
			}
		}
	}
	for asset, accounts := range wanted {
		if err := s.fetchBalances(ctx, asset, accounts); err != nil {
			return err
		}
	}
	return nil
}

// count finds an asset's counts.
func (s *state) count(ctx context.Context, asset crypto.Address) (*assetCount, error) {
	c := s.assets[asset]
	if c == nil {
		c = &assetCount{asset: asset}
		err := s.w.QueryRow(ctx, "SELECT holders, movements FROM asset_counts WHERE asset = ?", asset[:]).Scan(&c.holders, &c.movements)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, fmt.Errorf("read the counts of asset %s: %w", asset, err)
		}
		s.assets[asset] = c
	}
	if !c.touched {
		c.touched = true
		s.recounts = append(s.recounts, c)
	}
	return c, nil
}

// settle ends a transaction: nothing is new any more, and what is too much to keep
// is forgotten.
func (s *state) settle() {
	for _, r := range s.touched {
		r.fresh, r.touched = false, false
	}
	for _, b := range s.moved {
		b.moved = false
	}
	for _, c := range s.recounts {
		c.touched = false
	}
	s.touched, s.moved, s.recounts = s.touched[:0], s.moved[:0], s.recounts[:0]
	if len(s.balances) > cachedBalances {
		clear(s.balances)
	}
	if len(s.records) > cachedRecords {
		clear(s.records)
	}
	if len(s.assets) > cachedCounts {
		clear(s.assets)
	}
	s.settleBuckets()
}
