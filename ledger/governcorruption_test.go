package ledger_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// one makes a proposal of one action as it stands in the payload.
func one(kind uint64, fields ...any) func(list) list {
	return operation(25, list{list{kind, list(fields)}}, uint64(3600), uint64(0))
}

// governCorruptions spoil governance's payloads.
func governCorruptions() []corruption {
	key := ledgertest.ConsensusKey("a key")
	return slices.Concat(governMalformations(bobBytes, key[:]), governInvalidities(bobBytes, key[:]))
}

func governMalformations(bob, key []byte) []corruption {
	m := ledger.CodeMalformed
	node := slices.Repeat([]byte{7}, 20)
	return []corruption{
		{"propose of two fields", m, true, operation(25, list{list{uint64(2), list{bob}}}, uint64(3600))},
		{"propose of four fields", m, true, operation(25, list{list{uint64(2), list{bob}}}, uint64(3600), uint64(0), uint64(0))},
		{"actions are a string", m, true, operation(25, []byte("a"), uint64(3600), uint64(0))},
		{"action is a string", m, true, operation(25, list{[]byte("a")}, uint64(3600), uint64(0))},
		{"action without fields", m, true, operation(25, list{list{uint64(2)}}, uint64(3600), uint64(0))},
		{"action of three items", m, true, operation(25, list{list{uint64(2), list{bob}, uint64(0)}}, uint64(3600), uint64(0))},
		{"action of kind 0", m, true, one(0, bob)},
		{"action of kind 16", m, true, one(16, bob)},
		{"action with a field more", m, true, one(2, bob, bob)},
		{"action with a field less", m, true, one(6, bob)},
		{"roles 16", m, true, one(5, bob, uint64(16))},
		{"admission with roles 16", m, true, one(1, bob, []byte("Bob"), uint64(16), []byte{}, uint64(0), list{})},
		{"consensus key of 31 bytes", m, true, one(1, bob, []byte("Bob"), uint64(1), key[:31], uint64(0), list{})},
		{"consensus key of secp256k1", m, true, one(1, bob, []byte("Bob"), uint64(1), append([]byte{2}, key...), uint64(0), list{})},
		{"no consensus key as zeros", m, true, one(1, bob, []byte("Bob"), uint64(1), make([]byte, 32), uint64(0), list{})},
		{"node ID of 19 bytes", m, true, one(1, bob, []byte("Bob"), uint64(1), key, uint64(0), list{node[:19]})},
		{"resolution with a short hash", m, true, one(15, []byte("a"), key[:31])},
		{"castVote of one field", m, true, operation(26, uint64(1))},
		{"choice 256", m, true, operation(26, uint64(1), uint64(256))},
		{"withdrawal of nothing", m, true, operation(27)},
		{"rotation to 33 bytes", m, true, operation(28, append([]byte{2}, key...))},
		{"rotation to nothing", m, true, operation(28, []byte{})},
		{"nodes not in a list", m, true, operation(29, node)},
		{"nodes in two lists", m, true, operation(29, list{node}, list{node})},
	}
}

