package ledger_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// parsedGenesis takes a genesis through its text.
func parsedGenesis(t testing.TB, g *ledger.Genesis) (*ledger.GenesisState, error) {
	t.Helper()
	text, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := ledger.ParseGenesis(text)
	if err != nil {
		return nil, err
	}
	return parsed.Build()
}

// TestGoldenMembers: the records and events of founding members.
func TestGoldenMembers(t *testing.T) {
	built, err := parsedGenesis(t, ledgertest.MemberGenesis(ledger.PolicyAdmitted, "alice"))
	if err != nil {
		t.Fatal(err)
	}
	g := golden{name: "members"}
	for _, c := range built.Changes {
		name := keyName(c.Key)
		if kind, _, _ := strings.Cut(name, "/"); slices.Contains([]string{"account", "member", "members", "validator"}, kind) {
			g.add(name, "0x%x", c.Value)
		}
	}
	for i := range built.Events {
		if e := &built.Events[i]; e.Type == ledger.EventMemberAdmitted || e.Type == ledger.EventAccountAdmitted {
			g.hex("event "+e.Type.Name(), (&ledger.TxResult{Events: built.Events[i : i+1]}).Outcome())
		}
	}
	g.check(t)
}

// TestGenesisMembers: the state has what the document says of its members, and
// the book of ledgertest makes the same of the events.
func TestGenesisMembers(t *testing.T) {
	g := ledgertest.MemberGenesis(ledger.PolicyAdmitted, "alice")
	c := ledgertest.NewChain(t, g)
	listed, err := ledger.ReadMembers(c.State)
	if err != nil || len(listed) != 3 || !slices.IsSortedFunc(listed, crypto.Address.Compare) {
		t.Fatal(listed, err)
	}
	bank, ok, err := ledger.ReadMember(c.State, ledgertest.Address("bank"))
	want := ledger.Member{
		Name: "bank", Status: ledger.MemberActive, Roles: ledger.RoleValidator | ledger.RoleIssuer | ledger.RoleRegistrar,
		Key: ledgertest.ConsensusKey("bank"), Power: ledger.MinFoundingPower, Target: ledger.MinFoundingPower, Nodes: []ledger.NodeID{ledgertest.NodeID("bank")},
	}
	if !ok || err != nil || !reflect.DeepEqual(bank, want) {
		t.Errorf("%+v, want %+v (%v)", bank, want, err)
	}
	if watch, ok, err := ledger.ReadMember(c.State, ledgertest.Address("watch")); !ok || err != nil || watch.Roles != ledger.RoleAuditor || !watch.Key.IsZero() {
		t.Errorf("%+v %v", watch, err)
	}
	if _, ok, err := ledger.ReadMember(c.State, ledgertest.Address("alice")); ok || err != nil {
		t.Errorf("alice is a member (%v)", err)
	}
	alice, _ := c.Account(t, ledgertest.Address("alice"))
	if alice.Member != ledgertest.Address("bank") {
		t.Errorf("the member of alice is %s", alice.Member)
	}
}

