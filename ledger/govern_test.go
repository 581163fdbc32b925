package ledger_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// The least power of a founder, and more of it.
const million = ledger.MinFoundingPower

func equal(n int) []uint64 { return slices.Repeat([]uint64{million}, n) }

func proposing(actions ...ledger.Action) *ledger.Propose {
	return &ledger.Propose{Actions: actions, VotingPeriod: 3600}
}

func resolving(text string) ledger.Action { return &ledger.ResolutionAction{Text: text} }

func admitting(name string) *ledger.AdmitMemberAction {
	return &ledger.AdmitMemberAction{
		Admin: ledgertest.Address(name), Name: "Member " + name, Roles: ledger.RoleNames(ledger.RoleValidator),
		ConsensusKey: ledgertest.ConsensusKey(name), Power: million, NodeIDs: ledger.NodeIDs{ledgertest.NodeID(name)},
	}
}

func suspending(name string) ledger.Action {
	return &ledger.SuspendMemberAction{Member: ledgertest.Address(name)}
}

func removing(name string) ledger.Action {
	return &ledger.RemoveMemberAction{Member: ledgertest.Address(name)}
}

func reinstating(name string) ledger.Action {
	return &ledger.ReinstateMemberAction{Member: ledgertest.Address(name)}
}

func powering(name string, power uint64) ledger.Action {
	return &ledger.SetPowerAction{Member: ledgertest.Address(name), Power: power}
}

func setting(name string, value uint64) ledger.Action {
	return &ledger.SetParameterAction{Name: name, Value: value}
}

func needing(action string, numerator, denominator uint64) ledger.Action {
	return &ledger.SetThresholdAction{Action: action, Numerator: numerator, Denominator: denominator}
}

func casting(id ledger.ProposalID, choice ledger.Choice) *ledger.CastVote {
	return &ledger.CastVote{Proposal: uint64(id), Choice: choice}
}

// refusal is an operation that is refused after what prepare did.
type refusal struct {
	name    string
	want    ledger.Code
	by      string
	prepare func(t testing.TB, c *ledgertest.Council)
	op      ledger.Operation
	members int // of the network, with equal power; 0 is four
}

// inOrder runs steps one after another.
func inOrder(steps ...func(testing.TB, *ledgertest.Council)) func(testing.TB, *ledgertest.Council) {
	return func(t testing.TB, c *ledgertest.Council) {
		for _, step := range steps {
			step(t, c)
		}
	}
}

func passed(actions ...ledger.Action) func(testing.TB, *ledgertest.Council) {
	return func(t testing.TB, c *ledgertest.Council) { c.Pass(t, actions...) }
}

// proposed leaves proposals open, one for each time.
func proposed(by string, times int, delay uint64) func(testing.TB, *ledgertest.Council) {
	return func(t testing.TB, c *ledgertest.Council) {
		for i := range times {
			c.ProposeLater(t, by, delay, resolving(fmt.Sprint("We agree on ", i)))
		}
	}
}

func voted(id ledger.ProposalID, choice ledger.Choice, by ...string) func(testing.TB, *ledgertest.Council) {
	return func(t testing.TB, c *ledgertest.Council) {
		for i, code := range c.Vote(t, id, choice, by...) {
			if code != ledger.Applied {
				t.Fatalf("vote of %s: %s", by[i], code)
			}
		}
	}
}

func rotated(by, key string) func(testing.TB, *ledgertest.Council) {
	return func(t testing.TB, c *ledgertest.Council) {
		if code := c.Send(t, by, &ledger.RotateValidatorKey{ConsensusKey: ledgertest.ConsensusKey(key)}); code != ledger.Applied {
			t.Fatal(code)
		}
	}
}

func waited(seconds uint64) func(testing.TB, *ledgertest.Council) {
	return func(t testing.TB, c *ledgertest.Council) { c.Wait(t, seconds) }
}

func nothing(testing.TB, *ledgertest.Council) {}

func governRefusals() []refusal {
	return slices.Concat(proposeRefusals(), voteRefusals(), memberRefusals(), memberActionRefusals(), networkActionRefusals())
}

