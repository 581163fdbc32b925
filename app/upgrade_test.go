package app

import (
	"errors"
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
	if c.Err() != nil || c.balance("bob") != funds {
		t.Errorf("after it: %v, balance %d", c.Err(), c.balance("bob"))
	}
	c.stop()
	s, err := store.Open(c.dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := New(s, Options{Logger: quiet()}); !errors.As(err, &outdated) || outdated.Needs.Name != "v2" {
		t.Errorf("started again: %v", err)
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
