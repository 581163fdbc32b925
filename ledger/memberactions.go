package ledger

import (
	"slices"

	"github.com/tallystick/tallystick/crypto"
)

// AdmitMemberAction makes an organisation a member. Its admin account is made
// where there is none.
type AdmitMemberAction struct {
	Admin        crypto.Address `json:"admin"`
	Name         string         `json:"name"` // 1..MaxNameBytes of text, unique among members
	Roles        RoleNames      `json:"roles"`
	ConsensusKey ConsensusKey   `json:"consensusKey"` // empty for none
	Power        uint64         `json:"power"`        // 0, or from MinFoundingPower on
	NodeIDs      NodeIDs        `json:"nodeIds"`      // ascending, at most MaxNodes; at least one for a member with power
}

// SuspendMemberAction takes a member's vote, power and accounts' rights until
// it is reinstated.
type SuspendMemberAction struct {
	Member crypto.Address `json:"member"`
}

// ReinstateMemberAction ends a suspension. Its power comes back.
type ReinstateMemberAction struct {
	Member crypto.Address `json:"member"`
}

// RemoveMemberAction ends a membership for ever.
type RemoveMemberAction struct {
	Member crypto.Address `json:"member"`
}

// SetRolesAction gives a member these roles and no others. Without the role
// validator its power goes.
type SetRolesAction struct {
	Member crypto.Address `json:"member"`
	Roles  RoleNames      `json:"roles"`
}

// SetPowerAction sets where the power of a member's validator moves to.
type SetPowerAction struct {
	Member crypto.Address `json:"member"`
	Power  uint64         `json:"power"` // 0, or from MinFoundingPower on
}

var (
	admitMemberSpec = actionSpec{
		kind: ActionAdmitMember, name: "admitMember", form: all("admin", "name", "roles", "consensusKey", "power", "nodeIds"),
		fields: "address admin,string name,uint8 roles,bytes32 consensusKey,uint64 power,bytes20[] nodeIds",
		empty:  func() Action { return new(AdmitMemberAction) },
		decode: func(d *decoder) Action {
			a := &AdmitMemberAction{Admin: d.address(), Name: string(d.bytes()), Roles: RoleNames(d.uintUpTo(uint64(allRoles)))}
			d.optional(a.ConsensusKey[:])
			a.Power, a.NodeIDs = d.uint(), d.nodes()
			return a
		},
	}
	suspendMemberSpec   = memberActionSpec(ActionSuspendMember, "suspendMember", func(m crypto.Address) Action { return &SuspendMemberAction{m} })
	reinstateMemberSpec = memberActionSpec(ActionReinstateMember, "reinstateMember", func(m crypto.Address) Action { return &ReinstateMemberAction{m} })
	removeMemberSpec    = memberActionSpec(ActionRemoveMember, "removeMember", func(m crypto.Address) Action { return &RemoveMemberAction{m} })
	setRolesSpec        = actionSpec{
		kind: ActionSetRoles, name: "setRoles", form: all("member", "roles"),
		fields: "address member,uint8 roles",
		empty:  func() Action { return new(SetRolesAction) },
		decode: func(d *decoder) Action {
			return &SetRolesAction{Member: d.address(), Roles: RoleNames(d.uintUpTo(uint64(allRoles)))}
		},
	}
	setPowerSpec = actionSpec{
		kind: ActionSetPower, name: "setPower", form: all("member", "power"),
		fields: "address member,uint64 power",
		empty:  func() Action { return new(SetPowerAction) },
		decode: func(d *decoder) Action { return &SetPowerAction{Member: d.address(), Power: d.uint()} },
	}
)

// memberActionSpec is the spec of an action that names a member and no more.
func memberActionSpec(kind ActionKind, name string, make func(crypto.Address) Action) actionSpec {
	return actionSpec{
		kind: kind, name: name, form: all("member"), fields: "address member",
		empty:  func() Action { return make(crypto.Address{}) },
		decode: func(d *decoder) Action { return make(d.address()) },
	}
}

