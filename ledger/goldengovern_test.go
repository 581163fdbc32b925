package ledger_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// goldenActions are one action of every kind, in no order.
func goldenActions(net *ledger.Network) ledger.ActionList {
	bank, gold := ledgertest.Address("bank"), net.AssetAddress(crypto.Address{}, 1)
	return ledger.ActionList{
		&ledger.ResolutionAction{Text: "We agree on this:\nall of it.", Hash: crypto.Keccak256([]byte("a document"))},
		&ledger.AdmitMemberAction{
			Admin: bank, Name: "A bank", Roles: ledger.RoleNames(ledger.RoleValidator | ledger.RoleIssuer),
			ConsensusKey: ledgertest.ConsensusKey("bank"), Power: million, NodeIDs: ledger.NodeIDs{{1}, {2, 3}},
		},
		suspending("bank"), reinstating("bank"), removing("bank"),
		&ledger.SetRolesAction{Member: bank, Roles: ledger.RoleNames(ledger.RoleRegistrar | ledger.RoleAuditor)},
		powering("bank", 3*million), setting("minProposalDelay", 86400), needing("setPower", 3, 4),
		&ledger.FreezeAccountAction{Account: bank, Reference: "case 7"},
		&ledger.UnfreezeAccountAction{Account: bank},
		&ledger.PauseAssetAction{Asset: gold}, &ledger.ResumeAssetAction{Asset: gold},
		&ledger.ScheduleUpgradeAction{Version: 2, Height: 1_000_000, Name: "v2.0"},
		&ledger.CancelUpgradeAction{Version: 2},
		resolving("And again."),
	}
}

// goldenGovernance holds the kinds of governance.
func goldenGovernance(net *ledger.Network) []goldenBody {
	alice, signers := ledgertest.Address("alice"), []string{"alice"}
	plain := func(nonce ledger.Nonce, op ledger.Operation) ledger.Body {
		return ledger.Body{Sender: alice, Nonce: nonce, Op: op}
	}
	full := slices.Repeat(ledger.ActionList{&ledger.ResolutionAction{Text: strings.Repeat("t", ledger.MaxResolutionBytes)}}, ledger.MaxActions)
	plainAdmission := &ledger.AdmitMemberAction{Admin: alice, Name: "An auditor", Roles: ledger.RoleNames(ledger.RoleAuditor)}
	return []goldenBody{
		{"propose", plain(20, &ledger.Propose{Actions: ledger.ActionList{powering("bank", 2*million)}, VotingPeriod: 86400}), signers},
		{"propose an auditor", plain(21, &ledger.Propose{Actions: ledger.ActionList{plainAdmission}, VotingPeriod: 86400}), signers},
		{"propose every action", plain(22, &ledger.Propose{Actions: goldenActions(net), VotingPeriod: ledger.MinVotingPeriod, Delay: 3600}), signers},
		{"propose at the limits", plain(23, &ledger.Propose{Actions: full, VotingPeriod: ledger.MaxVotingPeriod, Delay: ledger.MaxProposalDelay}), signers},
		{"castVote", plain(24, casting(7, ledger.ChoiceNo)), signers},
		{"withdrawProposal", plain(25, &ledger.WithdrawProposal{Proposal: 7}), signers},
		{"rotateValidatorKey", plain(26, &ledger.RotateValidatorKey{ConsensusKey: ledgertest.ConsensusKey("alice")}), signers},
		{"setNodes", plain(27, &ledger.SetNodes{NodeIDs: ledger.NodeIDs{{1}, {2, 3}}}), signers},
		{"setNodes to none", plain(28, &ledger.SetNodes{}), signers},
	}
}

// goldenGovernanceEvents holds an event of every type that governance has.
func goldenGovernanceEvents(t testing.TB) (events []ledger.Event) {
	seen := map[ledger.EventType]bool{}
	goldenCouncil(t, func(all []ledger.Event) {
		for _, e := range all {
			if e.Type >= ledger.EventMemberAdmitted && !seen[e.Type] || e.Type == ledger.EventAccountAdmitted && !seen[e.Type] {
				seen[e.Type] = true
				events = append(events, e)
			}
		}
	})
	slices.SortStableFunc(events, func(a, b ledger.Event) int { return int(a.Type) - int(b.Type) })
	return events
}

