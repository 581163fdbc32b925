package ledgertest

import (
	"bytes"
	"crypto/ed25519"
	"testing"

	"github.com/ethereum/go-ethereum/rlp"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// ConsensusKey is the consensus key of the member called name; its seed, and
// with it the private key, is the hash of the name.
func ConsensusKey(name string) ledger.ConsensusKey {
	seed := crypto.Keccak256([]byte("ledgertest consensus key of " + name))
	return ledger.ConsensusKey(ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey))
}

// NodeID is the ID of the node of the member called name.
func NodeID(name string) (id ledger.NodeID) {
	h := crypto.Keccak256([]byte("ledgertest node of " + name))
	copy(id[:], h[:])
	return id
}

// AddMember makes the organisation called name a founding member, whose admin
// account is the person of that name. A member with power has a consensus key,
// and so has every one with the role validator. The account is added unless it
// is there.
func AddMember(g *ledger.Genesis, name string, power uint64, roles ...string) {
	admin := Address(name)
	m := ledger.GenesisMember{Admin: admin, Name: name, Roles: roles, Power: power, NodeIDs: []ledger.NodeID{NodeID(name)}}
	for _, role := range roles {
		if role == "validator" {
			m.ConsensusKey = ConsensusKey(name)
		}
	}
	g.Members = append(g.Members, m)
	for i := range g.Accounts {
		if g.Accounts[i].Address == admin {
			g.Accounts[i].Member = admin
			return
		}
	}
	g.Accounts = append(g.Accounts, ledger.GenesisAccount{Address: admin, Member: admin})
}

// MemberGenesis is Genesis with three members: "bank", a validator, issuer and
// registrar; "desk", a registrar; and "watch", an auditor. The bank answers for
// the named people.
func MemberGenesis(policy ledger.AccountPolicy, names ...string) *ledger.Genesis {
	g := Genesis(policy, names...)
	for i := range g.Accounts {
		g.Accounts[i].Member = Address("bank")
	}
	AddMember(g, "bank", ledger.MinFoundingPower, "validator", "issuer", "registrar")
	AddMember(g, "desk", 0, "registrar")
	AddMember(g, "watch", 0, "auditor")
	return g
}

// FreezeByNetwork rewrites the account's record as a vote of the members would.
func (c *Chain) FreezeByNetwork(t testing.TB, a crypto.Address) {
	t.Helper()
	account, _ := c.Account(t, a)
	status := ledger.StatusFrozenByNetwork
	if account.Status == ledger.StatusFrozen {
		status = ledger.StatusFrozenByBoth
	}
	rewrite(t, c.State, ledger.KeyAccount(a), 0, uint64(status))
	c.book.accountNamed(t, a).byNetwork = true
}

// SetMemberStatus rewrites the member's record as a vote of the members would.
func (c *Chain) SetMemberStatus(t testing.TB, member crypto.Address, status ledger.MemberStatus) {
	t.Helper()
	rewrite(t, c.State, ledger.KeyMember(member), 1, uint64(status))
	if list, _ := c.State.Get([]byte(ledger.KeyMembers)); list[1] == rlpZero {
		rewrite(t, c.State, []byte(ledger.KeyMembers), 0, 1) // its power moves
	}
	c.book.memberNamed(t, member).Status = status
}

// rlpZero is 0 in RLP.
const rlpZero = 0x80

// rewrite replaces one field of the record at key, a list.
func rewrite(t testing.TB, s *State, key []byte, field int, value uint64) {
	t.Helper()
	old, _ := s.Get(key)
	var fields []rlp.RawValue
	err := rlp.DecodeBytes(old, &fields)
	if err == nil {
		fields[field], err = rlp.EncodeToBytes(value)
	}
	changed, encodeErr := rlp.EncodeToBytes(fields)
	if err != nil || encodeErr != nil || bytes.Equal(changed, old) {
		t.Fatalf("record %x at %q does not get %d as field %d: %v %v", old, key, value, field, err, encodeErr)
	}
	s.Write([]ledger.Change{{Key: key, Value: changed}})
}
