package ledger

import "github.com/tallystick/tallystick/crypto"

// registrar: the account is that of an active member with the role registrar.
func (s *state) registrar(admin crypto.Address) (Code, error) {
	c, err := s.member(admin)
	switch {
	case err != nil:
		return 0, err
	case !c.present || c.value.Status != MemberActive:
		return CodeNotMember, nil
	case !c.value.Roles.Has(RoleRegistrar):
		return CodeMissingRole, nil
	}
	return Applied, nil
}

// apply of admitAccount checks member, role, asset, and of an account that is
// there whether it is closed and whether its member was removed, and of a new
// one the block's room, in this order.
func (o *AdmitAccount) apply(s *state, b *Body) (Code, error) {
	if code, err := s.registrar(b.Sender); code != Applied || err != nil {
		return code, err
	}
	c, err := s.account(o.Account)
	if err != nil {
		return 0, err
	}
	if c.present {
		if code, err := s.orphaned(&c.value); code != Applied || err != nil {
			return code, err
		}
	} else if code, err := s.admissible(o.Account); code != Applied || err != nil {
		return code, err
	}
	admitted := c.value
	if !c.present {
		admitted.Status = StatusActive
		s.created++
		s.emit(Event{Type: EventAccountCreated, Account: o.Account})
	}
	admitted.Member = b.Sender
	s.accountTable.set(c, admitted)
	s.emit(Event{Type: EventAccountAdmitted, Account: o.Account, Other: b.Sender})
	return Applied, nil
}

// orphaned: the account is not closed, and the member that answered for it was
// removed.
func (s *state) orphaned(a *Account) (Code, error) {
	if a.Status == StatusClosed {
		return CodeAccountClosed, nil
	}
	member, err := s.member(a.Member)
	if err != nil {
		return 0, err
	}
	if a.Member.IsZero() || member.value.Status != MemberRemoved {
		return CodeAccountExists, nil
	}
	return Applied, nil
}

// admissible: an account may be made at an address that has none.
func (s *state) admissible(address crypto.Address) (Code, error) {
	asset, err := s.asset(address)
	switch {
	case err != nil:
		return 0, err
	case asset.present:
		return CodeAccountIsAsset, nil
	case s.created >= s.params.MaxNewAccounts:
		return CodeNewAccountLimit, nil
	}
	return Applied, nil
}

// apply of freezeAccount checks member, role, account, whose it is, whether it
// is the admin account, and status, in this order.
func (o *FreezeAccount) apply(s *state, b *Body) (Code, error) {
	c, code, err := s.registered(o.Account, b.Sender)
	if code != Applied || err != nil {
		return code, err
	}
	return s.freeze(c, StatusFrozen, b.Sender, o.Reference), nil
}

// apply of unfreezeAccount checks as freezeAccount does.
func (o *UnfreezeAccount) apply(s *state, b *Body) (Code, error) {
	c, code, err := s.registered(o.Account, b.Sender)
	if code != Applied || err != nil {
		return code, err
	}
	return s.unfreeze(c, StatusFrozen, b.Sender, o.Reference), nil
}

// apply of closeAccount checks as freezeAccount does, then balances and holds,
// in this order. Who froze the account does not matter: closing it takes
// nothing back.
func (o *CloseAccount) apply(s *state, b *Body) (Code, error) {
	c, code, err := s.registered(o.Account, b.Sender)
	if code != Applied || err != nil {
		return code, err
	}
	closed := c.value
	switch {
	case closed.Status == StatusClosed:
		return CodeAccountClosed, nil
	case closed.Balances > 0:
		return CodeAccountHasBalances, nil
	case closed.Holds > 0:
		return CodeAccountHasHolds, nil
	}
	closed.Status = StatusClosed
	s.accountTable.set(c, closed)
	s.emit(Event{Type: EventAccountClosed, Account: o.Account, Other: b.Sender})
	return Applied, nil
}

// registered finds an account that is the registrar's to freeze and close: one
// of its own member, but not the admin account, without which the member could
// do nothing any more.
func (s *state) registered(account, admin crypto.Address) (*cell[crypto.Address, Account], Code, error) {
	if code, err := s.registrar(admin); code != Applied || err != nil {
		return nil, code, err
	}
	c, err := s.account(account)
	switch {
	case err != nil:
		return nil, 0, err
	case !c.present:
		return nil, CodeUnknownAccount, nil
	case c.value.Member != admin:
		return nil, CodeNotOwnAccount, nil
	case account == admin:
		return nil, CodeAdminAccount, nil
	}
	return c, Applied, nil
}

// freezeByNetwork freezes an account by a vote of the members, whoever answers
// for it. It checks account and status, in this order.
func (s *state) freezeByNetwork(account crypto.Address, reference string) (Code, error) {
	c, err := s.account(account)
	if err != nil {
		return 0, err
	}
	if !c.present {
		return CodeUnknownAccount, nil
	}
	return s.freeze(c, StatusFrozenByNetwork, crypto.Address{}, reference), nil
}

// unfreezeByNetwork takes back freezeByNetwork, and checks as it does.
func (s *state) unfreezeByNetwork(account crypto.Address, reference string) (Code, error) {
	c, err := s.account(account)
	if err != nil {
		return 0, err
	}
	if !c.present {
		return CodeUnknownAccount, nil
	}
	return s.unfreeze(c, StatusFrozenByNetwork, crypto.Address{}, reference), nil
}

// freeze adds the freeze of one of two parties, see AccountStatus.Frozen.
func (s *state) freeze(c *cell[crypto.Address, Account], by AccountStatus, member crypto.Address, reference string) Code {
	frozen, ok := c.value, false
	if frozen.Status == StatusClosed {
		return CodeAccountClosed
	}
	if frozen.Status, ok = frozen.Status.Frozen(by); !ok {
		return CodeAccountFrozen
	}
	s.accountTable.set(c, frozen)
	s.emit(Event{Type: EventAccountFrozen, Account: c.id, Other: member, Reference: reference})
	return Applied
}

// unfreeze takes the freeze of one of the parties away.
func (s *state) unfreeze(c *cell[crypto.Address, Account], by AccountStatus, member crypto.Address, reference string) Code {
	thawed, ok := c.value, false
	if thawed.Status == StatusClosed {
		return CodeAccountClosed
	}
	if thawed.Status, ok = thawed.Status.Unfrozen(by); !ok {
		return CodeAccountNotFrozen
	}
	s.accountTable.set(c, thawed)
	s.emit(Event{Type: EventAccountUnfrozen, Account: c.id, Other: member, Reference: reference})
	return Applied
}
