package ledger

import (
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/crypto"
)

// The fields of the events of accounts and members. Lists stand in an event as
// one text, in the one form that the parsers below accept: events stay
// comparable, and an attribute is one text anyway.
var (
	fieldMember    = addressField("member", func(e *Event) *crypto.Address { return &e.Other })
	fieldThreshold = numberField("threshold", MaxAuthorityKeys*maxKeyWeight, func(e *Event) uint64 { return e.Number }, func(e *Event, v uint64) { e.Number = v })
	fieldPower     = numberField("power", MaxPower, func(e *Event) uint64 { return e.Number }, func(e *Event, v uint64) { e.Number = v })
	fieldRoles     = numberField("roles", uint64(allRoles), func(e *Event) uint64 { return uint64(e.Flags) }, func(e *Event, v uint64) { e.Flags = uint32(v) })

	fieldKeys = listField("keys", func(e *Event) *string { return &e.Keys }, func(s string) bool { _, ok := ParseKeys(s); return ok })

	fieldConsensusKey = listField("key", func(e *Event) *string { return &e.Keys }, validConsensusKeyText)
	fieldNodes        = listField("nodes", func(e *Event) *string { return &e.Nodes }, func(s string) bool { _, ok := ParseNodes(s); return ok })
)

// listField is a textField with a form of its own.
func listField(key string, at func(*Event) *string, valid func(string) bool) field {
	f := textField(key, at)
	f.parse = func(e *Event, s string) bool { *at(e) = s; return valid(s) }
	return f
}

// keysText lists keys as an event carries them: address=weight, joined by
// commas, the addresses in lower-case hex with 0x.
func keysText(keys []Key) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = "0x" + hex.EncodeToString(k.Address[:]) + "=" + strconv.FormatUint(uint64(k.Weight), 10)
	}
	return strings.Join(parts, ",")
}

// ParseKeys reads the keys of an authorityChanged event, the empty text for the
// account's own key alone. ok is false for what no such event has.
func ParseKeys(text string) (keys []Key, ok bool) {
	if text == "" {
		return nil, true
	}
	parts := strings.SplitN(text, ",", MaxAuthorityKeys+1)
	var sum uint64
	for _, part := range parts {
		address, weight, _ := strings.Cut(part, "=")
		var k Key
		n, err := strconv.ParseUint(weight, 10, 32)
		if len(address) != 2+hex.EncodedLen(len(k.Address)) || err != nil {
			return nil, false
		}
		if _, err := hex.Decode(k.Address[:], []byte(address[2:])); err != nil {
			return nil, false
		}
		k.Weight = uint32(n)
		sum += n
		keys = append(keys, k)
	}
	authority := Authority{keys, sum}
	if authority.check() != nil || keysText(keys) != text {
		return nil, false
	}
	return keys, true
}

// nodesText lists node IDs as an event carries them, joined by commas.
func nodesText(nodes []NodeID) string {
	parts := make([]string, len(nodes))
	for i, n := range nodes {
		parts[i] = n.String()
	}
	return strings.Join(parts, ",")
}

// ParseNodes reads the node IDs of a member's event. ok is false for what no
// such event has.
func ParseNodes(text string) (nodes []NodeID, ok bool) {
	if text == "" {
		return nil, true
	}
	for _, part := range strings.SplitN(text, ",", MaxNodes+1) {
		var n NodeID
		if n.UnmarshalText([]byte(part)) != nil {
			return nil, false
		}
		nodes = append(nodes, n)
	}
	return nodes, validNodes(nodes)
}

// validConsensusKeyText accepts the text of a consensus key, and the empty one
// for none.
func validConsensusKeyText(text string) bool {
	var k ConsensusKey
	if k.UnmarshalText([]byte(text)) != nil {
		return false
	}
	again, err := k.MarshalText()
	return err == nil && string(again) == text
}

func authorityChanged(account crypto.Address, a *Authority) Event {
	return Event{Type: EventAuthorityChanged, Account: account, Number: a.Threshold, Keys: keysText(a.Keys)}
}

// memberAdmitted tells all that there is to know of a new member, which is
// active. Its power moves to the one told; that of a founder is there at once.
func memberAdmitted(admin crypto.Address, m *Member) Event {
	e := Event{Type: EventMemberAdmitted, Other: admin, Name: m.Name, Flags: uint32(m.Roles), Number: m.Target, Nodes: nodesText(m.Nodes)}
	if !m.Key.IsZero() {
		e.Keys = m.Key.String()
	}
	return e
}
