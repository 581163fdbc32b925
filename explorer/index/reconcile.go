package index

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	ics23 "github.com/cosmos/ics23/go"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/crypto/smt"
	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
)

// How much one comparison looks at.
const (
	recentSample = 16 // of what moved last
	randomSample = 8  // of everything
	openSample   = 64 // of what differed before
)

// maxSampleTime bounds one comparison.
const maxSampleTime = 30 * time.Second

// comparison is what came of comparing records with proofs.
type comparison struct {
	height   ledger.Height // of the newest state that was proven
	time     time.Time
	compared int
	found    []difference
	agreed   [][]byte // keys
}

type difference struct {
	height          ledger.Height
	subject         string
	key             []byte
	indexed, proven string
}

// sample is one record of the state to compare.
type sample struct {
	subject string // balance, asset or account
	key     []byte // of the state
	account crypto.Address
	asset   crypto.Address
}

// compareFrom compares now and then, until ctx ends. What it finds goes to the
// writer's goroutine.
func (x *Index) compareFrom(ctx context.Context, out chan<- *comparison) {
	timer := time.NewTimer(x.o.Reconcile)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		var c *comparison
		err := caught(func() (err error) {
			c, err = x.compare(ctx)
			return err
		})
		if err != nil && ctx.Err() == nil {
			x.log.Warn("the explorer's index was not compared with the node's state", "error", err)
		}
		if c != nil && c.compared > 0 {
			select {
			case out <- c:
			case <-ctx.Done():
				return
			}
		}
		timer.Reset(x.o.Reconcile)
	}
}

// compare compares a sample. A record that cannot be compared now (the index is
// behind the state that is proven, or the source can prove nothing) is left for
// another time.
func (x *Index) compare(ctx context.Context) (*comparison, error) {
	ctx, cancel := context.WithTimeout(ctx, maxSampleTime)
	defer cancel()
	samples, err := x.samples(ctx)
	if err != nil {
		return nil, err
	}
	c := &comparison{time: time.Now()}
	for _, s := range samples {
		if err := x.compareOne(ctx, c, s); err != nil {
			if errors.Is(err, explorer.ErrNoProof) || errors.Is(err, context.DeadlineExceeded) {
				break
			}
			return c, err
		}
	}
	return c, nil
}

func (x *Index) compareOne(ctx context.Context, c *comparison, s sample) error {
	proof, err := x.src.Proof(ctx, s.key)
	if err != nil {
		return fmt.Errorf("prove %s: %w", s.subject, err)
	}
	// The root stands in the next header, which the index must have, and so all that
	// came before it.
	if err := x.db.Wait(ctx, proof.Height+1); err != nil {
		return err
	}
	indexed, root, err := x.indexed(ctx, s, proof.Height)
	if err != nil {
		return err
	}
	c.height, c.compared = max(c.height, proof.Height), c.compared+1
	proven, err := proved(proof, s, root)
	if err != nil {
		proven = "no proof: " + err.Error()
	}
	if proven == indexed {
		c.agreed = append(c.agreed, s.key)
		return nil
	}
	c.found = append(c.found, difference{proof.Height, s.subject, s.key, indexed, proven})
	return nil
}

// proved checks a proof and says what it proves, in the words of indexed.
func proved(p *explorer.Proof, s sample, root crypto.Hash) (string, error) {
	var proof ics23.CommitmentProof
	if err := proof.Unmarshal(p.Proof); err != nil {
		return "", fmt.Errorf("the proof is not well formed: %w", err)
	}
	value := p.Value
	if len(value) == 0 {
		value = nil
	}
	if err := smt.Verify(root, s.key, value, &proof); err != nil {
		return "", err
	}
	switch s.subject {
	case "balance":
		b, err := ledger.DecodeBalance(value)
		return words(balanceWords{b.Available, b.Held}), err
	case "asset":
		if value == nil {
			return "nothing", nil
		}
		a, err := ledger.DecodeAsset(value)
		return words(assetWords{a.Symbol, a.Issuer, a.Supply, a.Status, a.Holds}), err
	}
	if value == nil {
		return "nothing", nil
	}
	a, err := ledger.DecodeAccount(value)
	return words(accountWords{a.Status, a.Member, a.Authority.Threshold, a.Authority.Keys}), err
}

// What of each record is compared.
type (
	balanceWords struct {
		Available ledger.Amount `json:"available"`
		Held      ledger.Amount `json:"held"`
	}
	assetWords struct {
		Symbol string             `json:"symbol"`
		Issuer crypto.Address     `json:"issuer"`
		Supply ledger.Amount      `json:"supply"`
		Status ledger.AssetStatus `json:"status"`
		Holds  uint64             `json:"holds"`
	}
	accountWords struct {
		Status    ledger.AccountStatus `json:"status"`
		Member    crypto.Address       `json:"member"`
		Threshold uint64               `json:"threshold"`
		Keys      []ledger.Key         `json:"keys,omitempty"`
	}
)

