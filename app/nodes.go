package app

import (
	"bytes"
	"errors"
	"sort"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/store"
)

// Nodes are the IDs of the nodes that may be on the network by the committed
// state: those that active members list, and those of members whose validators
// vote yet. governed is false on a network without members, where the state has no
// say in it. Cost: one read for each member, two for one that has gone.
//
// A member that is suspended or removed loses its power over some blocks, and one
// that has also signed twice loses it at once, however much it is. What power it
// has after block h counts for block h+2. Until then its votes are asked for: if it
// has a third of the power and is cut off before, no further block is made.
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
		may := m.Status == ledger.MemberActive || m.Power > 0
		if !may {
			if may, err = a.votesYet(c, address); err != nil {
				return nil, false, err
			}
		}
		for _, id := range m.Nodes {
			nodes[id] = nodes[id] || may
		}
	}
	return nodes, len(members) > 0, nil
}

// votesYet reports whether a member that has no power after c is a validator of
// the block that comes next. Where the state before c is not known it may be.
func (a *Application) votesYet(c *committed, member crypto.Address) (bool, error) {
	if c.height <= 1 { // the validators of block 2 are those of the genesis, which is not kept
		return true, nil
	}
	before, err := a.store.At(c.height - 1)
	if errors.Is(err, store.ErrUnknownHeight) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	m, _, err := ledger.ReadMember(before, member)
	return m.Power > 0, err
}

// membersChanged reports whether changes, which ascend, touch a member.
func membersChanged(changes []ledger.Change) bool {
	i := sort.Search(len(changes), func(i int) bool { return bytes.Compare(changes[i].Key, memberKey) >= 0 })
	return i < len(changes) && bytes.HasPrefix(changes[i].Key, memberKey)
}
