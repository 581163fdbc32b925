package ledgertest

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// distribution is what nobody below the threshold can change: who is a member,
// and each one's status, roles, and powers. Consensus keys and node IDs are a
// member's own.
func distribution(t testing.TB, s *State) map[crypto.Address]ledger.Member {
	t.Helper()
	members := membersOf(t, s)
	for a, m := range members {
		members[a] = ledger.Member{Name: m.Name, Status: m.Status, Roles: m.Roles, Power: m.Power, Target: m.Target}
	}
	return members
}

// reaches reports whether k of n members pass an action of the kind.
func reaches(p *ledger.Params, kind ledger.ActionKind, k, n int) bool {
	t := p.Thresholds[kind-1]
	return uint64(k)*t.Denominator > t.Numerator*uint64(n)
}

// least is how many of n members pass an action of any of the kinds.
func least(p *ledger.Params, n int, kinds ...ledger.ActionKind) int {
	for k := 1; ; k++ {
		if slices.ContainsFunc(kinds, func(kind ledger.ActionKind) bool { return reaches(p, kind, k, n) }) {
			return k
		}
	}
}

// coalitionPlay has a coalition try everything, each block up to four operations,
// while the others vote no, or not at all, and change their own keys.
func coalitionPlay(rt *rapid.T, t *testing.T, p *governPlay, coalition int) {
	yes := []ledger.Choice{ledger.ChoiceYes, ledger.ChoiceYes, ledger.ChoiceYes, ledger.ChoiceVeto}
	no := []ledger.Choice{ledger.ChoiceNo}
	for range 30 {
		var sent []Sent
		for range oneOf(rt, 5, "operations") {
			name := rapid.SampledFrom(slices.Concat(p.Members[:coalition], []string{"puppet0", "stranger"})).Draw(rt, "of the coalition")
			if p.senderMayAct(name) {
				sent = append(sent, Sent{name, p.operation(rt, yes)})
			}
		}
		if coalition < len(p.Members) && oneIn(rt, 3, "another acts") {
			name := rapid.SampledFrom(p.Members[coalition:]).Draw(rt, "another")
			op := p.operation(rt, no)
			if _, proposes := op.(*ledger.Propose); !proposes && p.senderMayAct(name) {
				sent = append(sent, Sent{name, op})
			}
		}
		if open, _ := p.open(rt); len(open) > 0 && oneOf(rt, 4, "all of the coalition agree") > 0 {
			id := p.number(rt)
			for _, name := range p.Members[:coalition] {
				if p.senderMayAct(name) {
					sent = append(sent, Sent{name, &ledger.CastVote{Proposal: id, Choice: ledger.ChoiceYes}})
				}
			}
		}
		p.ApplyAt(t, p.seconds(rt), p.Txs(t, sent...)...)
	}
}

// TestBelowTheThresholdNothingMoves: a coalition that is too small for setPower
// and setRoles changes the distribution of power by no sequence of operations,
// although it may be large enough for everything else: thresholds, parameters,
// upgrades, texts.
func TestBelowTheThresholdNothingMoves(t *testing.T) {
	seen := map[string]int{}
	checkUntilSeen(t, seen, []string{"passed"}, func(rt *rapid.T) {
		p := &governPlay{Council: NewCouncilOf(t, drawCouncil(rt, 3, 9))}
		coalition := least(&p.Params, len(p.Members), ledger.ActionSetPower, ledger.ActionSetRoles) - 1
		before := distribution(t, p.State)
		coalitionPlay(rt, t, p, coalition)
		if after := distribution(t, p.State); !reflect.DeepEqual(before, after) {
			rt.Fatalf("%d of %d members made %+v of %+v", coalition, len(p.Members), after, before)
		}
		seen["passed"] += countExecuted(t, p)
	})
	t.Log(seen)
}

// TestAtTheThresholdThingsMove: the same play with enough members changes the
// distribution, so the test above can fail.
func TestAtTheThresholdThingsMove(t *testing.T) {
	seen := map[string]int{}
	checkUntilSeen(t, seen, []string{"changed"}, func(rt *rapid.T) {
		p := &governPlay{Council: NewCouncilOf(t, drawCouncil(rt, 3, 9))}
		enough := 1
		for _, kind := range ledger.ActionKinds() {
			enough = max(enough, least(&p.Params, len(p.Members), kind))
		}
		before := distribution(t, p.State)
		coalitionPlay(rt, t, p, enough)
		if !reflect.DeepEqual(before, distribution(t, p.State)) {
			seen["changed"]++
		}
	})
	t.Log(seen)
}

func countExecuted(t testing.TB, p *governPlay) (n int) {
	t.Helper()
	for _, e := range p.State.Under("proposal/") {
		proposal, err := ledger.DecodeProposal(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		if proposal.Status == ledger.ProposalExecuted {
			n++
		}
	}
	return n
}
