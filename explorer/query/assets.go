package query

import (
	"context"
	"strings"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
)

// assetColumns are of d, a row of assets, with what is beside it.
const (
	assetColumns = "d.symbol, d.asset, d.record, b.time_ms, c.holders, c.movements, p.settlement"
	assetJoins   = "JOIN blocks b ON b.height = (d.created >> 20) JOIN asset_counts c ON c.asset = d.asset JOIN progress p ON p.id = 1"
)

var assetStatuses = []ledger.AssetStatus{ledger.AssetActive, ledger.AssetPaused, ledger.AssetPausedByNetwork, ledger.AssetPausedByBoth,
	ledger.AssetRetired, ledger.AssetRetiredAndPaused}

func scanAsset(scan func(...any) error) (a Asset, symbol []byte, err error) {
	var text string
	var ms int64
	var settlement crypto.Address
	if err := scan(&symbol, fixed(a.Asset[:]), &text, &ms, &a.Holders, &a.Movements, fixed(settlement[:])); err != nil {
		return a, nil, err
	}
	record, err := decode[store.AssetRecord](text)
	a.Symbol, a.Decimals, a.Name, a.Issuer, a.Cap, a.Supply = record.Symbol, record.Decimals, record.Name, record.Issuer, record.Cap, record.Supply
	a.Status, a.URI, a.Flags, a.Settlement = record.Status.String(), record.URI, flagNames(record.Flags), settlement == a.Asset
	a.Created = placeOf(int64(record.Created), ms)
	if record.Hash != (crypto.Hash{}) {
		a.DocumentHash = &record.Hash
	}
	return a, symbol, err
}

func flagNames(flags uint32) []string {
	names := []string{}
	for i, name := range [...]string{"freezable", "clawback", "restricted"} {
		if flags&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// Assets implements Queries.
func (r *Reader) Assets(ctx context.Context, f AssetFilter, p Page) (*List[Asset], error) {
	l := &keyList{list: 'S', what: "assets", columns: assetColumns, from: "assets", where: "1 = 1", key: "symbol", joins: assetJoins}
	if f.Issuer != nil {
		l.where, l.args = "issuer = ?", []any{f.Issuer[:]}
	}
	if f.Status != "" {
		s, err := status(f.Status, assetStatuses)
		if err != nil {
			return nil, err
		}
		l.filter, l.filters = " AND d.status = ?", []any{int64(s)}
	}
	return view(ctx, r, func(v store.Read) (*List[Asset], error) {
		out := &List[Asset]{Items: []Asset{}}
		var err error
		out.Next, err = l.read(ctx, v, p, func(scan func(...any) error) ([]byte, error) {
			a, symbol, err := scanAsset(scan)
			out.Items = append(out.Items, a)
			return symbol, err
		})
		return out, err
	})
}

// Asset implements Queries.
func (r *Reader) Asset(ctx context.Context, asset crypto.Address) (*Asset, error) {
	return r.oneAsset(ctx, "d.asset = ?", asset[:])
}

// AssetBySymbol implements Queries.
func (r *Reader) AssetBySymbol(ctx context.Context, symbol string) (*Asset, error) {
	if len(symbol) > ledger.MaxSymbolBytes {
		return nil, ErrNotFound
	}
	return r.oneAsset(ctx, "d.symbol = ?", []byte(strings.ToUpper(symbol)))
}

func (r *Reader) oneAsset(ctx context.Context, where string, arg any) (*Asset, error) {
	var a *Asset
	err := each(ctx, r.db, "an asset", func(scan func(...any) error) error {
		one, _, err := scanAsset(scan)
		a = &one
		return err
	}, "SELECT "+assetColumns+" FROM assets d "+assetJoins+" WHERE "+where, arg)
	if err == nil && a == nil {
		err = ErrNotFound
	}
	return a, err
}

// Holders implements Queries.
func (r *Reader) Holders(ctx context.Context, asset crypto.Address, p Page) (*List[Holder], error) {
	limit, err := p.limit()
	if err != nil {
		return nil, err
	}
	c := parseCursor('H', p.Cursor)
	total, account := c.text(), c.text()
	if err := c.end(); err != nil {
		return nil, err
	}
	where, args := "", []any{asset[:], nothing}
	if !c.begin {
		where, args = " AND total <= ? AND (total < ? OR account < ?)", append(args, total, total, account)
	}
	query := "SELECT d.account, d.available, d.held, d.total, a.member, h.record FROM (SELECT account, asset, available, held, total FROM balances WHERE asset = ? AND total > ?" + where +
		" ORDER BY total DESC, account DESC LIMIT ?) d LEFT JOIN accounts a ON a.account = d.account LEFT JOIN holders h ON h.asset = d.asset AND h.account = d.account ORDER BY d.total DESC, d.account DESC"
	out := &List[Holder]{Items: []Holder{}}
	err = each(ctx, r.db, "holders", func(scan func(...any) error) error {
		h, err := scanHolder(scan)
		out.Items = append(out.Items, h)
		return err
	}, query, append(args, limit+1)...)
	if err != nil {
		return nil, err
	}
	if len(out.Items) > limit {
		out.Items = out.Items[:limit]
		last := out.Items[limit-1]
		out.Next = next(newCursor('H').text(store.AmountBytes(last.Total)).text(last.Account[:]))
	}
	return out, nil
}

func scanHolder(scan func(...any) error) (h Holder, err error) {
	var text *string
	if err := scan(fixed(h.Account[:]), amount{&h.Available}, amount{&h.Held}, amount{&h.Total}, address{&h.Member}, &text); err != nil || text == nil {
		return h, err
	}
	record, err := decode[store.HolderRecord](*text)
	h.Approved, h.Frozen, h.FrozenAmount = record.Approved, record.Frozen, record.FrozenAmount
	return h, err
}