// ActionKind implements Action.
func (*AdmitMemberAction) ActionKind() ActionKind { return ActionAdmitMember }

// ActionKind implements Action.
func (*SuspendMemberAction) ActionKind() ActionKind { return ActionSuspendMember }

// ActionKind implements Action.
func (*ReinstateMemberAction) ActionKind() ActionKind { return ActionReinstateMember }

// ActionKind implements Action.
func (*RemoveMemberAction) ActionKind() ActionKind { return ActionRemoveMember }

// ActionKind implements Action.
func (*SetRolesAction) ActionKind() ActionKind { return ActionSetRoles }

// ActionKind implements Action.
func (*SetPowerAction) ActionKind() ActionKind { return ActionSetPower }

func (a *AdmitMemberAction) check() Code {
	if len(a.Name) > MaxNameBytes || len(a.NodeIDs) > MaxNodes {
		return CodeLimitExceeded
	}
	record := a.record()
	if field, _ := record.wrong(MinFoundingPower); field != "" || a.Admin.IsZero() || !validRoles(a.Roles) {
		return CodeInvalidField
	}
	return Applied
}

// record is the member as it begins: its power still has to come.
func (a *AdmitMemberAction) record() Member {
	return Member{Name: a.Name, Status: MemberActive, Roles: Roles(a.Roles), Key: a.ConsensusKey, Target: a.Power, Nodes: a.NodeIDs}
}

func (a *SuspendMemberAction) check() Code   { return checkAsset(a.Member) }
func (a *ReinstateMemberAction) check() Code { return checkAsset(a.Member) }
func (a *RemoveMemberAction) check() Code    { return checkAsset(a.Member) }

func (a *SetRolesAction) check() Code {
	if a.Member.IsZero() || !validRoles(a.Roles) {
		return CodeInvalidField
	}
	return Applied
}

func validRoles(roles RoleNames) bool { return allRoles.Has(Roles(roles)) }

func (a *SetPowerAction) check() Code {
	if a.Member.IsZero() || !validPower(a.Power) {
		return CodeInvalidField
	}
	return Applied
}

// validPower reports whether a validator may be given a power: 0 ends it.
func validPower(power uint64) bool {
	return power == 0 || power >= MinFoundingPower && power <= MaxPower
}

func (a *AdmitMemberAction) encode(w *encoder) {
	l := w.list()
	w.address(a.Admin)
	w.string(a.Name)
	w.uint(uint64(a.Roles))
	w.optional(a.ConsensusKey[:])
	w.uint(a.Power)
	w.nodes(a.NodeIDs)
	w.end(l)
}

func (a *SuspendMemberAction) encode(w *encoder)   { encodeAsset(w, a.Member) }
func (a *ReinstateMemberAction) encode(w *encoder) { encodeAsset(w, a.Member) }
func (a *RemoveMemberAction) encode(w *encoder)    { encodeAsset(w, a.Member) }
func (a *SetRolesAction) encode(w *encoder)        { encodeAddressAndNumber(w, a.Member, uint64(a.Roles)) }
func (a *SetPowerAction) encode(w *encoder)        { encodeAddressAndNumber(w, a.Member, a.Power) }

func encodeAddressAndNumber(w *encoder, address crypto.Address, number uint64) {
	l := w.list()
	w.address(address)
	w.uint(number)
	w.end(l)
}

func (a *AdmitMemberAction) typed(m *message) {
	m.address("admin", a.Admin)
	m.string("name", a.Name)
	m.small("roles", "uint8", uint32(a.Roles))
	m.bytes32("consensusKey", a.ConsensusKey)
	m.uint64("power", a.Power)
	m.nodeIDs("nodeIds", a.NodeIDs)
}