func proposeRefusals() []refusal {
	full := proposed("m0", ledger.MaxOwnProposals, 0)
	sixtyFour := func(t testing.TB, c *ledgertest.Council) {
		for _, name := range c.Members[:ledger.MaxOpenProposals/ledger.MaxOwnProposals] {
			proposed(name, ledger.MaxOwnProposals, 0)(t, c)
		}
	}
	return []refusal{
		{"a proposal of a stranger", ledger.CodeNotMember, "stranger", nothing, proposing(resolving("a")), 0},
		{"a stranger's before too many", ledger.CodeNotMember, "stranger", full, proposing(resolving("a")), 0},
		{"a proposal of one suspended", ledger.CodeSenderInactive, "m3", passed(suspending("m3")), proposing(resolving("a")), 0},
		{"a proposal of one removed", ledger.CodeSenderInactive, "m3", passed(removing("m3")), proposing(resolving("a")), 0},
		{"a fifth proposal", ledger.CodeTooManyProposals, "m0", full, proposing(resolving("a")), 0},
		{"too many before the delay", ledger.CodeTooManyProposals, "m0", inOrder(passed(setting("minProposalDelay", 60)), proposed("m0", 4, 60)), proposing(resolving("a")), 0},
		{"a 65th proposal", ledger.CodeTooManyProposals, "m16", sixtyFour, proposing(resolving("a")), 17},
		{"too short a delay", ledger.CodeDelayTooShort, "m1", passed(setting("minProposalDelay", 1)), proposing(resolving("a")), 0},
		{"the delay before the actions", ledger.CodeDelayTooShort, "m1", passed(setting("minProposalDelay", 1)), proposing(suspending("stranger")), 0},
		{"the second action", ledger.CodeUnknownMember, "m1", nothing, proposing(resolving("a"), suspending("stranger")), 0},
		{"the first of two bad actions", ledger.CodeUnknownMember, "m1", nothing, proposing(suspending("stranger"), reinstating("m0")), 0},
		{"what an earlier action makes bad", ledger.CodeMemberStatus, "m1", nothing, proposing(suspending("m0"), suspending("m0")), 0},
	}
}

func voteRefusals() []refusal {
	yes, no, veto := ledger.ChoiceYes, ledger.ChoiceNo, ledger.ChoiceVeto
	one := proposed("m0", 1, 0)
	waiting := inOrder(proposed("m0", 1, 60), voted(1, yes, "m1", "m2"))
	ended := inOrder(one, voted(1, yes, "m1", "m2"))
	return []refusal{
		{"a vote of a stranger", ledger.CodeNotMember, "stranger", one, casting(1, yes), 0},
		{"a stranger's vote on nothing", ledger.CodeNotMember, "stranger", nothing, casting(1, yes), 0},
		{"a vote of one suspended", ledger.CodeSenderInactive, "m3", passed(suspending("m3")), casting(1, yes), 0},
		{"a vote on nothing", ledger.CodeUnknownProposal, "m1", one, casting(2, yes), 0},
		{"a vote on what has ended", ledger.CodeProposalClosed, "m3", ended, casting(1, yes), 0},
		{"a vote on what was rejected", ledger.CodeProposalClosed, "m3", inOrder(one, voted(1, no, "m1", "m2")), casting(1, yes), 0},
		{"a vote on what has expired", ledger.CodeProposalClosed, "m3", inOrder(one, waited(3600)), casting(1, yes), 0},
		{"a yes to what waits", ledger.CodeProposalClosed, "m3", waiting, casting(1, yes), 0},
		{"a no to what waits", ledger.CodeProposalClosed, "m3", waiting, casting(1, no), 0},
		{"a veto on what is open", ledger.CodeProposalClosed, "m3", one, casting(1, veto), 0},
		{"a second vote", ledger.CodeAlreadyVoted, "m1", inOrder(one, voted(1, no, "m1")), casting(1, yes), 0},
		{"the same vote again", ledger.CodeAlreadyVoted, "m1", inOrder(one, voted(1, no, "m1")), casting(1, no), 0},
		{"the proposer's second vote", ledger.CodeAlreadyVoted, "m0", one, casting(1, no), 0},
		{"a second veto", ledger.CodeAlreadyVoted, "m1", inOrder(waiting, voted(1, veto, "m1")), casting(1, veto), 0},
		{"closed before voted", ledger.CodeProposalClosed, "m1", waiting, casting(1, yes), 0},
		{"a withdrawal of a stranger", ledger.CodeNotMember, "stranger", one, &ledger.WithdrawProposal{Proposal: 1}, 0},
		{"a withdrawal of nothing", ledger.CodeUnknownProposal, "m0", one, &ledger.WithdrawProposal{Proposal: 2}, 0},
		{"a withdrawal of what has ended", ledger.CodeProposalClosed, "m0", ended, &ledger.WithdrawProposal{Proposal: 1}, 0},
		{"a withdrawal of what has passed", ledger.CodeProposalClosed, "m0", waiting, &ledger.WithdrawProposal{Proposal: 1}, 0},
		{"a withdrawal of another's", ledger.CodeNotProposer, "m1", one, &ledger.WithdrawProposal{Proposal: 1}, 0},
		{"closed before another's", ledger.CodeProposalClosed, "m1", ended, &ledger.WithdrawProposal{Proposal: 1}, 0},
	}
}

