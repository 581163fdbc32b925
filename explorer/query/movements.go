package query

import (
	"context"
	"math"
	"slices"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
)

const (
	movementColumns = "m.position, b.time_ms, t.hash, " + firstColumns
	movementJoins   = "JOIN blocks b ON b.height = (m.position >> 20) LEFT JOIN transactions t ON t.position = m.position"
)

func scanMovement(scan func(...any) error, more ...any) (m *Movement, at, n int64, err error) {
	var ms int64
	var tx *crypto.Hash
	var raw movementRow
	if err := scan(append(append([]any{&at, &ms, hash{&tx}}, raw.into()...), more...)...); err != nil {
		return nil, 0, 0, err
	}
	m = raw.movement(placeOf(at, ms), tx)
	if m == nil {
		return nil, 0, 0, errDamaged
	}
	return m, at, *raw.n, nil
}

// movementTypes are the events that move an amount.
var movementTypes = []ledger.EventType{ledger.EventTransfer, ledger.EventIssue, ledger.EventRedeem, ledger.EventClawback,
	ledger.EventHoldCreated, ledger.EventHoldCaptured, ledger.EventHoldReleased}

func movementType(name string) (int64, error) {
	for _, t := range movementTypes {
		if t.Name() == name {
			return int64(t), nil
		}
	}
	return 0, &InvalidError{"type", "it is transfer, issue, redeem, clawback, holdCreated, holdCaptured or holdReleased"}
}

// Movements implements Queries.
func (r *Reader) Movements(ctx context.Context, f MovementFilter, p Page) (*List[Movement], error) {
	return view(ctx, r, func(v store.Read) (*List[Movement], error) {
		times, err := during(ctx, v, f.From, f.To)
		if err != nil {
			return nil, err
		}
		out := &List[Movement]{Items: []Movement{}}
		add := func(m *Movement) { out.Items = append(out.Items, *m) }
		if f.Account != nil && f.Asset == nil {
			out.Next, err = accountMovements(ctx, v, f, times, p, add)
		} else {
			var l *placed
			if l, err = movementList(f, times); err != nil {
				return nil, err
			}
			out.Next, err = l.read(ctx, v, p, func(scan func(...any) error) (int64, int64, error) {
				m, at, n, err := scanMovement(scan)
				if err == nil {
					add(m)
				}
				return at, n, err
			})
		}
		if err != nil {
			return nil, err
		}
		var list []*Movement
		for i := range out.Items {
			list = append(list, &out.Items[i])
		}
		return out, r.name(ctx, v, list...)
	})
}

// movementList chooses the index for a filter.
func movementList(f MovementFilter, times span) (*placed, error) {
	l := &placed{list: 'm', what: "movements", from: "movements", where: "1 = 1", keyed: true, span: times, columns: movementColumns,
		joins: "JOIN movements m ON m.position = d.position AND m.n = d.n " + movementJoins}
	reference := store.ReferenceKey(f.Reference)
	switch {
	case f.Account != nil: // of one asset; an account that pays itself has two entries
		l.from, l.where, l.args = "entries", "account = ? AND asset = ?", []any{f.Account[:], f.Asset[:]}
		l.where += ownOnce
	case f.Asset != nil:
		l.where, l.args = "asset = ?", []any{f.Asset[:]}
	case reference != nil:
		l.where, l.args = "reference_key = ?", []any{reference}
	}
	if reference != nil && (f.Account != nil || f.Asset != nil) {
		l.filter += " AND m.reference_key = ?"
		l.filters = append(l.filters, reference)
	}
	if f.Type != "" {
		kind, err := movementType(f.Type)
		if err != nil {
			return nil, err
		}
		l.filter += " AND m.type = ?"
		l.filters = append(l.filters, kind)
	}
	return l, nil
}

// ownOnce takes of the two entries that a payment to oneself has the first.
const ownOnce = " AND (side <> 1 OR NOT EXISTS (SELECT 1 FROM entries o WHERE o.account = entries.account AND o.asset = entries.asset" +
	" AND o.position = entries.position AND o.n = entries.n AND o.side = 0))"

// How many places of an account one page of its movements looks at, and one query.
// There may be hundreds of movements at each.
const (
	placesAPage  = 200
	placesAtOnce = 25
)

// accountMovements goes from one place of an account to the next, and takes the
// account's movements there.
func accountMovements(ctx context.Context, v store.Read, f MovementFilter, times span, p Page, add func(*Movement)) (*string, error) {
	limit, err := p.limit()
	if err != nil {
		return nil, err
	}
	c := parseCursor('a', p.Cursor)
	at, n := c.number(), c.number()
	if err := c.end(); err != nil {
		return nil, err
	}
	where, extra := "", []any{}
	if f.Type != "" {
		kind, err := movementType(f.Type)
		if err != nil {
			return nil, err
		}
		where, extra = where+" AND m.type = ?", append(extra, kind)
	}
	if key := store.ReferenceKey(f.Reference); key != nil {
		where, extra = where+" AND m.reference_key = ?", append(extra, key)
	}
	low, high, op := times.low, times.high, "<"
	switch {
	case p.Ascending:
		op, low = ">", max(low, at) // 0 to begin with
	case !c.begin:
		high = min(high, at)
	}
	places := make([]int64, 0, placesAPage)
	err = each(ctx, v, "an account's places", func(scan func(...any) error) error {
		var position int64
		err := scan(&position)
		places = append(places, position)
		return err
	}, "SELECT position FROM subjects WHERE subject = ? AND position >= ? AND position <= ? ORDER BY position"+p.order()+" LIMIT ?", f.Account[:], low, high, placesAPage)
	if err != nil {
		return nil, err
	}
	found, lastAt, lastN := 0, at, n
	for part := range slices.Chunk(places, placesAtOnce) {
		args := make([]any, 0, len(part)+8)
		for _, place := range part {
			args = append(args, place)
		}
		args = append(args, f.Account[:], f.Account[:])
		beyond := ""
		if !c.begin {
			beyond = " AND (m.position <> ? OR m.n " + op + " ?)"
			args = append(args, at, n)
		}
		err := each(ctx, v, "movements", func(scan func(...any) error) error {
			m, position, order, err := scanMovement(scan)
			if err != nil {
				return err
			}
			if found++; found <= limit {
				lastAt, lastN = position, order
				add(m)
			}
			return nil
		}, "SELECT "+movementColumns+" FROM movements m "+movementJoins+" WHERE m.position IN ("+marks(len(part))+") AND (m.payer = ? OR m.payee = ?)"+beyond+where+
			" ORDER BY m.position"+p.order()+", m.n"+p.order()+" LIMIT ?", append(append(args, extra...), limit-found+1)...)
		if err != nil {
			return nil, err
		}
		if found > limit {
			return next(newCursor('a').number(lastAt).number(lastN)), nil
		}
	}
	if len(places) < placesAPage {
		return nil, nil
	}
	n = 0 // the last place is done with
	if p.Ascending {
		n = math.MaxInt64
	}
	return next(newCursor('a').number(places[len(places)-1]).number(n)), nil
}
