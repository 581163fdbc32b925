package ledger

import (
	"bytes"
	"slices"

	"github.com/tallystick/tallystick/crypto"
)

// ValidatorUpdate tells CometBFT the voting power of a consensus key from two
// blocks on. 0 removes it.
type ValidatorUpdate struct {
	Key   ConsensusKey
	Power uint64
}

// aim is where a member's power moves to.
func (m *Member) aim() uint64 {
	if m.Status != MemberActive || !m.Roles.Has(RoleValidator) {
		return 0
	}
	return m.Target
}

// allMembers finds the members of all statuses, ascending.
func (s *state) allMembers() ([]*cell[crypto.Address, Member], error) {
	list, err := s.memberListTable.get(s.reader, single{})
	if err != nil {
		return nil, err
	}
	cells := make([]*cell[crypto.Address, Member], len(list.value.members))
	for i, a := range list.value.members {
		if cells[i], err = s.member(a); err != nil {
			return nil, err
		}
	}
	return cells, nil
}

// membersChanged notes that other votes may count now, and power moves.
func (s *state) membersChanged() error {
	s.again = true
	return s.powerMoves()
}

// powerMoves notes that some member's power may not be where it belongs.
func (s *state) powerMoves() error { return s.setMoving(true) }

func (s *state) setMoving(moving bool) error {
	c, err := s.memberListTable.get(s.reader, single{})
	if err != nil || c.value.moving == moving {
		return err
	}
	s.memberListTable.set(c, memberList{moving, c.value.members})
	return nil
}

// leastTotal is the least sum of powers of which less than a third is not
// nothing: below it no power could ever move again.
const leastTotal = 4

// movePower moves the members' powers towards where they belong, at the end of
// a block. The sum of all changes of one block stays below a third of the whole,
// so that who follows the chain by its signatures alone can follow the change.
// Powers rise before any falls: so the whole never shrinks below what all aim
// at, of which some is a founding power at least. Who stands first, by address,
// moves first; a few blocks settle all.
func (s *state) movePower() error {
	list, err := s.memberListTable.get(s.reader, single{})
	if err != nil || !list.value.moving {
		return err
	}
	members, err := s.allMembers()
	if err != nil {
		return err
	}
	var total uint64
	for _, m := range members {
		total += m.value.Power
	}
	left := (total - 1) / 3 // there is always power, so total is above 0
	for _, c := range members {
		if m := &c.value; m.Power < m.aim() {
			step := min(left, m.aim()-m.Power)
			left -= step
			s.givePower(c, m.Power+step)
		}
	}
	settled := true
	for _, c := range members {
		if m := &c.value; m.Power > m.aim() {
			step := min(left, m.Power-m.aim())
			left -= step
			s.givePower(c, m.Power-step)
		}
		settled = settled && c.value.Power == c.value.aim()
	}
	return s.setMoving(!settled)
}

// givePower sets the power that a member has now.
func (s *state) givePower(c *cell[crypto.Address, Member], power uint64) {
	if c.value.Power == power {
		return
	}
	m := c.value
	m.Power = power
	s.memberTable.set(c, m)
	s.emit(Event{Type: EventPowerMoved, Other: c.id, Number: power})
}

// punish takes the power of the members whose consensus keys have signed two
// blocks of one height, at once and whatever the limit is, and with it their
// target. The last power stays: a chain without validators would end. The member
// may be given power again by a vote.
func (s *state) punish(evidence []ConsensusAddress) error {
	for _, a := range evidence {
		owner, err := s.keyOwner(a)
		if err != nil {
			return err
		}
		if !owner.present {
			continue // a network without members
		}
		if err := s.disempower(owner.value, a); err != nil {
			return err
		}
	}
	return nil
}

// disempower counts as the power of the others what they have and keep: it must
// carry the chain until more has moved in.
func (s *state) disempower(member crypto.Address, key ConsensusAddress) error {
	members, err := s.allMembers()
	if err != nil {
		return err
	}
	var others uint64
	for _, c := range members {
		if c.id != member {
			others += min(c.value.Power, c.value.aim())
		}
	}
	c, err := s.member(member)
	if err != nil || others < leastTotal || c.value.Power == 0 && c.value.Target == 0 {
		return err
	}
	m := c.value
	m.Power, m.Target = 0, 0
	s.memberTable.set(c, m)
	s.emit(Event{Type: EventValidatorPunished, Other: member, Reference: key.String()})
	return nil
}

// validatorUpdates is how the powers of consensus keys differ from before the
// block: keys that lost theirs first, each in the order of the keys. No key is
// ever two members', so none stands there twice.
func (s *state) validatorUpdates() ([]ValidatorUpdate, error) {
	var updates []ValidatorUpdate
	for _, c := range s.memberTable.dirty {
		var before Member
		if c.committed != nil {
			var err error
			if before, err = DecodeMember(c.committed); err != nil {
				return nil, err
			}
		}
		after := c.value
		if before.Key == after.Key && before.Power == after.Power {
			continue
		}
		if before.Power > 0 && (before.Key != after.Key || after.Power == 0) {
			updates = append(updates, ValidatorUpdate{before.Key, 0})
		}
		if after.Power > 0 {
			updates = append(updates, ValidatorUpdate{after.Key, after.Power})
		}
	}
	slices.SortFunc(updates, func(a, b ValidatorUpdate) int {
		if (a.Power == 0) != (b.Power == 0) {
			if a.Power == 0 {
				return -1
			}
			return 1
		}
		return bytes.Compare(a.Key[:], b.Key[:])
	})
	return updates, nil
}