func memberRefusals() []refusal {
	rotate := func(key string) ledger.Operation {
		return &ledger.RotateValidatorKey{ConsensusKey: ledgertest.ConsensusKey(key)}
	}
	unroled := passed(&ledger.SetRolesAction{Member: ledgertest.Address("m3"), Roles: ledger.RoleNames(ledger.RoleIssuer)})
	return []refusal{
		{"a stranger's key", ledger.CodeNotMember, "stranger", nothing, rotate("new"), 0},
		{"a key without the role", ledger.CodeMissingRole, "m3", unroled, rotate("new"), 0},
		{"the role before the key", ledger.CodeMissingRole, "m3", unroled, rotate("m0"), 0},
		{"a key too soon", ledger.CodeKeyCooldown, "m0", inOrder(rotated("m0", "new"), waited(597)), rotate("newer"), 0},
		{"too soon before used", ledger.CodeKeyCooldown, "m0", rotated("m0", "new"), rotate("m1"), 0},
		{"one's own key", ledger.CodeKeyUsed, "m0", nothing, rotate("m0"), 0},
		{"another's key", ledger.CodeKeyUsed, "m0", nothing, rotate("m1"), 0},
		{"one's own old key", ledger.CodeKeyUsed, "m0", inOrder(rotated("m0", "new"), waited(600)), rotate("m0"), 0},
		{"another's old key", ledger.CodeKeyUsed, "m1", rotated("m0", "new"), rotate("m0"), 0},
		{"a removed member's key", ledger.CodeKeyUsed, "m1", passed(removing("m3")), rotate("m3"), 0},
		{"a stranger's nodes", ledger.CodeNotMember, "stranger", nothing, &ledger.SetNodes{NodeIDs: ledger.NodeIDs{{1}}}, 0},
		{"no node for a validator", ledger.CodeNoNodes, "m0", nothing, &ledger.SetNodes{}, 0},
		{"the same nodes", ledger.CodeNoChange, "m0", nothing, &ledger.SetNodes{NodeIDs: ledger.NodeIDs{ledgertest.NodeID("m0")}}, 0},
	}
}