// goldenCouncil is a network that has seen everything that governance can do but
// freezing and pausing, and hands over each block's events.
func goldenCouncil(t testing.TB, tell func([]ledger.Event)) *ledgertest.Council {
	t.Helper()
	c := ledgertest.NewCouncil(t, 4*million, 2*million, million, million)
	block := func(b ledger.Block) {
		b.Time = c.Time + 10
		result := c.ApplyBlock(t, b)
		tell(result.Events)
		for i, r := range result.Results {
			if r.Code != ledger.Applied {
				t.Fatalf("transaction %d: %s", i, r.Code)
			}
			tell(r.Events)
		}
	}
	id := uint64(0)
	decide := func(delay uint64, actions ...ledger.Action) {
		id++
		sent := []ledgertest.Sent{{By: "m0", Op: &ledger.Propose{Actions: actions, VotingPeriod: 600, Delay: delay}}}
		active := 0
		for _, name := range []string{"m0", "m1", "m2", "m3", "bank"} {
			if c.Member(t, name).Status == ledger.MemberActive {
				active++
			}
		}
		for _, name := range []string{"m1", "m2", "bank"}[:2*active/3] {
			sent = append(sent, ledgertest.Sent{By: name, Op: casting(ledger.ProposalID(id), ledger.ChoiceYes)})
		}
		block(ledger.Block{Txs: c.Txs(t, sent...)})
	}
	bank := admitting("bank")
	bank.NodeIDs = ledger.NodeIDs{{1}, {2, 3}}
	decide(5, bank, resolving("We agree on this:\nall of it."))
	block(ledger.Block{}) // the bank is admitted
	decide(0, suspending("m3"), &ledger.SetRolesAction{Member: ledgertest.Address("bank"), Roles: ledger.RoleNames(ledger.RoleIssuer)})
	decide(0, reinstating("m3"), needing("setPower", 7, 10), setting("minProposalDelay", 7))
	decide(7, powering("m2", 3*million), removing("m3"))
	block(ledger.Block{})
	decide(7, &ledger.ScheduleUpgradeAction{Version: 2, Height: 12, Name: "v2.0"})
	block(ledger.Block{})
	decide(7, &ledger.CancelUpgradeAction{Version: 2}, &ledger.ScheduleUpgradeAction{Version: 3, Height: 12, Name: "v3.0"})
	block(ledger.Block{})
	block(ledger.Block{})
	block(ledger.Block{}) // version 3 begins
	decide(7, &ledger.ScheduleUpgradeAction{Version: 4, Height: 1000, Name: "v4.0"})
	block(ledger.Block{Evidence: []ledger.ConsensusAddress{ledgertest.ConsensusKey("m1").Address()}})
	block(ledger.Block{Txs: c.Txs(t,
		ledgertest.Sent{By: "m0", Op: &ledger.RotateValidatorKey{ConsensusKey: ledgertest.ConsensusKey("m0 again")}},
		ledgertest.Sent{By: "m0", Op: &ledger.SetNodes{NodeIDs: ledger.NodeIDs{{7}}}},
		ledgertest.Sent{By: "m0", Op: &ledger.Propose{Actions: ledger.ActionList{setting("maxNewAccounts", 5), resolving("Still open.")}, VotingPeriod: 600, Delay: 7}})})
	return c
}

// TestGoldenGovernance: the records of a network that governs itself.
func TestGoldenGovernance(t *testing.T) {
	c := goldenCouncil(t, func([]ledger.Event) {})
	g := golden{name: "governance"}
	for _, prefix := range []string{"due", "events", "member", "params", "proposal", "protocol", "upgrade", "validator/"} {
		for _, e := range c.State.Under(prefix) {
			g.add(keyName([]byte(prefix+e.Key)), "0x%x", e.Value)
		}
	}
	g.check(t)
}

// TestGoldenActions: the actions' numbers and types.
func TestGoldenActions(t *testing.T) {
	g := golden{name: "actions"}
	for _, kind := range ledger.ActionKinds() {
		g.add(fmt.Sprint(uint8(kind)), "%s", kind)
	}
	g.check(t)
}

// TestGovernanceEventsAreAll: the golden files show every type of event that
// governance has.
func TestGovernanceEventsAreAll(t *testing.T) {
	seen := map[ledger.EventType]bool{}
	for _, e := range goldenGovernanceEvents(t) {
		seen[e.Type] = true
	}
	for _, kind := range ledger.EventTypes() {
		if kind >= ledger.EventMemberSuspended && kind != 38 && kind != 39 && !seen[kind] {
			t.Errorf("no %s", kind.Name())
		}
	}
}
