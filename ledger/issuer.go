package ledger

import "github.com/tallystick/tallystick/crypto"

// mayIssue: the account may be an asset's issuer. Where accounts must be
// admitted and there are members, that takes an active member with the role;
// otherwise anybody may.
func (s *state) mayIssue(account crypto.Address) (Code, error) {
	if s.params.AccountPolicy != PolicyAdmitted {
		return Applied, nil
	}
	list, err := s.memberListTable.get(s.reader, single{})
	if err != nil {
		return 0, err
	}
	if len(list.value.members) == 0 {
		return Applied, nil // a network whose validators are fixed
	}
	c, err := s.account(account)
	if err != nil {
		return 0, err
	}
	if c.value.Member.IsZero() {
		return CodeNotIssuerMember, nil
	}
	m, err := s.member(c.value.Member)
	if err != nil {
		return 0, err
	}
	if m.value.Status != MemberActive || !m.value.Roles.Has(RoleIssuer) {
		return CodeNotIssuerMember, nil
	}
	return Applied, nil
}