func memberActionRefusals() []refusal {
	ask := func(name string, want ledger.Code, prepare func(testing.TB, *ledgertest.Council), a ledger.Action) refusal {
		return refusal{name, want, "m1", prepare, proposing(a), 0}
	}
	admit := func(change func(a *ledger.AdmitMemberAction)) ledger.Action {
		a := admitting("m9")
		change(a)
		return a
	}
	roles := func(name string, r ledger.Roles) ledger.Action {
		return &ledger.SetRolesAction{Member: ledgertest.Address(name), Roles: ledger.RoleNames(r)}
	}
	coin := ledgertest.NewChain(discard{}, ledgertest.CouncilGenesis(million)).Asset("COIN")
	keyless := passed(admit(func(a *ledger.AdmitMemberAction) { a.ConsensusKey, a.Power = ledger.ConsensusKey{}, 0 }))
	nodeless := passed(admit(func(a *ledger.AdmitMemberAction) { a.NodeIDs, a.Power = nil, 0 }))
	bare := passed(admit(func(a *ledger.AdmitMemberAction) { a.ConsensusKey, a.NodeIDs, a.Power = ledger.ConsensusKey{}, nil, 0 }))
	alone := passed(powering("m1", 0), powering("m2", 0), powering("m3", 0))
	return []refusal{
		ask("a member again", ledger.CodeMemberExists, nothing, admit(func(a *ledger.AdmitMemberAction) { a.Admin = ledgertest.Address("m0") })),
		ask("a removed member again", ledger.CodeMemberExists, passed(removing("m3")), admit(func(a *ledger.AdmitMemberAction) { a.Admin = ledgertest.Address("m3") })),
		ask("exists before the name", ledger.CodeMemberExists, nothing, admit(func(a *ledger.AdmitMemberAction) { a.Admin, a.Name = ledgertest.Address("m0"), "Member m0" })),
		ask("an asset as admin", ledger.CodeAdminUnfit, nothing, admit(func(a *ledger.AdmitMemberAction) { a.Admin = coin })),
		ask("unfit before the name", ledger.CodeAdminUnfit, nothing, admit(func(a *ledger.AdmitMemberAction) { a.Admin, a.Name = coin, "Member m0" })),
		{"a 257th member", ledger.CodeTooManyMembers, "m1", nothing, proposing(admitting("m999")), ledger.MaxMembers},
		{"too many before exists", ledger.CodeTooManyMembers, "m1", nothing, proposing(admitting("m0")), ledger.MaxMembers},
		ask("another's name", ledger.CodeMemberNameTaken, nothing, admit(func(a *ledger.AdmitMemberAction) { a.Name = "Member m0" })),
		ask("a suspended member's name", ledger.CodeMemberNameTaken, passed(suspending("m3")), admit(func(a *ledger.AdmitMemberAction) { a.Name = "Member m3" })),
		ask("the name before the key", ledger.CodeMemberNameTaken, nothing, admit(func(a *ledger.AdmitMemberAction) { a.Name, a.ConsensusKey = "Member m0", ledgertest.ConsensusKey("m0") })),
		ask("another's consensus key", ledger.CodeKeyUsed, nothing, admit(func(a *ledger.AdmitMemberAction) { a.ConsensusKey = ledgertest.ConsensusKey("m0") })),
		ask("another's old consensus key", ledger.CodeKeyUsed, rotated("m0", "new"), admit(func(a *ledger.AdmitMemberAction) { a.ConsensusKey = ledgertest.ConsensusKey("m0") })),
		ask("suspending a stranger", ledger.CodeUnknownMember, nothing, suspending("stranger")),
		ask("suspending twice", ledger.CodeMemberStatus, passed(suspending("m3")), suspending("m3")),
		ask("suspending one removed", ledger.CodeMemberStatus, passed(removing("m3")), suspending("m3")),
		ask("reinstating a stranger", ledger.CodeUnknownMember, nothing, reinstating("stranger")),
		ask("reinstating one active", ledger.CodeMemberStatus, nothing, reinstating("m3")),
		ask("reinstating one removed", ledger.CodeMemberStatus, passed(removing("m3")), reinstating("m3")),
		ask("removing a stranger", ledger.CodeUnknownMember, nothing, removing("stranger")),
		ask("removing twice", ledger.CodeMemberStatus, passed(removing("m3")), removing("m3")),
		{"suspending all members", ledger.CodeLastMember, "m1", nothing, proposing(suspending("m0"), suspending("m1"), suspending("m2"), suspending("m3")), 0},
		{"removing all members", ledger.CodeLastMember, "m1", nothing, proposing(removing("m0"), removing("m1"), removing("m2"), removing("m3")), 0},
		ask("suspending the last validator", ledger.CodeLastValidator, alone, suspending("m0")),
		ask("removing the last validator", ledger.CodeLastValidator, alone, removing("m0")),
		ask("roles of a stranger", ledger.CodeUnknownMember, nothing, roles("stranger", ledger.RoleIssuer)),
		ask("roles of one removed", ledger.CodeMemberStatus, passed(removing("m3")), roles("m3", ledger.RoleIssuer)),
		ask("the same roles", ledger.CodeNoChange, nothing, roles("m3", ledger.RoleValidator|ledger.RoleIssuer|ledger.RoleRegistrar)),
		ask("no role for the last validator", ledger.CodeLastValidator, alone, roles("m0", ledger.RoleIssuer)),
		ask("power of a stranger", ledger.CodeUnknownMember, nothing, powering("stranger", million)),
		ask("power of one removed", ledger.CodeMemberStatus, passed(removing("m3")), powering("m3", million)),
		ask("power without the role", ledger.CodeMissingRole, passed(roles("m3", ledger.RoleIssuer)), powering("m3", million)),
		ask("power without a node", ledger.CodeNoNodes, nodeless, powering("m9", million)),
		ask("the key before the node", ledger.CodeNoConsensusKey, bare, powering("m9", million)),
		ask("power without a key", ledger.CodeNoConsensusKey, keyless, powering("m9", million)),
		ask("the key before the change", ledger.CodeNoConsensusKey, keyless, powering("m9", 0)),
		ask("the same power", ledger.CodeNoChange, nothing, powering("m3", million)),
		ask("no power for the last validator", ledger.CodeLastValidator, alone, powering("m0", 0)),
	}
}