func governInvalidities(bob, key []byte) []corruption {
	limit, invalid := ledger.CodeLimitExceeded, ledger.CodeInvalidField
	admit := func(name string, roles uint64, key []byte, power uint64, nodes ...any) func(list) list {
		return one(1, bob, []byte(name), roles, key, power, list(nodes))
	}
	period := func(period, delay uint64) func(list) list {
		return operation(25, list{list{uint64(2), list{bob}}}, period, delay)
	}
	many := func(n int) func(list) list {
		return operation(25, slices.Repeat(list{list{uint64(2), list{bob}}}, n), uint64(3600), uint64(0))
	}
	nodes := func(n int) (out []any) {
		for i := range n {
			out = append(out, append(make([]byte, 19), byte(i)))
		}
		return out
	}
	return []corruption{
		{"no actions", invalid, true, many(0)},
		{"17 actions", limit, true, many(17)},
		{"a period of 59 seconds", invalid, true, period(59, 0)},
		{"a period above 90 days", invalid, true, period(ledger.MaxVotingPeriod+1, 0)},
		{"a delay above 90 days", invalid, true, period(3600, ledger.MaxProposalDelay+1)},
		{"a member zero", invalid, true, one(2, zero20)},
		{"roles of zero", invalid, true, one(5, zero20, uint64(1))},
		{"power of zero", invalid, true, one(6, zero20, uint64(million))},
		{"power below the least", invalid, true, one(6, bob, uint64(million-1))},
		{"power above 2^50", invalid, true, one(6, bob, uint64(ledger.MaxPower+1))},
		{"power of 2^64-1", invalid, true, one(6, bob, ^uint64(0))},
		{"an admin zero", invalid, true, one(1, zero20, []byte("Bob"), uint64(0), []byte{}, uint64(0), list{})},
		{"a name of 65 bytes", limit, true, admit(text("n", 65), 0, nil, 0)},
		{"no name", invalid, true, admit("", 0, nil, 0)},
		{"power without the role", invalid, true, admit("Bob", 2, key, million, nodes(1)...)},
		{"power without a key", invalid, true, admit("Bob", 1, nil, million, nodes(1)...)},
		{"power without a node", invalid, true, admit("Bob", 1, key, million)},
		{"an admission's power too low", invalid, true, admit("Bob", 1, key, 1, nodes(1)...)},
		{"an admission's power too high", invalid, true, admit("Bob", 1, key, ledger.MaxPower+1, nodes(1)...)},
		{"17 nodes", limit, true, admit("Bob", 1, key, 0, nodes(17)...)},
		{"a node twice", invalid, true, admit("Bob", 1, key, 0, nodes(1)[0], nodes(1)[0])},
		{"unknown parameter", invalid, true, one(7, []byte("maxFun"), uint64(1))},
		{"value above 2^53-1", invalid, true, one(7, []byte("maxNewAccounts"), uint64(1<<53))},
		{"threshold of nothing", invalid, true, one(8, []byte("setFun"), uint64(1), uint64(2))},
		{"threshold below a half", invalid, true, one(8, []byte("setPower"), uint64(499), uint64(1000))},
		{"threshold of all", invalid, true, one(8, []byte("setPower"), uint64(2), uint64(2))},
		{"threshold over zero", invalid, true, one(8, []byte("setPower"), uint64(0), uint64(0))},
		{"threshold over 1001", invalid, true, one(8, []byte("setPower"), uint64(1000), uint64(1001))},
		{"threshold that overflows", invalid, true, one(8, []byte("setPower"), uint64(1<<63), uint64(1))},
		{"freezing zero", invalid, true, one(9, zero20, []byte{})},
		{"freezing with a long reference", limit, true, one(9, bob, []byte(text("r", 36)))},
		{"pausing zero", invalid, true, one(11, zero20)},
		{"version 0", invalid, true, one(13, uint64(0), uint64(9), []byte("v"))},
		{"version above 2^53-1", invalid, true, one(13, uint64(1<<53), uint64(9), []byte("v"))},
		{"height above 2^53-1", invalid, true, one(13, uint64(2), uint64(1<<53), []byte("v"))},
		{"an upgrade without name", invalid, true, one(13, uint64(2), uint64(9), []byte{})},
		{"cancelling version 0", invalid, true, one(14, uint64(0))},
		{"a text of 1025 bytes", limit, true, one(15, []byte(text("t", 1025)), make([]byte, 32))},
		{"no text", invalid, true, one(15, []byte{}, make([]byte, 32))},
		{"a text with a zero byte", invalid, true, one(15, []byte{0}, make([]byte, 32))},
		{"choice 0", invalid, true, operation(26, uint64(1), uint64(0))},
		{"choice 4", invalid, true, operation(26, uint64(1), uint64(4))},
		{"a vote on 0", invalid, true, operation(26, uint64(0), uint64(1))},
		{"a vote on 2^53", invalid, true, operation(26, uint64(1<<53), uint64(1))},
		{"a withdrawal of 0", invalid, true, operation(27, uint64(0))},
		{"rotation to zeros", invalid, true, operation(28, make([]byte, 32))},
		{"setting 17 nodes", limit, true, operation(29, list(nodes(17)))},
		{"nodes that descend", invalid, true, operation(29, list{nodes(2)[1], nodes(2)[0]})},
	}
}

// TestGovernanceCorruptions spoils governance's payloads in every way.
func TestGovernanceCorruptions(t *testing.T) { runCorruptions(t, governCorruptions()) }

