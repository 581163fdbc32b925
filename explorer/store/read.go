package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tallystick/tallystick/ledger"
)

// Read is what both a Snapshot and the Writer answer to. Parameters are ? in the
// order of args, in both databases.
type Read interface {
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) *sql.Row
}

// Query reads rows of the last commit.
func (s *Store) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return s.read.QueryContext(ctx, s.query(query), args...)
}

// QueryRow reads one row of the last commit.
func (s *Store) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return s.read.QueryRowContext(ctx, s.query(query), args...)
}

// View runs read on one commit, however many queries it makes.
func (s *Store) View(ctx context.Context, read func(Read) error) error {
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{Isolation: s.d.snapshot, ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin to read: %w", err)
	}
	defer tx.Rollback()
	return read(view{s, tx})
}

type view struct {
	s  *Store
	tx *sql.Tx
}

func (v view) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return v.tx.QueryContext(ctx, v.s.query(query), args...)
}

func (v view) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return v.tx.QueryRowContext(ctx, v.s.query(query), args...)
}

// Memos is the query that finds positions of memos with words, newest first. Its
// parameters are Words, an upper bound of the position, and a limit.
func (s *Store) Memos() string { return s.d.match }

// MinBeginning is the least length of a word, in characters, that may be the beginning of
// a longer one: with fewer, too much begins so.
const MinBeginning = 3

// Words is what Memos looks for: all of words, the last as a beginning if it is not
// too short for that. Each must come from Tokens, and there must be one.
func (s *Store) Words(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		if s.d.dollar {
			quoted[i] = "'" + w + "'"
		} else {
			quoted[i] = `"` + w + `"`
		}
	}
	and, begins := " ", "*"
	if s.d.dollar {
		and, begins = " & ", ":*"
	}
	if utf8.RuneCountInString(words[len(words)-1]) < MinBeginning {
		begins = ""
	}
	return strings.Join(quoted, and) + begins
}

// Plan is how the database would answer a query.
func (s *Store) Plan(ctx context.Context, query string, args ...any) (string, error) {
	rows, err := s.Query(ctx, s.d.plan+query, args...)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return "", err
	}
	var lines []string
	for rows.Next() {
		values := make([]any, len(columns))
		var last string
		for i := range values {
			values[i] = new(any)
		}
		values[len(values)-1] = &last
		if err := rows.Scan(values...); err != nil {
			return "", err
		}
		lines = append(lines, last)
	}
	return strings.Join(lines, "\n"), rows.Err()
}

// Height is the last block that is indexed, as far as this process knows; ok is
// false before genesis is.
func (s *Store) Height() (h ledger.Height, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.height, !s.empty
}

// Wait waits until block height is indexed by this process, or for ctx.
func (s *Store) Wait(ctx context.Context, height ledger.Height) error {
	for {
		s.mu.Lock()
		there, advanced := !s.empty && s.height >= height, s.advanced
		s.mu.Unlock()
		if there {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-advanced:
		}
	}
}

// refresh reads the cursor.
func (s *Store) refresh(ctx context.Context) error {
	height, ok, err := cursor(ctx, s)
	if err == nil {
		s.publish(height, ok)
	}
	return err
}

func cursor(ctx context.Context, r Read) (ledger.Height, bool, error) {
	var height int64
	err := r.QueryRow(ctx, "SELECT height FROM progress WHERE id = 1").Scan(&height)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("read the cursor: %w", err)
	}
	return ledger.Height(height), true, nil
}

func (s *Store) publish(height ledger.Height, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.height, s.empty = height, !ok
	close(s.advanced)
	s.advanced = make(chan struct{})
}
