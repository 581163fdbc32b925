package network

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/node"
)

// A bit of any file of a validator's data turns round while it is down. Then
// either it refuses to start, or stops, and says why, or it goes on as if
// nothing had happened; what it answers is always right. (Not so
// priv_validator_state.json: it is text for people to read and mend, and has no
// checksum.)
func TestBitFlips(t *testing.T) {
	t.Parallel()
	n := New(t, 1, Options{})
	n.StartAll()
	random := Random(t)
	load := n.StartLoad(LoadOptions{Seed: random.Uint64()})
	for range 3 { // a database moves what it holds from its log to tables when it is opened
		load.WaitReceipts(80)
		n.Stop(0)
		n.Start(0)
	}
	load.WaitReceipts(80)
	load.Stop()
	n.Stop(0)
	good := filepath.Join(t.TempDir(), "good")
	if err := os.CopyFS(good, os.DirFS(n.Home(0).DataDir())); err != nil {
		t.Fatal(err)
	}
	refused, harmless := 0, 0
	for range Rounds(t, 2, 5, 300) {
		putBack(t, n.Home(0), good)
		flipped := flipBit(t, n.Home(0), random)
		t.Log(flipped)
		n.Start(0)
		went := n.goesOnOrSaysWhy(load)
		t.Log(went)
		if went == "goes on" {
			harmless++
		} else {
			refused++
		}
		n.Kill(0)
	}
	t.Logf("%d flips harmless, %d refused", harmless, refused)
	putBack(t, n.Home(0), good)
	n.Start(0)
	n.WaitCaughtUp(0)
	load.Verify(0)
}

// putBack replaces a validator's data by a copy.
func putBack(t *testing.T, home node.Home, good string) {
	t.Helper()
	if err := os.RemoveAll(home.DataDir()); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(home.DataDir(), os.DirFS(good)); err != nil {
		t.Fatal(err)
	}
}

// flipBit turns a random bit of a random file round, and says which.
func flipBit(t *testing.T, home node.Home, random *rand.Rand) string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(home.DataDir(), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || path == home.ValidatorStateFile() {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Size() > 0 {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil || len(paths) == 0 {
		t.Fatalf("found %d files of data: %v", len(paths), err)
	}
	path := paths[random.IntN(len(paths))]
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bit := random.IntN(8 * len(data))
	data[bit/8] ^= 1 << (bit % 8)
	write(t, path, string(data))
	name, err := filepath.Rel(home.DataDir(), path)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("bit %d of byte %d of %d of %s", bit%8, bit/8, len(data), name)
}

// goesOnOrSaysWhy waits until validator 0 either has made blocks, having
// answered everything as before, or has ended with a reason. No answer on the
// way may be wrong.
func (n *Network) goesOnOrSaysWhy(load *Load) (outcome string) {
	n.t.Helper()
	kept, top := load.kept()
	n.Until(patience, "the damaged validator goes on or says why not", func() error {
		if !n.Running(0) {
			outcome = n.reason()
			return nil
		}
		status, err := n.RPC(0).Status(context.Background())
		if err != nil {
			return err
		}
		if status.Height <= top+1 {
			return fmt.Errorf("it is at height %d", status.Height)
		}
		outcome = "goes on"
		return nil
	})
	if outcome != "goes on" {
		return outcome
	}
	err := load.compare(context.Background(), 0, kept)
	if err == nil {
		return outcome
	}
	var wrong *WrongAnswerError
	if errors.As(err, &wrong) {
		n.t.Fatal(err)
	}
	for _, one := range kept { // the answers that are still given must be right
		if errors.As(load.compare(context.Background(), 0, []answer{one}), &wrong) {
			n.t.Fatal(wrong)
		}
	}
	return "goes on, but " + err.Error()
}

// reason is why validator 0 has ended: the last line of its log.
func (n *Network) reason() string {
	n.t.Helper()
	p := n.validators[0].process.Load()
	log := n.Log(0)
	if p.code <= 0 || strings.Contains(log, "\ngoroutine ") {
		n.t.Errorf("exit code %d; the log:\n%s", p.code, lastLines(log, shownLines))
	}
	return "ends: " + lastLines(log, 1)
}
