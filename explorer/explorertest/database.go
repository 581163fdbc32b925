package explorertest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/explorer/store"
)

// PostgresVariable names the variable of the environment with the URL of a
// PostgreSQL database for tests. scripts/postgres sets it.
const PostgresVariable = "TALLY_TEST_POSTGRES"

// Database is an empty database of one kind. Open opens it, as often as is asked.
type Database struct {
	Kind  string
	Where string // what store.Open takes
}

// Open opens the database until the end of the test.
func (d Database) Open(t testing.TB) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), d.Where)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// SQLite is a new file.
func SQLite(t testing.TB) Database {
	return Database{"sqlite", filepath.Join(t.TempDir(), "explorer.db")}
}

// Postgres is a new schema of the database in PostgresVariable; ok is false where
// that is not set.
func Postgres(t testing.TB) (d Database, ok bool) {
	t.Helper()
	where := os.Getenv(PostgresVariable)
	if where == "" {
		return d, false
	}
	u, err := url.Parse(where)
	if err != nil {
		t.Fatal(err)
	}
	var random [6]byte
	rand.Read(random[:])
	schema := "test_" + hex.EncodeToString(random[:])
	execute(t, where, "CREATE SCHEMA "+schema)
	t.Cleanup(func() { execute(t, where, "DROP SCHEMA "+schema+" CASCADE") })
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return Database{"postgres", u.String()}, true
}

func execute(t testing.TB, where, statement string) {
	t.Helper()
	ctx := context.Background() // also at the end of the test
	conn, err := pgx.Connect(ctx, where)
	if err == nil {
		_, err = conn.Exec(ctx, statement)
		conn.Close(ctx)
	}
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", statement, err))
	}
}

// Each runs a test on an empty database of each kind there is.
func Each(t *testing.T, test func(*testing.T, Database)) {
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) {
		d, ok := Postgres(t)
		if !ok {
			t.Skip(PostgresVariable + " is not set: scripts/postgres starts a database and sets it")
		}
		test(t, d)
	})
}
