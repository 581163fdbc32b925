package network

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/internal/authority"
	"github.com/tallystick/tallystick/rpc/apikey"
)

// An explorer apart from four validators under load: it serves pages and API, says
// when its node is away and what it lags, goes on by itself when the node is back,
// from where it was after kill -9, from a height that it is given, and from another
// node where there is one. At the end its tables are those of an explorer to which
// nothing has happened.
func TestExplorerApart(t *testing.T) {
	t.Parallel()
	n := New(t, 4, Options{})
	n.StartAll()
	load := n.StartLoad(LoadOptions{To: []int{1, 2, 3}})
	load.WaitReceipts(100)
	first, second := "http://"+n.validators[0].rpc, "http://"+n.validators[1].rpc
	e := n.NewExplorer("")
	e.Start([]string{first})
	s := e.Until("there are ten blocks, and proofs agree", func(s ExplorerStatus) bool {
		return s.Height > 10 && s.Error == "" && s.Checked != nil && s.Checked.Compared > 3
	})
	if s.NetworkID != n.Ledger.ID || s.Differences > 0 {
		t.Fatalf("%+v", s)
	}
	for _, path := range []string{"/", "/blocks/7", "/transactions", "/accounts", "/validators", "/api", "/api/v1/blocks/7", "/api/v1/openapi.json"} {
		e.Page(path)
	}

	t.Run("its node is killed and comes back", func(t *testing.T) {
		n.Kill(0)
		away := e.Until("the explorer says that its node is away", func(s ExplorerStatus) bool { return s.Behind && s.Error != "" })
		if away.Error != "no node answers" {
			t.Errorf("what readers are told is %q", away.Error)
		}
		if log, err := os.ReadFile(e.log); err != nil || !strings.Contains(string(log), n.validators[0].rpc) {
			t.Errorf("the log does not name the node: %s, %v", log, err)
		}
		if page := e.Page("/"); !strings.Contains(page, "The index has stopped") {
			t.Error("the page says nothing of it")
		}
		n.WaitHeight(1, away.Height+20)
		n.Start(0)
		e.CaughtUp(t)
	})
	t.Run("it is killed", func(t *testing.T) {
		before := e.CaughtUp(t).Height
		e.Kill()
		n.WaitHeight(1, before+10)
		e.Start([]string{first})
		e.CaughtUp(t)
		var from uint64
		_, text, _ := strings.Cut(e.Said(), "from block ")
		if _, err := fmt.Sscan(text, &from); err != nil || from < before {
			t.Errorf("it went on from block %d, and had %d: %s", from, before, e.Said())
		}
	})
	t.Run("it is started while its node is away", func(t *testing.T) {
		e.Stop()
		n.Kill(0)
		e.Start([]string{first})
		e.Until("it shows what it has", func(s ExplorerStatus) bool { return s.Height > 10 && s.Error != "" })
		e.Page("/blocks/7")
		n.Start(0)
		e.CaughtUp(t)
	})
	t.Run("another node takes over", func(t *testing.T) {
		e.Stop()
		e.Start([]string{first, second})
		e.CaughtUp(t)
		n.Kill(0)
		n.WaitHeight(1, n.Height()+10)
		e.CaughtUp(t)
		n.Start(0)
	})
	t.Run("from a height", func(t *testing.T) {
		e.Stop()
		for _, from := range []string{"9", "0"} {
			e.Start([]string{second}, "--from", from)
			e.CaughtUp(t)
			e.Stop()
		}
		e.Start([]string{second})
	})
	load.Stop()
	e.CaughtUp(t)
	e.Stop()
	fresh := n.NewExplorer("")
	fresh.Start([]string{second})
	fresh.CaughtUp(t)
	fresh.Stop()
	sameIndex(t, e.db, fresh.db)
	t.Run("another network's database", func(t *testing.T) { otherNetwork(t, n, e.db, second) })
}

// otherNetwork gives an explorer a database of a network of another name.
func otherNetwork(t *testing.T, n *Network, db, url string) {
	other := openIndex(t, db)
	if _, err := other.Exec("UPDATE progress SET network_id = 'elsewhere', network_hash = ?", make([]byte, 32)); err != nil {
		t.Fatal(err)
	}
	other.Close()
	e := n.NewExplorer(db)
	e.Start([]string{url})
	code, said := e.WaitExit()
	if code != 1 || !strings.Contains(said, "elsewhere") || !strings.Contains(said, n.Ledger.ID) || !strings.Contains(said, "--db") {
		t.Errorf("a database of another network: exit code %d: %s", code, said)
	}
}

