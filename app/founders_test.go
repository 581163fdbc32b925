package app

import (
	"reflect"
	"strings"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/crypto/ed25519"

	"github.com/tallystick/tallystick/ledger"
)

// founded makes members of alice and bob, validators, and of carol, who is none.
func founded(g *ledger.Genesis) {
	for i, name := range []string{"alice", "bob", "carol"} {
		g.Accounts[i].Member = address(name)
		m := ledger.GenesisMember{Admin: address(name), Name: name, Roles: []string{"registrar"}}
		if name != "carol" {
			m.Roles = []string{"validator"}
			m.ConsensusKey, m.Power = ledger.ConsensusKey{byte(i + 1)}, ledger.MinFoundingPower+uint64(i)
			m.NodeIDs = []ledger.NodeID{{byte(i + 1)}}
		}
		g.Members = append(g.Members, m)
	}
}

func validator(key byte, power int64) abci.ValidatorUpdate {
	return abci.UpdateValidator(append([]byte{key}, make([]byte, 31)...), power, ed25519.KeyType)
}

// TestFoundingValidators: InitChain answers with the members' consensus keys
// and powers, and takes no other.
func TestFoundingValidators(t *testing.T) {
	alice, bob := validator(1, ledger.MinFoundingPower), validator(2, ledger.MinFoundingPower+1)
	c := openChain(t, t.TempDir(), Options{})
	for _, tc := range []struct {
		name   string
		listed []abci.ValidatorUpdate
		want   string // of the error
	}{
		{"none listed", nil, ""},
		{"the same", []abci.ValidatorUpdate{alice, bob}, ""},
		{"in another order", []abci.ValidatorUpdate{bob, alice}, ""},
		{"one missing", []abci.ValidatorUpdate{bob}, "validators: 1 of"},
		{"one more", []abci.ValidatorUpdate{alice, bob, validator(3, ledger.MinFoundingPower)}, "validators[2].pub_key"},
		{"one twice", []abci.ValidatorUpdate{alice, alice, bob}, "validators[1].pub_key"},
		{"another key", []abci.ValidatorUpdate{alice, validator(3, ledger.MinFoundingPower+1)}, "validators[1].pub_key"},
		{"another power", []abci.ValidatorUpdate{alice, validator(2, ledger.MinFoundingPower)}, "validators[1].power"},
		{"no key", []abci.ValidatorUpdate{{Power: ledger.MinFoundingPower}}, "validators[0].pub_key"},
	} {
		req := initRequest(genesisDoc(everybody, founded))
		req.Validators = tc.listed
		res, err := c.InitChain(ctx, req)
		if tc.want != "" {
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: error %v, want one with %q", tc.name, err, tc.want)
			}
			continue
		}
		if err != nil || len(res.Validators) != 2 || !reflect.DeepEqual(res.Validators, []abci.ValidatorUpdate{alice, bob}) {
			t.Errorf("%s: %+v, %v", tc.name, res, err)
		}
	}
	if c.Err() != nil {
		t.Errorf("a refusal stopped the application: %v", c.Err())
	}
}

// TestValidatorsWithoutMembers: the document's own are kept.
func TestValidatorsWithoutMembers(t *testing.T) {
	c := openChain(t, t.TempDir(), Options{})
	req := initRequest(genesisDoc(everybody, nil))
	req.Validators = []abci.ValidatorUpdate{validator(9, 5)}
	if res, err := c.InitChain(ctx, req); err != nil || len(res.Validators) != 0 {
		t.Errorf("%+v, %v", res, err)
	}
}
