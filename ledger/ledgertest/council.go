package ledgertest

import (
	"fmt"
	"testing"

	"github.com/tallystick/tallystick/ledger"
)

// Council is a chain whose network is run by members called m0, m1 and so on.
type Council struct {
	*Chain
	Members []string // the founders
	nonces  map[string]ledger.Nonce
}

// Sent is an operation and who sends it.
type Sent struct {
	By string
	Op ledger.Operation
}

// CouncilGenesis is Genesis with one member for each power, all with every role
// but auditor and a node, and those with power with the consensus key of their
// name.
func CouncilGenesis(powers ...uint64) *ledger.Genesis {
	g := Genesis(ledger.PolicyAdmitted, "stranger")
	g.Params.KeyRotationCooldown = 600
	for i, power := range powers {
		name := fmt.Sprint("m", i)
		m := ledger.GenesisMember{
			Admin: Address(name), Name: "Member " + name, Roles: []string{"validator", "issuer", "registrar"}, Power: power,
			NodeIDs: []ledger.NodeID{NodeID(name)},
		}
		if power > 0 {
			m.ConsensusKey = ConsensusKey(name)
		}
		g.Members = append(g.Members, m)
		g.Accounts = append(g.Accounts, ledger.GenesisAccount{Address: m.Admin, Member: m.Admin})
	}
	return g
}

// NewCouncil founds a network whose members have these powers.
func NewCouncil(t testing.TB, powers ...uint64) *Council {
	t.Helper()
	return NewCouncilOf(t, CouncilGenesis(powers...))
}

// NewCouncilOf founds a network from what CouncilGenesis made.
func NewCouncilOf(t testing.TB, g *ledger.Genesis) *Council {
	t.Helper()
	c := &Council{Chain: NewChain(t, g), nonces: map[string]ledger.Nonce{}}
	for i := range g.Members {
		c.Members = append(c.Members, fmt.Sprint("m", i))
	}
	return c
}

// Sign makes the next transaction of by.
func (c *Council) Sign(t testing.TB, by string, op ledger.Operation) *ledger.Tx {
	t.Helper()
	body := ledger.Body{Sender: Address(by), Nonce: c.nonces[by], Op: op}
	c.nonces[by]++
	tx, code := ledger.Sign(c.Net, body, ledger.SchemeBodyHash, Key(by))
	if code != ledger.Applied {
		t.Fatalf("%s of %s: %s", op.Kind(), by, code)
	}
	return tx
}

// Send is what becomes of one operation in a block of its own.
func (c *Council) Send(t testing.TB, by string, op ledger.Operation) ledger.Code {
	t.Helper()
	return c.Block(t, Sent{by, op})[0]
}

// Block is what becomes of operations in one block, a second after the last.
func (c *Council) Block(t testing.TB, sent ...Sent) []ledger.Code {
	t.Helper()
	return Codes(c.Apply(t, c.Txs(t, sent...)...))
}

// Txs signs operations.
func (c *Council) Txs(t testing.TB, sent ...Sent) (txs []*ledger.Tx) {
	t.Helper()
	for _, s := range sent {
		tx := c.Sign(t, s.By, s.Op)
		txs = append(txs, tx)
	}
	return txs
}

// Propose puts actions to the vote for an hour, to take effect at once.
func (c *Council) Propose(t testing.TB, by string, actions ...ledger.Action) ledger.ProposalID {
	t.Helper()
	return c.ProposeLater(t, by, 0, actions...)
}

// ProposeLater is Propose with seconds between passing and taking effect.
func (c *Council) ProposeLater(t testing.TB, by string, delay uint64, actions ...ledger.Action) ledger.ProposalID {
	t.Helper()
	if code := c.Send(t, by, &ledger.Propose{Actions: actions, VotingPeriod: 3600, Delay: delay}); code != ledger.Applied {
		t.Fatalf("proposal of %s: %s", by, code)
	}
	last, err := ledger.ReadLastProposal(c.State)
	if err != nil {
		t.Fatal(err)
	}
	return last
}

// Vote casts the same vote for each of the members, in one block.
func (c *Council) Vote(t testing.TB, id ledger.ProposalID, choice ledger.Choice, by ...string) []ledger.Code {
	t.Helper()
	var sent []Sent
	for _, name := range by {
		sent = append(sent, Sent{name, &ledger.CastVote{Proposal: uint64(id), Choice: choice}})
	}
	return c.Block(t, sent...)
}

// Pass proposes actions for m0, and has the other founders vote yes until they
// take effect. It fails the test unless they do.
func (c *Council) Pass(t testing.TB, actions ...ledger.Action) ledger.ProposalID {
	t.Helper()
	id := c.Propose(t, "m0", actions...)
	for _, name := range c.Members[1:] {
		if c.Proposal(t, id).Status != ledger.ProposalOpen {
			break
		}
		if m := c.Member(t, name); m.Status == ledger.MemberActive {
			c.Vote(t, id, ledger.ChoiceYes, name)
		}
	}
	if p := c.Proposal(t, id); p.Status != ledger.ProposalExecuted {
		t.Fatalf("proposal %d is %s (%s)", id, p.Status, p.Code)
	}
	return id
}

// Wait lets time pass, in one empty block.
func (c *Council) Wait(t testing.TB, seconds uint64) *ledger.BlockResult {
	t.Helper()
	return c.ApplyAt(t, c.Time+ledger.UnixTime(seconds))
}

// Settle lets empty blocks pass until no power moves any more.
func (c *Council) Settle(t testing.TB) (blocks int) {
	t.Helper()
	for ; len(c.Wait(t, 1).Validators) > 0; blocks++ {
		if blocks > 1000 {
			t.Fatal("the powers never settle")
		}
	}
	return blocks
}

// Punish is a block with evidence against consensus keys.
func (c *Council) Punish(t testing.TB, keys ...ledger.ConsensusKey) *ledger.BlockResult {
	t.Helper()
	block := ledger.Block{Time: c.Time + 1}
	for _, k := range keys {
		block.Evidence = append(block.Evidence, k.Address())
	}
	return c.ApplyBlock(t, block)
}

// Proposal is a proposal's record.
func (c *Council) Proposal(t testing.TB, id ledger.ProposalID) ledger.Proposal {
	t.Helper()
	p, ok, err := ledger.ReadProposal(c.State, id)
	if err != nil || !ok {
		t.Fatalf("proposal %d: %v", id, err)
	}
	return p
}

// Member is a member's record; the zero value where there is none.
func (c *Council) Member(t testing.TB, name string) ledger.Member {
	t.Helper()
	m, _, err := ledger.ReadMember(c.State, Address(name))
	if err != nil {
		t.Fatal(err)
	}
	return m
}
