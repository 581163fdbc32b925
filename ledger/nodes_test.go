package ledger_test

import (
	"testing"

	"github.com/ethereum/go-ethereum/rlp"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// TestNodesWhilePowerMoves: a member lists a node for as long as it has power or
// is to get it, whichever of the two it is, and suspended or not.
func TestNodesWhilePowerMoves(t *testing.T) {
	c := ledgertest.NewCouncil(t, million, million, million, 40*million)
	send := func(want ledger.Code, nodes ...ledger.NodeID) {
		t.Helper()
		m := c.Member(t, "m3")
		if got := c.Send(t, "m3", &ledger.SetNodes{NodeIDs: nodes}); got != want {
			t.Errorf("power %d, target %d: %s, want %s", m.Power, m.Target, got, want)
		}
	}
	c.Pass(t, powering("m3", 0))
	if m := c.Member(t, "m3"); m.Power == 0 || m.Target != 0 {
		t.Fatalf("%+v", m)
	}
	send(ledger.CodeNoNodes) // its power is still leaving
	c.Settle(t)
	send(ledger.Applied)
	send(ledger.CodeNoChange)
	send(ledger.Applied, ledger.NodeID{3})
	c.Pass(t, powering("m3", ledger.MaxPower))
	send(ledger.CodeNoNodes)
	send(ledger.Applied, ledger.NodeID{4})
	c.Punish(t, ledgertest.ConsensusKey("m3"))
	send(ledger.Applied) // the evidence took power and target
}

// TestNodesAreJudgedAgain: what was right when it was proposed fails when the
// member has no node any more.
func TestNodesAreJudgedAgain(t *testing.T) {
	c := ledgertest.NewCouncil(t, million, million, million, 0)
	rotated("m3", "m3")(t, c)
	id := c.Propose(t, "m0", powering("m3", million))
	if got := c.Send(t, "m3", &ledger.SetNodes{}); got != ledger.Applied {
		t.Fatal(got)
	}
	c.Vote(t, id, ledger.ChoiceYes, "m1", "m2")
	if p := wantStatus(t, c, id, ledger.ProposalFailed); p.Code != ledger.CodeNoNodes || p.Failed != 0 {
		t.Errorf("%s, action %d", p.Code, p.Failed)
	}
	c.Settle(t)
	wantPower(t, c, "m3", 0)
}

// TestRolesGiveNoPower: the role validator alone needs no node, because whoever
// lost it lost its target too.
func TestRolesGiveNoPower(t *testing.T) {
	c := ledgertest.NewCouncil(t, equal(4)...)
	m3 := ledgertest.Address("m3")
	c.Pass(t, &ledger.SetRolesAction{Member: m3})
	c.Settle(t)
	if got := c.Send(t, "m3", &ledger.SetNodes{}); got != ledger.Applied {
		t.Fatal(got)
	}
	c.Pass(t, &ledger.SetRolesAction{Member: m3, Roles: ledger.RoleNames(ledger.RoleValidator)})
	c.Settle(t)
	wantPower(t, c, "m3", 0)
}

// TestReinstatedWithoutNode: a state from before the rule may have a suspended
// member with a target and no node. Its power does not come back.
func TestReinstatedWithoutNode(t *testing.T) {
	c := ledgertest.NewCouncil(t, equal(4)...)
	c.Pass(t, suspending("m3"))
	c.Settle(t)
	for _, want := range []ledger.Code{ledger.Applied, ledger.CodeNoNodes} {
		state := c.State.Clone()
		if want != ledger.Applied {
			dropNodes(t, state, "m3")
		}
		tx := c.Sign(t, "m1", proposing(reinstating("m3")))
		result, err := ledger.Apply(c.Net, ledger.Block{Height: c.Height + 1, Time: c.Time + 1, Txs: []*ledger.Tx{tx}}, state)
		if err != nil || result.Results[0].Code != want {
			t.Errorf("%s, want %s (%v)", result.Results[0].Code, want, err)
		}
	}
}

// dropNodes empties the list of nodes in a member's record.
func dropNodes(t testing.TB, s *ledgertest.State, name string) {
	t.Helper()
	key := ledger.KeyMember(ledgertest.Address(name))
	value, err := s.Get(key)
	if err != nil {
		t.Fatal(err)
	}
	var fields []rlp.RawValue
	if err := rlp.DecodeBytes(value, &fields); err != nil {
		t.Fatal(err)
	}
	fields[6] = rlp.RawValue{0xc0}
	changed, err := rlp.EncodeToBytes(fields)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := ledger.DecodeMember(changed); err != nil || len(m.Nodes) > 0 || m.Target == 0 {
		t.Fatalf("%+v %v", m, err)
	}
	s.Write([]ledger.Change{{Key: key, Value: changed}})
}
