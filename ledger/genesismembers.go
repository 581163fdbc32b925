package ledger

import (
	"fmt"
	"slices"

	"github.com/tallystick/tallystick/crypto"
)

// members makes the founding members, and judges who answers for the accounts.
func (b *genesisBuilder) members() error {
	var list memberList
	names := map[string]bool{}
	for i := range b.g.Members {
		m := &b.g.Members[i]
		if err := b.member(m); err != nil {
			return fmt.Errorf("members[%d] (%q): %w", i, m.Name, err)
		}
		if names[m.Name] {
			return fmt.Errorf("members[%d].name: %q is listed twice", i, m.Name)
		}
		names[m.Name] = true
		list.members = append(list.members, m.Admin)
	}
	if len(list.members) > MaxMembers {
		return fmt.Errorf("members: %d, at most %d", len(list.members), MaxMembers)
	}
	for i, a := range b.g.Accounts {
		if !a.Member.IsZero() && !slices.Contains(list.members, a.Member) {
			return fmt.Errorf("accounts[%d].member: %s is no member's admin account", i, a.Member)
		}
		if !a.Member.IsZero() {
			b.s.emit(Event{Type: EventAccountAdmitted, Account: a.Address, Other: a.Member})
		}
	}
	if len(list.members) == 0 {
		return nil // a network whose validators are fixed, for tests
	}
	if !slices.ContainsFunc(b.g.Members, func(m GenesisMember) bool { return m.Power > 0 }) {
		return fmt.Errorf("members: none has voting power")
	}
	slices.SortFunc(list.members, crypto.Address.Compare)
	c, err := b.s.memberListTable.get(b.s.reader, single{})
	if err == nil {
		b.s.memberListTable.set(c, list)
	}
	return err
}

func (b *genesisBuilder) member(m *GenesisMember) error {
	record, err := m.record()
	if err != nil {
		return err
	}
	admin, err := b.s.account(m.Admin)
	if err != nil {
		return err
	}
	if !admin.present || admin.value.Member != m.Admin {
		return fmt.Errorf("admin: %s is not among the accounts with itself as member", m.Admin)
	}
	c, err := b.s.member(m.Admin)
	if err != nil {
		return err
	}
	if c.present {
		return fmt.Errorf("admin: %s is two members' admin account", m.Admin)
	}
	b.s.memberTable.set(c, record)
	b.s.emit(memberAdmitted(m.Admin, &record))
	if record.Key.IsZero() {
		return nil
	}
	owner, err := b.s.keyOwner(record.Key.Address())
	if err != nil {
		return err
	}
	if owner.present {
		return fmt.Errorf("consensusKey: %s is listed twice", record.Key)
	}
	b.s.keyOwnerTable.set(owner, m.Admin)
	return nil
}

// Check reports the first field that is wrong by itself, as Build would: the
// rest of the genesis is not needed.
func (m *GenesisMember) Check() error {
	_, err := m.record()
	return err
}

// record is the member's record at height 0.
func (m *GenesisMember) record() (Member, error) {
	roles, err := ParseRoles(m.Roles)
	if err != nil {
		return Member{}, fmt.Errorf("roles: %w", err)
	}
	record := Member{Name: m.Name, Status: MemberActive, Roles: roles, Key: m.ConsensusKey, Power: m.Power, Target: m.Power, Nodes: m.NodeIDs}
	if field, problem := record.wrong(MinFoundingPower); problem != "" {
		return Member{}, fmt.Errorf("%s: %s", field, problem)
	}
	return record, nil
}

// wrong says which field of a new member is not valid by itself, and why.
func (m *Member) wrong(leastPower uint64) (field, problem string) {
	power := max(m.Power, m.Target)
	switch {
	case len(m.Name) > MaxNameBytes || !validName(m.Name):
		return "name", fmt.Sprintf("must be 1 to %d bytes of text", MaxNameBytes)
	case !validNodes(m.Nodes):
		return "nodeIds", fmt.Sprintf("must ascend, each once, and be at most %d", MaxNodes)
	case power > 0 && !m.Roles.Has(RoleValidator):
		return "power", "must be 0 without the role validator"
	case power > 0 && m.Key.IsZero():
		return "consensusKey", "must be given for a validator"
	case power > 0 && len(m.Nodes) == 0:
		return "nodeIds", "must list a node for a member with power: nobody lets in a node that no member lists"
	case power > MaxPower || power > 0 && power < leastPower:
		return "power", fmt.Sprintf("must be 0 or from %d to %d", leastPower, uint64(MaxPower))
	}
	return "", ""
}
