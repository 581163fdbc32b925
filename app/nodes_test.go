package app

import (
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/tallystick/tallystick/ledger"
)

// membersOf makes everybody a member with a validator of a power, and a node.
func membersOf(powers ...uint64) func(*ledger.Genesis) {
	return func(g *ledger.Genesis) {
		for i, power := range powers {
			g.Accounts[i].Member = g.Accounts[i].Address
			g.Members = append(g.Members, ledger.GenesisMember{
				Admin: g.Accounts[i].Address, Name: everybody[i], Roles: []string{"validator"},
				ConsensusKey: ledger.ConsensusKey{byte(i + 1)}, Power: power, NodeIDs: []ledger.NodeID{{byte(i + 1)}},
			})
		}
	}
}

// govern is a signed operation of a member.
func (c *chain) govern(by string, nonce uint64, op ledger.Operation) []byte {
	c.t.Helper()
	return c.sign(ledger.Body{Sender: address(by), Nonce: ledger.Nonce(nonce), Op: op}, ledger.SchemeBodyHash, by)
}

// pass has bob propose actions as number 1, and carol and dave agree.
func (c *chain) pass(actions ...ledger.Action) {
	c.t.Helper()
	vote := &ledger.CastVote{Proposal: 1, Choice: ledger.ChoiceYes}
	res := c.block(
		c.govern("bob", 0, &ledger.Propose{Actions: actions, VotingPeriod: ledger.MinVotingPeriod}),
		c.govern("carol", 0, vote), c.govern("dave", 0, vote))
	for i, r := range res.TxResults {
		if r.Code != 0 {
			c.t.Fatalf("transaction %d: code %d", i, r.Code)
		}
	}
}

// TestNodesUntilVotesAreGone: a member that leaves with much of the power stays
// connected for as long as blocks need its votes, which is one block longer than
// it has power. Cut off before, it would end the chain.
func TestNodesUntilVotesAreGone(t *testing.T) {
	alice := address("alice")
	for name, c := range map[string]struct {
		leave    ledger.Action
		punished bool
	}{
		"suspended":           {&ledger.SuspendMemberAction{Member: alice}, false},
		"removed":             {&ledger.RemoveMemberAction{Member: alice}, false},
		"suspended, punished": {&ledger.SuspendMemberAction{Member: alice}, true},
		"removed, punished":   {&ledger.RemoveMemberAction{Member: alice}, true},
	} {
		t.Run(name, func(t *testing.T) {
			const million = ledger.MinFoundingPower
			chain := newChain(t, Options{}, membersOf(12*million, million, million, million))
			before := uint64(12 * million)
			chain.pass(c.leave)
			for blocks := 0; ; blocks++ {
				m, _, err := ledger.ReadMember(chain.store.Latest(), alice)
				if err != nil {
					t.Fatal(err)
				}
				nodes, governed, err := chain.Nodes()
				if err != nil || !governed {
					t.Fatal(governed, err)
				}
				if nodes[ledger.NodeID{1}] != (before > 0) || !nodes[ledger.NodeID{2}] {
					t.Fatalf("with power %d, and %d in the next block, the nodes are %v", m.Power, before, nodes)
				}
				if before == 0 {
					if blocks < 2 {
						t.Error("the power was gone at once: nothing was tested")
					}
					return
				}
				if c.punished && blocks == 0 && 3*m.Power < m.Power+3*million {
					t.Fatalf("power %d: the network would not miss its votes", m.Power)
				}
				before = m.Power
				chain.accuse(c.punished && blocks == 0, ledger.ConsensusKey{1})
			}
		})
	}
}

// accuse makes a block, with evidence against a validator or without.
func (c *chain) accuse(guilty bool, key ledger.ConsensusKey) {
	c.t.Helper()
	p, validator := c.proposal(), key.Address()
	if guilty {
		p.Misbehavior = []abci.Misbehavior{{
			Type: abci.MisbehaviorType_DUPLICATE_VOTE, Validator: abci.Validator{Address: validator[:], Power: 1},
			Height: p.Height - 1, Time: p.Time, TotalVotingPower: 1,
		}}
	}
	decided := decidedBlock(p)
	decided.Misbehavior = p.Misbehavior
	if _, err := c.FinalizeBlock(ctx, decided); err != nil {
		c.t.Fatal(err)
	}
	c.commit()
}

// TestMembersJudgeAgain: a block in which members propose and powers move leaves
// what waits alone; one that suspends a member drops what its accounts sent.
func TestMembersJudgeAgain(t *testing.T) {
	const million = ledger.MinFoundingPower
	c := newChain(t, Options{}, membersOf(million, million, million, million))
	c.block()
	of, other := c.pay("alice", 0, "bob", 1), c.pay("bob", 9, "carol", 1)
	for _, raw := range [][]byte{of, other} {
		wantCode(t, "new", c.check(raw), ledger.Applied)
	}
	before := c.latest.Load()
	suspend := ledger.ActionList{&ledger.SuspendMemberAction{Member: address("alice")}}
	c.block(c.govern("bob", 0, &ledger.Propose{Actions: suspend, VotingPeriod: ledger.MinVotingPeriod}))
	found, err := c.pending.suspects(c.lastChanges(before), before, c.latest.Load())
	if err != nil || len(found) != 0 {
		t.Errorf("a proposal has %d judged again, %v", len(found), err)
	}
	vote := &ledger.CastVote{Proposal: 1, Choice: ledger.ChoiceYes}
	c.block(c.govern("carol", 0, vote), c.govern("dave", 0, vote))
	wantTxs(t, "after alice's suspension", c.pendingNow(), other)
}

// lastChanges is how the members' records differ from those of an earlier state.
func (c *chain) lastChanges(before *committed) (changes []ledger.Change) {
	c.t.Helper()
	now := c.latest.Load()
	for _, name := range everybody {
		k := ledger.KeyMember(address(name))
		was, err := before.reader.Get(k)
		if err != nil {
			c.t.Fatal(err)
		}
		is, err := now.reader.Get(k)
		if err != nil {
			c.t.Fatal(err)
		}
		if string(was) != string(is) {
			changes = append(changes, ledger.Change{Key: k, Value: is})
		}
	}
	if len(changes) == 0 {
		c.t.Fatal("no member's record has changed")
	}
	return changes
}