func openIndex(t *testing.T, file string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// sameIndex compares what two indexes have of the blocks that both have.
func sameIndex(t *testing.T, a, b string) {
	t.Helper()
	one, other := openIndex(t, a), openIndex(t, b)
	top := min(heightOf(t, one), heightOf(t, other))
	for table, columns := range map[string]string{
		"blocks":       "height AS at, hex(hash) || size_bytes || hex(votes) || interval_ms",
		"transactions": "position / 1048576 AS at, hex(hash) || code || memo || hex(signers) || events",
		"movements":    "position / 1048576 AS at, n || hex(payer) || hex(payee) || hex(amount) || reference",
		"entries":      "position / 1048576 AS at, hex(account) || hex(asset) || n || side || hex(available) || hex(held)",
		"versions":     "height AS at, kind || hex(key) || record",
	} {
		x, y := rowsOf(t, one, table, columns, top), rowsOf(t, other, table, columns, top)
		if len(x) == 0 || strings.Join(x, "\n") != strings.Join(y, "\n") {
			t.Errorf("%s differs up to block %d: %d and %d rows", table, top, len(x), len(y))
		}
	}
}

func heightOf(t *testing.T, db *sql.DB) (height uint64) {
	t.Helper()
	if err := db.QueryRow("SELECT height FROM progress").Scan(&height); err != nil {
		t.Fatal(err)
	}
	return height
}

func rowsOf(t *testing.T, db *sql.DB, table, columns string, top uint64) (out []string) {
	t.Helper()
	rows, err := db.Query("SELECT * FROM (SELECT "+columns+" AS row FROM "+table+") WHERE at <= ? ORDER BY at, row", top)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var at uint64
		var row string
		if err := rows.Scan(&at, &row); err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprint(at, " ", row))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// An explorer of a node with TLS and API keys: the key, out of its environment, and
// the authority's certificates are all that it needs, for calls and the subscription.
// Without a key it says what is missing, and shows none.
func TestExplorerWithAKey(t *testing.T) {
	t.Parallel()
	n := New(t, 1, Options{Config: func(_ int, c *config.Config) {
		c.RPC.TLSCert, c.RPC.TLSKey, c.RPC.KeysFile = "cert.pem", "key.pem", "keys.toml"
	}})
	home := string(n.Home(0))
	a := authority.New(t)
	a.Install("first", filepath.Join(home, "cert.pem"), filepath.Join(home, "key.pem"))
	secret := apikey.NewSecret()
	write(t, filepath.Join(home, "keys.toml"), apikey.Key{Name: "explorer", Scopes: apikey.Read, Hash: apikey.HashOf(secret)}.Entry())
	write(t, filepath.Join(home, "ca.pem"), string(a.PEM))
	n.Start(0)
	url := []string{"https://" + n.validators[0].rpc}
	stranger, e := n.NewExplorer(""), n.NewExplorer("")
	stranger.env = []string{"TALLY_RPC_CA=" + home + "/ca.pem"}
	e.env = append(stranger.env, "TALLY_API_KEY="+secret)
	n.Until(patience, "the node answers", func() error {
		stranger.Start(url)
		if code, said := stranger.WaitExit(); code != 3 || !strings.Contains(said, "--api-key-file") {
			return fmt.Errorf("without a key: exit code %d: %s", code, said)
		}
		return nil
	})
	e.Start(url)
	three := e.Until("there are three blocks", func(s ExplorerStatus) bool { return s.Height >= 3 && s.Error == "" })
	n.Kill(0)
	e.Until("the node is missed", func(s ExplorerStatus) bool { return s.Error != "" })
	n.Start(0)
	e.Until("it goes on", func(s ExplorerStatus) bool { return s.Height > three.Height && s.Error == "" })
	e.Stop()
	if strings.Contains(e.Said(), secret) {
		t.Error("the log shows the key")
	}
}

// What cannot work is said at once, with what to do.
func TestExplorerRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := New(t, 1, Options{})
	n.StartAll()
	url := "http://" + n.validators[0].rpc
	notADirectory := filepath.Join(dir, "file")
	write(t, notADirectory, "nothing")
	noDatabase := filepath.Join(dir, "text.db")
	write(t, noDatabase, strings.Repeat("this is no database. ", 200))
	for _, c := range []struct {
		code int
		args []string
		want string
	}{
		{2, []string{"--rpc", url, "--colour"}, "unknown flag: --colour"},
		{2, []string{"--rpc", url, "--from", "-5"}, "--from"},
		{2, []string{"--rpc", url, "--timeout", "0s"}, "--timeout"},
		{2, []string{"--rpc", url, "--trusted-proxies", "everybody"}, "--trusted-proxies"},
		{2, []string{"--rpc", "node:port:8545"}, "node:port:8545"},
		{5, []string{"--rpc", "http://127.0.0.1:1", "--db", filepath.Join(dir, "new.db")}, "127.0.0.1:1"},
		{1, []string{"--rpc", url, "--db", filepath.Join(notADirectory, "explorer.db")}, "--db"},
		{1, []string{"--rpc", url, "--db", dir}, "--db"},
		{1, []string{"--rpc", url, "--db", noDatabase}, "not a database"},
		{2, []string{"--rpc", url, "--db", "postgres://tally:geheim@127.0.0.1:1/explorer"}, "~/.pgpass"},
		{2, []string{"--rpc", url, "--db", "postgres://127.0.0.1:1/explorer?password=geheim"}, "~/.pgpass"},
		{1, []string{"--rpc", url, "--db", "postgres://tally@127.0.0.1:1/explorer"}, "127.0.0.1"},
		{1, []string{"--rpc", url, "--db", "postgres://tally@127.0.0.1:no/explorer"}, "--db"},
		{1, []string{"--rpc", url, "--db", filepath.Join(dir, "x.db"), "--listen", n.validators[0].rpc}, "--listen"},
	} {
		said := n.tally(c.code, append([]string{"explorer", "--db", filepath.Join(dir, "unused.db")}, c.args...)...)
		if !strings.Contains(said, c.want) || strings.Contains(said, "geheim") {
			t.Errorf("tally explorer %v says %q, want %q", c.args, said, c.want)
		}
	}
	// A second one on the same database.
	e, twin := n.NewExplorer(filepath.Join(dir, "shared.db")), n.NewExplorer(filepath.Join(dir, "shared.db"))
	e.Start([]string{url})
	e.Until("there is a block", func(s ExplorerStatus) bool { return s.Height > 0 })
	twin.Start([]string{url})
	if code, said := twin.WaitExit(); code != 1 || !strings.Contains(said, "another indexer") {
		t.Errorf("a second explorer: exit code %d: %s", code, said)
	}
}
