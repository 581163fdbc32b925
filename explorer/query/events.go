package query

import (
	"context"
	"slices"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// eventsAt are the events of one place, in order: those that movements tell whole,
// and those that are kept, each read along its key.
func (r *Reader) eventsAt(ctx context.Context, v store.Read, position store.Position, p Page) (*List[Event], error) {
	limit, err := p.limit()
	if err != nil {
		return nil, err
	}
	c := parseCursor('e', p.Cursor)
	from := c.number()
	if err := c.end(); err != nil {
		return nil, err
	}
	place, err := r.place(ctx, v, position)
	if err != nil {
		return nil, err
	}
	var hash *crypto.Hash
	if place.Index != nil {
		var h crypto.Hash
		if err := row(ctx, v, "a transaction", "SELECT hash FROM transactions WHERE position = ?", []any{int64(position)}, fixed(h[:])); err != nil {
			return nil, err
		}
		hash = &h
	}
	out := &List[Event]{Items: []Event{}}
	add := func(n int64, e ledger.Event) {
		out.Items = append(out.Items, Event{Place: place, Order: uint32(n), Hash: hash, Event: wire.Event{Event: e}})
	}
	if !c.begin {
		from++
	}
	if err := addEvents(ctx, v, position, from, limit+1, add); err != nil {
		return nil, err
	}
	slices.SortFunc(out.Items, func(a, b Event) int { return int(a.Order) - int(b.Order) })
	if len(out.Items) > limit {
		out.Items = out.Items[:limit]
		out.Next = next(newCursor('e').number(int64(out.Items[limit-1].Order)))
	}
	return out, nil
}

// addEvents adds up to limit events of each kind, in no order.
func addEvents(ctx context.Context, v store.Read, position store.Position, from int64, limit int, add func(int64, ledger.Event)) error {
	err := each(ctx, v, "events", func(scan func(...any) error) error {
		var n int64
		var body string
		if err := scan(&n, &body); err != nil {
			return err
		}
		var e wire.Event
		if err := e.UnmarshalJSON([]byte(body)); err != nil {
			return err
		}
		add(n, e.Event)
		return nil
	}, "SELECT n, body FROM events WHERE position = ? AND n >= ? ORDER BY n LIMIT ?", int64(position), from, limit)
	if err != nil {
		return err
	}
	return each(ctx, v, "movements", func(scan func(...any) error) error {
		var m movementRow
		if err := scan(m.into()...); err != nil {
			return err
		}
		if told := m.movement(Place{}, nil); told != nil {
			add(*m.n, told.event(ledger.EventType(*m.kind)))
		}
		return nil
	}, "SELECT "+firstColumns+" FROM movements m WHERE m.position = ? AND m.n >= ? AND m.type IN (1, 2, 3, 23) ORDER BY m.n LIMIT ?", int64(position), from, limit)
}

// event is the event that a movement tells whole.
func (m *Movement) event(kind ledger.EventType) ledger.Event {
	e := ledger.Event{Type: kind, Asset: m.Asset, Amount: m.Amount, Reference: m.Reference}
	for at, a := range map[*crypto.Address]*crypto.Address{&e.From: m.From, &e.To: m.To, &e.Other: m.Hold} {
		if a != nil {
			*at = *a
		}
	}
	return e
}

// AssetEvents implements Queries.
func (r *Reader) AssetEvents(ctx context.Context, asset crypto.Address, p Page) (*List[Event], error) {
	return view(ctx, r, func(v store.Read) (*List[Event], error) {
		out := &List[Event]{Items: []Event{}}
		l := &placed{list: 'E', what: "events", from: "events", args: []any{asset[:]}, keyed: true, span: everything,
			where:   "asset = ? AND type <> 21 AND type <> 22 AND type <> 24", // no movements, which are asked for as such
			columns: "d.position, d.n, b.time_ms, t.hash, e.body",
			joins: "JOIN events e ON e.position = d.position AND e.n = d.n JOIN blocks b ON b.height = (d.position >> 20) " +
				"LEFT JOIN transactions t ON t.position = d.position"}
		var err error
		out.Next, err = l.read(ctx, v, p, func(scan func(...any) error) (at, n int64, err error) {
			var e Event
			var ms int64
			var body string
			if err := scan(&at, &n, &ms, hash{&e.Hash}, &body); err != nil {
				return 0, 0, err
			}
			e.Place, e.Order = placeOf(at, ms), uint32(n)
			err = e.Event.UnmarshalJSON([]byte(body))
			out.Items = append(out.Items, e)
			return at, n, err
		})
		return out, err
	})
}
