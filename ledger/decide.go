package ledger

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/tallystick/tallystick/crypto"
)

// openProposal enters a new proposal.
func (s *state) openProposal(id ProposalID, p *Proposal) error {
	c, err := s.proposalTable.get(s.reader, id)
	if err != nil {
		return err
	}
	list, err := s.proposalListTable.get(s.reader, single{})
	if err != nil {
		return err
	}
	s.proposalTable.set(c, *p)
	s.proposalListTable.set(list, proposalList{id, append(slices.Clone(list.value.open), id)})
	if err := s.countOpen(p.Proposer, 1); err != nil {
		return err
	}
	return s.schedule(p.dueID(id))
}

// end ends a proposal that was open or waited.
func (s *state) end(c *cell[ProposalID, Proposal], status ProposalStatus, code Code, failed int) error {
	if err := s.unscheduleProposal(c); err != nil {
		return err
	}
	return s.ended(c, status, code, failed)
}

// ended is end for a proposal that is not scheduled any more.
func (s *state) ended(c *cell[ProposalID, Proposal], status ProposalStatus, code Code, failed int) error {
	list, err := s.proposalListTable.get(s.reader, single{})
	if err != nil {
		return err
	}
	open := slices.DeleteFunc(slices.Clone(list.value.open), func(id ProposalID) bool { return id == c.id })
	s.proposalListTable.set(list, proposalList{list.value.last, open})
	p := c.value
	p.Status, p.Due, p.Code, p.Failed = status, s.time, code, uint64(failed)
	s.proposalTable.set(c, p)
	s.emit(Event{Type: EventProposalEnded, Number: uint64(c.id), Name: status.String(), Flags: uint32(code), Until: UnixTime(failed)})
	return s.countOpen(p.Proposer, -1)
}

// countOpen counts a member's open proposals.
func (s *state) countOpen(member crypto.Address, by int) error {
	c, err := s.member(member)
	if err != nil {
		return err
	}
	changed := c.value
	changed.Open = uint64(int(changed.Open) + by)
	s.memberTable.set(c, changed)
	return nil
}

func (s *state) unscheduleProposal(c *cell[ProposalID, Proposal]) error {
	return s.unschedule(c.value.dueID(c.id))
}

// tally is how the active members stand on a proposal.
type tally struct{ active, yes, no, veto int }

// tally counts the votes of those who are active members now.
func (s *state) tally(p *Proposal) (t tally, err error) {
	members, err := s.allMembers()
	if err != nil {
		return t, err
	}
	for _, m := range members {
		if m.value.Status == MemberActive {
			t.active++
		}
	}
	for _, v := range p.Votes {
		m, err := s.member(v.Member)
		if err != nil {
			return t, err
		}
		if m.value.Status == MemberActive {
			*[...]*int{&t.yes, &t.no, &t.veto}[v.Choice-1]++
		}
	}
	return t, nil
}

// decideAll decides a proposal, and then all others for as long as what takes
// effect changes who votes or how many votes are needed. Each further round
// ended a proposal, so there are at most MaxOpenProposals.
func (s *state) decideAll(id ProposalID) error {
	if err := s.decide(id); err != nil {
		return err
	}
	for s.again {
		s.again = false
		list, err := s.proposalListTable.get(s.reader, single{})
		if err != nil {
			return err
		}
		for _, other := range slices.Clone(list.value.open) {
			if err := s.decide(other); err != nil {
				return err
			}
		}
	}
	return nil
}

// decide moves a proposal on as far as the votes do now.
func (s *state) decide(id ProposalID) error {
	c, err := s.proposalTable.get(s.reader, id)
	if err != nil || c.value.ended() || c.value.Due <= s.time {
		return err // what is due is handled as such
	}
	t, err := s.tally(&c.value)
	if err != nil {
		return err
	}
	need := s.params.threshold(c.value.Actions)
	switch waiting := c.value.Status == ProposalWaiting; {
	case waiting && need.reached(t.veto, t.active):
		return s.end(c, ProposalVetoed, Applied, 0)
	case waiting:
		return nil
	case need.reached(t.yes, t.active):
		return s.pass(c)
	case !need.reached(t.active-t.no, t.active):
		return s.end(c, ProposalRejected, Applied, 0)
	}
	return nil
}

// pass is what becomes of a proposal with enough votes. The least delay is kept by
// what was proposed before it was set too: or else one could be kept in store,
// open, to take effect without one.
func (s *state) pass(c *cell[ProposalID, Proposal]) error {
	if err := s.unscheduleProposal(c); err != nil {
		return err
	}
	delay := max(c.value.Delay, s.params.MinProposalDelay)
	if delay == 0 {
		return s.execute(c)
	}
	p := c.value
	p.Status, p.Due = ProposalWaiting, s.time+UnixTime(delay)
	s.proposalTable.set(c, p)
	s.emit(Event{Type: EventProposalPassed, Number: uint64(c.id), Until: p.Due})
	return s.schedule(p.dueID(c.id))
}

// execute does what a proposal says, all of it or nothing. It is not scheduled
// any more.
func (s *state) execute(c *cell[ProposalID, Proposal]) error {
	before := s.save()
	code, failed, err := s.perform(c.value.Actions)
	if err != nil {
		return err
	}
	if code != Applied {
		s.restore(before)
		return s.ended(c, ProposalFailed, code, failed)
	}
	return s.ended(c, ProposalExecuted, Applied, 0)
}

// perform does the actions up to the first that does not apply.
func (s *state) perform(actions ActionList) (code Code, failed int, err error) {
	for i, a := range actions {
		if code, err := a.perform(s); code != Applied || err != nil {
			return code, i, err
		}
	}
	return Applied, 0, nil
}

// rehearse says whether the actions would apply now, and leaves no trace.
func (s *state) rehearse(actions ActionList) (code Code, failed int, err error) {
	before := s.save()
	code, failed, err = s.perform(actions)
	s.restore(before)
	return code, failed, err
}

// proposalDue is what becomes of a proposal by time alone.
func (s *state) proposalDue(id string) error {
	if len(id) != 8 {
		return fmt.Errorf("state is corrupt: proposal number %x is due", id)
	}
	c, err := s.proposalTable.get(s.reader, ProposalID(binary.BigEndian.Uint64([]byte(id))))
	if err != nil {
		return err
	}
	switch c.value.Status {
	case ProposalOpen:
		return s.ended(c, ProposalExpired, Applied, 0)
	case ProposalWaiting:
		if err := s.execute(c); err != nil {
			return err
		}
		return s.decideAll(c.id)
	}
	return fmt.Errorf("state is corrupt: proposal %d is due and is %s", c.id, c.value.Status)
}
