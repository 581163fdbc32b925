package query

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
)

// Follower says how the index gets on; *index.Index does.
type Follower interface {
	// Head is the highest block that the node is known to have.
	Head() ledger.Height
	// Problem is what readers may know of why the index does not go on, while it does
	// not; else "".
	Problem() string
}

// database is what is read of *store.Store.
type database interface {
	store.Read
	View(ctx context.Context, read func(store.Read) error) error
	Height() (ledger.Height, bool)
	Wait(ctx context.Context, height ledger.Height) error
	Memos() string
	Words(words []string) string
}

// Reader answers Queries from a database.
type Reader struct {
	db       database
	follower Follower // or nil

	assets *lru.Cache[crypto.Address, AssetRef] // symbols and decimals never change

	mu         sync.Mutex
	validators *Validators     // the last answer; owned by mu
	of         ledger.Height   // of validators; owned by mu
	net        *ledger.Network // nil until it was asked for; owned by mu
}

var _ Queries = (*Reader)(nil)

// cachedAssets is how many assets' symbols are kept.
const cachedAssets = 10_000

// New reads from db. follower may be nil: then the index is taken to be where the
// node is.
func New(db *store.Store, follower Follower) *Reader {
	assets, err := lru.New[crypto.Address, AssetRef](cachedAssets)
	if err != nil {
		panic("query: " + err.Error())
	}
	return &Reader{db: db, follower: follower, assets: assets}
}

// view reads on one commit.
func view[T any](ctx context.Context, r *Reader, read func(store.Read) (T, error)) (out T, err error) {
	err = r.db.View(ctx, func(v store.Read) (err error) {
		out, err = read(v)
		return err
	})
	if err != nil {
		var none T
		return none, err
	}
	return out, nil
}

// network is the identity of the ledger, as transactions are decoded by it.
func (r *Reader) network(ctx context.Context, v store.Read) (*ledger.Network, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.net != nil {
		return r.net, nil
	}
	var id string
	var chain int64
	var settlement crypto.Address
	if err := row(ctx, v, "the network", "SELECT network_id, chain_id, settlement FROM progress WHERE id = 1", nil, &id, &chain, fixed(settlement[:])); err != nil {
		return nil, err
	}
	refs, err := r.refs(ctx, v, settlement)
	if err != nil {
		return nil, err
	}
	r.net, err = ledger.NewNetwork(id, uint64(chain), settlement, refs[settlement].Decimals)
	return r.net, err
}

