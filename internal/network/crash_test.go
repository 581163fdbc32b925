package network

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// crashPoints is how many of CometBFT's own crash points are tried. There are
// eleven a block (at each of the two own votes, around saving the block, its
// end in the log, the results, the application's commit and the state), so
// this is each of them in the first block after a start and in the second.
const crashPoints = 22

// pointStep is how far apart the points are that are tried: in a short run, 0,
// 7, 14 and 21.
func pointStep() int {
	if testing.Short() {
		return 7
	}
	return 1
}

// dieWithin is how long a validator may take to reach its crash point.
const dieWithin = 60 * time.Second

// crashAt starts validator i so that it dies at a crash point, and waits until
// it has.
func (n *Network) crashAt(i, point int) {
	n.t.Helper()
	n.Start(i, fmt.Sprint("FAIL_TEST_INDEX=", point))
	code, log := n.WaitExit(i, dieWithin)
	if want := fmt.Sprintf("*** fail-test %d ***", point); code != 1 || !strings.Contains(log, want) {
		n.t.Fatalf("crash point %d: exit code %d without %q:\n%s", point, code, want, lastLines(log, shownLines))
	}
}

// The crash points in consensus: one validator of four is away, so that no
// block is made without the one that crashes, and it meets every point while
// it agrees on a block, with its votes in it.
func TestCrashPointsInConsensus(t *testing.T) {
	t.Parallel()
	n := New(t, 4, Options{})
	n.StartAll()
	load := n.StartLoad(LoadOptions{})
	const away, crashes = 3, 0
	n.WaitHeight(crashes, 11)
	n.Kill(away)
	for point := 0; point < crashPoints; point += pointStep() {
		n.Kill(crashes)
		n.crashAt(crashes, point)
		n.Start(crashes)
		n.WaitCaughtUp(crashes)
		load.Verify(crashes)
	}
	n.Start(away)
	load.Stop()
	n.WaitCaughtUp(n.All()...)
	load.Verify(n.All()...)
	n.SameChain(n.All()...)
}

// The crash points while catching up: the others go on without the one that
// crashes, so it meets the points in blocks that it fetches. It is not given
// the time to recover in between, so that it crashes while it recovers, too.
func TestCrashPointsCatchingUp(t *testing.T) {
	t.Parallel()
	n := New(t, 4, Options{})
	n.StartAll()
	load := n.StartLoad(LoadOptions{})
	const crashes = 1
	step := 3 * pointStep()
	if InCampaign() {
		step = 1
	}
	height := n.WaitHeight(crashes, 11).Height
	n.Kill(crashes)
	for point := 0; point < crashPoints; point += step {
		height += 6 // blocks of four points each: they are all behind
		n.WaitHeight(0, height)
		n.crashAt(crashes, point)
	}
	n.Start(crashes)
	n.WaitCaughtUp(crashes)
	load.Stop()
	n.WaitCaughtUp(n.All()...)
	load.Verify(n.All()...)
	n.SameChain(n.All()...)
}
