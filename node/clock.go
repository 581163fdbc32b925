package node

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/cometbft/cometbft/types"

	"github.com/tallystick/tallystick/ledger"
)

// A node whose clock is wrong is a nuisance at first, and useless past
// CometBFT's tolerance (60 s): it rejects good blocks, and stops when the others
// commit one. So the clock is compared, at each block, with the times at which
// the other validators say that they signed it.
const (
	// clockBound is the difference that is worth a warning: far more than a
	// slow network's delay, far less than the tolerance.
	clockBound = 5 * time.Second
	// clockBlocks is for how many blocks on end the clock must seem ahead,
	// because signatures that arrive late look the same.
	clockBlocks = 3
	// clockAgain is how often the warning is repeated.
	clockAgain = time.Minute
)

// watchClock warns of a wrong clock until ctx ends.
func (n *Node) watchClock(ctx context.Context) {
	var judge clockJudge
	for {
		select {
		case <-ctx.Done():
			return
		case height := <-n.commits:
			n.compareClock(&judge, height)
		}
	}
}

func (n *Node) compareClock(judge *clockJudge, height ledger.Height) {
	now := time.Now()
	commit := n.env.BlockStore.LoadSeenCommit(int64(height))
	if commit == nil {
		return
	}
	difference, ok := clockDifference(commit, n.env.PubKey.Address(), now)
	if ok && judge.wrong(difference, !n.CatchingUp(), now) {
		n.log.Warn("this machine's clock differs from the other validators': set it, best by NTP; "+
			"past the tolerance this node stops",
			"difference", difference.Round(time.Millisecond), "tolerance", n.comet.Consensus.BlockTimeTolerance)
	}
}

// clockDifference is how far now is ahead of the time, by their own clocks, at
// which the other validators signed a commit: the median of them. It is about
// the network's delay when all is well. It is not ok where nobody else signed.
func clockDifference(commit *types.Commit, self []byte, now time.Time) (time.Duration, bool) {
	var times []time.Time
	for _, s := range commit.Signatures {
		if s.BlockIDFlag != types.BlockIDFlagAbsent && !bytes.Equal(s.ValidatorAddress, self) {
			times = append(times, s.Timestamp)
		}
	}
	if len(times) == 0 {
		return 0, false
	}
	slices.SortFunc(times, time.Time.Compare)
	return now.Sub(times[len(times)/2]), true
}

// clockJudge decides when a difference is worth a warning.
type clockJudge struct {
	ahead int // blocks on end for which the clock seemed ahead
	told  time.Time
}

// wrong takes the difference at one block. fresh says that the block was
// committed as it was made, and not fetched later, when its signatures are old.
func (j *clockJudge) wrong(difference time.Duration, fresh bool, now time.Time) bool {
	if fresh && difference > clockBound {
		j.ahead++
	} else {
		j.ahead = 0
	}
	// A signature from the future needs no second look.
	if difference >= -clockBound && j.ahead < clockBlocks {
		return false
	}
	if !j.told.IsZero() && now.Sub(j.told) < clockAgain {
		return false
	}
	j.told = now
	return true
}
