package store

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/tallystick/tallystick/ledger"
)

// crashDir is the environment variable that makes this test binary the program
// to be killed: it commits to the store in that directory, for ever.
const crashDir = "STORE_TEST_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		fmt.Fprintln(os.Stderr, commitForever(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// chainChanges are what the block of a height changes: a pure function, so that
// whoever opens the store after a crash knows what must be there.
func chainChanges(h ledger.Height) []ledger.Change {
	changes := []ledger.Change{set("a", fmt.Sprint(h))}
	if h%3 == 0 {
		changes = append(changes, del("b"))
	} else {
		changes = append(changes, set("b", fmt.Sprint("b", h)))
	}
	changes = append(changes, set(universe[10+h%10], fmt.Sprint("some value of ", h)))
	slices.SortFunc(changes, func(x, y ledger.Change) int { return bytes.Compare(x.Key, y.Key) })
	return changes
}

// chainContents are the contents of the heights 1 to h.
func chainContents(h ledger.Height) (contents []content) {
	var now content
	for i := ledger.Height(1); i <= h; i++ {
		now = now.with(chainChanges(i))
		contents = append(contents, now)
	}
	return contents
}

// commitForever prints each height when it is committed.
func commitForever(dir string) error {
	s, err := Open(dir, Options{})
	if err != nil {
		return err
	}
	for {
		h := s.Height() + 1
		st, err := s.Stage(chainChanges(h))
		if err != nil {
			return err
		}
		if err := s.Commit(h, timeOf(h), st); err != nil {
			return err
		}
		fmt.Println(h)
	}
}

// A process that commits is killed again and again. What it said was committed
// is there, at most one height more, and all of the history is right.
func TestKill(t *testing.T) {
	r := newRand(t)
	dir := t.TempDir()
	kills := 12
	if testing.Short() {
		kills = 3
	}
	for range kills {
		said := runUntilKilled(t, dir, 1+r.IntN(60))
		s := mustOpen(t, dir, Options{})
		if h := s.Height(); h < said || h > said+1 {
			t.Fatalf("height %d, but the last one said was %d", h, said)
		}
		compareAll(t, s, chainContents(s.Height()))
		mustClose(t, s)
	}
}

// runUntilKilled returns the last height that the process said before it was
// killed. All its output is read, so that it includes what it said while dying.
func runUntilKilled(t *testing.T, dir string, lines int) (said ledger.Height) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lineReader := bufio.NewScanner(out)
	for n := 0; lineReader.Scan(); n++ {
		h, err := strconv.ParseUint(lineReader.Text(), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		said = ledger.Height(h)
		if n == lines {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || said == 0 {
		t.Fatalf("the process said %d and ended: %v", said, err)
	}
	return said
}

// Power loss during a commit's write leaves a part of it: pebble's log ends
// anywhere between where it ended before the write and where it ended after.
// The store then opens at the height before, or at the new one when nothing is
// missing, and the commit can be made again.
func TestLogCutAnywhereInACommit(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	commit := func(s *Store) {
		commitNext(t, s, chainChanges(s.Height()+1))
	}
	for range 5 {
		commit(s)
	}
	log, before := lastLog(t, dir)
	commit(s)
	sameLog, after := lastLog(t, dir)
	if log != sameLog || after <= before {
		t.Fatalf("the log was %s of %d bytes, and is %s of %d", log, before, sameLog, after)
	}
	image := copyDir(t, dir)
	mustClose(t, s)
	step := int64(1)
	if testing.Short() {
		step = 17
	}
	for size := before; size <= after; size += min(step, max(1, after-size)) {
		cut := copyDir(t, image)
		if err := os.Truncate(filepath.Join(cut, "state.db", log), size); err != nil {
			t.Fatal(err)
		}
		s := mustOpen(t, cut, Options{})
		want := ledger.Height(5)
		if size == after {
			want = 6
		}
		if s.Height() != want {
			t.Fatalf("log cut to %d bytes, of %d to %d: height %d", size, before, after, s.Height())
		}
		compareAll(t, s, chainContents(want))
		commit(s)
		compareAll(t, s, chainContents(want+1))
		mustClose(t, s)
	}
}

// lastLog returns pebble's newest log and its size.
func lastLog(t *testing.T, dir string) (name string, size int64) {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(dir, "state.db", "*.log"))
	if err != nil || len(logs) == 0 {
		t.Fatal(logs, err)
	}
	path := logs[len(logs)-1]
	// The file has room beyond its end; what counts is up to the last byte set.
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	raw, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	for size = int64(len(raw)); size > 0 && raw[size-1] == 0; size-- {
	}
	return filepath.Base(path), size
}

// A directory copied at random moments, while the commits go on, is refused or
// opens at a height that was committed when the copying ended, with all its
// history right. It is never something in between.
func TestCopyDuringCommits(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	commitNext(t, s, chainChanges(1))
	copies := 8
	if testing.Short() {
		copies = 3
	}
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() { stopped <- commitUntil(s, stop) }()
	type copied struct {
		dir    string
		newest ledger.Height
	}
	var list []copied
	for range copies {
		to := t.TempDir()
		if err := os.CopyFS(to, os.DirFS(dir)); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
		list = append(list, copied{to, s.Height() + 1})
	}
	close(stop)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		s, err := Open(c.dir, Options{})
		if err != nil {
			t.Logf("refused: %v", err)
			continue
		}
		if h := s.Height(); h > c.newest {
			t.Errorf("the copy is at height %d, after %d", h, c.newest)
		} else if h > 0 {
			compareAll(t, s, chainContents(h))
		}
		mustClose(t, s)
	}
}

func commitUntil(s *Store, stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		h := s.Height() + 1
		st, err := s.Stage(chainChanges(h))
		if err == nil {
			err = s.Commit(h, timeOf(h), st)
		}
		if err != nil {
			return err
		}
	}
}
