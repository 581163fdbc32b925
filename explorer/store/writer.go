package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/tallystick/tallystick/ledger"
)

// Writer is the one that changes the tables. It is for one goroutine. After an
// error only Close is left to be called: what was not committed is gone.
type Writer struct {
	s     *Store
	conn  *sql.Conn
	lock  *flock.Flock         // SQLite: on a file beside the database
	stmts map[string]*sql.Stmt // of this connection, by their text
	texts map[batch]string
	rows  map[*Table][][]any // to go in at the end of the transaction, by table
	order []*Table           // of rows, by their first
	held  int                // rows
	open  bool               // in a transaction

	incoming map[*Table]bool // PostgreSQL: tables that merge goes through; true: used in this transaction
}

// lockKey, "tall", with a hash of the schema's name, keeps other indexers of one
// PostgreSQL schema away.
const lockKey = 0x74616c6c

// Writer begins to write. Error: ErrBusy while another process, or another
// Writer of this one, does.
func (s *Store) Writer(ctx context.Context) (*Writer, error) {
	w := &Writer{s: s, stmts: map[string]*sql.Stmt{}, texts: map[batch]string{}, rows: map[*Table][][]any{}, incoming: map[*Table]bool{}}
	if s.file != "" {
		w.lock = flock.New(s.file + ".lock")
		locked, err := w.lock.TryLock()
		if err != nil {
			return nil, fmt.Errorf("lock %s: %w", s.file, err)
		}
		if !locked {
			return nil, ErrBusy
		}
	}
	var err error
	if w.conn, err = s.write.Conn(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("connect: %w", err), w.Close())
	}
	if s.d == &postgres {
		var locked bool
		err := w.QueryRow(ctx, "SELECT pg_try_advisory_lock(?, hashtext(current_schema()))", int32(lockKey)).Scan(&locked)
		if err == nil && !locked {
			err = ErrBusy
		}
		if err != nil {
			return nil, errors.Join(err, w.Close())
		}
	}
	return w, nil
}

// closeWithin is how long a broken connection may take to end.
const closeWithin = 5 * time.Second

// Close ends writing; an open transaction is rolled back.
func (w *Writer) Close() error {
	var errs []error
	if w.conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
		defer cancel()
		if w.open {
			w.conn.ExecContext(ctx, "ROLLBACK") // where it fails, the end of the connection does it
		}
		if w.s.d == &postgres {
			w.conn.ExecContext(ctx, "SELECT pg_advisory_unlock($1, hashtext(current_schema()))", int32(lockKey)) // likewise
		}
		for _, stmt := range w.stmts {
			stmt.Close()
		}
		if err := w.conn.Close(); err != nil && !errors.Is(err, sql.ErrConnDone) {
			errs = append(errs, err)
		}
	}
	if w.lock != nil {
		errs = append(errs, w.lock.Close())
	}
	return errors.Join(errs...)
}

// Query implements Read: it sees what the transaction has flushed.
func (w *Writer) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := w.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// QueryRow implements Read.
func (w *Writer) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return w.conn.QueryRowContext(ctx, w.s.query(query), args...)
}

// Exec changes rows at once.
func (w *Writer) Exec(ctx context.Context, query string, args ...any) error {
	stmt, err := w.prepare(ctx, query)
	if err != nil {
		return err
	}
	_, err = stmt.ExecContext(ctx, args...)
	return err
}

func (w *Writer) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt := w.stmts[query]; stmt != nil {
		return stmt, nil
	}
	stmt, err := w.conn.PrepareContext(ctx, w.s.query(query))
	if err != nil {
		return nil, fmt.Errorf("prepare %.60q: %w", query, err)
	}
	w.stmts[query] = stmt
	return stmt, nil
}

// Cursor is the last block that is indexed; ok is false before genesis is.
func (w *Writer) Cursor(ctx context.Context) (h ledger.Height, ok bool, err error) {
	return cursor(ctx, w)
}

// Begin begins a transaction.
func (w *Writer) Begin(ctx context.Context) error {
	w.open = true
	if _, err := w.conn.ExecContext(ctx, w.s.d.begin); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return nil
}

// Add keeps a row until Flush or Commit. The values are in the order of the
// table's columns, and not changed afterwards.
func (w *Writer) Add(t *Table, values ...any) {
	if len(values) != len(t.columns) {
		panic(fmt.Sprintf("store: %d values for the %d columns of %s", len(values), len(t.columns), t.name))
	}
	if _, ok := w.rows[t]; !ok {
		w.order = append(w.order, t)
	}
	w.rows[t] = append(w.rows[t], values)
	w.held++
}

// most is how many rows are held at most: some 300 bytes each.
const most = 48_000

