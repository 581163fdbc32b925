package query

import (
	"context"

	"github.com/tallystick/tallystick/explorer/store"
)

// placed is a list of places, read along an index: first so many places as the page
// may look at, and then the rows that are shown beside them.
type placed struct {
	list byte   // the letter of its cursors
	what string // for errors

	from  string // the table whose index gives the places
	where string // of it: a condition that begins the index
	args  []any
	keyed bool // places are (position, n), or else position alone
	sided bool // of entries: keyed, and n is n * sides + side, so that none is left out
	span  span // of positions

	columns string // what is shown
	joins   string // with d, the places
	filter  string // what no index serves, begun with AND; empty for none
	filters []any
	lossy   bool // not every place has a row, filter or not
}

// read visits the rows of a page, each beginning with its place, and says where the
// next page begins.
func (l *placed) read(ctx context.Context, r store.Read, p Page, visit func(scan func(...any) error) (position, n int64, err error)) (*string, error) {
	limit, err := p.limit()
	if err != nil {
		return nil, err
	}
	c := parseCursor(l.list, p.Cursor)
	at, n := c.number(), int64(0)
	if l.keyed {
		n = c.number()
	}
	if err := c.end(); err != nil {
		return nil, err
	}
	look := int64(limit + 1)
	if l.filter != "" || l.lossy {
		look = scanned
	}
	places, args := l.places(c.begin, at, n, p, look)
	query := "SELECT " + l.columns + " FROM (" + places + ") d " + l.joins + " WHERE 1 = 1" + l.filter + l.order("d.", p.order()) + " LIMIT ?"
	found := 0
	err = each(ctx, r, l.what, func(scan func(...any) error) (err error) {
		if found++; found <= limit {
			at, n, err = visit(scan)
		}
		return err
	}, query, append(append(append([]any{}, args...), l.filters...), int64(limit+1))...)
	switch {
	case err != nil:
		return nil, err
	case found > limit:
		return l.next(at, n), nil
	case look < scanned:
		return nil, nil
	}
	return l.edge(ctx, r, places, args, look, p)
}

// places is the query of the places that a page looks at.
func (l *placed) places(begin bool, at, n int64, p Page, look int64) (string, []any) {
	span, beyond, args := l.span, "", append([]any{}, l.args...)
	if !begin {
		op := "<"
		if p.Ascending {
			op, span.low = ">", max(span.low, at)
		} else {
			span.high = min(span.high, at)
		}
		beyond = " AND position " + op + " ?"
		if l.keyed {
			beyond = " AND (position " + op + " ? OR " + l.number() + " " + op + " ?)"
		}
	}
	args = append(args, span.low, span.high)
	if !begin {
		args = append(args, at)
		if l.keyed {
			args = append(args, n)
		}
	}
	columns := "position"
	switch {
	case l.sided:
		columns = "position, n, side, available, held"
	case l.keyed:
		columns = "position, n"
	}
	return "SELECT " + columns + " FROM " + l.from + " WHERE " + l.where + " AND position >= ? AND position <= ?" + beyond + l.order("", p.order()) + " LIMIT ?", append(args, look)
}

func (l *placed) order(table, direction string) string {
	out := " ORDER BY " + table + "position" + direction
	if l.keyed {
		out += ", " + table + "n" + direction
	}
	if l.sided {
		out += ", " + table + "side" + direction
	}
	return out
}

// number is what a place is told by beside its position.
func (l *placed) number() string {
	if l.sided {
		return "n * 8 + side"
	}
	return "n"
}

func (l *placed) next(at, n int64) *string {
	c := newCursor(l.list).number(at)
	if l.keyed {
		c.number(n)
	}
	return next(c)
}

// edge is where the next page begins though this one is not full: behind the last
// place that it looked at, if it looked at as many as it may.
func (l *placed) edge(ctx context.Context, r store.Read, places string, args []any, look int64, p Page) (*string, error) {
	var count int64
	if err := row(ctx, r, l.what, "SELECT count(*) FROM ("+places+") d", args, &count); err != nil || count < look {
		return nil, err
	}
	back := Page{Ascending: !p.Ascending}
	var at, n int64
	columns, into := "position", []any{&at}
	if l.keyed {
		columns, into = "position, n", append(into, &n)
	}
	if err := row(ctx, r, l.what, "SELECT "+columns+" FROM ("+places+") d"+l.order("", back.order())+" LIMIT 1", args, into...); err != nil {
		return nil, err
	}
	return l.next(at, n), nil
}