func networkActionRefusals() []refusal {
	ask := func(name string, want ledger.Code, prepare func(testing.TB, *ledgertest.Council), a ledger.Action) refusal {
		return refusal{name, want, "m1", prepare, proposing(a), 0}
	}
	upgrade := func(version, height uint64) ledger.Action {
		return &ledger.ScheduleUpgradeAction{Version: version, Height: height, Name: "v2"}
	}
	return []refusal{
		ask("the same value", ledger.CodeNoChange, nothing, setting("maxNewAccounts", 10_000)),
		ask("no new accounts", ledger.CodeParameterRange, nothing, setting("maxNewAccounts", 0)),
		ask("policy 3", ledger.CodeParameterRange, nothing, setting("accountPolicy", 3)),
		ask("a cooldown of a second", ledger.CodeParameterRange, nothing, setting("keyRotationCooldown", 1)),
		ask("a delay of a year", ledger.CodeParameterRange, nothing, setting("minProposalDelay", 365*24*3600)),
		ask("the same threshold", ledger.CodeNoChange, nothing, needing("setPower", 2, 3)),
		ask("freezing an admin account", ledger.CodeAdminAccount, nothing, &ledger.FreezeAccountAction{Account: ledgertest.Address("m0")}),
		ask("freezing a suspended member's", ledger.CodeAdminAccount, passed(suspending("m3")), &ledger.FreezeAccountAction{Account: ledgertest.Address("m3")}),
		ask("an upgrade to what is", ledger.CodeUpgradeVersion, nothing, upgrade(1, 100)),
		ask("an upgrade of the past", ledger.CodeUpgradeHeight, nothing, upgrade(2, 1)),
		ask("an upgrade in the next block", ledger.CodeUpgradeHeight, nothing, upgrade(2, 2)),
		ask("the version before the height", ledger.CodeUpgradeVersion, nothing, upgrade(1, 1)),
		ask("a second upgrade", ledger.CodeUpgradeScheduled, passed(upgrade(2, 100)), upgrade(3, 200)),
		ask("a second before its version", ledger.CodeUpgradeScheduled, passed(upgrade(2, 100)), upgrade(1, 1)),
		ask("cancelling nothing", ledger.CodeNoUpgrade, nothing, &ledger.CancelUpgradeAction{Version: 2}),
		ask("cancelling another", ledger.CodeNoUpgrade, passed(upgrade(2, 100)), &ledger.CancelUpgradeAction{Version: 3}),
	}
}

