package query

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
)

// accountStatuses are the statuses by their names.
var accountStatuses = []ledger.AccountStatus{ledger.StatusActive, ledger.StatusFrozen, ledger.StatusFrozenByNetwork, ledger.StatusFrozenByBoth, ledger.StatusClosed}

// status finds a status by its name.
func status[S fmt.Stringer](name string, all []S) (S, error) {
	i := slices.IndexFunc(all, func(s S) bool { return s.String() == name })
	if i < 0 {
		var none S
		return none, &InvalidError{"status", fmt.Sprintf("it is one of %v", all)}
	}
	return all[i], nil
}

// accountColumns are of d, a row of accounts, with what is beside it now. Counts go
// up to 1,000. Its parameter is an amount of nothing.
const accountColumns = "d.account, d.record, b.time_ms, (SELECT name FROM members WHERE member = d.member)," +
	" (SELECT count(*) FROM (SELECT 1 FROM balances x WHERE x.account = d.account AND x.total > ? LIMIT 1000) y)," +
	" (SELECT count(*) FROM (SELECT 1 FROM holds x WHERE x.payer = d.account AND x.status = 1 LIMIT 1000) y)," +
	" (SELECT count(*) FROM (SELECT 1 FROM holds x WHERE x.payee = d.account AND x.status = 1 LIMIT 1000) y)," +
	" (SELECT count(*) FROM (SELECT 1 FROM assets x WHERE x.issuer = d.account LIMIT 1000) y)," +
	" (SELECT count(*) FROM members x WHERE x.member = d.account)"

const accountJoins = "JOIN blocks b ON b.height = (d.created >> 20)"

var nothing = store.AmountBytes(ledger.Amount{})

func scanAccount(scan func(...any) error) (Account, error) {
	var a Account
	var text string
	var name *string
	var ms int64
	var payer, payee, member uint64
	if err := scan(fixed(a.Address[:]), &text, &ms, &name, &a.Assets, &payer, &payee, &a.Issues, &member); err != nil {
		return a, err
	}
	record, err := decode[store.AccountRecord](text)
	a.Holds, a.IsMember = payer+payee, member > 0
	a.Created = placeOf(int64(record.Created), ms)
	if name != nil {
		a.MemberName = *name
	}
	a.set(record)
	return a, err
}

// set shows a record.
func (a *Account) set(record *store.AccountRecord) {
	a.Status, a.Member = record.Status.String(), notZero(record.Member)
	a.Keys, a.Threshold = ownKey(a.Address, record.Keys, record.Threshold)
}

// Accounts implements Queries.
func (r *Reader) Accounts(ctx context.Context, f AccountFilter, p Page) (*List[Account], error) {
	l := &keyList{list: 'A', what: "accounts", columns: accountColumns, before: []any{nothing}, from: "accounts", where: "1 = 1", key: "account", joins: accountJoins}
	var s ledger.AccountStatus
	if f.Status != "" {
		var err error
		if s, err = status(f.Status, accountStatuses); err != nil {
			return nil, err
		}
	}
	switch {
	case f.Member != nil:
		l.where, l.args = "member = ?", []any{f.Member[:]}
		if f.Status != "" {
			l.filter, l.filters = " AND d.status = ?", []any{int64(s)}
		}
	case f.Status != "":
		l.where, l.args = "status = ?", []any{int64(s)}
	}
	return view(ctx, r, func(v store.Read) (*List[Account], error) {
		out := &List[Account]{Items: []Account{}}
		var err error
		out.Next, err = l.read(ctx, v, p, func(scan func(...any) error) ([]byte, error) {
			a, err := scanAccount(scan)
			out.Items = append(out.Items, a)
			return a.Address[:], err
		})
		return out, err
	})
}

// Account implements Queries.
func (r *Reader) Account(ctx context.Context, account crypto.Address, at Moment) (*Account, error) {
	return view(ctx, r, func(v store.Read) (*Account, error) {
		end, err := before(ctx, v, at)
		if err != nil {
			return nil, err
		}
		record, _, err := versionBefore[store.AccountRecord](ctx, v, store.KindAccount, account[:], end)
		if err != nil {
			return nil, err
		}
		var a Account
		err = each(ctx, v, "an account", func(scan func(...any) error) (err error) {
			a, err = scanAccount(scan)
			return err
		}, "SELECT "+accountColumns+" FROM accounts d "+accountJoins+" WHERE d.account = ?", nothing, account[:])
		if err != nil {
			return nil, err
		}
		a.set(record)
		a.MemberName, err = memberName(ctx, v, a.Member)
		return &a, err
	})
}

// versionBefore is the newest version of a record before a position, and its height.
func versionBefore[T any](ctx context.Context, v store.Read, kind store.RecordKind, key []byte, end int64) (*T, int64, error) {
	var text string
	var height int64
	err := row(ctx, v, "a record", "SELECT record, height FROM versions WHERE kind = ? AND key = ? AND height <= ? ORDER BY height DESC LIMIT 1",
		[]any{int64(kind), key, int64(store.Position(end - 1).Height())}, &text, &height)
	if err != nil {
		return nil, 0, err
	}
	record, err := decode[T](text)
	return record, height, err
}

// ownKey shows the authority that has no keys: the account's own.
func ownKey(account crypto.Address, keys []ledger.Key, threshold uint64) ([]ledger.Key, uint64) {
	if len(keys) == 0 {
		return []ledger.Key{{Address: account, Weight: 1}}, 1
	}
	return keys, threshold
}

