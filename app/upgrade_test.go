package app

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/store"
)

// upgrading is a chain of four members, of which all but alice have just agreed,
// in block 1, on version 2 from block 3 on: with the least notice there is.
func upgrading(t *testing.T, o Options) *chain {
	t.Helper()
	const million = ledger.MinFoundingPower
	c := newChain(t, o, membersOf(million, million, million, million))
	c.pass(&ledger.ScheduleUpgradeAction{Version: ledger.Protocol + 1, Height: 3, Name: "v2"})
	return c
}

// TestVersionIsAnnounced: CometBFT is told of the version exactly one block
// before, whether that block was executed early or late, and not where the
// upgrade is cancelled in that very block.
func TestVersionIsAnnounced(t *testing.T) {
	both := Options{Protocols: []uint64{ledger.Protocol, ledger.Protocol + 1}}
	for _, early := range []bool{true, false} {
		c := upgrading(t, both)
		for height := int64(2); height < 6; height++ {
			p := c.proposal()
			if early && !c.accepts(p) {
				t.Fatal("an empty block was rejected")
			}
			res := c.finalize(p)
			if told := res.ConsensusParamUpdates != nil; told != (height == 2) {
				t.Errorf("early %v: told in block %d: %v", early, height, told)
			} else if told && res.ConsensusParamUpdates.Version.App != ledger.Protocol+1 {
				t.Errorf("told of version %d", res.ConsensusParamUpdates.Version.App)
			}
			c.commit()
			if v, err := ledger.ReadProtocol(c.store.Latest()); err != nil || (v == ledger.Protocol+1) != (height >= 3) {
				t.Errorf("after block %d: version %d, %v", height, v, err)
			}
		}
		c = c.reopen()
		res, err := c.Query(ctx, &abci.RequestQuery{Path: "/network"})
		if err != nil || !strings.Contains(string(res.Value), `"protocol":2`) {
			t.Errorf("the network says %s, %v", res.Value, err)
		}
		if info, err := c.Info(ctx, &abci.RequestInfo{}); err != nil || info.AppVersion != ledger.FirstProtocol {
			t.Errorf("a block store without blocks would begin with version %d, %v", info.AppVersion, err)
		}
	}
	c := upgrading(t, both)
	vote := &ledger.CastVote{Proposal: 2, Choice: ledger.ChoiceYes}
	res := c.block(
		c.govern("bob", 1, &ledger.Propose{Actions: ledger.ActionList{&ledger.CancelUpgradeAction{Version: ledger.Protocol + 1}}, VotingPeriod: ledger.MinVotingPeriod}),
		c.govern("carol", 1, vote), c.govern("dave", 1, vote))
	if res.ConsensusParamUpdates != nil || res.TxResults[2].Code != 0 {
		t.Errorf("cancelled: %v, code %d", res.ConsensusParamUpdates, res.TxResults[2].Code)
	}
}

// TestOldProgramStops: a program that does not know the next block's rules
// neither proposes it, nor votes on it, nor runs it, but still reads; it is not a
// failure of the machine, and does not start again.
func TestOldProgramStops(t *testing.T) {
	c := upgrading(t, Options{})
	c.block()
	var outdated *OutdatedError
	p := c.proposal()
	if _, err := c.ProcessProposal(ctx, p); !errors.As(err, &outdated) {
		t.Errorf("vote: %v", err)
	}
	if _, err := c.FinalizeBlock(ctx, decidedBlock(p)); !errors.As(err, &outdated) {
		t.Errorf("run: %v", err)
	}
	if outdated == nil || outdated.Starting || outdated.Committed != 2 || outdated.Needs.Height != 3 {
		t.Errorf("running: %+v", outdated)
	}
	if c.Err() != nil || c.balance("bob") != funds {
		t.Errorf("after it: %v, balance %d", c.Err(), c.balance("bob"))
	}
	c.stop()
	s, err := store.Open(c.dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := New(s, Options{Logger: quiet()}); !errors.As(err, &outdated) || outdated.Needs.Name != "v2" || !outdated.Starting {
		t.Errorf("started again: %v", err)
	}
}

// TestOutdatedErrorText: an operator reads what is wrong, what is not, and what to do.
func TestOutdatedErrorText(t *testing.T) {
	next := ledger.Upgrade{Version: 2, Height: 1200, Name: "v2.0.0"}
	for want, e := range map[string]OutdatedError{
		`block 1200 follows protocol version 2, and this program (release v1.4.1) knows only version 1: ` +
			`every block up to 1199 is committed and nothing is lost; ` +
			`the node goes on answering reads and giving blocks to its peers, and runs no further block; ` +
			`install release "v2.0.0", or a later one, and start it on the same directory`: {
			Needs: next, Committed: 1199, Known: []uint64{1}, Release: "v1.4.1",
		},
		`block 1200 follows protocol version 2, and this program knows only version 1, 3: ` +
			`every block up to 1199 is committed and nothing is lost; the node does not start with this program; ` +
			`install release "v2.0.0", or a later one, and start it on the same directory`: {
			Needs: next, Committed: 1199, Known: []uint64{1, 3}, Starting: true,
		},
		`the blocks stored here, up to 1300, follow protocol version 2, and this program (release v1.4.1) knows only version 1: ` +
			`every block up to 1300 is committed and nothing is lost; the node does not start with this program; ` +
			`install the release that the other validators run, and start it on the same directory`: {
			Needs: ledger.Upgrade{Version: 2, Height: 1300}, Committed: 1300, Known: []uint64{1}, Release: "v1.4.1", Starting: true,
		},
	} {
		if got := e.Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// TestUpgradeIsForeseen: a program that will not know the rules says so when they
// are agreed upon and when it starts, once each, and one that knows them does not.
func TestUpgradeIsForeseen(t *testing.T) {
	for _, knows := range []bool{false, true} {
		var out strings.Builder
		o := Options{Logger: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelWarn}))}
		if knows {
			o.Protocols = []uint64{ledger.Protocol, ledger.Protocol + 1}
		}
		const million = ledger.MinFoundingPower
		c := newChain(t, o, membersOf(million, million, million, million))
		c.pass(&ledger.ScheduleUpgradeAction{Version: ledger.Protocol + 1, Height: 9, Name: "v2"})
		c.block()
		wantWarnings := func(when string, n int) {
			t.Helper()
			if knows {
				n = 0
			}
			if got := strings.Count(out.String(), "height=9 protocol=2 release=v2 known=[1]"); got != n {
				t.Errorf("%s, knows %v: %d warnings, want %d:\n%s", when, knows, got, n, &out)
			}
		}
		wantWarnings("agreed", 1)
		c = c.reopen()
		wantWarnings("started again", 2)
		c.block()
		wantWarnings("a block later", 2)
	}
}

// TestOldProgramCatchesUp: a program that fetches a block of rules that it does
// not know waits with it until the node stops. Then the goroutine that fetches
// ends: an error would make CometBFT panic in it, and with it the process.
func TestOldProgramCatchesUp(t *testing.T) {
	c := upgrading(t, Options{CatchingUp: func() bool { return true }})
	c.block()
	ended, returned := make(chan struct{}), make(chan struct{})
	p := c.proposal()
	go func() {
		defer close(ended)
		_, _ = c.FinalizeBlock(ctx, decidedBlock(p))
		close(returned)
	}()
	select {
	case <-ended:
		t.Fatal("it did not wait")
	case <-time.After(20 * time.Millisecond):
	}
	c.Release()
	<-ended
	select {
	case <-returned:
		t.Error("FinalizeBlock answered: CometBFT would panic")
	default:
	}
	c.Close() // nothing is locked
}