func words(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic("index: what is compared does not marshal: " + err.Error())
	}
	return string(text)
}

// indexed is what the tables say of a record after a block, and the root of the
// state after it, which the next header has.
func (x *Index) indexed(ctx context.Context, s sample, height ledger.Height) (said string, root crypto.Hash, err error) {
	err = x.db.View(ctx, func(r store.Read) error {
		var hash []byte
		if err := r.QueryRow(ctx, "SELECT app_hash FROM blocks WHERE height = ?", int64(height)+1).Scan(&hash); err != nil {
			return fmt.Errorf("read the root of block %d: %w", height, err)
		}
		copy(root[:], hash)
		said, err = indexedAt(ctx, r, s, height)
		return err
	})
	return said, root, err
}

func indexedAt(ctx context.Context, r store.Read, s sample, height ledger.Height) (string, error) {
	if s.subject == "balance" {
		b := balance{balanceID: balanceID{s.account, s.asset}}
		row := r.QueryRow(ctx, "SELECT available, held, position FROM entries WHERE account = ? AND asset = ? AND position < ? ORDER BY position DESC, n DESC, side DESC LIMIT 1",
			s.account[:], s.asset[:], int64(store.OwnAt(height+1)))
		if err := scanBalance(row.Scan, &b); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return "", fmt.Errorf("read a balance: %w", err)
		}
		return words(balanceWords{b.Available, b.Held}), nil
	}
	kind, key := store.KindAccount, s.account[:]
	if s.subject == "asset" {
		kind, key = store.KindAsset, s.asset[:]
	}
	var text string
	err := r.QueryRow(ctx, "SELECT record FROM versions WHERE kind = ? AND key = ? AND height <= ? ORDER BY height DESC LIMIT 1", int64(kind), key, int64(height)).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return "nothing", nil
	}
	if err != nil {
		return "", fmt.Errorf("read a record: %w", err)
	}
	if s.subject == "asset" {
		var a store.AssetRecord
		err := json.Unmarshal([]byte(text), &a)
		return words(assetWords{a.Symbol, a.Issuer, a.Supply, a.Status, a.Holds}), err
	}
	var a store.AccountRecord
	err = json.Unmarshal([]byte(text), &a)
	return words(accountWords{a.Status, a.Member, a.Threshold, a.Keys}), err
}

// samples chooses what to compare: what differed before, what changed last, and some
// of everything.
func (x *Index) samples(ctx context.Context) (list []sample, err error) {
	from := crypto.Address{}
	rand.Read(from[:])
	known := map[string]bool{}
	add := func(s sample) {
		if !known[string(s.key)] {
			known[string(s.key)] = true
			list = append(list, s)
		}
	}
	err = x.db.View(ctx, func(r store.Read) error {
		for _, q := range []struct {
			query string
			args  []any
		}{
			{"SELECT account, asset FROM balances WHERE account >= ? ORDER BY account, asset LIMIT ?", []any{from[:], randomSample}},
			{"SELECT account, asset FROM balances WHERE account < ? ORDER BY account DESC, asset LIMIT ?", []any{from[:], randomSample}},
			{"SELECT coalesce(payer, payee), asset FROM movements ORDER BY position DESC, n DESC LIMIT ?", []any{recentSample}},
			{"SELECT coalesce(payee, payer), asset FROM movements ORDER BY position DESC, n DESC LIMIT ?", []any{recentSample}},
		} {
			if err := addPairs(ctx, r, add, q.query, q.args...); err != nil {
				return err
			}
		}
		return addRecords(ctx, r, add, from)
	})
	return list, err
}

// addPairs adds the balances, accounts and assets of rows of accounts and assets.
func addPairs(ctx context.Context, r store.Read, add func(sample), query string, args ...any) error {
	rows, err := r.Query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("choose balances: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var account, asset []byte
		if err := rows.Scan(&account, &asset); err != nil {
			return err
		}
		a, b := crypto.Address(account), crypto.Address(asset)
		add(sample{"balance", ledger.KeyBalance(a, b), a, b})
		add(sample{subject: "account", key: ledger.KeyAccount(a), account: a})
		add(sample{subject: "asset", key: ledger.KeyAsset(b), asset: b})
	}
	return rows.Err()
}