// TestGenesisMembersRefused spoils a genesis with members in every way; each
// error names the field.
func TestGenesisMembersRefused(t *testing.T) {
	bank, alice := ledgertest.Address("bank"), ledgertest.Address("alice")
	account := func(g *ledger.Genesis, a crypto.Address) *ledger.GenesisAccount {
		i := slices.IndexFunc(g.Accounts, func(x ledger.GenesisAccount) bool { return x.Address == a })
		return &g.Accounts[i]
	}
	for name, one := range map[string]struct {
		spoil func(g *ledger.Genesis, m *ledger.GenesisMember) // m is the bank
		want  string
	}{
		"name empty":             {func(_ *ledger.Genesis, m *ledger.GenesisMember) { m.Name = "" }, `members[0] (""): name`},
		"name of a space":        {func(_ *ledger.Genesis, m *ledger.GenesisMember) { m.Name = " " }, `members[0] (" "): name`},
		"name of 65 bytes":       {func(_ *ledger.Genesis, m *ledger.GenesisMember) { m.Name = strings.Repeat("n", 65) }, "name: must be"},
		"name of two lines":      {func(_ *ledger.Genesis, m *ledger.GenesisMember) { m.Name = "a\nb" }, "name: must be"},
		"name twice":             {func(g *ledger.Genesis, m *ledger.GenesisMember) { g.Members[1].Name = m.Name }, "members[1].name"},
		"role unknown":           {func(_ *ledger.Genesis, m *ledger.GenesisMember) { m.Roles[1] = "king" }, `members[0] ("bank"): roles: role "king"`},
		"role twice":             {func(_ *ledger.Genesis, m *ledger.GenesisMember) { m.Roles[1] = "validator" }, "roles: role \"validator\" is listed twice"},
		"power without the role": {func(_ *ledger.Genesis, m *ledger.GenesisMember) { m.Roles = []string{"issuer"} }, `members[0] ("bank"): power`},
		"power without a key":    {func(_ *ledger.Genesis, m *ledger.GenesisMember) { m.ConsensusKey = ledger.ConsensusKey{} }, "consensusKey: must be given"},
		"power without a node":   {func(_ *ledger.Genesis, m *ledger.GenesisMember) { m.NodeIDs = nil }, `members[0] ("bank"): nodeIds: must list a node`},
		"little power":           {func(_ *ledger.Genesis, m *ledger.GenesisMember) { m.Power = ledger.MinFoundingPower - 1 }, "power: must be 0 or from"},
		"much power":             {func(_ *ledger.Genesis, m *ledger.GenesisMember) { m.Power = ledger.MaxPower + 1 }, "power: must be 0 or from"},
		"nobody has power":       {func(_ *ledger.Genesis, m *ledger.GenesisMember) { m.Power = 0 }, "members: none has voting power"},
		"key twice":              {func(g *ledger.Genesis, m *ledger.GenesisMember) { g.Members[1].ConsensusKey = m.ConsensusKey }, `members[1] ("desk"): consensusKey`},
		"node twice":             {func(_ *ledger.Genesis, m *ledger.GenesisMember) { m.NodeIDs = append(m.NodeIDs, m.NodeIDs[0]) }, "nodeIds: must ascend"},
		"nodes out of order":     {func(_ *ledger.Genesis, m *ledger.GenesisMember) { m.NodeIDs = []ledger.NodeID{{2}, {1}} }, "nodeIds: must ascend"},
		"17 nodes": {func(_ *ledger.Genesis, m *ledger.GenesisMember) {
			m.NodeIDs = nil
			for i := range 17 {
				m.NodeIDs = append(m.NodeIDs, ledger.NodeID{byte(i)})
			}
		}, "nodeIds: must ascend, each once, and be at most 16"},
		"admin unknown":    {func(_ *ledger.Genesis, m *ledger.GenesisMember) { m.Admin = ledgertest.Address("nobody") }, `members[0] ("bank"): admin`},
		"admin zero":       {func(_ *ledger.Genesis, m *ledger.GenesisMember) { m.Admin = crypto.Address{} }, `members[0] ("bank"): admin`},
		"admin of nobody":  {func(g *ledger.Genesis, _ *ledger.GenesisMember) { account(g, bank).Member = crypto.Address{} }, `members[0] ("bank"): admin`},
		"admin of another": {func(g *ledger.Genesis, _ *ledger.GenesisMember) { account(g, bank).Member = ledgertest.Address("desk") }, `members[0] ("bank"): admin`},
		"admin twice":      {func(g *ledger.Genesis, m *ledger.GenesisMember) { g.Members[1].Admin = m.Admin }, "two members' admin account"},
		"account of no member": {func(g *ledger.Genesis, _ *ledger.GenesisMember) {
			account(g, alice).Member = ledgertest.Address("nobody")
		}, "].member"},
		"account of no admin":      {func(g *ledger.Genesis, _ *ledger.GenesisMember) { account(g, alice).Member = alice }, "].member"},
		"accounts without members": {func(g *ledger.Genesis, _ *ledger.GenesisMember) { g.Members = nil }, "accounts[0].member"},
		"257 members": {func(g *ledger.Genesis, _ *ledger.GenesisMember) {
			for i := range 254 {
				ledgertest.AddMember(g, fmt.Sprint("member ", i), 0, "auditor")
			}
		}, "members: 257, at most 256"},
	} {
		g := ledgertest.MemberGenesis(ledger.PolicyAdmitted, "alice")
		one.spoil(g, &g.Members[0])
		if _, err := parsedGenesis(t, g); err == nil || !strings.Contains(err.Error(), one.want) || !strings.Contains(err.Error(), "genesis app_state: ") {
			t.Errorf("%s: error %v, want one with %q", name, err, one.want)
		}
	}
	g := ledgertest.MemberGenesis(ledger.PolicyAdmitted, "alice")
	for i := range 253 {
		ledgertest.AddMember(g, fmt.Sprint("member ", i), 0, "auditor")
	}
	if _, err := parsedGenesis(t, g); err != nil {
		t.Errorf("256 members: %v", err)
	}
}

// TestGenesisMembersText: the members are read strictly.
func TestGenesisMembersText(t *testing.T) {
	text, err := json.Marshal(ledgertest.MemberGenesis(ledger.PolicyAdmitted, "alice"))
	if err != nil {
		t.Fatal(err)
	}
	key, node := ledgertest.ConsensusKey("bank").String(), ledgertest.NodeID("bank").String()
	for old, one := range map[string][2]string{
		`"name":"bank"`:          {`"Name":"bank"`, "unknown field"},
		`"roles":["auditor"]`:    {`"roles":null`, "null"},
		`"consensusKey":""`:      {`"consensusKey":null`, "null"},
		`"consensusKey":"` + key: {`"consensusKey":"` + key[:60], "consensus key"},
		`"nodeIds":["` + node:    {`"nodeIds":["` + strings.ToUpper(node), "node ID"},
		`,"power":0`:             {``, `"power" is missing`},
		`"power":1000000`:        {`"power":"1000000"`, "power"},
	} {
		bad := strings.Replace(string(text), old, one[0], 1)
		if bad == string(text) {
			t.Fatalf("%s is not in %s", old, text)
		}
		if _, err := ledger.ParseGenesis([]byte(bad)); err == nil || !strings.Contains(err.Error(), one[1]) {
			t.Errorf("%s for %s: error %v, want one with %q", one[0], old, err, one[1])
		}
	}
	again, err := ledger.ParseGenesis(text)
	if err != nil {
		t.Fatal(err)
	}
	if written, err := json.Marshal(again); err != nil || string(written) != string(text) {
		t.Errorf("%s became %s (%v)", text, written, err)
	}
	bare, err := json.Marshal(ledger.Genesis{Members: []ledger.GenesisMember{{}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.ParseGenesis(bare); err != nil {
		t.Errorf("a member of nothing, as it is written: %v", err)
	}
}
