package node

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/explorer/explorertest"
	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/ledger"
)

// notebook is a log that a test reads.
type notebook struct {
	mu   sync.Mutex
	text bytes.Buffer // owned by mu
}

func (b *notebook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *notebook) has(text string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Contains(b.text.String(), text)
}

// faultnet is a node with an explorer, whose database a test disturbs.
type faultnet struct {
	*testnet
	log   *notebook
	nonce ledger.Nonce
}

func newFaultnet(t *testing.T, database string) *faultnet {
	t.Helper()
	f := &faultnet{testnet: newTestnet(t, 1), log: &notebook{}}
	f.o.Log = slog.New(slog.NewTextHandler(f.log, nil))
	f.o.Configure = func(i int, c *config.Config) {
		quick(i, c)
		c.Explorer.Database = database
	}
	return f
}

// pays commits transfers: the node does its work, and not slowly.
func (f *faultnet) pays(count int) {
	f.t.Helper()
	began := time.Now()
	for range count {
		f.commit(0, f.nonce)
		f.nonce++
	}
	if took := time.Since(began); took > time.Duration(count)*20*time.Second {
		f.t.Errorf("%d transfers took %s", count, took)
	}
}

func (f *faultnet) get(path string) (code int, body string) {
	f.t.Helper()
	res, err := http.Get("http://" + f.nodes[0].ExplorerAddress() + path)
	if err != nil {
		f.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// until waits for an answer to path that condition likes.
func (f *faultnet) until(what, path string, condition func(code int, body string) bool) {
	f.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		code, body := f.get(path)
		if condition(code, body) {
			return
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("waited for: %s; the last answer to %s is %d: %s", what, path, code, body)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (f *faultnet) status(what string, condition func(query.Status) bool) {
	f.t.Helper()
	f.until(what, "/api/v1/status", func(code int, body string) bool {
		var s query.Status
		return code == http.StatusOK && json.Unmarshal([]byte(body), &s) == nil && condition(s)
	})
}

// follows waits until the explorer has what the node has.
func (f *faultnet) follows() {
	f.t.Helper()
	height := uint64(f.nodes[0].Height())
	f.status("the explorer has caught up", func(s query.Status) bool { return s.Height >= height && s.Error == "" && !s.Behind })
}

// A database that takes nothing any more, such as one on a full disk, stops the index
// and nothing else: the node goes on, pages show what there was and say what is wrong
// and how far they lag, and the index catches up by itself afterwards.
func TestExplorerFullDisk(t *testing.T) {
	f := newFaultnet(t, "")
	f.startAll()
	f.pays(3)
	f.follows()
	db, err := sql.Open("sqlite", f.files.home(0).explorerFile())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	execute := func(statement string) {
		t.Helper()
		if _, err := db.Exec("PRAGMA busy_timeout = 20000; " + statement); err != nil {
			t.Fatal(err)
		}
	}
	execute("CREATE TRIGGER full BEFORE INSERT ON blocks BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END")
	f.pays(10)
	f.status("it says why, and how far it lags", func(s query.Status) bool {
		return s.Error == "the next block could not be written" && s.Behind && s.Lag > 0 && s.Source > s.Height
	})
	f.until("pages say so", "/blocks/2", func(code int, body string) bool {
		return code == http.StatusOK && strings.Contains(body, "The explorer is behind") && strings.Contains(body, "could not be written") && !strings.Contains(body, "disk is full")
	})
	if !f.log.has("disk is full") {
		t.Error("the log says nothing of it")
	}
	if ready := f.nodes[0].unready(); len(ready) > 0 {
		t.Errorf("the node is not ready any more: %v", ready)
	}
	f.pays(5)
	execute("DROP TRIGGER full")
	f.follows()
}

// A node starts and works where the explorer's database cannot be opened, says so
// where the explorer would be, and serves it once it can.
func TestExplorerWithoutDatabase(t *testing.T) {
	place := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(place, []byte("no directory"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := newFaultnet(t, filepath.Join(place, "explorer.db"))
	f.startAll()
	f.pays(3)
	f.until("it says that there is none", "/", func(code int, body string) bool {
		return code == http.StatusServiceUnavailable && strings.Contains(body, "cannot be opened")
	})
	if !f.log.has("the node goes on, and tries again") {
		t.Error("the log says nothing of it")
	}
	if err := os.Remove(place); err != nil {
		t.Fatal(err)
	}
	f.follows()
	f.stop()
	if f.log.has("is not served any more") {
		t.Error("the listener was lost on the way")
	}

	// Without a database to the end it stops cleanly too.
	g := newFaultnet(t, filepath.Join(os.DevNull, "explorer.db"))
	g.startAll()
	g.pays(1)
	g.stop()
}

// relay is a way to PostgreSQL that a test cuts and mends.
type relay struct {
	t       *testing.T
	address string
	to      string // a Unix socket

	mu       sync.Mutex
	listener net.Listener          // owned by mu
	open     map[net.Conn]struct{} // owned by mu
}

func newRelay(t *testing.T, to string) *relay {
	r := &relay{t: t, address: "127.0.0.1:0", to: to, open: map[net.Conn]struct{}{}}
	r.mend()
	t.Cleanup(r.cut)
	return r
}

// mend lets connections through.
func (r *relay) mend() {
	r.t.Helper()
	l, err := net.Listen("tcp", r.address)
	if err != nil {
		r.t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listener, r.address = l, l.Addr().String()
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("unix", r.to)
			if err != nil {
				near.Close()
				continue
			}
			r.mu.Lock()
			r.open[near], r.open[far] = struct{}{}, struct{}{}
			r.mu.Unlock()
			go func() { _, _ = io.Copy(near, far); near.Close() }() // until either is closed
			go func() { _, _ = io.Copy(far, near); far.Close() }()
		}
	}()
}

// cut ends all connections and takes no more.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listener.Close()
	for c := range r.open {
		c.Close()
	}
	clear(r.open)
}

// PostgreSQL that stops while the node runs, or before it starts, stops the index
// alone; when it is back the index goes on.
func TestExplorerWithoutPostgreSQL(t *testing.T) {
	t.Run("postgres", func(t *testing.T) {
		d, ok := explorertest.Postgres(t)
		if !ok {
			t.Skip(explorertest.PostgresVariable + " is not set: scripts/postgres starts a database and sets it")
		}
		u, err := url.Parse(d.Where)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		r := newRelay(t, filepath.Join(q.Get("host"), ".s.PGSQL.5432"))
		q.Del("host")
		q.Set("sslmode", "disable")
		u.Host, u.RawQuery = r.address, q.Encode()

		r.cut()
		f := newFaultnet(t, u.String())
		f.startAll() // without PostgreSQL
		f.pays(3)
		f.until("it says that there is none", "/", func(code int, _ string) bool { return code == http.StatusServiceUnavailable })
		r.mend()
		f.follows()

		r.cut() // while it runs
		f.pays(10)
		deadline := time.Now().Add(patience)
		for !f.log.has("the explorer's index has stopped and tries again") {
			if time.Now().After(deadline) {
				t.Fatal("the log says nothing of it")
			}
			time.Sleep(20 * time.Millisecond)
		}
		f.until("pages say so, and are no blank", "/", func(code int, body string) bool {
			return code >= 500 && len(body) > 100 || strings.Contains(body, "does not answer")
		})
		f.pays(3)
		r.mend()
		f.follows()
	})
}
