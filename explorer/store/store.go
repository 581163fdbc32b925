// Package store is the explorer's database: its schema, its migrations, and the two
// kinds of database that it runs on. SQLite is a file; PostgreSQL is asked for by a
// URL. Both have the same tables, the same rows and the same queries, and
// dialect.go is the only place that knows where they differ.
//
// One Writer at a time changes the tables, in transactions that each bring whole
// blocks and move the cursor: so a block is there once and whole, or not at all.
// Whoever reads sees the last commit.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/tallystick/tallystick/ledger"
)

// Readers are how many connections read at once; the rest wait.
const readers = 8

// connectWithin bounds a connection to PostgreSQL in the making.
const connectWithin = 10 * time.Second

// ErrNewer: a later program has made the tables.
var ErrNewer = errors.New("the database was made by a later version of this program")

// ErrBusy: another indexer writes to the database.
var ErrBusy = errors.New("another indexer writes to this database")

// Store is an open database. Its methods may be called from many goroutines.
type Store struct {
	read  *sql.DB // several connections, that cannot write in SQLite
	write *sql.DB // one connection
	d     *dialect
	file  string // of SQLite; empty for PostgreSQL
	name  string // to show: without a password

	bound sync.Map // query as written to query as the database takes it

	mu       sync.Mutex
	height   ledger.Height // of the cursor, as far as this process knows; owned by mu
	empty    bool          // nothing is indexed, genesis neither; owned by mu
	advanced chan struct{} // closed at the next height; owned by mu
}

// Open opens, or creates, the database at where: a file's path, or the URL of a
// PostgreSQL database (postgres://…). Tables of an earlier version are brought
// forward; those of a later one are refused with ErrNewer.
func Open(ctx context.Context, where string) (*Store, error) {
	s := &Store{advanced: make(chan struct{})}
	var err error
	if strings.HasPrefix(where, "postgres://") || strings.HasPrefix(where, "postgresql://") {
		err = s.openPostgres(where)
	} else {
		err = s.openSQLite(where)
	}
	if err == nil {
		err = s.migrate(ctx)
	}
	if err == nil {
		err = s.refresh(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("explorer database %s: %w", s.name, err), s.Close())
	}
	return s, nil
}

// openSQLite opens a file. Writing is journalled ahead (WAL), so that readers and
// the writer do not wait for each other. A power loss may take the last
// transactions and nothing else: they are indexed again.
func (s *Store) openSQLite(path string) error {
	s.d, s.name = &sqlite, path
	file, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	s.file = file
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("make its directory: %w", err)
	}
	dsn := func(pragmas ...string) string {
		q := url.Values{"_pragma": append([]string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(NORMAL)"}, pragmas...)}
		return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: file}).EscapedPath(), RawQuery: q.Encode()}).String()
	}
	if s.write, err = sql.Open("sqlite", dsn("cache_size(-24000)", "wal_autocheckpoint(4000)", "temp_store(MEMORY)")); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	if s.read, err = sql.Open("sqlite", dsn("cache_size(-4000)", "query_only(1)")); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	return nil
}

func (s *Store) openPostgres(where string) error {
	s.d, s.name = &postgres, "at the given URL"
	config, err := pgx.ParseConfig(where)
	if err != nil {
		return err // pgx takes the password out
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectWithin
	}
	dialer := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}}
	config.DialFunc = dialer.DialContext // a server that has gone without a word is noticed within half a minute
	s.name = fmt.Sprintf("%s on %s", config.Database, config.Host)
	writer := config.Copy()
	for name, value := range writing {
		writer.RuntimeParams[name] = value
	}
	s.write = stdlib.OpenDB(*writer)
	s.write.SetMaxOpenConns(1)
	reading := config.Copy()
	if reading.RuntimeParams["statement_timeout"] == "" {
		reading.RuntimeParams["statement_timeout"] = "10000"
	}
	// A plan for each question: what is common and what is rare in an index differ.
	reading.RuntimeParams["plan_cache_mode"] = "force_custom_plan"
	reading.RuntimeParams["jit"] = "off"
	s.read = stdlib.OpenDB(*reading)
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	return nil
}

// Close closes the database.
func (s *Store) Close() error {
	var errs []error
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// Name says which database this is, without its password.
func (s *Store) Name() string { return s.name }

// Kind is "sqlite" or "postgres".
func (s *Store) Kind() string { return s.d.name }

//go:embed schema
var schemaFiles embed.FS

// migrations are the steps of the schema, in order.
func (d *dialect) migrations() ([]*goose.Migration, error) {
	entries, err := schemaFiles.ReadDir("schema")
	if err != nil {
		return nil, err
	}
	var steps []*goose.Migration
	for i, e := range entries {
		text, err := schemaFiles.ReadFile("schema/" + e.Name())
		if err != nil {
			return nil, err
		}
		up := func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, d.schema.Replace(string(text)))
			return err
		}
		steps = append(steps, goose.NewGoMigration(int64(i+1), &goose.GoFunc{RunTx: up}, nil))
	}
	return steps, nil
}

// migrate brings the tables forward.
func (s *Store) migrate(ctx context.Context) error {
	steps, err := s.d.migrations()
	if err != nil {
		return err
	}
	kind := goose.DialectSQLite3
	if s.d == &postgres {
		kind = goose.DialectPostgres
	}
	provider, err := goose.NewProvider(kind, s.write, nil, goose.WithGoMigrations(steps...),
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(log.New(io.Discard, "", 0)))
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	version, err := provider.GetDBVersion(ctx)
	if err != nil {
		return err
	}
	if version > int64(len(steps)) {
		return fmt.Errorf("%w: its tables are version %d and this program knows %d: use the later program, or another database", ErrNewer, version, len(steps))
	}
	if version == int64(len(steps)) {
		return nil
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("bring the tables from version %d to %d: %w", version, len(steps), err)
	}
	return nil
}

func (s *Store) query(query string) string {
	if !s.d.dollar {
		return query
	}
	if bound, ok := s.bound.Load(query); ok {
		return bound.(string)
	}
	bound := s.d.bind(query)
	s.bound.Store(query, bound)
	return bound
}
