package ledgertest

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/ledger"
)

// TestGovernModelAgrees plays random blocks of governance on the ledger and on
// the model: every code, member, power, proposal, status and parameter must be the
// same.
func TestGovernModelAgrees(t *testing.T) {
	seen := map[any]int{} // statuses, codes, and the actions that took effect
	wanted := []any{
		"open", "waiting", "executed", "failed", "rejected", "expired", "vetoed", "withdrawn",
		ledger.Applied, ledger.CodeNotMember, ledger.CodeSenderInactive, ledger.CodeUnknownProposal, ledger.CodeProposalClosed,
		ledger.CodeAlreadyVoted, ledger.CodeNotProposer, ledger.CodeMemberStatus, ledger.CodeKeyUsed, ledger.CodeNoChange,
		ledger.CodeNoNodes, ledger.CodeAdminAccount, ledger.CodeAdminUnfit, ledger.CodeUnknownAccount, ledger.CodeAccountFrozen,
		ledger.CodeAccountNotFrozen, ledger.CodeAccountClosed, ledger.CodeUnknownAsset, ledger.CodeAssetPaused, ledger.CodeAssetNotPaused,
		"account frozen", "account frozenByNetwork", "account frozenByBoth", "account closed",
		"asset paused", "asset pausedByNetwork", "asset pausedByBoth", "asset retired", "asset retiredAndPaused",
		ledger.ActionFreezeAccount, ledger.ActionUnfreezeAccount, ledger.ActionPauseAsset, ledger.ActionResumeAsset,
	}
	checkUntilSeen(t, seen, wanted, func(rt *rapid.T) {
		g := drawCouncil(rt, 1, 7)
		p := &governPlay{Council: NewCouncilOf(t, g)}
		model := NewGovernModel(g, p.Asset)
		for range 5 + oneOf(rt, 30, "blocks") {
			playBlock(rt, t, p, model, seen)
		}
		for _, q := range model.world.proposals {
			seen[q.status]++
			for _, a := range q.actions {
				if q.status == "executed" {
					seen[a.ActionKind()]++
				}
			}
		}
	})
}

// playBlock plays one block, in which most members vote alike on some proposal.
func playBlock(rt *rapid.T, t *testing.T, p *governPlay, model *GovernModel, seen map[any]int) {
	choices := []ledger.Choice{ledger.ChoiceYes, ledger.ChoiceYes, ledger.ChoiceNo, ledger.ChoiceVeto}
	senders := slices.Concat(p.Members, p.Members, []string{"puppet0", "puppet1", "stranger", "clerk", "issuer"})
	var sent []Sent
	for range oneOf(rt, 4, "operations") {
		sent = append(sent, Sent{rapid.SampledFrom(senders).Draw(rt, "sender"), p.operation(rt, choices)})
	}
	if oneIn(rt, 3, "a registrar acts") {
		sent = append(sent, Sent{rapid.SampledFrom([]string{"m0", "m0", "m0", p.Members[len(p.Members)-1]}).Draw(rt, "registrar"), p.byRegistrar(rt)})
	}
	if oneIn(rt, 3, "an issuer acts") {
		sent = append(sent, Sent{rapid.SampledFrom([]string{"issuer", "issuer", "issuer", "m0"}).Draw(rt, "issuer"), p.byIssuer(rt)})
	}
	if open, _ := p.open(rt); len(open) > 0 && oneOf(rt, 3, "a common vote") > 0 {
		vote := &ledger.CastVote{Proposal: p.number(rt), Choice: rapid.SampledFrom(choices).Draw(rt, "choice")}
		for _, name := range slices.Concat(p.Members, []string{"puppet0", "puppet1"}) {
			if oneOf(rt, 6, name+" votes") > 0 {
				sent = append(sent, Sent{name, vote})
			}
		}
	}
	if oneIn(rt, 4, "all agree") {
		sent = append(p.unanimous(rt), sent...) // first, so that its number is known
	}
	// Who is no account is no matter of governance.
	sent = slices.DeleteFunc(sent, func(s Sent) bool { _, there := p.Account(t, Address(s.By)); return !there })
	block := ledger.Block{Time: p.seconds(rt)}
	var keys []ledger.ConsensusKey
	if oneIn(rt, 12, "evidence") {
		key := ConsensusKey(rapid.SampledFrom(p.Members).Draw(rt, "against"))
		if p.keys > 0 && rapid.Bool().Draw(rt, "a new key") {
			key = ConsensusKey(fmt.Sprint("made up ", 1+oneOf(rt, p.keys, "which")))
		}
		keys, block.Evidence = append(keys, key), append(block.Evidence, key.Address())
	}
	p.both(t, model, seen, block, keys, sent)
}

// unanimous draws a proposal that all founders vote for at once, half of the time
// one that stops something, or lets it go again.
func (p *governPlay) unanimous(rt *rapid.T) []Sent {
	_, last := p.open(rt)
	op := p.proposal(rt)
	if rapid.Bool().Draw(rt, "to stop or let go") {
		op.Actions = ledger.ActionList{p.freezing(rt), p.pausing(rt)}[oneOf(rt, 2, "an asset"):]
	}
	sent := []Sent{{rapid.SampledFrom(p.Members).Draw(rt, "proposer"), op}}
	for _, name := range p.Members {
		sent = append(sent, Sent{name, &ledger.CastVote{Proposal: uint64(last) + 1, Choice: ledger.ChoiceYes}})
	}
	return sent
}

// both runs a block on the ledger and on the model, and compares them.
func (p *governPlay) both(t *testing.T, model *GovernModel, seen map[any]int, block ledger.Block, keys []ledger.ConsensusKey, sent []Sent) {
	block.Txs = p.Txs(t, sent...)
	got, want := Codes(p.ApplyBlock(t, block)), model.Block(block.Time, keys, sent)
	for i := range want {
		seen[want[i]]++
		if got[i] != want[i] {
			t.Fatalf("operation %d is %s, in the model %s: %s %+v", i, got[i], want[i], sent[i].By, sent[i].Op)
		}
	}
	model.Compare(t, p.Chain)
	for _, a := range model.world.accounts {
		seen["account "+a.status()]++
	}
	for _, a := range model.world.assets {
		seen["asset "+a.status()]++
	}
}