func (a *SuspendMemberAction) typed(m *message)   { m.address("member", a.Member) }
func (a *ReinstateMemberAction) typed(m *message) { m.address("member", a.Member) }
func (a *RemoveMemberAction) typed(m *message)    { m.address("member", a.Member) }

func (a *SetRolesAction) typed(m *message) {
	m.address("member", a.Member)
	m.small("roles", "uint8", uint32(a.Roles))
}

func (a *SetPowerAction) typed(m *message) {
	m.address("member", a.Member)
	m.uint64("power", a.Power)
}

// perform of admitMember checks the number of members, the admin account, the
// name and the consensus key, in this order.
func (a *AdmitMemberAction) perform(s *state) (Code, error) {
	list, err := s.memberListTable.get(s.reader, single{})
	if err != nil {
		return 0, err
	}
	if len(list.value.members) >= MaxMembers {
		return CodeTooManyMembers, nil
	}
	known, err := s.member(a.Admin)
	if err != nil {
		return 0, err
	}
	if known.present {
		return CodeMemberExists, nil
	}
	if code, err := s.takeAdmin(a.Admin); code != Applied || err != nil {
		return code, err
	}
	if taken, err := s.nameTaken(list.value.members, a.Name); taken || err != nil {
		return CodeMemberNameTaken, err
	}
	record := a.record()
	if !record.Key.IsZero() {
		if code, err := s.takeKey(record.Key, a.Admin); code != Applied || err != nil {
			return code, err
		}
	}
	s.memberTable.set(known, record)
	members := slices.Concat(list.value.members, []crypto.Address{a.Admin})
	slices.SortFunc(members, crypto.Address.Compare)
	s.memberListTable.set(list, memberList{list.value.moving, members})
	s.emit(memberAdmitted(a.Admin, &record))
	s.emit(Event{Type: EventAccountAdmitted, Account: a.Admin, Other: a.Admin})
	return Applied, s.membersChanged()
}

// takeAdmin makes the account at admin the admin account of a new member: one
// that does not exist, or that no member answers for.
func (s *state) takeAdmin(admin crypto.Address) (Code, error) {
	account, err := s.account(admin)
	if err != nil {
		return 0, err
	}
	asset, err := s.asset(admin)
	if err != nil {
		return 0, err
	}
	record := account.value
	switch {
	case asset.present, account.present && (record.Status != StatusActive || !record.Member.IsZero()):
		return CodeAdminUnfit, nil
	case !account.present:
		record = Account{Status: StatusActive}
		s.emit(Event{Type: EventAccountCreated, Account: admin})
	}
	record.Member = admin
	s.accountTable.set(account, record)
	return Applied, nil
}

// nameTaken reports whether a member that is not removed has the name.
func (s *state) nameTaken(members []crypto.Address, name string) (bool, error) {
	for _, m := range members {
		c, err := s.member(m)
		if err != nil {
			return false, err
		}
		if c.value.Name == name && c.value.Status != MemberRemoved {
			return true, nil
		}
	}
	return false, nil
}

// takeKey notes that member has a consensus key, which nobody had before.
func (s *state) takeKey(key ConsensusKey, member crypto.Address) (Code, error) {
	owner, err := s.keyOwner(key.Address())
	if err != nil {
		return 0, err
	}
	if owner.present {
		return CodeKeyUsed, nil
	}
	s.keyOwnerTable.set(owner, member)
	return Applied, nil
}

// perform of suspendMember checks the member, its status, the last active
// member and the last validator, in this order.
func (a *SuspendMemberAction) perform(s *state) (Code, error) {
	return s.setMemberStatus(a.Member, MemberSuspended, EventMemberSuspended, MemberActive)
}

// perform of reinstateMember checks the member, its status, and that it lists a
// node if its power comes back, in this order.
func (a *ReinstateMemberAction) perform(s *state) (Code, error) {
	return s.setMemberStatus(a.Member, MemberActive, EventMemberReinstated, MemberSuspended)
}

