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
	w, err := newWalk(f, p, add)
	if err != nil {
		return nil, err
	}
	places, err := w.places(ctx, v, *f.Account, times)
	if err != nil {
		return nil, err
	}
	for part := range slices.Chunk(places, placesAtOnce) {
		full, err := w.visit(ctx, v, part)
		if err != nil {
			return nil, err
		}
		if full {
			return w.next(), nil
		}
	}
	if len(places) < placesAPage {
		return nil, nil
	}
	return w.next(), nil
}

// walk is a page of an account's movements in the making.
type walk struct {
	where string // what of the movements at a place is wanted, beyond the number n of at
	args  []any  // of where, behind at and n
	page  Page
	left  int // how many movements the page has room for
	add   func(*Movement)
	// Where it stands: at the number n of the place at. Behind it the next page begins.
	at, n int64
}

// ofAccount is what moves an account's balance: a hold that is made or released
// leaves its payee with what it had.
const ofAccount = "(m.payer = ? OR m.payee = ? AND m.type NOT IN (22, 24))"

func newWalk(f MovementFilter, p Page, add func(*Movement)) (*walk, error) {
	limit, err := p.limit()
	if err != nil {
		return nil, err
	}
	w := &walk{page: p, left: limit, add: add, args: []any{f.Account[:], f.Account[:]}}
	c := parseCursor('a', p.Cursor)
	w.at, w.n = c.number(), c.number()
	if err := c.end(); err != nil {
		return nil, err
	}
	if c.begin {
		w.at, _ = w.bounds()
	}
	op := "<"
	if p.Ascending {
		op = ">"
	}
	w.where = "(m.position <> ? OR m.n " + op + " ?) AND " + ofAccount
	if f.Type != "" {
		kind, err := movementType(f.Type)
		if err != nil {
			return nil, err
		}
		w.where, w.args = w.where+" AND m.type = ?", append(w.args, kind)
	}
	if key := store.ReferenceKey(f.Reference); key != nil {
		w.where, w.args = w.where+" AND m.reference_key = ?", append(w.args, key)
	}
	return w, nil
}

// bounds are numbers that lie before and behind all others, as the page goes.
func (w *walk) bounds() (before, behind int64) {
	if w.page.Ascending {
		return -1, math.MaxInt64
	}
	return math.MaxInt64, 0 // which a cursor can hold, and nothing is less
}

// places are the next places of the account.
func (w *walk) places(ctx context.Context, v store.Read, account crypto.Address, times span) ([]int64, error) {
	if w.page.Ascending {
		times.low = max(times.low, w.at)
	} else {
		times.high = min(times.high, w.at)
	}
	places := make([]int64, 0, placesAPage)
	err := each(ctx, v, "an account's places", func(scan func(...any) error) error {
		var position int64
		err := scan(&position)
		places = append(places, position)
		return err
	}, "SELECT position FROM subjects WHERE subject = ? AND position >= ? AND position <= ? ORDER BY position"+w.page.order()+" LIMIT ?",
		account[:], times.low, times.high, placesAPage)
	return places, err
}

// visit takes the movements of places, until there is no room for another: full.
func (w *walk) visit(ctx context.Context, v store.Read, places []int64) (full bool, err error) {
	args := make([]any, 0, len(places)+len(w.args)+3)
	for _, place := range places {
		args = append(args, place)
	}
	args = append(append(args, w.at, w.n), w.args...)
	err = each(ctx, v, "movements", func(scan func(...any) error) error {
		m, at, n, err := scanMovement(scan)
		if err != nil {
			return err
		}
		if w.left == 0 {
			full = true
			return nil
		}
		w.left--
		w.at, w.n = at, n
		w.add(m)
		return nil
	}, "SELECT "+movementColumns+" FROM movements m "+movementJoins+" WHERE m.position IN ("+marks(len(places))+") AND "+w.where+
		" ORDER BY m.position"+w.page.order()+", m.n"+w.page.order()+" LIMIT ?", append(args, w.left+1)...)
	if !full {
		w.at = places[len(places)-1]
		_, w.n = w.bounds()
	}
	return full, err
}

func (w *walk) next() *string { return next(newCursor('a').number(w.at).number(w.n)) }
