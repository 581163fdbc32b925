package ledger_test

import (
	"fmt"
	"testing"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

func wantStatus(t testing.TB, c *ledgertest.Council, id ledger.ProposalID, want ledger.ProposalStatus) ledger.Proposal {
	t.Helper()
	p := c.Proposal(t, id)
	if p.Status != want {
		t.Fatalf("proposal %d is %s (%s, action %d), want %s", id, p.Status, p.Code, p.Failed, want)
	}
	return p
}

// TestPassesAtTheExactVote: of n members, more than two thirds pass an action
// and more than half a text, with the very vote that makes them so many.
func TestPassesAtTheExactVote(t *testing.T) {
	for n := 1; n <= 10; n++ {
		for name, one := range map[string]struct {
			action ledger.Action
			need   int
		}{
			"action":        {setting("maxNewAccounts", 7), 2*n/3 + 1},
			"text":          {resolving("We agree."), n/2 + 1},
			"threshold":     {needing("setPower", 3, 4), 3*n/4 + 1},
			"low threshold": {needing("setPower", 1, 2), 2*n/3 + 1},
		} {
			c := ledgertest.NewCouncil(t, equal(n)...)
			id := c.Propose(t, "m0", one.action)
			for yes := 1; yes < one.need; yes++ {
				wantStatus(t, c, id, ledger.ProposalOpen)
				c.Vote(t, id, ledger.ChoiceYes, c.Members[yes])
			}
			if p := c.Proposal(t, id); p.Status != ledger.ProposalExecuted || len(p.Votes) != one.need {
				t.Errorf("%s of %d members with %d votes: %s", name, n, len(p.Votes), p.Status)
			}
		}
	}
}

// TestMixedActionsNeedTheStrictest: a text beside an action needs what the
// action does, and who changes who votes needs the highest threshold of all.
func TestMixedActionsNeedTheStrictest(t *testing.T) {
	c := ledgertest.NewCouncil(t, equal(10)...)
	id := c.Propose(t, "m0", resolving("We agree."), setting("maxNewAccounts", 7))
	c.Vote(t, id, ledger.ChoiceYes, c.Members[1:6]...)
	wantStatus(t, c, id, ledger.ProposalOpen)
	c.Pass(t, needing("resolution", 9, 10))
	for _, action := range []ledger.Action{admitting("m99"), suspending("m9"), removing("m9"), reinstating("m9")} {
		if _, late := action.(*ledger.ReinstateMemberAction); late {
			c.Pass(t, suspending("m9"))
		}
		id := c.Propose(t, "m0", action)
		c.Vote(t, id, ledger.ChoiceYes, c.Members[1:8]...)
		wantStatus(t, c, id, ledger.ProposalOpen)
		c.Send(t, "m0", &ledger.WithdrawProposal{Proposal: uint64(id)})
	}
}

// TestRejectedAtOnce: a proposal ends with the vote that makes it hopeless.
func TestRejectedAtOnce(t *testing.T) {
	for n := 2; n <= 10; n++ {
		c := ledgertest.NewCouncil(t, equal(n)...)
		id := c.Propose(t, "m0", setting("maxNewAccounts", 7))
		for no := 1; no < n-2*n/3; no++ {
			wantStatus(t, c, id, ledger.ProposalOpen)
			c.Vote(t, id, ledger.ChoiceNo, c.Members[n-no])
		}
		c.Vote(t, id, ledger.ChoiceNo, c.Members[2*n/3])
		wantStatus(t, c, id, ledger.ProposalRejected)
		if got := c.Send(t, "m0", casting(id, ledger.ChoiceYes)); got != ledger.CodeProposalClosed {
			t.Errorf("a vote on it: %s", got)
		}
	}
}

// TestExpires: by time alone, in the first block whose time has come.
func TestExpires(t *testing.T) {
	c := ledgertest.NewCouncil(t, equal(4)...)
	id := c.Propose(t, "m0", setting("maxNewAccounts", 7))
	due := c.Proposal(t, id).Due
	c.ApplyAt(t, due-1, c.Sign(t, "m1", casting(id, ledger.ChoiceYes)))
	wantStatus(t, c, id, ledger.ProposalOpen)
	result := c.ApplyAt(t, due, c.Sign(t, "m2", casting(id, ledger.ChoiceYes)))
	if len(result.Events) != 1 || result.Events[0].Type != ledger.EventProposalEnded || result.Results[0].Code != ledger.CodeProposalClosed {
		t.Errorf("%+v", result)
	}
	if p := wantStatus(t, c, id, ledger.ProposalExpired); p.Due != due || len(p.Votes) != 2 {
		t.Errorf("%+v", p)
	}
	if result := c.Wait(t, 1); len(result.Changes) > 0 {
		t.Errorf("an empty block changes %d keys", len(result.Changes))
	}
}

// TestWaits: a proposal with a delay takes effect by time alone, its members may
// veto until then, and it takes as many to veto as to pass.
func TestWaits(t *testing.T) {
	for _, vetoes := range []int{2, 3} {
		c := ledgertest.NewCouncil(t, equal(4)...)
		id := c.ProposeLater(t, "m0", 100, setting("maxNewAccounts", 7))
		c.Vote(t, id, ledger.ChoiceYes, "m1", "m2")
		due := wantStatus(t, c, id, ledger.ProposalWaiting).Due
		if due != c.Time+100 {
			t.Errorf("it takes effect at %d, now is %d", due, c.Time)
		}
		c.Vote(t, id, ledger.ChoiceVeto, c.Members[:vetoes]...)
		c.ApplyAt(t, due-1)
		if vetoes == 3 {
			wantStatus(t, c, id, ledger.ProposalVetoed)
			c.ApplyAt(t, due)
		} else {
			wantStatus(t, c, id, ledger.ProposalWaiting)
			result := c.ApplyAt(t, due, c.Sign(t, "m3", casting(id, ledger.ChoiceVeto)))
			wantStatus(t, c, id, ledger.ProposalExecuted)
			if result.Results[0].Code != ledger.CodeProposalClosed {
				t.Errorf("a veto too late: %s", result.Results[0].Code)
			}
		}
		params, err := ledger.ReadParams(c.State)
		if err != nil || (params.MaxNewAccounts == 7) != (vetoes == 2) {
			t.Errorf("%d vetoes: %+v %v", vetoes, params, err)
		}
	}
}

// TestFails: what does not apply any more fails the whole proposal, with its
// code and the place of the action, and nothing of it stays.
func TestFails(t *testing.T) {
	c := ledgertest.NewCouncil(t, equal(4)...)
	late := c.ProposeLater(t, "m0", 100, setting("maxNewAccounts", 7), admitting("m9"), suspending("m3"), suspending("m2"))
	c.Vote(t, late, ledger.ChoiceYes, "m1", "m2")
	c.Pass(t, removing("m3"))
	before := len(c.State.Under(""))
	c.ApplyAt(t, c.Proposal(t, late).Due)
	if p := wantStatus(t, c, late, ledger.ProposalFailed); p.Code != ledger.CodeMemberStatus || p.Failed != 2 {
		t.Errorf("%s, action %d", p.Code, p.Failed)
	}
	params, err := ledger.ReadParams(c.State)
	if err != nil || params.MaxNewAccounts == 7 || c.Member(t, "m9").Name != "" {
		t.Errorf("something of it stays: %+v %v", params, err)
	}
	if _, there := c.Account(t, ledgertest.Address("m9")); there || before < len(c.State.Under("")) {
		t.Error("something of it stays")
	}
	now := c.Propose(t, "m0", setting("maxNewAccounts", 7), setting("maxBlockLegs", 5000))
	c.Pass(t, setting("maxBlockLegs", 5000))
	if got := c.Vote(t, now, ledger.ChoiceYes, "m1", "m2"); got[0] != ledger.Applied || got[1] != ledger.Applied {
		t.Errorf("votes on what fails: %v", got)
	}
	if p := wantStatus(t, c, now, ledger.ProposalFailed); p.Code != ledger.CodeNoChange || p.Failed != 1 {
		t.Errorf("%s, action %d", p.Code, p.Failed)
	}
}

// TestTalliedAgain: when members come and go, what is open is decided anew, in
// the order of the numbers, and what follows from that too.
func TestTalliedAgain(t *testing.T) {
	c := ledgertest.NewCouncil(t, equal(7)...)
	passes := c.Propose(t, "m0", setting("maxNewAccounts", 7)) // 4 of 7, and then 4 of 5
	c.Vote(t, passes, ledger.ChoiceYes, "m1", "m2", "m3")
	fails := c.Propose(t, "m0", setting("maxBlockLegs", 5000)) // hopeless when those who vote yes have gone
	c.Vote(t, fails, ledger.ChoiceNo, "m1", "m2")
	c.Pass(t, suspending("m6"), suspending("m5"))
	wantStatus(t, c, passes, ledger.ProposalExecuted)
	wantStatus(t, c, fails, ledger.ProposalRejected)
}

// TestCascade: one vote suspends two members, and each suspension passes the
// next proposal.
func TestCascade(t *testing.T) {
	c := ledgertest.NewCouncil(t, equal(10)...)
	first := c.Propose(t, "m0", suspending("m9"), suspending("m8")) // 7 of 10
	second := c.Propose(t, "m1", suspending("m7"))                  // 6 of 8
	third := c.Propose(t, "m2", setting("maxNewAccounts", 7))       // 5 of 7
	c.Vote(t, first, ledger.ChoiceYes, "m1", "m2", "m3", "m4", "m5")
	c.Vote(t, second, ledger.ChoiceYes, "m0", "m2", "m3", "m4", "m5")
	c.Vote(t, third, ledger.ChoiceYes, "m0", "m1", "m3", "m4")
	for _, id := range []ledger.ProposalID{first, second, third} {
		wantStatus(t, c, id, ledger.ProposalOpen)
	}
	c.Vote(t, first, ledger.ChoiceYes, "m6")
	for _, id := range []ledger.ProposalID{first, second, third} {
		wantStatus(t, c, id, ledger.ProposalExecuted)
	}
}

// TestCascadeOfOneVote: one vote lowers a threshold, and so passes a chain of
// proposals, each of which changes what the next one needs.
func TestCascadeOfOneVote(t *testing.T) {
	c := ledgertest.NewCouncil(t, equal(6)...)
	third := c.Propose(t, "m0", setting("maxNewAccounts", 7))   // 4 of 6: not more than two thirds
	second := c.Propose(t, "m0", needing("setParameter", 3, 5)) // 4 of 6 neither
	first := c.Propose(t, "m1", suspending("m5"))               // 5 of 6
	c.Vote(t, third, ledger.ChoiceYes, "m1", "m2", "m3")        // 4 of 5 is enough
	c.Vote(t, second, ledger.ChoiceYes, "m1", "m2", "m3")       //
	c.Vote(t, first, ledger.ChoiceYes, "m0", "m2", "m3")        // 4
	wantStatus(t, c, third, ledger.ProposalOpen)
	result := c.Apply(t, c.Sign(t, "m5", casting(first, ledger.ChoiceYes))) // who agrees to be suspended
	for _, id := range []ledger.ProposalID{first, second, third} {
		wantStatus(t, c, id, ledger.ProposalExecuted)
	}
	var order []uint64
	for _, e := range result.Results[0].Events {
		if e.Type == ledger.EventProposalEnded {
			order = append(order, e.Number)
		}
	}
	if fmt.Sprint(order) != fmt.Sprint([]ledger.ProposalID{first, third, second}) {
		t.Errorf("they ended in the order %v", order)
	}
}

// TestDueBeforeDecided: two proposals fall due together. What the first does
// would pass the second, but its time is over.
func TestDueBeforeDecided(t *testing.T) {
	c := ledgertest.NewCouncil(t, equal(6)...)
	first := &ledger.Propose{Actions: ledger.ActionList{suspending("m5")}, VotingPeriod: 3600, Delay: 60}
	yes := casting(1, ledger.ChoiceYes)
	second := &ledger.Propose{Actions: ledger.ActionList{setting("maxNewAccounts", 7)}, VotingPeriod: 60}
	c.Block(t, ledgertest.Sent{By: "m0", Op: first},
		ledgertest.Sent{By: "m1", Op: yes}, ledgertest.Sent{By: "m2", Op: yes}, ledgertest.Sent{By: "m3", Op: yes}, ledgertest.Sent{By: "m4", Op: yes},
		ledgertest.Sent{By: "m0", Op: second})
	c.Vote(t, 2, ledger.ChoiceYes, "m1", "m2", "m3")
	due := wantStatus(t, c, 1, ledger.ProposalWaiting).Due
	if wantStatus(t, c, 2, ledger.ProposalOpen).Due != due {
		t.Fatal("they do not fall due together")
	}
	c.ApplyAt(t, due)
	wantStatus(t, c, 1, ledger.ProposalExecuted)
	wantStatus(t, c, 2, ledger.ProposalExpired)
}

// TestWithdrawn: its place is free again.
func TestWithdrawn(t *testing.T) {
	c := ledgertest.NewCouncil(t, equal(4)...)
	proposed("m0", ledger.MaxOwnProposals, 0)(t, c)
	if got := c.Send(t, "m0", &ledger.WithdrawProposal{Proposal: 2}); got != ledger.Applied {
		t.Fatal(got)
	}
	wantStatus(t, c, 2, ledger.ProposalWithdrawn)
	proposed("m0", 1, 0)(t, c)
	wantStatus(t, c, 5, ledger.ProposalOpen)
}

// TestVotesOfTheSuspended: a vote counts while its member is active: not when it
// is suspended, and again when it is back.
func TestVotesOfTheSuspended(t *testing.T) {
	c := ledgertest.NewCouncil(t, equal(7)...)
	id := c.Propose(t, "m6", setting("maxNewAccounts", 7))
	c.Vote(t, id, ledger.ChoiceYes, "m0", "m1", "m2") // 4 of 7
	c.Pass(t, suspending("m6"))
	wantStatus(t, c, id, ledger.ProposalOpen) // 3 of 6
	if got := c.Send(t, "m6", casting(id, ledger.ChoiceNo)); got != ledger.CodeSenderInactive {
		t.Errorf("a vote of a suspended member: %s", got)
	}
	c.Vote(t, id, ledger.ChoiceYes, "m3") // 4 of 6
	wantStatus(t, c, id, ledger.ProposalOpen)
	c.Pass(t, reinstating("m6")) // 5 of 7
	wantStatus(t, c, id, ledger.ProposalExecuted)
}

// TestParametersAreInForceAtOnce: the transaction after the vote is judged by
// them, in the same block.
func TestParametersAreInForceAtOnce(t *testing.T) {
	c := ledgertest.NewCouncil(t, million)
	got := c.Block(t,
		ledgertest.Sent{By: "m0", Op: proposing(resolving("No delay."))},
		ledgertest.Sent{By: "m0", Op: proposing(setting("minProposalDelay", 60))},
		ledgertest.Sent{By: "m0", Op: proposing(resolving("No delay."))},
		ledgertest.Sent{By: "m0", Op: &ledger.Propose{Actions: ledger.ActionList{setting("accountPolicy", uint64(ledger.PolicyOpen))}, VotingPeriod: 60, Delay: 60}})
	if fmt.Sprint(got) != "[applied applied delayTooShort applied]" {
		t.Errorf("%v", got)
	}
	move := &ledger.Transfer{Legs: []ledger.Leg{{From: ledgertest.Address("stranger"), To: ledgertest.Address("new"), Asset: c.Asset("GOLD"), Amount: ledger.NewAmount(1)}}}
	if got := c.Send(t, "stranger", move); got != ledger.CodeRecipientNotAdmitted {
		t.Errorf("before: %s", got)
	}
	result := c.ApplyAt(t, c.Time+60, c.Sign(t, "stranger", move))
	if got := result.Results[0].Code; got != ledger.Applied {
		t.Errorf("in the block in which it takes effect: %s", got)
	}
}

// TestNoWayAround: where setPower needs three quarters and all else a half, six of
// eight members neither lower that threshold, nor change who votes, nor raise
// another threshold beyond what they could lower again.
func TestNoWayAround(t *testing.T) {
	g := ledgertest.CouncilGenesis(equal(8)...)
	for _, kind := range ledger.ActionKinds() {
		numerator, denominator := uint64(1), uint64(2)
		if kind == ledger.ActionSetPower {
			numerator, denominator = 3, 4
		}
		g.Params.Thresholds = append(g.Params.Thresholds, ledger.GenesisThreshold{Action: kind.String(), Numerator: numerator, Denominator: denominator})
	}
	for name, one := range map[string]struct {
		action ledger.Action
		want   ledger.ProposalStatus
	}{
		"set a power":           {powering("m7", 0), ledger.ProposalOpen},
		"lower the threshold":   {needing("setPower", 1, 2), ledger.ProposalOpen},
		"suspend who says no":   {suspending("m7"), ledger.ProposalOpen},
		"remove who says no":    {removing("m7"), ledger.ProposalOpen},
		"admit a sock puppet":   {admitting("m8"), ledger.ProposalOpen},
		"lock a threshold":      {needing("setParameter", 9, 10), ledger.ProposalOpen},
		"raise it within reach": {needing("setParameter", 2, 3), ledger.ProposalExecuted},
		"set a parameter":       {setting("maxNewAccounts", 7), ledger.ProposalExecuted},
	} {
		c := ledgertest.NewCouncilOf(t, g)
		id := c.Propose(t, "m0", one.action)
		c.Vote(t, id, ledger.ChoiceYes, c.Members[1:6]...)
		if p := c.Proposal(t, id); p.Status != one.want {
			t.Errorf("%s: %s, want %s", name, p.Status, one.want)
		}
	}
}

// TestLeastDelayOfWhatIsOpen: the least delay is kept by all that pass while it is
// in force, proposed before it or not; who has a longer one keeps that.
func TestLeastDelayOfWhatIsOpen(t *testing.T) {
	c := ledgertest.NewCouncil(t, equal(4)...)
	early := c.Propose(t, "m0", setting("maxNewAccounts", 7))
	long := c.ProposeLater(t, "m1", 200, setting("maxBlockLegs", 5000))
	c.Pass(t, setting("minProposalDelay", 100))
	c.Vote(t, early, ledger.ChoiceYes, "m1", "m2")
	if p := wantStatus(t, c, early, ledger.ProposalWaiting); p.Due != c.Time+100 || p.Delay != 0 {
		t.Errorf("it takes effect at %d, now is %d", p.Due, c.Time)
	}
	c.Vote(t, long, ledger.ChoiceYes, "m0", "m2")
	if p := wantStatus(t, c, long, ledger.ProposalWaiting); p.Due != c.Time+200 {
		t.Errorf("it takes effect at %d, now is %d", p.Due, c.Time)
	}
	c.Wait(t, 98)
	wantStatus(t, c, early, ledger.ProposalWaiting)
	c.Wait(t, 1)
	wantStatus(t, c, early, ledger.ProposalExecuted)
	wantStatus(t, c, long, ledger.ProposalWaiting)
}

// TestLeastDelayWithinACascade: what passes because of the very proposal that sets
// the least delay waits already.
func TestLeastDelayWithinACascade(t *testing.T) {
	c := ledgertest.NewCouncil(t, equal(6)...)
	second := c.Propose(t, "m0", setting("maxNewAccounts", 7)) // 4 of 6 are not enough, 4 of 5 are
	c.Vote(t, second, ledger.ChoiceYes, "m1", "m2", "m3")
	c.Pass(t, suspending("m5"), setting("minProposalDelay", 100))
	wantStatus(t, c, second, ledger.ProposalWaiting)
}
