package network

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"sync"
	"testing"
)

const module = "github.com/tallystick/tallystick/"

// programs are the programs that this process has built.
var programs struct {
	sync.Mutex
	dir   string            // "" until the first is built
	paths map[string]string // by package
}

// Build returns the path of the program tally, which it compiles the first
// time: some seconds, or minutes where nothing is cached.
func Build(t testing.TB) string { return build(t, "cmd/tally") }

// BuildByzantine returns the path of the program in internal/byzantine.
func BuildByzantine(t testing.TB) string { return build(t, "internal/byzantine") }

func build(t testing.TB, program string) string {
	t.Helper()
	programs.Lock()
	defer programs.Unlock()
	if file, ok := programs.paths[program]; ok {
		return file
	}
	if programs.dir == "" {
		dir, err := os.MkdirTemp("", "tallystick-programs-")
		if err != nil {
			t.Fatalf("make a directory for programs: %v", err)
		}
		programs.dir, programs.paths = dir, map[string]string{}
	}
	file := filepath.Join(programs.dir, path.Base(program))
	if out, err := exec.Command("go", "build", "-o", file, module+program).CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", program, err, out)
	}
	programs.paths[program] = file
	return file
}

// Main runs a package's tests and then removes the programs that they built.
// Call it from TestMain.
func Main(m *testing.M) {
	code := m.Run()
	if programs.dir != "" {
		if err := os.RemoveAll(programs.dir); err != nil {
			fmt.Fprintln(os.Stderr, "remove the built programs:", err)
		}
	}
	os.Exit(code)
}