// perform of removeMember checks what suspendMember checks.
func (a *RemoveMemberAction) perform(s *state) (Code, error) {
	return s.setMemberStatus(a.Member, MemberRemoved, EventMemberRemoved, MemberActive, MemberSuspended)
}

func (s *state) setMemberStatus(member crypto.Address, to MemberStatus, event EventType, from ...MemberStatus) (Code, error) {
	c, code, err := s.knownMember(member)
	if code != Applied || err != nil {
		return code, err
	}
	if !slices.Contains(from, c.value.Status) {
		return CodeMemberStatus, nil
	}
	changed := c.value
	changed.Status = to
	if changed.aim() > 0 && len(changed.Nodes) == 0 {
		return CodeNoNodes, nil // of a state from before the nodes of validators were required
	}
	if to == MemberRemoved {
		changed.Target = 0 // its nodes stay on record: until its power has gone the chain needs them
	}
	s.memberTable.set(c, changed)
	if code, err := s.membersRemain(); code != Applied || err != nil {
		return code, err
	}
	s.emit(Event{Type: event, Other: member})
	return Applied, s.membersChanged()
}

// knownMember finds a member of any status.
func (s *state) knownMember(member crypto.Address) (*cell[crypto.Address, Member], Code, error) {
	c, err := s.member(member)
	if err != nil {
		return nil, 0, err
	}
	if !c.present {
		return nil, CodeUnknownMember, nil
	}
	return c, Applied, nil
}

// membersRemain refuses a state without an active member, or without one whose
// validator keeps power.
func (s *state) membersRemain() (Code, error) {
	members, err := s.allMembers()
	if err != nil {
		return 0, err
	}
	active, validators := 0, 0
	for _, m := range members {
		if m.value.Status == MemberActive {
			active++
		}
		if m.value.aim() > 0 {
			validators++
		}
	}
	switch {
	case active == 0:
		return CodeLastMember, nil
	case validators == 0:
		return CodeLastValidator, nil
	}
	return Applied, nil
}

// perform of setRoles checks the member, that it is not removed, that there is a
// change, and the last validator, in this order.
func (a *SetRolesAction) perform(s *state) (Code, error) {
	return s.changeMember(a.Member, func(m *Member) Code {
		if m.Roles == Roles(a.Roles) {
			return CodeNoChange
		}
		m.Roles = Roles(a.Roles)
		if !m.Roles.Has(RoleValidator) {
			m.Target = 0
		}
		return Applied
	}, Event{Type: EventRolesChanged, Other: a.Member, Flags: uint32(a.Roles)})
}

// perform of setPower checks the member, that it is not removed, its role, its
// consensus key, its nodes if it is to have power, that there is a change, and the
// last validator, in this order.
func (a *SetPowerAction) perform(s *state) (Code, error) {
	return s.changeMember(a.Member, func(m *Member) Code {
		switch {
		case !m.Roles.Has(RoleValidator):
			return CodeMissingRole
		case m.Key.IsZero():
			return CodeNoConsensusKey
		case a.Power > 0 && len(m.Nodes) == 0:
			return CodeNoNodes
		case m.Target == a.Power:
			return CodeNoChange
		}
		m.Target = a.Power
		return Applied
	}, Event{Type: EventPowerChanged, Other: a.Member, Number: a.Power})
}

// changeMember changes a member that is not removed and may change its power.
func (s *state) changeMember(member crypto.Address, change func(*Member) Code, event Event) (Code, error) {
	c, code, err := s.knownMember(member)
	if code != Applied || err != nil {
		return code, err
	}
	if c.value.Status == MemberRemoved {
		return CodeMemberStatus, nil
	}
	changed := c.value
	if code := change(&changed); code != Applied {
		return code, nil
	}
	s.memberTable.set(c, changed)
	if code, err := s.membersRemain(); code != Applied || err != nil {
		return code, err
	}
	s.emit(event)
	return Applied, s.powerMoves()
}
