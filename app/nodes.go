package app

import (
	"bytes"
	"sort"

	"github.com/tallystick/tallystick/ledger"
)

// Nodes are the IDs of the nodes that may be on the network by the committed
// state: those that active members list, and those of members whose validators
// have power yet. governed is false on a network without members, where the state
// has no say in it. Cost: one read for each member.
//
// A member that is suspended or removed loses its power over some blocks. Until
// then its votes are asked for: if it has a third of the power and is cut off
// before, no further block is made, and the power never moves. In the block in
// which its power ends it had less than a third of the whole.
func (a *Application) Nodes() (nodes map[ledger.NodeID]bool, governed bool, err error) {
	c := a.latest.Load()
	if c.net == nil {
		return nil, false, nil
	}
	members, err := ledger.ReadMembers(c.reader)
	if err != nil {
		return nil, false, err
	}
	nodes = make(map[ledger.NodeID]bool)
	for _, address := range members {
		m, _, err := ledger.ReadMember(c.reader, address)
		if err != nil {
			return nil, false, err
		}
		if m.Status != ledger.MemberActive && m.Power == 0 {
			continue
		}
		for _, id := range m.Nodes {
			nodes[id] = true
		}
	}
	return nodes, len(members) > 0, nil
}

// membersChanged reports whether changes, which ascend, touch a member.
func membersChanged(changes []ledger.Change) bool {
	i := sort.Search(len(changes), func(i int) bool { return bytes.Compare(changes[i].Key, memberKey) >= 0 })
	return i < len(changes) && bytes.HasPrefix(changes[i].Key, memberKey)
}