// each runs a query and visits its rows.
func each(ctx context.Context, r store.Read, what string, visit func(scan func(...any) error) error, query string, args ...any) error {
	rows, err := r.Query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("read %s: %w", what, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := visit(rows.Scan); err != nil {
			return fmt.Errorf("read %s: %w", what, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read %s: %w", what, err)
	}
	return nil
}

// row runs a query of one row. Without one it is ErrNotFound.
func row(ctx context.Context, r store.Read, what string, query string, args []any, into ...any) error {
	err := r.QueryRow(ctx, query, args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", what, err)
	}
	return nil
}

// amount reads an amount from a row.
type amount struct{ at *ledger.Amount }

// Scan implements sql.Scanner.
func (a amount) Scan(value any) error {
	b, _ := value.([]byte)
	parsed, ok := store.ParseAmountBytes(b)
	if !ok {
		return fmt.Errorf("amount %x is damaged", b)
	}
	*a.at = parsed
	return nil
}

// address reads an address that may be NULL.
type address struct{ at **crypto.Address }

// Scan implements sql.Scanner.
func (a address) Scan(value any) error {
	b, _ := value.([]byte)
	if len(b) == 20 {
		*a.at = (*crypto.Address)(append([]byte(nil), b...))
	}
	return nil
}

// fixed reads bytes of a known length.
type fixed []byte

// Scan implements sql.Scanner.
func (f fixed) Scan(value any) error {
	b, _ := value.([]byte)
	if len(b) != len(f) {
		return fmt.Errorf("%x has %d bytes and not %d", b, len(b), len(f))
	}
	copy(f, b)
	return nil
}

// hash reads a hash that may be NULL.
type hash struct{ at **crypto.Hash }

// Scan implements sql.Scanner.
func (h hash) Scan(value any) error {
	b, _ := value.([]byte)
	if len(b) == 32 {
		*h.at = (*crypto.Hash)(append([]byte(nil), b...))
	}
	return nil
}

// placeOf is the place of a position; ms is its block's time.
func placeOf(position int64, ms int64) Place {
	p := store.Position(position)
	place := Place{Height: uint64(p.Height()), Time: uint64(ms / 1000)}
	if i, ok := p.Index(); ok {
		place.Index = &i
	}
	return place
}

// place is placeOf for a position alone.
func (r *Reader) place(ctx context.Context, from store.Read, p store.Position) (Place, error) {
	var ms int64
	err := row(ctx, from, "a block's time", "SELECT time_ms FROM blocks WHERE height = ?", []any{int64(p.Height())}, &ms)
	return placeOf(int64(p), ms), err
}

// span is a range of positions, both included.
type span struct{ low, high int64 }

var everything = span{0, math.MaxInt64}

// during is the positions of blocks whose times lie in a period, both ends included.
func during(ctx context.Context, r store.Read, from, to *ledger.UnixTime) (span, error) {
	s := everything
	if from != nil && *from > 0 {
		low, err := firstAt(ctx, r, *from)
		if err != nil {
			return s, err
		}
		s.low = low
	}
	if to != nil {
		high, err := firstAfter(ctx, r, *to)
		if err != nil {
			return s, err
		}
		if high < math.MaxInt64 {
			s.high = high - 1
		}
	}
	return s, nil
}

// firstAt is the first position that is not before a time; the highest number where
// there is none.
func firstAt(ctx context.Context, r store.Read, t ledger.UnixTime) (int64, error) {
	if t > ledger.UnixTime(ledger.MaxJSONInteger) {
		return math.MaxInt64, nil
	}
	var height int64
	err := row(ctx, r, "a block by its time", "SELECT height FROM blocks WHERE time_ms >= ? ORDER BY time_ms, height LIMIT 1", []any{int64(min(t, math.MaxInt64/1000)) * 1000}, &height)
	if errors.Is(err, ErrNotFound) {
		return math.MaxInt64, nil
	}
	return int64(store.OwnAt(ledger.Height(height))), err
}

// firstAfter is the first position that is later than a time; the highest number
// where there is none.
func firstAfter(ctx context.Context, r store.Read, t ledger.UnixTime) (int64, error) {
	if uint64(t) >= ledger.MaxJSONInteger {
		return math.MaxInt64, nil
	}
	return firstAt(ctx, r, t+1)
}

// before is the first position that a moment does not see. Error: ErrNotFound for a
// height that is not indexed, and may come to be another than what is now.
func before(ctx context.Context, r store.Read, m Moment) (int64, error) {
	switch {
	case m.Height != nil && uint64(*m.Height) > ledger.MaxJSONInteger:
		return 0, &InvalidError{"height", "it is at most 2^53 - 1"}
	case m.Height != nil && m.Time != nil:
		return 0, &InvalidError{"at", "give a height or a time, and not both"}
	case m.Height != nil:
		var there int64
		err := row(ctx, r, "a block", "SELECT height FROM blocks WHERE height = ?", []any{int64(*m.Height)}, &there)
		return int64(store.OwnAt(*m.Height + 1)), err
	case m.Time != nil:
		return firstAfter(ctx, r, *m.Time)
	}
	return math.MaxInt64, nil
}

// refs are the assets' symbols and decimals.
func (r *Reader) refs(ctx context.Context, from store.Read, assets ...crypto.Address) (map[crypto.Address]AssetRef, error) {
	out := map[crypto.Address]AssetRef{}
	var missing []any
	for _, a := range assets {
		if ref, ok := r.assets.Get(a); ok {
			out[a] = ref
		} else if _, asked := out[a]; !asked {
			out[a] = AssetRef{Asset: a}
			missing = append(missing, append([]byte(nil), a[:]...))
		}
	}
	for len(missing) > 0 {
		part := missing[:min(len(missing), 100)]
		err := each(ctx, from, "assets", func(scan func(...any) error) error {
			ref := AssetRef{}
			var record string
			if err := scan(fixed(ref.Asset[:]), &record); err != nil {
				return err
			}
			a, err := decode[store.AssetRecord](record)
			ref.Symbol, ref.Decimals = a.Symbol, a.Decimals
			out[ref.Asset] = ref
			r.assets.Add(ref.Asset, ref)
			return err
		}, "SELECT asset, record FROM assets WHERE asset IN ("+marks(len(part))+")", part...)
		if err != nil {
			return nil, err
		}
		missing = missing[len(part):]
	}
	return out, nil
}

// known is an asset that the index has. Error: ErrNotFound.
func (r *Reader) known(ctx context.Context, v store.Read, asset crypto.Address) (AssetRef, error) {
	refs, err := r.refs(ctx, v, asset)
	if err == nil && refs[asset].Symbol == "" {
		err = ErrNotFound
	}
	return refs[asset], err
}

// marks are n parameters.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

func next(c *cursor) *string {
	text := c.String()
	return &text
}

// errDamaged: a row that no index of ours has written.
var errDamaged = errors.New("a row of the index is damaged: index again with --from 0")