// Relieve flushes where many rows are held, so that a block may have any number of
// them. What is flushed and not committed is undone with the transaction.
func (w *Writer) Relieve(ctx context.Context) error {
	if w.held < most {
		return nil
	}
	return w.Flush(ctx)
}

// Flush writes the rows that were added.
func (w *Writer) Flush(ctx context.Context) error {
	for _, t := range w.order {
		rows := w.rows[t]
		arrange(t, rows)
		write := w.insert
		switch {
		case w.s.d.copies && len(t.keys) == 0 && len(rows) >= copied:
			write = w.load
		case w.s.d.copies && len(t.keys) > 0 && len(rows) >= merged:
			write = w.merge
		}
		err := write(ctx, t, rows)
		if err != nil {
			return fmt.Errorf("write %d rows of %s: %w", len(rows), t.name, err)
		}
		delete(w.rows, t)
	}
	w.order, w.held = w.order[:0], 0
	return nil
}

// Commit is the only commit point of the index: the rows of whole blocks and the
// cursor become visible together, or none of them. A crash before it leaves the
// cursor where it was, and the blocks are indexed again; a crash after it has lost
// nothing.
func (w *Writer) Commit(ctx context.Context, height ledger.Height) error {
	if err := w.Flush(ctx); err != nil { // the first commit's rows have the cursor itself
		return err
	}
	if err := w.Exec(ctx, "UPDATE progress SET height = ? WHERE id = 1", int64(height)); err != nil {
		return fmt.Errorf("move the cursor: %w", err)
	}
	if err := w.commit(ctx); err != nil {
		return err
	}
	w.s.publish(height, true)
	return nil
}

// CommitAside ends a transaction that does not move the cursor: what it wrote is
// not made from blocks.
func (w *Writer) CommitAside(ctx context.Context) error { return w.commit(ctx) }

func (w *Writer) commit(ctx context.Context) error {
	if err := w.Flush(ctx); err != nil {
		return err
	}
	if _, err := w.conn.ExecContext(ctx, "COMMIT"); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	w.open = false
	for t := range w.incoming {
		w.incoming[t] = false
	}
	return nil
}

// chunks are how many rows one statement takes, the most first.
var chunks = [...]int{512, 64, 8, 1}

func (w *Writer) insert(ctx context.Context, t *Table, rows [][]any) error {
	args := make([]any, 0, chunks[0]*len(t.columns))
	for _, size := range chunks {
		for ; len(rows) >= size; rows = rows[size:] {
			args = args[:0]
			for _, row := range rows[:size] {
				args = append(args, row...)
			}
			if err := w.Exec(ctx, w.statement(t, size), args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// Table is a table that rows are added to.
type Table struct {
	name    string
	columns []string
	keys    []string // a row with these replaces the one that has them; none: there must be no such row
}

// batch names the statement that inserts size rows.
type batch struct {
	table *Table
	size  int
}

func (w *Writer) statement(t *Table, size int) string {
	text, ok := w.texts[batch{t, size}]
	if !ok {
		text = t.text(w.s.d, size)
		w.texts[batch{t, size}] = text
	}
	return text
}

func (t *Table) text(d *dialect, size int) string {
	row := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(t.columns)), ", ") + ")"
	return "INSERT INTO " + t.name + " (" + t.columnList(d) + ") VALUES " + strings.TrimSuffix(strings.Repeat(row+", ", size), ", ") + t.onConflict()
}

func (t *Table) columnList(d *dialect) string {
	if t.name == "memos" {
		return d.memoColumn() + ", words"
	}
	return strings.Join(t.columns, ", ")
}

// onConflict says what becomes of a row that is there already.
func (t *Table) onConflict() string {
	if len(t.keys) == 0 {
		return ""
	}
	var sets []string
	for _, c := range t.columns[len(t.keys):] {
		sets = append(sets, c+" = excluded."+c)
	}
	out := " ON CONFLICT (" + strings.Join(t.keys, ", ") + ") DO "
	if len(sets) == 0 {
		return out + "NOTHING"
	}
	return out + "UPDATE SET " + strings.Join(sets, ", ")
}

// Name is the table's.
func (t *Table) Name() string { return t.name }

// Columns are the table's, in the order of Add.
func (t *Table) Columns() []string { return t.columns }

// DeleteMemos deletes memos from a position on.
func (w *Writer) DeleteMemos() string { return w.s.d.deleteMemos }

// Reset commits that nothing is indexed, genesis neither.
func (w *Writer) Reset(ctx context.Context) error {
	if err := w.commit(ctx); err != nil {
		return err
	}
	w.s.publish(0, false)
	return nil
}
