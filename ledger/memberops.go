package ledger

import (
	"encoding/json"
	"slices"

	"github.com/tallystick/tallystick/crypto"
)

// RotateValidatorKey gives the sender's validator another consensus key. It
// votes with it two blocks later; the old one then counts no more.
type RotateValidatorKey struct {
	alone
	ConsensusKey ConsensusKey `json:"consensusKey"`
}

// SetNodes says which nodes of the sender may connect to the network, in place of
// those it had.
type SetNodes struct {
	alone
	NodeIDs NodeIDs `json:"nodeIds"` // ascending, at most MaxNodes; none only without power
}

var (
	rotateValidatorKeySpec = kindSpec{
		kind: KindRotateValidatorKey, name: "rotateValidatorKey", form: all("consensusKey"), fields: "bytes32 consensusKey",
		empty: func() Operation { return new(RotateValidatorKey) },
		decode: func(d *decoder) Operation {
			o := new(RotateValidatorKey)
			d.fixed(o.ConsensusKey[:])
			return o
		},
	}
	setNodesSpec = kindSpec{
		kind: KindSetNodes, name: "setNodes", form: all("nodeIds"), fields: "bytes20[] nodeIds",
		empty:  func() Operation { return new(SetNodes) },
		decode: func(d *decoder) Operation { return &SetNodes{NodeIDs: d.nodes()} },
	}
)

// Kind implements Operation.
func (*RotateValidatorKey) Kind() Kind { return KindRotateValidatorKey }

// Kind implements Operation.
func (*SetNodes) Kind() Kind { return KindSetNodes }

func (o *RotateValidatorKey) check(_, _ crypto.Address) Code {
	if o.ConsensusKey.IsZero() {
		return CodeInvalidField
	}
	return Applied
}

func (o *SetNodes) check(_, _ crypto.Address) Code {
	switch {
	case len(o.NodeIDs) > MaxNodes:
		return CodeLimitExceeded
	case !validNodes(o.NodeIDs):
		return CodeInvalidField
	}
	return Applied
}

func (o *RotateValidatorKey) encode(w *encoder) {
	l := w.list()
	w.bytes(o.ConsensusKey[:])
	w.end(l)
}

func (o *SetNodes) encode(w *encoder) {
	l := w.list()
	w.nodes(o.NodeIDs)
	w.end(l)
}

func (o *RotateValidatorKey) typed(m *message) { m.bytes32("consensusKey", o.ConsensusKey) }
func (o *SetNodes) typed(m *message)           { m.nodeIDs("nodeIds", o.NodeIDs) }

// apply of rotateValidatorKey checks the member, its role, the time since its
// last rotation and the key, in this order.
func (o *RotateValidatorKey) apply(s *state, b *Body) (Code, error) {
	c, code, err := s.votingMember(b.Sender)
	if code != Applied || err != nil {
		return code, err
	}
	m := c.value
	switch {
	case !m.Roles.Has(RoleValidator):
		return CodeMissingRole, nil
	case m.RotatedAt != 0 && uint64(s.time-m.RotatedAt) < s.params.KeyRotationCooldown:
		return CodeKeyCooldown, nil
	}
	if code, err := s.takeKey(o.ConsensusKey, b.Sender); code != Applied || err != nil {
		return code, err
	}
	m.Key, m.RotatedAt = o.ConsensusKey, s.time
	s.memberTable.set(c, m)
	s.emit(Event{Type: EventValidatorKeyChanged, Other: b.Sender, Keys: o.ConsensusKey.String()})
	return Applied, nil
}

// apply of setNodes checks the member, that there is a change, and that a member
// that has power or is to get it still lists a node, in this order.
func (o *SetNodes) apply(s *state, b *Body) (Code, error) {
	c, code, err := s.votingMember(b.Sender)
	if code != Applied || err != nil {
		return code, err
	}
	m := c.value
	switch {
	case slices.Equal(m.Nodes, o.NodeIDs):
		return CodeNoChange, nil
	case len(o.NodeIDs) == 0 && max(m.Power, m.Target) > 0:
		return CodeNoNodes, nil
	}
	m.Nodes = o.NodeIDs
	s.memberTable.set(c, m)
	s.emit(Event{Type: EventNodesChanged, Other: b.Sender, Nodes: nodesText(o.NodeIDs)})
	return Applied, nil
}

// NodeIDs is a list of node IDs, in JSON never null.
type NodeIDs []NodeID

// MarshalJSON writes a list, of nothing too.
func (n NodeIDs) MarshalJSON() ([]byte, error) { return json.Marshal(append([]NodeID{}, n...)) }

// UnmarshalJSON reads a list; one of nothing is nil, as a decoder makes it.
func (n *NodeIDs) UnmarshalJSON(data []byte) error {
	var list []NodeID
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	*n = append(NodeIDs(nil), list...)
	return nil
}

// RoleNames is Roles, in JSON a list of their names.
type RoleNames Roles

// MarshalJSON writes the names in the order of their bits.
func (r RoleNames) MarshalJSON() ([]byte, error) { return json.Marshal(Roles(r).Names()) }

// UnmarshalJSON reads names in any order, each once.
func (r *RoleNames) UnmarshalJSON(data []byte) error {
	var names []string
	if err := json.Unmarshal(data, &names); err != nil {
		return err
	}
	roles, err := ParseRoles(names)
	*r = RoleNames(roles)
	return err
}
