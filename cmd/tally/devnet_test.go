package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// startDevnet runs a devnet of one validator in this process, until the test
// ends, and returns its RPC address.
func startDevnet(t *testing.T) string {
	t.Helper()
	return startDevnetIn(t, t.TempDir())
}

// startDevnetIn is startDevnet in a directory.
func startDevnetIn(t *testing.T, dir string) string {
	t.Helper()
	reader, writer := io.Pipe()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan int, 1)
	arguments := []string{"devnet", "--json", "--validators", "1", "--dir", dir, "--base-port", strconv.Itoa(freeBase(t)), "--log-level", "error"}
	go func() {
		done <- execute(ctx, arguments, writer, t.Output())
		_ = writer.Close()
	}()
	t.Cleanup(func() {
		stop()
		go func() { _, _ = io.Copy(io.Discard, reader) }()
		if code := <-done; code != exitOK {
			t.Errorf("the devnet ended with exit code %d", code)
		}
	})
	line, err := bufio.NewReader(reader).ReadBytes('\n')
	if err != nil {
		t.Fatalf("the devnet said nothing: %v", err)
	}
	var ready struct{ RPC []string }
	if err := json.Unmarshal(line, &ready); err != nil || len(ready.RPC) != 1 {
		t.Fatalf("%s: %v", line, err)
	}
	return ready.RPC[0]
}

// freeBase finds a base port whose ports for RPC, peers and metrics are free.
func freeBase(t *testing.T) int {
	t.Helper()
	for range 100 {
		base := 27_000 + rand.N(2_400) // docs/decisions/0005
		if free(base) && free(base+100) && free(base+200) && free(base+300) {
			return base
		}
	}
	t.Fatal("no free ports")
	return 0
}

func free(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// The scripts talk to a real node, each with accounts of its own.
func TestScriptsAgainstANode(t *testing.T) {
	url := startDevnet(t)
	t.Run("scripts", func(t *testing.T) {
		testscript.Run(t, testscript.Params{
			Dir:                 "testdata/node",
			RequireExplicitExec: true,
			RequireUniqueNames:  true,
			Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
			Setup: func(e *testscript.Env) error {
				e.Setenv("HOME", e.WorkDir)
				e.Setenv("RPC", url)
				e.Setenv("TALLY_PASSPHRASE", "x")
				return nil
			},
		})
	})
}
