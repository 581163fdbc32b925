package index

import (
	"fmt"
	"slices"

	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
)

// govern follows events of members, proposals, parameters and upgrades. Anything
// else is an event that this program does not know.
func (h *happening) govern(e *ledger.Event) error {
	switch e.Type {
	case ledger.EventMemberAdmitted:
		return h.newMember(e)
	case ledger.EventMemberSuspended, ledger.EventMemberReinstated, ledger.EventMemberRemoved, ledger.EventRolesChanged,
		ledger.EventPowerChanged, ledger.EventPowerMoved, ledger.EventValidatorKeyChanged, ledger.EventNodesChanged, ledger.EventValidatorPunished:
		return h.member(e)
	case ledger.EventProposalCreated:
		return h.newProposal(e)
	case ledger.EventVoteCast, ledger.EventProposalPassed, ledger.EventProposalEnded:
		return h.proposal(e)
	case ledger.EventParameterChanged, ledger.EventThresholdChanged, ledger.EventUpgradeScheduled, ledger.EventUpgradeCancelled, ledger.EventUpgradeApplied:
		return h.parameters(e)
	case ledger.EventResolution: // nothing follows from it
		return nil
	}
	return fmt.Errorf("event type %d is not known to the explorer: it needs a later version", e.Type)
}

func (h *happening) newMember(e *ledger.Event) error {
	nodes, ok := ledger.ParseNodes(e.Nodes)
	m := &store.MemberRecord{
		Admitted: h.position, Name: e.Name, Status: ledger.MemberActive, Roles: ledger.Roles(e.Flags), Target: e.Number, Nodes: nodes,
	}
	if h.height == 0 {
		m.Power = e.Number // a founder has its power from the start
	}
	if !ok || !h.ownKey(m, e) {
		return fmt.Errorf("%w: member %s", errAddUp, e.Other)
	}
	h.counts["members"]++
	for _, t := range store.Trigrams(e.Name) {
		h.w.Add(store.TrigramRows, []byte(t), int64(store.TrigramMember), e.Other[:])
	}
	return h.create(store.KindMember, e.Other[:], m)
}

// ownKey gives a member a consensus key that nobody had; the database refuses another
// one's.
func (h *happening) ownKey(m *store.MemberRecord, e *ledger.Event) (ok bool) {
	if m.Key.UnmarshalText([]byte(e.Keys)) != nil {
		return false
	}
	if !m.Key.IsZero() {
		address := m.Key.Address()
		h.w.Add(store.ValidatorKeys, address[:], e.Other[:], int64(h.position))
	}
	return true
}

func (h *happening) member(e *ledger.Event) error {
	return change(h.ctx, h.state, store.KindMember, e.Other[:], e, func(m *store.MemberRecord) (ok bool) {
		switch e.Type {
		case ledger.EventMemberSuspended:
			m.Status = ledger.MemberSuspended
		case ledger.EventMemberReinstated:
			m.Status = ledger.MemberActive
		case ledger.EventMemberRemoved:
			m.Status, m.Target = ledger.MemberRemoved, 0
		case ledger.EventRolesChanged:
			m.Roles = ledger.Roles(e.Flags)
			if !m.Roles.Has(ledger.RoleValidator) {
				m.Target = 0
			}
		case ledger.EventPowerChanged:
			m.Target = e.Number
		case ledger.EventPowerMoved:
			m.Power = e.Number
		case ledger.EventValidatorPunished:
			m.Power, m.Target = 0, 0
		case ledger.EventValidatorKeyChanged:
			m.RotatedAt = h.time
			return h.ownKey(m, e)
		case ledger.EventNodesChanged:
			m.Nodes, ok = ledger.ParseNodes(e.Nodes)
			return ok
		}
		return true
	})
}

func (h *happening) newProposal(e *ledger.Event) error {
	actions, err := ledger.ParseActions(e.Reference)
	if err != nil {
		return fmt.Errorf("proposal %d: %w", e.Number, err)
	}
	h.counts["proposals"]++
	p := &store.ProposalRecord{
		Created: h.position, Proposer: e.Other, Actions: actions, Status: ledger.ProposalOpen, Due: e.Until, Delay: uint64(e.Flags),
	}
	if err := h.create(store.KindProposal, store.ProposalKey(e.Number), p); err != nil {
		return err
	}
	for _, word := range store.ProposalWords(actions) {
		h.w.Add(store.ProposalWordRows, []byte(word), int64(e.Number))
	}
	return h.open(p, e, 1)
}

// open counts the proposer's open proposals.
func (h *happening) open(p *store.ProposalRecord, e *ledger.Event, by int64) error {
	return change(h.ctx, h.state, store.KindMember, p.Proposer[:], e, func(m *store.MemberRecord) bool {
		m.Open = uint64(int64(m.Open) + by)
		return int64(m.Open) >= 0
	})
}

func (h *happening) proposal(e *ledger.Event) error {
	var ended *store.ProposalRecord
	err := change(h.ctx, h.state, store.KindProposal, store.ProposalKey(e.Number), e, func(p *store.ProposalRecord) bool {
		switch e.Type {
		case ledger.EventVoteCast:
			p.Votes = append(p.Votes, store.VoteRecord{Member: e.Other, Choice: ledger.Choice(e.Decimals), Cast: h.position})
		case ledger.EventProposalPassed:
			p.Status, p.Due = ledger.ProposalWaiting, e.Until
		case ledger.EventProposalEnded:
			status, ok := proposalEnd(e.Name)
			if !ok || p.Status > ledger.ProposalWaiting {
				return false
			}
			p.Status, p.Due, p.Code, p.Failed = status, h.time, ledger.Code(e.Flags), uint64(e.Until)
			ended = p
		}
		return true
	})
	if err != nil || ended == nil {
		return err
	}
	return h.open(ended, e, -1)
}

// proposalEnd finds the status with which a proposal ended, by its name.
func proposalEnd(name string) (ledger.ProposalStatus, bool) {
	ends := []ledger.ProposalStatus{ledger.ProposalExecuted, ledger.ProposalFailed, ledger.ProposalRejected,
		ledger.ProposalExpired, ledger.ProposalVetoed, ledger.ProposalWithdrawn}
	i := slices.IndexFunc(ends, func(s ledger.ProposalStatus) bool { return s.String() == name })
	if i < 0 {
		return 0, false
	}
	return ends[i], true
}

// parametersKey is the key of the one record of its kind.
var parametersKey = []byte{0}

func (h *happening) parameters(e *ledger.Event) error {
	return change(h.ctx, h.state, store.KindParameters, parametersKey, e, func(r *store.ParametersRecord) bool {
		switch e.Type {
		case ledger.EventParameterChanged:
			return r.Params.Set(e.Name, e.Number)
		case ledger.EventThresholdChanged:
			kind, ok := ledger.ParseActionKind(e.Name)
			if ok {
				r.Params.Thresholds[kind-1] = ledger.Threshold{Numerator: e.Number, Denominator: uint64(e.Until)}
			}
			return ok
		case ledger.EventUpgradeScheduled:
			r.Upgrade = &store.UpgradeRecord{Version: e.Number, Height: uint64(e.Until), Name: e.Name}
		case ledger.EventUpgradeCancelled:
			r.Upgrade = nil
		case ledger.EventUpgradeApplied:
			r.Protocol, r.Upgrade = e.Number, nil
		}
		return true
	})
}