func notZero(a crypto.Address) *crypto.Address {
	if a.IsZero() {
		return nil
	}
	return &a
}

func memberName(ctx context.Context, v store.Read, member *crypto.Address) (name string, err error) {
	if member == nil {
		return "", nil
	}
	return name, ignore(row(ctx, v, "a member", "SELECT name FROM members WHERE member = ?", []any{member[:]}, &name))
}

// versions reads what a record was, the newest first.
func versions[T any](ctx context.Context, v store.Read, kind store.RecordKind, key []byte, p Page, visit func(height, ms int64, record *T)) (*string, error) {
	limit, err := p.limit()
	if err != nil {
		return nil, err
	}
	c := parseCursor('v', p.Cursor)
	from := c.number()
	if err := c.end(); err != nil {
		return nil, err
	}
	if c.begin {
		from = 1 << 62
	}
	found, last := 0, int64(0)
	err = each(ctx, v, "versions", func(scan func(...any) error) error {
		if found++; found > limit {
			return nil
		}
		var ms int64
		var text string
		if err := scan(&last, &ms, &text); err != nil {
			return err
		}
		record, err := decode[T](text)
		visit(last, ms, record)
		return err
	}, "SELECT v.height, b.time_ms, v.record FROM versions v JOIN blocks b ON b.height = v.height WHERE v.kind = ? AND v.key = ? AND v.height < ? ORDER BY v.height DESC LIMIT ?",
		int64(kind), key, from, limit+1)
	if err != nil || found <= limit {
		return nil, err
	}
	return next(newCursor('v').number(last)), nil
}

// AccountHistory implements Queries.
func (r *Reader) AccountHistory(ctx context.Context, account crypto.Address, p Page) (*List[AccountChange], error) {
	return view(ctx, r, func(v store.Read) (*List[AccountChange], error) {
		out := &List[AccountChange]{Items: []AccountChange{}}
		var err error
		out.Next, err = versions(ctx, v, store.KindAccount, account[:], p, func(height, ms int64, a *store.AccountRecord) {
			keys, threshold := ownKey(account, a.Keys, a.Threshold)
			out.Items = append(out.Items, AccountChange{
				Height: uint64(height), Time: uint64(ms / 1000), Status: a.Status.String(), Member: notZero(a.Member), Threshold: threshold, Keys: keys,
			})
		})
		return out, err
	})
}

// Balances implements Queries.
func (r *Reader) Balances(ctx context.Context, account crypto.Address, at Moment, p Page) (*List[Balance], error) {
	return view(ctx, r, func(v store.Read) (*List[Balance], error) {
		end, err := before(ctx, v, at)
		if err != nil {
			return nil, err
		}
		now := end == math.MaxInt64
		l := &keyList{list: 'B', what: "balances", columns: "d.asset, d.available, d.held, d.total, d.position", from: "balances",
			where: "account = ?", args: []any{account[:]}, key: "asset"}
		if now {
			l.filter, l.filters = " AND d.total > ?", []any{nothing}
		}
		out := &List[Balance]{Items: []Balance{}}
		out.Next, err = l.read(ctx, v, p, func(scan func(...any) error) ([]byte, error) {
			var b Balance
			var position int64
			err := scan(fixed(b.Asset[:]), amount{&b.Available}, amount{&b.Held}, amount{&b.Total}, &position)
			b.Since = uint64(store.Position(position).Height())
			out.Items = append(out.Items, b)
			return b.Asset[:], err
		})
		if err == nil && !now {
			err = atMoment(ctx, v, account, end, out)
		}
		if err != nil {
			return nil, err
		}
		return out, r.nameBalances(ctx, v, out.Items)
	})
}

// atMoment puts what was in the place of what is, and leaves out what was not there.
func atMoment(ctx context.Context, v store.Read, account crypto.Address, end int64, out *List[Balance]) error {
	items := out.Items[:0]
	for _, b := range out.Items {
		was, position, err := entryBefore(ctx, v, account, b.Asset, end)
		if err != nil {
			return err
		}
		if was.Total.IsZero() {
			continue
		}
		b.Available, b.Held, b.Total, b.Since = was.Available, was.Held, was.Total, uint64(store.Position(position).Height())
		items = append(items, b)
	}
	out.Items = items
	return nil
}

func (r *Reader) nameBalances(ctx context.Context, v store.Read, list []Balance) error {
	var assets []crypto.Address
	for _, b := range list {
		assets = append(assets, b.Asset)
	}
	refs, err := r.refs(ctx, v, assets...)
	for i := range list {
		list[i].AssetRef = refs[list[i].Asset]
	}
	return err
}

// entryBefore is what an account had of an asset before a position.
func entryBefore(ctx context.Context, v store.Read, account, asset crypto.Address, end int64) (b BalancePoint, position int64, err error) {
	err = row(ctx, v, "a balance", "SELECT available, held, position FROM entries WHERE account = ? AND asset = ? AND position < ? ORDER BY position DESC, n DESC, side DESC LIMIT 1",
		[]any{account[:], asset[:], end}, amount{&b.Available}, amount{&b.Held}, &position)
	if errors.Is(err, ErrNotFound) {
		return BalancePoint{}, 0, nil
	}
	b.Total, _ = b.Available.Add(b.Held)
	return b, position, err
}
