package query

import (
	"context"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/store"
)

var holdStatuses = []store.HoldStatus{store.HoldOpen, store.HoldCaptured, store.HoldReleased, store.HoldExpired}

// Holds implements Queries. They go by where they were made.
func (r *Reader) Holds(ctx context.Context, f HoldFilter, p Page) (*List[Hold], error) {
	filter, filters := "", []any{}
	in, ins := "", []any{} // an index has the status beside what it begins with
	if f.Status != "" {
		s, err := status(f.Status, holdStatuses)
		if err != nil {
			return nil, err
		}
		in, ins = " AND status = ?", append(ins, int64(s))
	}
	if f.Asset != nil && f.Account != nil {
		filter, filters = filter+" AND asset = ?", append(filters, f.Asset[:])
	}
	limit, err := p.limit()
	if err != nil {
		return nil, err
	}
	c := parseCursor('h', p.Cursor)
	at, id := c.number(), c.text()
	if err := c.end(); err != nil {
		return nil, err
	}
	q := holdQuery{page: p, begin: c.begin, at: at, id: id, look: limit + 1}
	if filter != "" {
		q.look = scanned
	}
	switch {
	case f.Account != nil:
		q.along("payer = ?"+in, append([]any{f.Account[:]}, ins...)...)
		q.along("payee = ?"+in, append([]any{f.Account[:]}, ins...)...)
	case f.Asset != nil:
		q.along("asset = ?"+in, append([]any{f.Asset[:]}, ins...)...)
	default:
		q.along("1 = 1"+in, ins...)
	}
	return view(ctx, r, func(v store.Read) (*List[Hold], error) { return r.holds(ctx, v, &q, filter, filters, limit) })
}

// holdQuery gathers holds along one index or two.
type holdQuery struct {
	page  Page
	begin bool
	at    int64
	id    []byte
	look  int
	parts string
	args  []any
}

func (q *holdQuery) along(where string, args ...any) {
	beyond := ""
	q.args = append(q.args, args...)
	if !q.begin {
		op := "<"
		if q.page.Ascending {
			op = ">"
		}
		beyond = " AND created " + op + "= ? AND (created " + op + " ? OR hold " + op + " ?)"
		q.args = append(q.args, q.at, q.at, q.id)
	}
	if q.parts != "" {
		q.parts += " UNION ALL "
	}
	q.parts += "SELECT * FROM (SELECT * FROM holds WHERE " + where + beyond + " ORDER BY created" + q.page.order() + ", hold" + q.page.order() + " LIMIT ?) x"
	q.args = append(q.args, q.look)
}

func (r *Reader) holds(ctx context.Context, v store.Read, q *holdQuery, filter string, filters []any, limit int) (*List[Hold], error) {
	out := &List[Hold]{Items: []Hold{}}
	order := " ORDER BY created" + q.page.order() + ", hold" + q.page.order()
	// What was looked at ends with the last of so many rows: behind them, one of two
	// indexes may not have been read.
	inner := "SELECT * FROM (" + q.parts + ") u" + order + " LIMIT ?"
	args := append(append([]any{}, q.args...), q.look)
	var last, edge *cursor
	looked := 0
	err := each(ctx, v, "holds", func(scan func(...any) error) error {
		var created int64
		var id []byte
		looked++
		err := scan(&created, &id)
		edge = newCursor('h').number(created).text(id)
		return err
	}, "SELECT created, hold FROM ("+inner+") e"+order, args...)
	if err != nil {
		return nil, err
	}
	found := 0
	var records []*store.HoldRecord
	err = each(ctx, v, "holds", func(scan func(...any) error) error {
		if found++; found > limit {
			return nil
		}
		var h Hold
		var text string
		if err := scan(fixed(h.Hold[:]), &text); err != nil {
			return err
		}
		record, err := decode[store.HoldRecord](text)
		last = newCursor('h').number(int64(record.Created)).text(h.Hold[:])
		out.Items, records = append(out.Items, h), append(records, record)
		return err
	}, "SELECT hold, record FROM ("+inner+") d WHERE 1 = 1"+filter+order+" LIMIT ?", append(append(args, filters...), limit+1)...)
	if err != nil {
		return nil, err
	}
	switch {
	case found > limit:
		out.Next = next(last)
	case looked >= q.look:
		out.Next = next(edge)
	}
	return out, r.showHolds(ctx, v, out.Items, records)
}

// showHolds fills in holds from their records.
func (r *Reader) showHolds(ctx context.Context, v store.Read, list []Hold, records []*store.HoldRecord) error {
	var assets []crypto.Address
	heights := map[int64]bool{}
	for _, h := range records {
		assets = append(assets, h.Asset)
		heights[int64(h.Created.Height())] = true
		if h.Ended > 0 {
			heights[int64(h.Ended.Height())] = true
		}
	}
	refs, err := r.refs(ctx, v, assets...)
	if err != nil {
		return err
	}
	times, err := timesOf(ctx, v, heights)
	if err != nil {
		return err
	}
	for i, h := range records {
		show := &list[i]
		show.From, show.To, show.Arbiter, show.AssetRef = h.From, h.To, notZero(h.Arbiter), refs[h.Asset]
		show.Amount, show.Left, show.Captured, show.Expiry, show.Reference = h.Amount, h.Left, h.Captured, uint64(h.Expiry), h.Reference
		show.Status, show.Created = h.Status.String(), placeOf(int64(h.Created), times[int64(h.Created.Height())])
		if h.Ended > 0 {
			ended := placeOf(int64(h.Ended), times[int64(h.Ended.Height())])
			show.Ended = &ended
		}
	}
	return nil
}

// timesOf are the times of blocks, in milliseconds.
func timesOf(ctx context.Context, v store.Read, heights map[int64]bool) (map[int64]int64, error) {
	out := map[int64]int64{}
	var args []any
	for h := range heights {
		args = append(args, h)
	}
	for len(args) > 0 {
		part := args[:min(len(args), 200)]
		err := each(ctx, v, "blocks' times", func(scan func(...any) error) error {
			var height, ms int64
			err := scan(&height, &ms)
			out[height] = ms
			return err
		}, "SELECT height, time_ms FROM blocks WHERE height IN ("+marks(len(part))+")", part...)
		if err != nil {
			return nil, err
		}
		args = args[len(part):]
	}
	return out, nil
}

// Hold implements Queries.
func (r *Reader) Hold(ctx context.Context, hold crypto.Address) (*Hold, error) {
	return view(ctx, r, func(v store.Read) (*Hold, error) {
		var text string
		if err := row(ctx, v, "a hold", "SELECT record FROM holds WHERE hold = ?", []any{hold[:]}, &text); err != nil {
			return nil, err
		}
		record, err := decode[store.HoldRecord](text)
		if err != nil {
			return nil, err
		}
		list := []Hold{{Hold: hold}}
		return &list[0], r.showHolds(ctx, v, list, []*store.HoldRecord{record})
	})
}
