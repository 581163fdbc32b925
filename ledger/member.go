package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/crypto"
)

// Limits on members.
const (
	MaxMembers = 256 // ever admitted: records of removed members are kept
	MaxNodes   = 16  // node IDs of one member
	// MinFoundingPower is the least power of a validator of genesis: power moves
	// by less than a third of the whole a block, in whole numbers.
	MinFoundingPower = 1_000_000
	// MaxPower bounds the power of one validator, so that the sum of all stays
	// below CometBFT's bound of 2^60.
	MaxPower = 1 << 50
)

// ConsensusKey is the Ed25519 public key with which a validator signs votes.
type ConsensusKey [32]byte

// ConsensusAddress names a consensus key to CometBFT: the first 20 bytes of
// its SHA-256.
type ConsensusAddress [20]byte

// NodeID names a node to its peers: the first 20 bytes of the SHA-256 of its
// node key. Its text is 40 hex digits without 0x, as CometBFT writes it.
type NodeID [20]byte

// IsZero reports whether there is no key.
func (k ConsensusKey) IsZero() bool { return k == ConsensusKey{} }

// Address is what CometBFT calls the key's validator.
func (k ConsensusKey) Address() (a ConsensusAddress) {
	h := sha256.Sum256(k[:])
	copy(a[:], h[:])
	return a
}

// String is 0x and 64 hex digits.
func (k ConsensusKey) String() string { return "0x" + hex.EncodeToString(k[:]) }

// MarshalText writes the text form; no key is the empty text.
func (k ConsensusKey) MarshalText() ([]byte, error) {
	if k.IsZero() {
		return nil, nil
	}
	return []byte(k.String()), nil
}

// UnmarshalText reads 0x and 64 hex digits, or nothing for no key.
func (k *ConsensusKey) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*k = ConsensusKey{}
		return nil
	}
	h, err := crypto.ParseHash(string(text))
	if err != nil {
		return fmt.Errorf("consensus key %q: an Ed25519 public key is 0x and 64 hex digits", text)
	}
	*k = ConsensusKey(h)
	return nil
}

// String is 40 hex digits in upper case, as CometBFT writes it.
func (a ConsensusAddress) String() string { return fmt.Sprintf("%X", a[:]) }

// String is the text form.
func (n NodeID) String() string { return hex.EncodeToString(n[:]) }

// MarshalText writes the text form.
func (n NodeID) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalText reads 40 hex digits in lower case.
func (n *NodeID) UnmarshalText(text []byte) error {
	var id NodeID
	if len(text) == 2*len(id) { // or Decode would write past the end
		if _, err := hex.Decode(id[:], text); err == nil && id.String() == string(text) {
			*n = id
			return nil
		}
	}
	return fmt.Errorf("node ID %q: it is 40 hex digits in lower case", text)
}

// MemberStatus says what an organisation may do.
type MemberStatus uint8

// The statuses.
const (
	MemberActive    MemberStatus = 1 // votes, and may do what its roles allow
	MemberSuspended MemberStatus = 2 // its accounts may not act, its validator has no power
	MemberRemoved   MemberStatus = 3 // the same, for ever
)

// String returns the status's name in JSON.
func (s MemberStatus) String() string {
	switch s {
	case MemberActive:
		return "active"
	case MemberSuspended:
		return "suspended"
	case MemberRemoved:
		return "removed"
	}
	return "unknown"
}

// Roles is a set of roles, as bits.
type Roles uint8

// The roles. Every active member votes, whatever its roles.
const (
	RoleValidator Roles = 1 // may have voting power in consensus
	RoleIssuer    Roles = 2 // its accounts may create assets
	RoleRegistrar Roles = 4 // admits, freezes and closes accounts
	RoleAuditor   Roles = 8 // runs nodes that read, and has no other right
)

const allRoles = RoleValidator | RoleIssuer | RoleRegistrar | RoleAuditor

// roleNames are the names of the roles, from the lowest bit.
var roleNames = [...]string{"validator", "issuer", "registrar", "auditor"}

// Has reports whether all roles of other are in r.
func (r Roles) Has(other Roles) bool { return r&other == other }

// Names lists the roles' names, in the order of their bits.
func (r Roles) Names() []string {
	names := []string{}
	for i, name := range roleNames {
		if r.Has(1 << i) {
			names = append(names, name)
		}
	}
	return names
}

// ParseRoles is the inverse of Names, in any order, each once.
func ParseRoles(names []string) (r Roles, err error) {
	for _, name := range names {
		i := slices.Index(roleNames[:], name)
		if i < 0 {
			return 0, fmt.Errorf("role %q is none of %s", name, strings.Join(roleNames[:], ", "))
		}
		if r.Has(1 << i) {
			return 0, fmt.Errorf("role %q is listed twice", name)
		}
		r |= 1 << i
	}
	return r, nil
}