// discard is a testing.TB for what cannot fail.
type discard struct{ testing.TB }

func (discard) Helper() {}

// TestGovernanceRefusals: each operation is refused with its code, and changes
// nothing but the sender's nonces.
func TestGovernanceRefusals(t *testing.T) {
	for _, one := range governRefusals() {
		t.Run(one.name, func(t *testing.T) {
			c := ledgertest.NewCouncil(t, equal(cmp.Or(one.members, 4))...)
			one.prepare(t, c)
			c.Settle(t)
			result := c.Apply(t, c.Sign(t, one.by, one.op))
			if got := result.Results[0].Code; got != one.want {
				t.Fatalf("%s, want %s", got, one.want)
			}
			for _, change := range result.Changes {
				if !strings.HasPrefix(string(change.Key), "account/") || !one.want.SpendsNonce() {
					t.Errorf("the refusal changes %q", change.Key)
				}
			}
		})
	}
}

// TestAdminAccounts: an account that nobody answers for becomes an admin account,
// and votes; one of another member's does not.
func TestAdminAccounts(t *testing.T) {
	g := ledgertest.CouncilGenesis(equal(4)...)
	g.Accounts = append(g.Accounts, ledger.GenesisAccount{Address: ledgertest.Address("clerk"), Member: ledgertest.Address("m0")})
	c := ledgertest.NewCouncilOf(t, g)
	if got := c.Send(t, "m1", proposing(admitting("clerk"))); got != ledger.CodeAdminUnfit {
		t.Errorf("another member's account: %s", got)
	}
	c.Pass(t, admitting("stranger"))
	account, _ := c.Account(t, ledgertest.Address("stranger"))
	if account.Member != ledgertest.Address("stranger") || account.Balances != 2 {
		t.Errorf("%+v", account)
	}
	if got := c.Send(t, "stranger", proposing(resolving("We agree."))); got != ledger.Applied {
		t.Errorf("a proposal of the new member: %s", got)
	}
}

// TestFormerAdminAccount: the admin account of a removed member that another
// member has taken over is frozen by the network like any other.
func TestFormerAdminAccount(t *testing.T) {
	c := ledgertest.NewCouncil(t, equal(4)...)
	c.Pass(t, removing("m3"))
	former := ledgertest.Address("m3")
	if got := c.Send(t, "m0", &ledger.AdmitAccount{Account: former}); got != ledger.Applied {
		t.Fatal(got)
	}
	cancel := &ledger.Transfer{Legs: []ledger.Leg{{From: former, To: former, Asset: c.Net.Settlement}}}
	if got := c.Send(t, "m3", cancel); got != ledger.Applied {
		t.Errorf("taken over: %s", got)
	}
	c.Pass(t, &ledger.FreezeAccountAction{Account: former})
	if got := c.Send(t, "m3", cancel); got != ledger.CodeSenderInactive {
		t.Errorf("frozen: %s", got)
	}
}

// TestSuspendedAccounts: all accounts of a suspended member stop acting, and act
// again when it is reinstated.
func TestSuspendedAccounts(t *testing.T) {
	g := ledgertest.CouncilGenesis(equal(4)...)
	g.Accounts = append(g.Accounts, ledger.GenesisAccount{Address: ledgertest.Address("clerk"), Member: ledgertest.Address("m3")})
	c := ledgertest.NewCouncilOf(t, g)
	clerk := ledgertest.Address("clerk")
	cancel := &ledger.Transfer{Legs: []ledger.Leg{{From: clerk, To: clerk, Asset: c.Net.Settlement}}}
	for _, step := range []struct {
		action ledger.Action
		want   ledger.Code
	}{{resolving("We agree."), ledger.Applied}, {suspending("m3"), ledger.CodeSenderInactive}, {reinstating("m3"), ledger.Applied}, {removing("m3"), ledger.CodeSenderInactive}} {
		c.Pass(t, step.action)
		if got := c.Send(t, "clerk", cancel); got != step.want {
			t.Errorf("after %s: %s, want %s", step.action.ActionKind(), got, step.want)
		}
	}
}
