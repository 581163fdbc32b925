package ledgertest

import (
	"encoding/binary"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/rlp"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// governBook is what events alone tell of members, proposals, parameters and
// upgrades. With it the whole of their records must come out.
type governBook struct {
	now       ledger.UnixTime // of the block whose events are entered; 0 is genesis
	params    ledger.Params
	members   map[crypto.Address]*ledger.Member
	owners    map[ledger.ConsensusAddress]crypto.Address
	powers    map[crypto.Address]uint64 // told after the transactions that may have made the member
	proposals map[ledger.ProposalID]*ledger.Proposal
	upgrade   *ledger.Upgrade
	protocol  uint64
}

func newGovernBook() *governBook {
	return &governBook{
		members: map[crypto.Address]*ledger.Member{}, owners: map[ledger.ConsensusAddress]crypto.Address{},
		powers: map[crypto.Address]uint64{}, proposals: map[ledger.ProposalID]*ledger.Proposal{}, protocol: 1,
	}
}

// enter enters an event and reports whether it was one of governance alone.
func (b *governBook) enter(t testing.TB, e *ledger.Event) bool {
	t.Helper()
	m := b.members[e.Other]
	switch e.Type {
	case ledger.EventMemberAdmitted:
		b.admit(t, e)
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
	case ledger.EventValidatorKeyChanged:
		b.own(t, e.Other, e.Keys)
		m.RotatedAt = b.now
	case ledger.EventNodesChanged:
		m.Nodes = parseNodes(t, e.Nodes)
	case ledger.EventValidatorPunished:
		m.Target, b.powers[e.Other] = 0, 0
	case ledger.EventPowerMoved:
		b.powers[e.Other] = e.Number
	default:
		return b.enterProposal(t, e)
	}
	return true
}

func (b *governBook) admit(t testing.TB, e *ledger.Event) {
	t.Helper()
	if b.members[e.Other] != nil {
		t.Fatalf("member %s is admitted twice", e.Other)
	}
	b.members[e.Other] = &ledger.Member{
		Name: e.Name, Status: ledger.MemberActive, Roles: ledger.Roles(e.Flags), Target: e.Number, Nodes: parseNodes(t, e.Nodes),
	}
	if b.now == 0 {
		b.powers[e.Other] = e.Number // a founder has its power from the start
	}
	if e.Keys != "" {
		b.own(t, e.Other, e.Keys)
	}
}

// own gives a member a consensus key that nobody had.
func (b *governBook) own(t testing.TB, member crypto.Address, text string) {
	t.Helper()
	var k ledger.ConsensusKey
	if err := k.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if _, used := b.owners[k.Address()]; used {
		t.Fatalf("consensus key %s is used twice", k)
	}
	b.owners[k.Address()] = member
	b.members[member].Key = k
}

func parseNodes(t testing.TB, text string) []ledger.NodeID {
	t.Helper()
	nodes, ok := ledger.ParseNodes(text)
	if !ok {
		t.Fatalf("node IDs %q", text)
	}
	return nodes
}

func (b *governBook) enterProposal(t testing.TB, e *ledger.Event) bool {
	t.Helper()
	p := b.proposals[ledger.ProposalID(e.Number)]
	switch e.Type {
	case ledger.EventProposalCreated:
		actions, err := ledger.ParseActions(e.Reference)
		if err != nil || p != nil {
			t.Fatalf("proposal %d is told twice, or wrongly: %v", e.Number, err)
		}
		b.proposals[ledger.ProposalID(e.Number)] = &ledger.Proposal{
			Proposer: e.Other, Actions: actions, Status: ledger.ProposalOpen, Created: b.now, Due: e.Until, Delay: uint64(e.Flags),
		}
	case ledger.EventVoteCast:
		p.Votes = append(p.Votes, ledger.Vote{Member: e.Other, Choice: ledger.Choice(e.Decimals)})
	case ledger.EventProposalPassed:
		p.Status, p.Due = ledger.ProposalWaiting, e.Until
	case ledger.EventProposalEnded:
		for s := ledger.ProposalExecuted; s <= ledger.ProposalWithdrawn; s++ {
			if s.String() == e.Name {
				p.Status = s
			}
		}
		p.Due, p.Code, p.Failed = b.now, ledger.Code(e.Flags), uint64(e.Until)
	default:
		return b.enterNetwork(t, e)
	}
	return true
}

func (b *governBook) enterNetwork(t testing.TB, e *ledger.Event) bool {
	t.Helper()
	switch e.Type {
	case ledger.EventParameterChanged:
		setParameter(t, &b.params, e.Name, e.Number)
	case ledger.EventThresholdChanged:
		kind, ok := ledger.ParseActionKind(e.Name)
		if !ok {
			t.Fatalf("threshold of %q", e.Name)
		}
		b.params.Thresholds[kind-1] = ledger.Threshold{Numerator: e.Number, Denominator: uint64(e.Until)}
	case ledger.EventUpgradeScheduled:
		b.upgrade = &ledger.Upgrade{Version: e.Number, Height: ledger.Height(e.Until), Name: e.Name}
	case ledger.EventUpgradeCancelled:
		b.upgrade = nil
	case ledger.EventUpgradeApplied:
		b.protocol, b.upgrade = e.Number, nil
	case ledger.EventResolution:
	default:
		return false
	}
	return true
}

func setParameter(t testing.TB, p *ledger.Params, name string, value uint64) {
	t.Helper()
	switch name {
	case "accountPolicy":
		p.AccountPolicy = ledger.AccountPolicy(value)
	case "maxNewAccounts":
		p.MaxNewAccounts = value
	case "maxMultiPartyLifetime":
		p.MaxMultiPartyLifetime = value
	case "maxBlockSignatures":
		p.MaxBlockSignatures = value
	case "maxBlockLegs":
		p.MaxBlockLegs = value
	case "maxBlockBytes":
		p.MaxBlockBytes = value
	case "minProposalDelay":
		p.MinProposalDelay = value
	case "keyRotationCooldown":
		p.KeyRotationCooldown = value
	default:
		t.Fatalf("parameter %q", name)
	}
}

// checkGovernance compares the state with the book.
func (c *Chain) checkGovernance(t testing.TB) {
	t.Helper()
	b := c.book.govern
	c.checkMembers(t, b)
	c.checkProposals(t, b)
	if params, err := ledger.ReadParams(c.State); err != nil || params != b.params {
		t.Fatalf("the parameters are %+v (%v), the events make %+v", params, err, b.params)
	}
	upgrade, scheduled, err := ledger.ReadUpgrade(c.State)
	if err != nil || scheduled != (b.upgrade != nil) || scheduled && upgrade != *b.upgrade {
		t.Fatalf("the upgrade is %+v (%v), the events make %+v", upgrade, err, b.upgrade)
	}
	if protocol, err := ledger.ReadProtocol(c.State); err != nil || protocol != b.protocol {
		t.Fatalf("the protocol is %d (%v), the events make %d", protocol, err, b.protocol)
	}
}

func (c *Chain) checkMembers(t testing.TB, b *governBook) {
	t.Helper()
	open := map[crypto.Address]uint64{}
	for _, p := range b.proposals {
		if p.Status <= ledger.ProposalWaiting {
			open[p.Proposer]++
		}
	}
	entries := c.State.Under("member/")
	if len(entries) != len(b.members) {
		t.Fatalf("the state has %d members, the events made %d", len(entries), len(b.members))
	}
	moving := uint64(0)
	for _, e := range entries {
		address := crypto.Address([]byte(e.Key))
		got, err := ledger.DecodeMember(e.Value)
		if err != nil || b.members[address] == nil {
			t.Fatalf("member %s has no source (error %v)", address, err)
		}
		told := *b.members[address]
		told.Power, told.Open = b.powers[address], open[address]
		if !reflect.DeepEqual(got, told) {
			t.Fatalf("member %s is %+v, the events make %+v", address, got, told)
		}
		if got.Power != aimOf(&got) {
			moving = 1
		}
		if len(got.Nodes) == 0 && (got.Power > 0 || got.Target > 0) {
			t.Fatalf("member %s has power and no node: %+v", address, got)
		}
	}
	c.checkMemberList(t, b, moving)
	owners := c.State.Under("validator/")
	if len(owners) != len(b.owners) {
		t.Fatalf("the state has %d consensus keys, the events made %d", len(owners), len(b.owners))
	}
	for _, e := range owners {
		if owner, ok := b.owners[ledger.ConsensusAddress([]byte(e.Key))]; !ok || owner != crypto.Address(e.Value) {
			t.Fatalf("consensus address %x is that of %x, the events make it %s", e.Key, e.Value, owner)
		}
	}
}

// aimOf is where a member's power belongs.
func aimOf(m *ledger.Member) uint64 {
	if m.Status == ledger.MemberActive && m.Roles.Has(ledger.RoleValidator) {
		return m.Target
	}
	return 0
}

// checkMemberList: the list names the members, and says whether power moves.
func (c *Chain) checkMemberList(t testing.TB, b *governBook, moving uint64) {
	t.Helper()
	value, _ := c.State.Get([]byte(ledger.KeyMembers))
	if len(b.members) == 0 {
		if value != nil {
			t.Fatalf("a list of members without members: %x", value)
		}
		return
	}
	var list struct {
		Moving  uint64
		Members []crypto.Address
	}
	if err := rlp.DecodeBytes(value, &list); err != nil {
		t.Fatal(err)
	}
	want := slices.SortedFunc(maps.Keys(b.members), crypto.Address.Compare)
	if !slices.Equal(list.Members, want) || list.Moving < moving {
		t.Fatalf("the list of members is %+v, the events make %v, moving %d", list, want, moving)
	}
}

// checkProposals: each record is what was told, the open ones are listed, and
// each of those is due once.
func (c *Chain) checkProposals(t testing.TB, b *governBook) {
	t.Helper()
	entries := c.State.Under("proposal/")
	if last, err := ledger.ReadLastProposal(c.State); err != nil || len(entries) != len(b.proposals) || int(last) != len(entries) {
		t.Fatalf("the state has %d proposals, the last is %d (%v), the events made %d", len(entries), last, err, len(b.proposals))
	}
	var open []uint64
	due := map[string]bool{}
	for _, e := range entries {
		id := ledger.ProposalID(binary.BigEndian.Uint64([]byte(e.Key)))
		got, err := ledger.DecodeProposal(e.Value)
		if err != nil || !reflect.DeepEqual(&got, b.proposals[id]) {
			t.Fatalf("proposal %d is %+v (%v), the events make %+v", id, got, err, b.proposals[id])
		}
		if got.Status <= ledger.ProposalWaiting {
			open = append(open, uint64(id))
			due[string(binary.BigEndian.AppendUint64(nil, uint64(got.Due)))+"\x02"+e.Key] = true
		}
	}
	for _, e := range c.State.Under("due/") {
		if e.Key[8] == 2 && !due[e.Key] {
			t.Fatalf("%x is due, and is no open proposal", e.Key)
		}
		delete(due, e.Key)
	}
	if len(due) > 0 {
		t.Fatalf("open proposals that never fall due: %q", slices.Collect(maps.Keys(due)))
	}
	var list struct {
		Last uint64
		Open []uint64
	}
	if value, _ := c.State.Get([]byte(ledger.KeyProposals)); value != nil {
		if err := rlp.DecodeBytes(value, &list); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(list.Open, open) {
		t.Fatalf("the open proposals are %v, the list says %v", open, list.Open)
	}
}
