package ledger_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// sizes are the networks that powers are tested with. After every block the
// chain checks that less than a third has moved, that some is left, and that the
// updates are what differs between the keys' powers.
var sizes = map[string][]uint64{
	"three":         equal(3),
	"four":          equal(4),
	"seven":         equal(7),
	"three unequal": {10 * million, million, million},
	"four unequal":  {ledger.MaxPower, 3 * million, 2 * million, million},
	"seven unequal": {100 * million, 50 * million, 25 * million, 5 * million, million, million, million},
}

func forSizes(t *testing.T, run func(t *testing.T, c *ledgertest.Council)) {
	for name, powers := range sizes {
		t.Run(name, func(t *testing.T) { run(t, ledgertest.NewCouncil(t, powers...)) })
	}
}

// wantPower: a member's power is at its target, or gone.
func wantPower(t testing.TB, c *ledgertest.Council, name string, want uint64) {
	t.Helper()
	if got := c.Member(t, name).Power; got != want {
		t.Errorf("the power of %s is %d, want %d", name, got, want)
	}
}

// TestPowerSettles: up and down, by any factor, in a bounded number of blocks.
func TestPowerSettles(t *testing.T) {
	forSizes(t, func(t *testing.T, c *ledgertest.Council) {
		for _, to := range []uint64{5 * million, ledger.MaxPower, million, 0, 2 * million} {
			if c.Member(t, "m1").Target != to {
				c.Pass(t, powering("m1", to))
			}
			if blocks := c.Settle(t); blocks > 150 {
				t.Errorf("to %d in %d blocks", to, blocks)
			}
			wantPower(t, c, "m1", to)
		}
	})
}

// TestPowerIsHandedOver: the only validator gives all to another. What falls
// waits for what rises: or else a whole of three would be left, of which less
// than a third is nothing.
func TestPowerIsHandedOver(t *testing.T) {
	for _, order := range [][2]string{{"m0", "m1"}, {"m1", "m0"}} { // whichever address is first
		g := ledgertest.CouncilGenesis(million, million)
		for i, m := range g.Members {
			if m.Admin == ledgertest.Address(order[1]) {
				g.Members[i].Power = 0
			}
		}
		c := ledgertest.NewCouncilOf(t, g)
		c.Pass(t, powering(order[1], million), powering(order[0], 0))
		if blocks := c.Settle(t); blocks > 20 {
			t.Errorf("in %d blocks", blocks)
		}
		wantPower(t, c, order[0], 0)
		wantPower(t, c, order[1], million)
	}
}

// TestMembershipMovesPower: who is admitted gets power; who is suspended,
// removed or loses the role loses it; who is reinstated gets it back.
func TestMembershipMovesPower(t *testing.T) {
	forSizes(t, func(t *testing.T, c *ledgertest.Council) {
		had := c.Member(t, "m2").Power
		c.Pass(t, admitting("m99"))
		c.Settle(t)
		wantPower(t, c, "m99", million)
		c.Vote(t, c.Propose(t, "m0", removing("m99")), ledger.ChoiceYes, append(c.Members[1:], "m99")...)
		c.Pass(t, suspending("m2"))
		c.Settle(t)
		wantPower(t, c, "m99", 0)
		wantPower(t, c, "m2", 0)
		c.Pass(t, reinstating("m2"))
		c.Settle(t)
		wantPower(t, c, "m2", had)
		c.Pass(t, &ledger.SetRolesAction{Member: ledgertest.Address("m2")})
		c.Settle(t)
		wantPower(t, c, "m2", 0)
		if m := c.Member(t, "m99"); m.Status != ledger.MemberRemoved || m.Target != 0 {
			t.Errorf("%+v", m)
		}
	})
}

// TestRotation: the new key has the old one's power at once, the old one none,
// and the cooldown is kept to the second.
func TestRotation(t *testing.T) {
	forSizes(t, func(t *testing.T, c *ledgertest.Council) {
		power := c.Member(t, "m1").Power
		result := c.Apply(t, c.Sign(t, "m1", &ledger.RotateValidatorKey{ConsensusKey: ledgertest.ConsensusKey("new")}))
		want := []ledger.ValidatorUpdate{{Key: ledgertest.ConsensusKey("m1")}, {Key: ledgertest.ConsensusKey("new"), Power: power}}
		if !slices.Equal(result.Validators, want) {
			t.Errorf("updates %v, want %v", result.Validators, want)
		}
		again := &ledger.RotateValidatorKey{ConsensusKey: ledgertest.ConsensusKey("newer")}
		at := c.Time
		early := c.ApplyAt(t, at+599, c.Sign(t, "m1", again))
		late := c.ApplyAt(t, at+600, c.Sign(t, "m1", again))
		if early.Results[0].Code != ledger.CodeKeyCooldown || late.Results[0].Code != ledger.Applied {
			t.Errorf("%s, %s", early.Results[0].Code, late.Results[0].Code)
		}
	})
}

