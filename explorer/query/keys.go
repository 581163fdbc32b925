package query

import (
	"context"
	"strings"

	"github.com/tallystick/tallystick/explorer/store"
)

// keyList is a list that goes by a key of bytes: the rows of from that meet where,
// in the order of key.
type keyList struct {
	list    byte
	what    string
	columns string // of d, a row; the key first
	before  []any  // parameters of columns
	from    string
	where   string // begins an index that key goes on
	args    []any
	key     string
	joins   string // with d
	filter  string // what no index serves, begun with AND
	filters []any
}

// read visits the rows of a page, and says where the next begins.
func (l *keyList) read(ctx context.Context, r store.Read, p Page, visit func(scan func(...any) error) (key []byte, err error)) (*string, error) {
	limit, err := p.limit()
	if err != nil {
		return nil, err
	}
	c := parseCursor(l.list, p.Cursor)
	after := c.text()
	if err := c.end(); err != nil {
		return nil, err
	}
	look := limit + 1
	if l.filter != "" {
		look = scanned
	}
	from := "SELECT * FROM " + l.from + " WHERE " + l.where + " AND " + l.key + " > ? ORDER BY " + l.key + " LIMIT ?"
	query := "SELECT " + l.columns + " FROM (" + from + ") d " + l.joins + " WHERE 1 = 1" + l.filter + " ORDER BY d." + l.key + " LIMIT ?"
	args := append(append(append([]any{}, l.before...), l.args...), after, look)
	found := 0
	var last []byte
	err = each(ctx, r, l.what, func(scan func(...any) error) (err error) {
		if found++; found <= limit {
			last, err = visit(scan)
		}
		return err
	}, query, append(append(args, l.filters...), limit+1)...)
	switch {
	case err != nil:
		return nil, err
	case found > limit:
		return next(newCursor(l.list).text(last)), nil
	case look < scanned:
		return nil, nil
	}
	var count int
	edge := []byte{}
	err = each(ctx, r, l.what, func(scan func(...any) error) error { count++; return scan(&edge) },
		strings.Replace(from, "SELECT *", "SELECT "+l.key, 1), args[len(l.before):]...)
	if err != nil || count < look {
		return nil, err
	}
	return next(newCursor(l.list).text(edge)), nil
}
