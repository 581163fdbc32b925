package network

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Explorer is `tally explorer`, a process of its own beside the network.
type Explorer struct {
	n       *Network
	db      string // its database
	address string // where it serves
	log     string
	env     []string
	process *process
}

// ExplorerStatus is what /api/v1/status says, as far as tests look at it.
type ExplorerStatus struct {
	NetworkID   string `json:"networkId"`
	Height      uint64 `json:"height"`
	Source      uint64 `json:"source"`
	Lag         uint64 `json:"lag"`
	Behind      bool   `json:"behind"`
	Error       string `json:"error"`
	Differences uint64 `json:"differences"`
	Checked     *struct {
		Compared uint64 `json:"compared"`
	} `json:"reconciliation"`
}

// NewExplorer lays out an explorer, with a database of its own unless one is given,
// and starts nothing. It is killed at the end of the test.
func (n *Network) NewExplorer(db string) *Explorer {
	n.t.Helper()
	dir := n.t.TempDir()
	if db == "" {
		db = filepath.Join(dir, "explorer.db")
	}
	e := &Explorer{n: n, db: db, address: freeAddress(n.t), log: filepath.Join(dir, "explorer.log")}
	n.t.Cleanup(func() {
		e.Kill()
		if n.t.Failed() {
			text, _ := os.ReadFile(e.log)
			n.t.Logf("the end of the explorer's log:\n%s", lastLines(string(text), shownLines))
		}
	})
	return e
}

// Start starts it on nodes, with flags.
func (e *Explorer) Start(nodes []string, flags ...string) {
	e.n.t.Helper()
	command := append([]string{Build(e.n.t), "explorer", "--rpc", strings.Join(nodes, ","), "--db", e.db, "--listen", e.address, "--reconcile", "500ms"}, flags...)
	p, err := launch(e.log, command, e.env)
	if err != nil {
		e.n.t.Fatal(err)
	}
	e.process = p
}

// Kill ends it as kill -9 does, if it runs.
func (e *Explorer) Kill() {
	if p := e.process; p != nil && !p.ended() {
		_ = p.cmd.Process.Kill() // it may have ended just now
		<-p.done
	}
}

// Stop ends it as Ctrl-C does.
func (e *Explorer) Stop() {
	e.n.t.Helper()
	if err := e.process.cmd.Process.Signal(syscall.SIGINT); err != nil {
		e.n.t.Fatal(err)
	}
	if code, said := e.WaitExit(); code != 0 {
		e.n.t.Fatalf("the explorer ended with exit code %d: %s", code, said)
	}
}

// WaitExit waits until it has ended, and returns its exit code and what it wrote.
func (e *Explorer) WaitExit() (code int, said string) {
	e.n.t.Helper()
	select {
	case <-e.process.done:
	case <-time.After(patience):
		e.n.t.Fatalf("the explorer has not ended after %s: %s", patience, e.Said())
	}
	return e.process.code, e.Said()
}

// Said is what it has written since it was last started.
func (e *Explorer) Said() string {
	e.n.t.Helper()
	text, err := os.ReadFile(e.log)
	if err != nil {
		e.n.t.Fatal(err)
	}
	return string(text[e.process.from:])
}

// Get asks it for a path.
func (e *Explorer) Get(path string) (status int, body string, err error) {
	res, err := http.Get("http://" + e.address + path)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, string(text), err
}

// Page is a path that must be there.
func (e *Explorer) Page(path string) string {
	e.n.t.Helper()
	status, body, err := e.Get(path)
	if err != nil || status != http.StatusOK {
		e.n.t.Fatalf("GET %s: %d, %v: %s", path, status, err, body)
	}
	return body
}

// Until waits for a status that condition likes.
func (e *Explorer) Until(what string, condition func(ExplorerStatus) bool) (s ExplorerStatus) {
	e.n.t.Helper()
	e.n.Until(patience, what, func() error {
		if e.process.ended() {
			e.n.t.Fatalf("the explorer has ended with exit code %d: %s", e.process.code, e.Said())
		}
		code, body, err := e.Get("/api/v1/status")
		if err != nil {
			return err
		}
		if code != http.StatusOK {
			return fmt.Errorf("%d: %s", code, body)
		}
		s = ExplorerStatus{}
		if err := json.Unmarshal([]byte(body), &s); err != nil {
			return err
		}
		if !condition(s) {
			return errors.New(body)
		}
		return nil
	})
	return s
}

// CaughtUp waits until it has, without an error, what the network has now.
func (e *Explorer) CaughtUp(t testing.TB) ExplorerStatus {
	t.Helper()
	height := e.n.Height()
	return e.Until(fmt.Sprintf("the explorer has block %d", height), func(s ExplorerStatus) bool { return s.Height >= height && s.Error == "" && !s.Behind })
}