// Member is an organisation's record, under the address of its admin account.
// Records are never deleted.
type Member struct {
	Name      string // 1..MaxNameBytes of text, unique among members
	Status    MemberStatus
	Roles     Roles
	Key       ConsensusKey // of its validator; zero for none
	Power     uint64       // of its validator in consensus now
	Target    uint64       // and to where it moves
	Nodes     []NodeID     // which nodes may connect, ascending; one at least with Power or Target
	RotatedAt UnixTime     // when it last changed Key by itself
	Open      uint64       // its open proposals
}

// writeMember writes rlp([name, status, roles, key, power, target, [node…],
// rotatedAt, open]). No key is the empty string.
func writeMember(w *encoder, m *Member) {
	outer := w.list()
	w.string(m.Name)
	w.uint(uint64(m.Status))
	w.uint(uint64(m.Roles))
	w.optional(m.Key[:])
	w.uint(m.Power)
	w.uint(m.Target)
	w.nodes(m.Nodes)
	w.uint(uint64(m.RotatedAt))
	w.uint(m.Open)
	w.end(outer)
}

// DecodeMember reads a member's record as the state keeps it.
func DecodeMember(value []byte) (Member, error) {
	d := decoder{rest: value}
	l := d.list()
	m := Member{Name: string(l.bytes()), Status: MemberStatus(l.uintUpTo(255)), Roles: Roles(l.uintUpTo(uint64(allRoles)))}
	l.optional(m.Key[:])
	m.Power, m.Target, m.Nodes = l.uintUpTo(MaxPower), l.uintUpTo(MaxPower), l.nodes()
	m.RotatedAt, m.Open = UnixTime(l.uint()), l.uint()
	d.close(l)
	if !d.done() || m.Status.String() == "unknown" || len(m.Name) > MaxNameBytes || !validName(m.Name) || !validNodes(m.Nodes) {
		return Member{}, fmt.Errorf("member record %x is not well formed", value)
	}
	return m, nil
}

// nodes writes a list of node IDs.
func (w *encoder) nodes(nodes []NodeID) {
	l := w.list()
	for _, n := range nodes {
		w.bytes(n[:])
	}
	w.end(l)
}

func (d *decoder) nodes() (nodes []NodeID) {
	l := d.list()
	for len(l.rest) > 0 && !l.bad {
		var n NodeID
		l.fixed(n[:])
		nodes = append(nodes, n)
	}
	d.close(l)
	return nodes
}

// validNodes reports whether node IDs strictly ascend and are not too many.
func validNodes(nodes []NodeID) bool {
	for i := 1; i < len(nodes); i++ {
		if bytes.Compare(nodes[i-1][:], nodes[i][:]) >= 0 {
			return false
		}
	}
	return len(nodes) <= MaxNodes
}

// memberList is the record at KeyMembers.
type memberList struct {
	moving  bool             // the power of some member is not at its target
	members []crypto.Address // of all statuses, ascending
}

// writeMemberList writes rlp([moving, [address…]]).
func writeMemberList(w *encoder, m *memberList) {
	outer := w.list()
	if m.moving {
		w.uint(1)
	} else {
		w.uint(0)
	}
	l := w.list()
	for _, a := range m.members {
		w.address(a)
	}
	w.end(l)
	w.end(outer)
}

func decodeMemberList(value []byte) (m memberList, err error) {
	d := decoder{rest: value}
	outer := d.list()
	m.moving = outer.uintUpTo(1) == 1
	l := outer.list()
	for len(l.rest) > 0 && !l.bad {
		m.members = append(m.members, l.address())
	}
	outer.close(l)
	d.close(outer)
	if !d.done() || !strictlyAscending(m.members) || len(m.members) > MaxMembers {
		return memberList{}, fmt.Errorf("members record %x is not well formed", value)
	}
	return m, nil
}

func strictlyAscending(list []crypto.Address) bool {
	for i := 1; i < len(list); i++ {
		if list[i-1].Compare(list[i]) >= 0 {
			return false
		}
	}
	return true
}

// ReadMembers reads the addresses of all members, whatever their status,
// ascending, from committed state.
func ReadMembers(r Reader) ([]crypto.Address, error) {
	value, err := r.Get([]byte(KeyMembers))
	if err != nil || len(value) == 0 {
		return nil, err
	}
	list, err := decodeMemberList(value)
	return list.members, err
}

// ReadMember reads a member from committed state; ok is false where there is none.
func ReadMember(r Reader, member crypto.Address) (m Member, ok bool, err error) {
	value, err := r.Get(KeyMember(member))
	if err != nil || len(value) == 0 {
		return Member{}, false, err
	}
	m, err = DecodeMember(value)
	return m, err == nil, err
}

func (s *state) member(a crypto.Address) (*cell[crypto.Address, Member], error) {
	return s.memberTable.get(s.reader, a)
}

// keyOwner finds the member that ever had a consensus key.
func (s *state) keyOwner(a ConsensusAddress) (*cell[ConsensusAddress, crypto.Address], error) {
	return s.keyOwnerTable.get(s.reader, a)
}

// memberActs reports whether the accounts of a member may act. Those of no
// member may.
func (s *state) memberActs(member crypto.Address) (bool, error) {
	if member.IsZero() {
		return true, nil
	}
	c, err := s.member(member)
	return err == nil && c.value.Status == MemberActive, err
}
