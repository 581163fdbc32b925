package store

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// writing are the settings of the PostgreSQL connection that writes.
//
// A commit does not wait for the disk: the cursor moves in the transaction that its
// blocks are in, so that a power loss takes the last transactions whole, and they are
// indexed again. What the writer reads it finds along an index; a plan made before
// there are statistics would rather read the whole table.
var writing = map[string]string{"synchronous_commit": "off", "enable_seqscan": "off", "jit": "off"}

// ordered are the tables whose rows come in no order, with how many of their first
// columns, bytes and whole numbers, they are kept by. Many rows go in faster in that
// order: a page of the index is found, and written, once for all of its rows.
var ordered = map[*Table]int{
	Subjects: 2, Entries: 5, Balances: 2, Versions: 3, Supplies: 3, TrigramRows: 3, ProposalWordRows: 2, NewAccounts: 1, Accounts: 1, Holders: 2, NewHolds: 1, Holds: 1,
}

// arrange puts rows in the order that their table is kept in.
func arrange(t *Table, rows [][]any) {
	columns := ordered[t]
	if columns == 0 || len(rows) < 2 {
		return
	}
	slices.SortFunc(rows, func(a, b []any) int {
		for i := range columns {
			if c := compare(a[i], b[i]); c != 0 {
				return c
			}
		}
		return 0
	})
}

func compare(a, b any) int {
	switch a := a.(type) {
	case int64:
		return cmp.Compare(a, b.(int64))
	case []byte:
		return bytes.Compare(a, b.([]byte))
	}
	panic(fmt.Sprintf("store: a key of type %T", a))
}

// From how many rows on COPY is worth its messages.
const (
	copied = 5
	merged = 100
)

// load writes rows that are all new by COPY.
func (w *Writer) load(ctx context.Context, t *Table, rows [][]any) error {
	return w.copy(ctx, pgx.Identifier{t.name}, t, rows)
}

func (w *Writer) copy(ctx context.Context, into pgx.Identifier, t *Table, rows [][]any) error {
	return w.conn.Raw(func(driver any) error {
		_, err := driver.(*stdlib.Conn).Conn().CopyFrom(ctx, into, t.columns, pgx.CopyFromRows(rows))
		return err
	})
}

// merge writes rows that may replace others: by COPY into a table of this
// connection, which is never logged and is empty after each transaction, and from
// there in one statement.
func (w *Writer) merge(ctx context.Context, t *Table, rows [][]any) error {
	incoming := "incoming_" + t.name
	filled, there := w.incoming[t]
	switch {
	case !there:
		if err := w.Exec(ctx, "CREATE TEMPORARY TABLE IF NOT EXISTS "+incoming+" (LIKE "+t.name+") ON COMMIT DELETE ROWS"); err != nil {
			return err
		}
	case filled: // in this transaction
		if err := w.Exec(ctx, "DELETE FROM pg_temp."+incoming); err != nil {
			return err
		}
	}
	w.incoming[t] = true
	if err := w.copy(ctx, pgx.Identifier{"pg_temp", incoming}, t, rows); err != nil {
		return err
	}
	columns := t.columnList(w.s.d)
	return w.Exec(ctx, "INSERT INTO "+t.name+" ("+columns+") SELECT "+columns+" FROM pg_temp."+incoming+t.onConflict())
}