// addRecords adds accounts and assets that changed last, some of all accounts, and
// whatever differed before.
func addRecords(ctx context.Context, r store.Read, add func(sample), from crypto.Address) error {
	for _, q := range []struct {
		query string
		args  []any
	}{
		{"SELECT kind, key FROM versions WHERE height IN (SELECT height FROM versions ORDER BY height DESC LIMIT ?) AND kind IN (1, 2) ORDER BY height DESC LIMIT ?", []any{recentSample, recentSample}},
		{"SELECT 1, account FROM accounts WHERE account >= ? ORDER BY account LIMIT ?", []any{from[:], randomSample}},
		{"SELECT 0, key FROM differences WHERE resolved = 0 ORDER BY key LIMIT ?", []any{openSample}},
	} {
		rows, err := r.Query(ctx, q.query, q.args...)
		if err != nil {
			return fmt.Errorf("choose records: %w", err)
		}
		for rows.Next() {
			var kind int64
			var key []byte
			if err := rows.Scan(&kind, &key); err != nil {
				return errors.Join(err, rows.Close())
			}
			if s, ok := sampleOf(kind, key); ok {
				add(s)
			}
		}
		if err := first(rows.Err(), rows.Close()); err != nil {
			return err
		}
	}
	return nil
}

// sampleOf is the sample of a version's key, or of a state's key where kind is 0.
func sampleOf(kind int64, key []byte) (sample, bool) {
	switch store.RecordKind(kind) {
	case store.KindAccount:
		a := crypto.Address(key)
		return sample{subject: "account", key: ledger.KeyAccount(a), account: a}, true
	case store.KindAsset:
		a := crypto.Address(key)
		return sample{subject: "asset", key: ledger.KeyAsset(a), asset: a}, true
	}
	var zero crypto.Address
	for subject, prefix := range map[string]int{
		"balance": len(ledger.KeyBalance(zero, zero)) - 40, "account": len(ledger.KeyAccount(zero)) - 20, "asset": len(ledger.KeyAsset(zero)) - 20,
	} {
		if len(key) < prefix || string(key[:prefix]) != subject+"/" {
			continue
		}
		s, rest := sample{subject: subject, key: key}, key[prefix:]
		switch {
		case subject == "balance" && len(rest) == 40:
			s.account, s.asset = crypto.Address(rest[:20]), crypto.Address(rest[20:])
		case subject == "account" && len(rest) == 20:
			s.account = crypto.Address(rest)
		case subject == "asset" && len(rest) == 20:
			s.asset = crypto.Address(rest)
		default:
			return s, false
		}
		return s, true
	}
	return sample{}, false
}

// record writes what a comparison came to: a difference once for as long as it is
// there.
func (x *Index) record(ctx context.Context, w *store.Writer, c *comparison) error {
	if err := w.Begin(ctx); err != nil {
		return err
	}
	for _, key := range c.agreed {
		if err := w.Exec(ctx, "UPDATE differences SET resolved = 1 WHERE resolved = 0 AND key = ?", key); err != nil {
			return fmt.Errorf("resolve a difference: %w", err)
		}
	}
	for _, d := range c.found {
		x.log.Error("the explorer's index differs from the node's proven state: index again with --from 0, and if it comes back, report it",
			"subject", d.subject, "key", fmt.Sprintf("%q", d.key), "height", d.height, "index", d.indexed, "proven", d.proven)
		if err := recordDifference(ctx, w, c, d); err != nil {
			return err
		}
	}
	var open, runs int64
	err := w.QueryRow(ctx, "SELECT count(*) FROM differences WHERE resolved = 0").Scan(&open)
	if err != nil {
		return fmt.Errorf("count differences: %w", err)
	}
	err = w.QueryRow(ctx, "SELECT runs FROM reconciliation WHERE id = 1").Scan(&runs)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read the last comparison: %w", err)
	}
	w.Add(store.Reconciliation, int64(1), int64(c.height), c.time.Unix(), int64(c.compared), int64(len(c.found)), runs+1)
	if err := w.CommitAside(ctx); err != nil {
		return err
	}
	x.metrics.differences.Set(float64(open))
	x.metrics.compared.Add(float64(c.compared))
	x.metrics.found.Add(float64(len(c.found)))
	return nil
}

func recordDifference(ctx context.Context, w *store.Writer, c *comparison, d difference) error {
	var known, last int64
	if err := w.QueryRow(ctx, "SELECT count(*) FROM differences WHERE resolved = 0 AND key = ?", d.key).Scan(&known); err != nil {
		return fmt.Errorf("look for a difference: %w", err)
	}
	if known > 0 {
		return w.Exec(ctx, "UPDATE differences SET height = ?, indexed = ?, proven = ? WHERE resolved = 0 AND key = ?", int64(d.height), d.indexed, d.proven, d.key)
	}
	if err := w.QueryRow(ctx, "SELECT coalesce(max(id), 0) FROM differences").Scan(&last); err != nil {
		return fmt.Errorf("number a difference: %w", err)
	}
	return w.Exec(ctx, "INSERT INTO differences (id, time, height, subject, key, indexed, proven, resolved) VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
		last+1, c.time.Unix(), int64(d.height), d.subject, d.key, d.indexed, d.proven)
}