// TestFirstKey: a member that is to become a validator brings its key itself.
func TestFirstKey(t *testing.T) {
	c := ledgertest.NewCouncil(t, million, 0)
	if result := c.Apply(t, c.Sign(t, "m1", &ledger.RotateValidatorKey{ConsensusKey: ledgertest.ConsensusKey("m1")})); len(result.Validators) > 0 {
		t.Errorf("a key without power: %v", result.Validators)
	}
	c.Pass(t, powering("m1", million))
	c.Settle(t)
	wantPower(t, c, "m1", million)
}

// TestEvidence: takes power and target at once, whatever the share, and only a
// vote gives power again.
func TestEvidence(t *testing.T) {
	forSizes(t, func(t *testing.T, c *ledgertest.Council) {
		result := c.Punish(t, ledgertest.ConsensusKey("m0"))
		if want := []ledger.ValidatorUpdate{{Key: ledgertest.ConsensusKey("m0")}}; !slices.Equal(result.Validators, want) {
			t.Errorf("updates %v, want %v", result.Validators, want)
		}
		if m := c.Member(t, "m0"); m.Power != 0 || m.Target != 0 || m.Status != ledger.MemberActive {
			t.Errorf("%+v", m)
		}
		if result := c.Punish(t, ledgertest.ConsensusKey("m0")); len(result.Events) > 0 {
			t.Errorf("the second time: %+v", result.Events)
		}
		c.Pass(t, powering("m0", million)) // it still votes
		c.Settle(t)
		wantPower(t, c, "m0", million)
	})
}

// TestEvidenceAfterRotation: finds its member under any key that it ever had,
// and also when it is suspended or removed.
func TestEvidenceAfterRotation(t *testing.T) {
	forSizes(t, func(t *testing.T, c *ledgertest.Council) {
		rotated("m1", "new")(t, c)
		c.Punish(t, ledgertest.ConsensusKey("m1"))
		wantPower(t, c, "m1", 0)
		c.Pass(t, powering("m1", million))
		c.Settle(t)
		c.Pass(t, suspending("m2"))
		c.Punish(t, ledgertest.ConsensusKey("m2"))
		wantPower(t, c, "m2", 0)
		c.Pass(t, reinstating("m2"))
		c.Settle(t)
		wantPower(t, c, "m2", 0) // its target went with the evidence
	})
}

// TestEvidenceAgainstAll: the last power stays, and the chain goes on.
func TestEvidenceAgainstAll(t *testing.T) {
	forSizes(t, func(t *testing.T, c *ledgertest.Council) {
		var keys []ledger.ConsensusKey
		for _, name := range c.Members {
			keys = append(keys, ledgertest.ConsensusKey(name))
		}
		if result := c.Punish(t, keys...); len(result.Validators) != len(keys)-1 {
			t.Errorf("%d updates", len(result.Validators))
		}
		last := c.Members[len(c.Members)-1]
		if m := c.Member(t, last); m.Power == 0 || m.Power != m.Target {
			t.Errorf("the last one: %+v", m)
		}
		c.Pass(t, powering("m0", 2*million))
		c.Settle(t)
		wantPower(t, c, "m0", 2*million)
		c.Punish(t, ledgertest.ConsensusKey(last)) // now another is there
		wantPower(t, c, last, 0)
	})
}

// TestEvidenceWhilePowerMoves: who has power but is to lose it, or is to get it
// but has none yet, cannot carry the chain alone.
func TestEvidenceWhilePowerMoves(t *testing.T) {
	g := ledgertest.CouncilGenesis(million, 0, 0)
	g.Members[1].ConsensusKey = ledgertest.ConsensusKey("m1")
	c := ledgertest.NewCouncilOf(t, g)
	c.Pass(t, powering("m1", million), powering("m0", 0))
	for range 100 {
		c.Punish(t, ledgertest.ConsensusKey("m1"), ledgertest.ConsensusKey("m0"))
	}
	if m := c.Member(t, "m1"); m.Power+c.Member(t, "m0").Power < million/4 {
		t.Errorf("%+v", m)
	}
}

// TestTinyPowersRecover: evidence can leave but little, and it still grows to its
// target. Four is the least of which less than a third is something.
func TestTinyPowersRecover(t *testing.T) {
	c := ledgertest.NewCouncil(t, million, 0, 0, 0)
	var grown []string
	for _, name := range []string{"m1", "m2", "m3"} {
		rotated(name, name)(t, c)
	}
	c.Pass(t, powering("m1", million+2*million/3), powering("m2", million), powering("m3", million))
	for _, name := range []string{"m0", "m1", "m2", "m3"} {
		c.Punish(t, ledgertest.ConsensusKey(name))
		if c.Member(t, name).Target > 0 {
			grown = append(grown, name)
		}
	}
	c.Settle(t)
	for _, name := range grown {
		if m := c.Member(t, name); m.Power != m.Target {
			t.Errorf("%s: %+v", name, m)
		}
	}
	if len(grown) == 0 {
		t.Error("nobody is left")
	}
}

