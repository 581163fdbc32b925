//go:build unix

package guide

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/network"
)

func TestMain(m *testing.M) { network.Main(m) }

// patience bounds the whole guide, on a slow machine.
const patience = 4 * time.Minute

// TestFounding runs every command of docs/FOUNDING.md, in its order, in one shell,
// with the real program. Only the ports are others: those of the guide may be taken.
func TestFounding(t *testing.T) {
	blocks := commands(t, "../../docs/FOUNDING.md")
	var script strings.Builder
	fmt.Fprintln(&script, "set -eu")
	for i, block := range blocks {
		fmt.Fprintf(&script, "echo '== %d'\n%s", i, block)
	}
	out := run(t, freshPorts(t, script.String()))
	for _, want := range []struct {
		text  string
		times int
	}{
		{"is a node of \"Bank ", 4},
		{"network     eu-clearing-1 ", 4 + 3}, // create twice, verify, and status on all four
		{", up to date", 4},
		{"applied  issue", 1},
		{"applied  transfer", 1},
		{"12.34", 1},
		{"each proved by a card with three good signatures", 3},
	} {
		if got := strings.Count(out, want.text); got < want.times {
			t.Errorf("%q is shown %d times, want %d", want.text, got, want.times)
		}
	}
	hashes := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^ *hash +([0-9a-f]{64})$`).FindAllStringSubmatch(out, -1) {
		hashes[match[1]] = true
	}
	if len(hashes) != 1 {
		t.Errorf("the banks see the hashes %v", hashes)
	}
	if t.Failed() {
		t.Log(out)
	}
}

// commands returns the shell blocks of a guide.
func commands(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, match := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, match[1])
	}
	if len(blocks) < 5 {
		t.Fatalf("found %d blocks of commands in %s", len(blocks), path)
	}
	return blocks
}

// freshPorts puts a free port in the place of each of the guide's.
func freshPorts(t *testing.T, script string) string {
	t.Helper()
	given, port := map[string]string{}, 31_600+rand.N(900) // docs/decisions/0005
	return regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllStringFunc(script, func(address string) string {
		if given[address] == "" {
			for given[address] == "" {
				if port++; port == 32_768 {
					t.Fatal("no free ports")
				}
				if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
					l.Close()
					given[address] = l.Addr().String()
				}
			}
		}
		return given[address]
	})
}

// run runs a script in an empty directory, and ends what it has started, whatever
// becomes of it: all of it is in a process group of its own.
func run(t *testing.T, script string) string {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(environment(), "HOME="+dir, "PATH="+filepath.Dir(network.Build(t))+":"+os.Getenv("PATH"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	err := cmd.Wait()
	// Nodes that a failed script has left. None is left by one that worked.
	left := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) == nil
	if err != nil {
		t.Fatalf("the guide's commands failed: %v\n%s\n%s", err, out.String(), logs(dir))
	}
	if left {
		t.Error("the guide leaves processes behind")
	}
	return out.String()
}

// environment is this process's, without what tally would obey.
func environment() []string {
	var kept []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "TALLY_") {
			kept = append(kept, variable)
		}
	}
	return kept
}

// logs are the ends of the nodes' logs.
func logs(dir string) string {
	const shown = 2000
	var b strings.Builder
	files, _ := filepath.Glob(filepath.Join(dir, "*.log"))
	for _, file := range files {
		data, _ := os.ReadFile(file)
		fmt.Fprintf(&b, "%s:\n%s\n", filepath.Base(file), data[max(0, len(data)-shown):])
	}
	return b.String()
}
