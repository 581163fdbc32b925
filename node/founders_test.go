package node

import (
	"os"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// withMembers makes each validator of a spec that of a member, whose admin
// account is one of the ledger's.
func withMembers(spec *GenesisSpec) {
	for i, v := range spec.Validators {
		admin := &spec.Ledger.Accounts[i]
		admin.Member = admin.Address
		spec.Ledger.Members = append(spec.Ledger.Members, ledger.GenesisMember{
			Admin: admin.Address, Name: v.Name, Roles: []string{"validator", "registrar"},
			ConsensusKey: ledger.ConsensusKey(v.ConsensusKey), Power: uint64(v.Power), NodeIDs: []ledger.NodeID{{byte(i + 1)}},
		})
	}
}

// TestFounders: a document lists the members' validators, or none.
func TestFounders(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*GenesisSpec)
		want  string // of the error; none: two validators
	}{
		{"the same", func(*GenesisSpec) {}, ""},
		{"the same in another order", func(g *GenesisSpec) { g.Validators[0], g.Validators[1] = g.Validators[1], g.Validators[0] }, ""},
		{"none listed", func(g *GenesisSpec) { g.Validators = nil }, ""},
		{"one missing", func(g *GenesisSpec) { g.Validators = g.Validators[:1] }, "validators: 1 of the members"},
		{"another key", func(g *GenesisSpec) { g.Validators[1].ConsensusKey = make([]byte, 32) }, "validators[1].pub_key"},
		{"another power", func(g *GenesisSpec) { g.Validators[1].Power++ }, "validators[1].power"},
		{"a member without power", func(g *GenesisSpec) { g.Ledger.Members[1].Power = 0 }, "validators[1].pub_key"},
		{"no member with power", func(g *GenesisSpec) {
			g.Validators, g.Ledger.Members[0].Power, g.Ledger.Members[1].Power = nil, 0, 0
		}, "members: none has voting power"},
		{"a validator that nobody would let in", func(g *GenesisSpec) { g.Ledger.Members[1].NodeIDs = nil }, "members[1] (\"two\"): nodeIds: must list a node"},
		{"a member's little power", func(g *GenesisSpec) { g.Ledger.Members[1].Power = 5 }, "members[1] (\"two\"): power"},
		{"the account of a stranger", func(g *GenesisSpec) { g.Ledger.Members[1].Admin = crypto.Address{9} }, "members[1] (\"two\"): admin"},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := testSpec(t)
			withMembers(&spec)
			c.spoil(&spec)
			data, err := spec.Document()
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want something with %q", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if g, err := parseGenesis(data); err != nil || g.validators != 2 {
				t.Errorf("read back: %+v, %v", g, err)
			}
		})
	}
}

// TestMembersBegin: a network whose document leaves its validators to the
// members makes blocks.
func TestMembersBegin(t *testing.T) {
	t.Parallel()
	net := newTestnet(t, 1)
	home := net.files.home(0)
	g, err := readGenesis(home.GenesisFile())
	if err != nil {
		t.Fatal(err)
	}
	spec := GenesisSpec{Time: g.doc.GenesisTime, Ledger: *g.ledger, Cards: g.cards}
	document, err := spec.Document()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(home.GenesisFile(), document, 0o600); err != nil {
		t.Fatal(err)
	}
	net.startAll()
	if height := net.commit(0, 0); height == 0 {
		t.Error("no block")
	}
}