// TestEvidenceOfNobody: an address that was never a member's changes nothing.
func TestEvidenceOfNobody(t *testing.T) {
	c := ledgertest.NewCouncil(t, equal(4)...)
	if result := c.Punish(t, ledgertest.ConsensusKey("nobody")); len(result.Changes) > 0 {
		t.Errorf("%+v", result)
	}
}

// TestUpgrade: it is in force from its height on, which a block event tells;
// the state names no version before the first.
func TestUpgrade(t *testing.T) {
	c := ledgertest.NewCouncil(t, million)
	c.Pass(t, &ledger.ScheduleUpgradeAction{Version: 2, Height: 3, Name: "two"}) // in block 1
	c.Pass(t, &ledger.CancelUpgradeAction{Version: 2})                           // in block 2
	if result := c.Wait(t, 1); len(result.Changes) > 0 {
		t.Errorf("a cancelled upgrade: %+v", result)
	}
	c.Pass(t, &ledger.ScheduleUpgradeAction{Version: 7, Height: 6, Name: "seven"}) // in block 4
	for height := ledger.Height(5); height <= 8; height++ {
		result := c.Wait(t, 1)
		version, err := ledger.ReadProtocol(c.State)
		want, events := uint64(1), 0
		if height >= 6 {
			want = 7
		}
		if height == 6 {
			events = 1
		}
		if c.Height != height || err != nil || version != want || len(result.Events) != events {
			t.Errorf("block %d: version %d, events %+v (%v)", c.Height, version, result.Events, err)
		}
	}
	if got := c.Send(t, "m0", proposing(&ledger.CancelUpgradeAction{Version: 7})); got != ledger.CodeNoUpgrade {
		t.Errorf("cancelling what is in force: %s", got)
	}
}

// TestHundredMembers: one proposal among 100 members, each of whom votes.
func TestHundredMembers(t *testing.T) {
	c := ledgertest.NewCouncil(t, slices.Concat(equal(10), make([]uint64, 90))...)
	id := c.Propose(t, "m0", removing("m99"), powering("m1", 5*million), resolving("We are a hundred."))
	for i, code := range c.Vote(t, id, ledger.ChoiceYes, c.Members[1:66]...) {
		if code != ledger.Applied {
			t.Fatalf("vote %d: %s", i, code)
		}
	}
	wantStatus(t, c, id, ledger.ProposalOpen) // 66 of 100
	c.Vote(t, id, ledger.ChoiceNo, c.Members[66:99]...)
	wantStatus(t, c, id, ledger.ProposalOpen) // 33 against: the last one decides
	c.Vote(t, id, ledger.ChoiceYes, "m99")
	if p := wantStatus(t, c, id, ledger.ProposalExecuted); len(p.Votes) != 100 {
		t.Errorf("%d votes", len(p.Votes))
	}
	c.Settle(t)
	wantPower(t, c, "m1", 5*million)
}

// TestMostMembers: of 256 members so many vote for a few of 64 open proposals
// that one vote more decides them all.
func TestMostMembers(t *testing.T) {
	c := ledgertest.NewCouncil(t, equal(ledger.MaxMembers)...)
	var sent []ledgertest.Sent
	for i := range ledger.MaxOpenProposals {
		sent = append(sent, ledgertest.Sent{By: c.Members[i/ledger.MaxOwnProposals], Op: proposing(resolving(fmt.Sprint("We agree on ", i)), suspending("m255"), suspending("m254"))})
	}
	c.Block(t, sent...)
	for id := ledger.ProposalID(1); id <= 4; id++ {
		sent = sent[:0]
		for i, name := range c.Members[:170] { // one less than enough
			if i != int(id-1)/ledger.MaxOwnProposals {
				sent = append(sent, ledgertest.Sent{By: name, Op: casting(id, ledger.ChoiceYes)})
			}
		}
		c.Block(t, sent...)
	}
	c.Vote(t, 1, ledger.ChoiceYes, c.Members[170])
	wantStatus(t, c, 1, ledger.ProposalExecuted)
	for id := ledger.ProposalID(2); id <= 4; id++ {
		if p := wantStatus(t, c, id, ledger.ProposalFailed); p.Code != ledger.CodeMemberStatus || p.Failed != 1 {
			t.Errorf("%s, action %d", p.Code, p.Failed)
		}
	}
	wantStatus(t, c, 5, ledger.ProposalOpen)
	wantPower(t, c, "m255", 0)
}
