package ledgertest

import (
	"cmp"
	"math/big"
	"slices"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

func (m *GovernModel) propose(sender crypto.Address, op *ledger.Propose) ledger.Code {
	own, all := 0, 0
	for _, p := range m.world.proposals {
		if p.live() {
			all++
			if p.proposer == sender {
				own++
			}
		}
	}
	if own >= 4 || all >= 64 {
		return ledger.CodeTooManyProposals
	}
	if op.Delay < m.world.params["minProposalDelay"] {
		return ledger.CodeDelayTooShort
	}
	before := m.world.clone()
	_, code := m.perform(op.Actions)
	m.world = before
	if code != ledger.Applied {
		return code
	}
	p := &modelProposal{
		proposer: sender, actions: op.Actions, status: "open", created: m.now, due: m.now + op.VotingPeriod, delay: op.Delay,
		order: []ledger.Vote{{Member: sender, Choice: ledger.ChoiceYes}}, ballots: map[crypto.Address]bool{sender: true}, vetoes: map[crypto.Address]bool{},
	}
	m.world.proposals = append(m.world.proposals, p)
	m.decide(p)
	m.decideOthers()
	return ledger.Applied
}

func (p *modelProposal) live() bool { return p.status == "open" || p.status == "waiting" }

// find answers with a live proposal whose time has not come.
func (m *GovernModel) find(number uint64) (*modelProposal, ledger.Code) {
	if number > uint64(len(m.world.proposals)) {
		return nil, ledger.CodeUnknownProposal
	}
	p := m.world.proposals[number-1]
	if !p.live() || p.due <= m.now {
		return nil, ledger.CodeProposalClosed
	}
	return p, ledger.Applied
}

func (m *GovernModel) vote(sender crypto.Address, op *ledger.CastVote) ledger.Code {
	p, code := m.find(op.Proposal)
	if code != ledger.Applied {
		return code
	}
	box, wanted := p.ballots, "open"
	if op.Choice == ledger.ChoiceVeto {
		box, wanted = p.vetoes, "waiting"
	}
	if p.status != wanted {
		return ledger.CodeProposalClosed
	}
	if _, twice := box[sender]; twice {
		return ledger.CodeAlreadyVoted
	}
	box[sender] = op.Choice != ledger.ChoiceNo
	p.order = append(p.order, ledger.Vote{Member: sender, Choice: op.Choice})
	m.decide(p)
	m.decideOthers()
	return ledger.Applied
}

func (m *GovernModel) withdraw(sender crypto.Address, op *ledger.WithdrawProposal) ledger.Code {
	p, code := m.find(op.Proposal)
	if code != ledger.Applied {
		return code
	}
	if p.status != "open" {
		return ledger.CodeProposalClosed
	}
	if p.proposer != sender {
		return ledger.CodeNotProposer
	}
	m.end(p, "withdrawn")
	return ledger.Applied
}

func (m *GovernModel) end(p *modelProposal, status string) { p.status, p.due = status, m.now }

// count counts, among those active now, who said so.
func (w *governWorld) count(box map[crypto.Address]bool, said bool) (n int) {
	for a, choice := range box {
		if choice == said && w.members[a].status == "active" {
			n++
		}
	}
	return n
}

// above reports whether k of the active members are more than the fraction.
func (w *governWorld) above(k int, fraction *big.Rat) bool {
	return big.NewRat(int64(k), int64(w.active())).Cmp(fraction) > 0
}

// fraction is the highest of what the actions need.
func (w *governWorld) fraction(actions ledger.ActionList) *big.Rat {
	all := []*big.Rat{big.NewRat(1, 2)}
	for _, a := range actions {
		all = append(all, w.thresholds[a.ActionKind().String()])
		switch a := a.(type) {
		case *ledger.SetThresholdAction:
			all = append(all, w.thresholds[a.Action], big.NewRat(int64(a.Numerator), int64(a.Denominator)))
		case *ledger.AdmitMemberAction, *ledger.SuspendMemberAction, *ledger.ReinstateMemberAction, *ledger.RemoveMemberAction:
			for _, t := range w.thresholds {
				all = append(all, t)
			}
		}
	}
	return slices.MaxFunc(all, (*big.Rat).Cmp)
}

func (m *GovernModel) decide(p *modelProposal) {
	if !p.live() || p.due <= m.now {
		return
	}
	w := &m.world
	need := w.fraction(p.actions)
	if p.status == "waiting" {
		if w.above(w.count(p.vetoes, true), need) {
			m.end(p, "vetoed")
		}
		return
	}
	if w.above(w.count(p.ballots, true), need) {
		if wait := max(p.delay, w.params["minProposalDelay"]); wait > 0 {
			p.status, p.due = "waiting", m.now+wait
		} else {
			m.execute(p)
		}
		return
	}
	if !w.above(w.active()-w.count(p.ballots, false), need) {
		m.end(p, "rejected")
	}
}

// decideOthers decides all live proposals again, as long as something that took
// effect changed who votes, or how many must.
func (m *GovernModel) decideOthers() {
	for m.world.unsettled {
		m.world.unsettled = false
		for _, p := range slices.Clone(m.world.proposals) {
			m.decide(p)
		}
	}
}

func (m *GovernModel) execute(p *modelProposal) {
	before := m.world.clone()
	failed, code := m.perform(p.actions)
	if code == ledger.Applied {
		m.end(p, "executed")
		return
	}
	m.world = before
	m.end(p, "failed")
	p.code, p.failed = code, failed
}

// fallDue ends what has expired and does what has waited, in the order of time
// and number.
func (m *GovernModel) fallDue() {
	var due []*modelProposal
	for _, p := range m.world.proposals {
		if p.live() && p.due <= m.now {
			due = append(due, p)
		}
	}
	slices.SortStableFunc(due, func(a, b *modelProposal) int { return cmp.Compare(a.due, b.due) })
	for _, p := range due {
		if p.status == "open" {
			m.end(p, "expired")
			continue
		}
		m.execute(p)
		m.decideOthers()
	}
}

func (m *GovernModel) perform(actions ledger.ActionList) (failed int, code ledger.Code) {
	for i, a := range actions {
		if code := m.do(a); code != ledger.Applied {
			return i, code
		}
	}
	return 0, ledger.Applied
}

func (m *GovernModel) do(a ledger.Action) ledger.Code {
	w := &m.world
	switch a := a.(type) {
	case *ledger.AdmitMemberAction:
		return w.admit(a)
	case *ledger.SuspendMemberAction:
		return w.restatus(a.Member, "suspended", "active")
	case *ledger.ReinstateMemberAction:
		return w.restatus(a.Member, "active", "suspended")
	case *ledger.RemoveMemberAction:
		return w.restatus(a.Member, "removed", "active", "suspended")
	case *ledger.SetRolesAction:
		return w.setRoles(a)
	case *ledger.SetPowerAction:
		return w.setPower(a)
	case *ledger.SetParameterAction:
		return w.setParameter(a)
	case *ledger.SetThresholdAction:
		return w.setThreshold(a)
	case *ledger.FreezeAccountAction:
		return w.freezeByVotes(a.Account)
	case *ledger.UnfreezeAccountAction:
		return w.unfreezeByVotes(a.Account)
	case *ledger.PauseAssetAction:
		return w.pauseByVotes(a.Asset, true, ledger.CodeAssetPaused)
	case *ledger.ResumeAssetAction:
		return w.pauseByVotes(a.Asset, false, ledger.CodeAssetNotPaused)
	case *ledger.ScheduleUpgradeAction:
		return m.schedule(a)
	case *ledger.CancelUpgradeAction:
		if w.upgrade == nil || w.upgrade.Version != a.Version {
			return ledger.CodeNoUpgrade
		}
		w.upgrade = nil
	}
	return ledger.Applied
}

func (m *GovernModel) schedule(a *ledger.ScheduleUpgradeAction) ledger.Code {
	switch {
	case m.world.upgrade != nil:
		return ledger.CodeUpgradeScheduled
	case a.Version <= m.world.version:
		return ledger.CodeUpgradeVersion
	case a.Height < m.high+2:
		return ledger.CodeUpgradeHeight
	}
	m.world.upgrade = a
	return ledger.Applied
}

func (w *governWorld) admit(a *ledger.AdmitMemberAction) ledger.Code {
	if len(w.members) >= 256 {
		return ledger.CodeTooManyMembers
	}
	if w.members[a.Admin] != nil {
		return ledger.CodeMemberExists
	}
	account := w.accounts[a.Admin]
	if w.assets[a.Admin] != nil || account != nil && (account.stopped() || !account.member.IsZero()) {
		return ledger.CodeAdminUnfit
	}
	for _, m := range w.members {
		if m.name == a.Name && m.status != "removed" {
			return ledger.CodeMemberNameTaken
		}
	}
	if !a.ConsensusKey.IsZero() {
		if _, used := w.owners[a.ConsensusKey]; used {
			return ledger.CodeKeyUsed
		}
		w.owners[a.ConsensusKey] = a.Admin
	}
	w.accounts[a.Admin] = &councilAccount{member: a.Admin}
	w.members[a.Admin] = &councilMember{a.Name, "active", ledger.Roles(a.Roles), a.ConsensusKey, new(big.Int), new(big.Int).SetUint64(a.Power), a.NodeIDs, 0}
	w.unsettled = true
	return ledger.Applied
}

func (w *governWorld) restatus(member crypto.Address, to string, from ...string) ledger.Code {
	m := w.members[member]
	if m == nil {
		return ledger.CodeUnknownMember
	}
	if !slices.Contains(from, m.status) {
		return ledger.CodeMemberStatus
	}
	m.status = to
	if to == "removed" {
		m.target = new(big.Int)
	}
	if w.active() == 0 {
		return ledger.CodeLastMember
	}
	w.unsettled = true
	return w.someValidator()
}

func (w *governWorld) someValidator() ledger.Code {
	for _, m := range w.members {
		if m.goal().Sign() > 0 {
			return ledger.Applied
		}
	}
	return ledger.CodeLastValidator
}

func (w *governWorld) setRoles(a *ledger.SetRolesAction) ledger.Code {
	m := w.members[a.Member]
	switch {
	case m == nil:
		return ledger.CodeUnknownMember
	case m.status == "removed":
		return ledger.CodeMemberStatus
	case m.roles == ledger.Roles(a.Roles):
		return ledger.CodeNoChange
	}
	m.roles = ledger.Roles(a.Roles)
	if m.roles&ledger.RoleValidator == 0 {
		m.target = new(big.Int)
	}
	return w.someValidator()
}

func (w *governWorld) setPower(a *ledger.SetPowerAction) ledger.Code {
	m, power := w.members[a.Member], new(big.Int).SetUint64(a.Power)
	switch {
	case m == nil:
		return ledger.CodeUnknownMember
	case m.status == "removed":
		return ledger.CodeMemberStatus
	case m.roles&ledger.RoleValidator == 0:
		return ledger.CodeMissingRole
	case m.key.IsZero():
		return ledger.CodeNoConsensusKey
	case power.Sign() > 0 && len(m.nodes) == 0:
		return ledger.CodeNoNodes
	case m.target.Cmp(power) == 0:
		return ledger.CodeNoChange
	}
	m.target = power
	return w.someValidator()
}

// modelRanges are the least and greatest value of each parameter.
var modelRanges = map[string][2]uint64{
	"accountPolicy": {1, 2}, "maxNewAccounts": {1, 1_000_000}, "maxMultiPartyLifetime": {60, 31_622_400},
	"maxBlockSignatures": {64, 1_000_000}, "maxBlockLegs": {4096, 1_000_000}, "maxBlockBytes": {524_288, 67_108_864},
	"minProposalDelay": {0, 7_776_000}, "keyRotationCooldown": {60, 31_622_400},
}

func (w *governWorld) setParameter(a *ledger.SetParameterAction) ledger.Code {
	if w.params[a.Name] == a.Value {
		return ledger.CodeNoChange
	}
	if r := modelRanges[a.Name]; a.Value < r[0] || a.Value > r[1] {
		return ledger.CodeParameterRange
	}
	w.params[a.Name] = a.Value
	return ledger.Applied
}

func (w *governWorld) setThreshold(a *ledger.SetThresholdAction) ledger.Code {
	to := big.NewRat(int64(a.Numerator), int64(a.Denominator))
	if w.thresholds[a.Action].Cmp(to) == 0 {
		return ledger.CodeNoChange
	}
	w.thresholds[a.Action] = to
	w.unsettled = true
	return ledger.Applied
}
