package loadtest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/explorer/door"
	"github.com/tallystick/tallystick/explorer/index"
	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/explorer/store"
)

// roleVariable names what a process of the measurement is to do, and whereVariable
// with which database.
const (
	roleVariable  = "TALLY_EXPLORER_LOAD_ROLE"
	whereVariable = "TALLY_EXPLORER_LOAD_DB"
)

// build indexes the chain, as its own process.
func build(t *testing.T, where string, txs int) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	explorer.KeepMemory()
	db, err := store.Open(ctx, where)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	chain := newLongChain(t, txs)
	follower := index.New(db, chain, index.Options{Reconcile: -1, Fatal: true})
	ended := make(chan error, 1)
	go func() { ended <- follower.Run(ctx) }()
	wait := func(h uint64) time.Duration {
		began := time.Now()
		waited := make(chan error, 1)
		go func() { waited <- db.Wait(ctx, chainHeight(h)) }()
		select {
		case err := <-ended:
			t.Fatalf("the index ended: %v", err)
		case err := <-waited:
			if err != nil {
				t.Fatal(err)
			}
		}
		return time.Since(began)
	}
	took := wait(uint64(chain.top))
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	fmt.Printf("load: indexed %d transactions after those that opened %d accounts in %.1fs, %.0f a second, with at most %d MiB\n",
		txs, accounts, took.Seconds(), float64(txs+accounts)/took.Seconds(), peak("self"))
}

// serve answers until its standard input ends.
func serve(t *testing.T, where string) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	explorer.KeepMemory()
	db, err := store.Open(ctx, where)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	fmt.Println("load: serving", listener.Addr())
	d := door.New(door.Options{Queries: query.New(db, nil), Limits: door.Limits{Rate: -1}})
	if err := d.Serve(ctx, listener); err != nil {
		t.Fatal(err)
	}
	fmt.Printf("load: served with at most %d MiB\n", peak("self"))
}

// peak is the most memory that a process has held, in MiB, as Linux counts it.
func peak(pid string) (mib int) {
	b, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return -1
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			var kib int
			fmt.Sscan(rest, &kib)
			return kib / 1024
		}
	}
	return -1
}

// process runs this test's program in another role. Its lines of "load: " are the
// test's log, and go to lines.
func process(t *testing.T, role, where string, lines func(string)) (stop func()) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run", "^TestLoad$", "-test.timeout", "2h", "-test.v")
	c.Env = append(os.Environ(), roleVariable+"="+role, whereVariable+"="+where)
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		scanner := bufio.NewScanner(out)
		for scanner.Scan() {
			line := strings.TrimSpace(scanner.Text())
			if text, ok := strings.CutPrefix(line, "load: "); ok {
				t.Log(text)
				lines(text)
			} else if strings.Contains(line, "_test.go:") && !strings.Contains(line, "chain of seed") {
				t.Log(line)
			}
		}
	}()
	return func() {
		in.Close()
		<-read
		if err := c.Wait(); err != nil {
			t.Fatalf("the process that was to %s: %v", role, err)
		}
	}
}