// TestActionJSONRefuses: an action is one object with one known name.
func TestActionJSONRefuses(t *testing.T) {
	const head = `{"sender":"0x0000000000000000000000000000000000000001","nonce":1,"propose":{"votingPeriod":60,"delay":0,"actions":`
	const cancel = `{"cancelUpgrade":{"version":2}}`
	var b ledger.Body
	if err := json.Unmarshal([]byte(head+`[`+cancel+`]}}`), &b); err != nil {
		t.Fatal(err)
	}
	for actions, want := range map[string]string{
		`null`:                     "null",
		`{}`:                       "actions",
		`[{}]`:                     "this one has 0",
		`[null]`:                   "null",
		`[{"cancelUpgrade":null}]`: "null",
		`[{"cancelUpgrade":{}}]`:   `"version" is missing`,
		`[{"cancelUpgrade":{"version":2,"height":3}}]`:                                                          `unknown field "height"`,
		`[{"cancelUpgrade":{"version":2,"version":2}}]`:                                                         "given twice",
		`[{"cancelUpgrade":{"version":2},"cancelUpgrade":{"version":2}}]`:                                       "given twice",
		`[{"cancelUpgrade":{"version":2},"pauseAsset":{"asset":"0x0000000000000000000000000000000000000001"}}]`: "this one has 2",
		`[{"cancelUpgrade":{"version":"2"}}]`:                                                                   "version",
		`[{"cancelUpgrade":{"version":-2}}]`:                                                                    "version",
		`[{"CancelUpgrade":{"version":2}}]`:                                                                     `unknown field "CancelUpgrade"`,
		`[{"setFun":{}}]`:                                                                                       `unknown field "setFun"`,
		`[{"setRoles":{"member":"0x0000000000000000000000000000000000000001","roles":["king"]}}]`:               "king",
		`[{"setRoles":{"member":"0x0000000000000000000000000000000000000001","roles":["auditor","auditor"]}}]`:  "twice",
		`[{"setRoles":{"member":"0x0000000000000000000000000000000000000001","roles":null}}]`:                   "null",
		`[{"resolution":{"text":"a","hash":"0x00"}}]`:                                                           "hash",
	} {
		err := json.Unmarshal([]byte(head+actions+`}}`), &b)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n  error %v, want one with %q", actions, err, want)
		}
	}
	for key, want := range map[string]string{`"0x01"`: "64 hex digits", `"` + text("A", 64) + `"`: "64 hex digits", `7`: "consensusKey"} {
		err := json.Unmarshal([]byte(`{"sender":"0x0000000000000000000000000000000000000001","nonce":1,"rotateValidatorKey":{"consensusKey":`+key+`}}`), &b)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("key %s: error %v, want one with %q", key, err, want)
		}
	}
	for nodes, want := range map[string]string{`["` + text("A", 40) + `"]`: "lower case", `["0x` + text("a", 40) + `"]`: "40 hex digits", `null`: "null"} {
		err := json.Unmarshal([]byte(`{"sender":"0x0000000000000000000000000000000000000001","nonce":1,"setNodes":{"nodeIds":`+nodes+`}}`), &b)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("nodes %s: error %v, want one with %q", nodes, err, want)
		}
	}
}

// TestMembersOfGenesisRefused: each error names the field.
func TestMembersOfGenesisRefused(t *testing.T) {
	for name, spoil := range map[string]struct {
		do   func(g *ledger.Genesis)
		want string
	}{
		"an admin without account": {func(g *ledger.Genesis) { g.Members[0].Admin = ledgertest.Address("nobody") }, "admin"},
		"an admin of another":      {func(g *ledger.Genesis) { g.Members[1].Admin = g.Members[0].Admin }, "two members"},
		"a name twice":             {func(g *ledger.Genesis) { g.Members[1].Name = g.Members[0].Name }, "listed twice"},
		"no name":                  {func(g *ledger.Genesis) { g.Members[0].Name = "" }, "name"},
		"a key twice":              {func(g *ledger.Genesis) { g.Members[1].ConsensusKey = g.Members[0].ConsensusKey }, "listed twice"},
		"power without key":        {func(g *ledger.Genesis) { g.Members[0].ConsensusKey = ledger.ConsensusKey{} }, "consensusKey"},
		"power without role":       {func(g *ledger.Genesis) { g.Members[0].Roles = nil }, "power"},
		"power too low":            {func(g *ledger.Genesis) { g.Members[0].Power = 1 }, "power"},
		"power too high":           {func(g *ledger.Genesis) { g.Members[0].Power = ledger.MaxPower + 1 }, "power"},
		"no power at all":          {func(g *ledger.Genesis) { g.Members[0].Power, g.Members[1].Power = 0, 0 }, "none has voting power"},
		"an unknown role":          {func(g *ledger.Genesis) { g.Members[0].Roles = []string{"king"} }, "king"},
		"nodes that descend":       {func(g *ledger.Genesis) { g.Members[0].NodeIDs = []ledger.NodeID{{2}, {1}} }, "nodeIds"},
		"an account of nobody":     {func(g *ledger.Genesis) { g.Accounts[0].Member = ledgertest.Address("nobody") }, "accounts[0].member"},
		"a threshold of nothing": {func(g *ledger.Genesis) {
			g.Params.Thresholds = []ledger.GenesisThreshold{{Action: "x", Numerator: 1, Denominator: 2}}
		}, "thresholds[0]"},
		"a threshold twice": {func(g *ledger.Genesis) {
			g.Params.Thresholds = slices.Repeat([]ledger.GenesisThreshold{{Action: "setPower", Numerator: 1, Denominator: 2}}, 2)
		}, "thresholds[1]"},
		"a threshold below a half": {func(g *ledger.Genesis) {
			g.Params.Thresholds = []ledger.GenesisThreshold{{Action: "setPower", Numerator: 1, Denominator: 3}}
		}, "threshold of setPower"},
		"a cooldown of a second":       {func(g *ledger.Genesis) { g.Params.KeyRotationCooldown = 1 }, "keyRotationCooldown"},
		"a delay of more than 90 days": {func(g *ledger.Genesis) { g.Params.MinProposalDelay = ledger.MaxProposalDelay + 1 }, "minProposalDelay"},
	} {
		g := ledgertest.CouncilGenesis(equal(2)...)
		spoil.do(g)
		raw, err := json.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := ledger.ParseGenesis(raw)
		if err == nil {
			_, err = parsed.Build()
		}
		if err == nil || !strings.Contains(err.Error(), spoil.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, spoil.want)
		}
	}
}
