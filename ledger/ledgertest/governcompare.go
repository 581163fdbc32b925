package ledgertest

import (
	"maps"
	"math/big"
	"slices"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// Compare fails the test unless the chain's state says what the model says of
// members, keys, powers, proposals, accounts, assets, parameters and upgrades.
func (m *GovernModel) Compare(t testing.TB, c *Chain) {
	t.Helper()
	m.compareMembers(t, c)
	m.compareProposals(t, c)
	m.compareStatuses(t, c)
	params, err := ledger.ReadParams(c.State)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{
		"accountPolicy": uint64(params.AccountPolicy), "maxNewAccounts": params.MaxNewAccounts, "maxMultiPartyLifetime": params.MaxMultiPartyLifetime,
		"maxBlockSignatures": params.MaxBlockSignatures, "maxBlockLegs": params.MaxBlockLegs, "maxBlockBytes": params.MaxBlockBytes,
		"minProposalDelay": params.MinProposalDelay, "keyRotationCooldown": params.KeyRotationCooldown,
	}
	if !maps.Equal(got, m.world.params) {
		t.Fatalf("the parameters are %v, in the model %v", got, m.world.params)
	}
	for i, f := range params.Thresholds {
		name := ledger.ActionKind(i + 1).String()
		if big.NewRat(int64(f.Numerator), int64(f.Denominator)).Cmp(m.world.thresholds[name]) != 0 {
			t.Fatalf("the threshold of %s is %+v, in the model %s", name, f, m.world.thresholds[name])
		}
	}
	version, err := ledger.ReadProtocol(c.State)
	next, scheduled, err2 := ledger.ReadUpgrade(c.State)
	if err != nil || err2 != nil || version != m.world.version || scheduled != (m.world.upgrade != nil) {
		t.Fatalf("version %d, next %+v, in the model %d, %+v", version, next, m.world.version, m.world.upgrade)
	}
	if u := m.world.upgrade; u != nil && (next != ledger.Upgrade{Version: u.Version, Height: ledger.Height(u.Height), Name: u.Name}) {
		t.Fatalf("the upgrade is %+v, in the model %+v", next, u)
	}
}

func (m *GovernModel) compareMembers(t testing.TB, c *Chain) {
	t.Helper()
	got := membersOf(t, c.State)
	if len(got) != len(m.world.members) {
		t.Fatalf("the state has %d members, the model %d", len(got), len(m.world.members))
	}
	for a, want := range m.world.members {
		is := got[a]
		if is.Name != want.name || is.Status.String() != want.status || is.Roles != want.roles || is.Key != want.key ||
			is.Power != want.power.Uint64() || is.Target != want.target.Uint64() || !slices.Equal(is.Nodes, want.nodes) || uint64(is.RotatedAt) != want.rotated {
			t.Fatalf("member %s is %+v, in the model %+v", a, is, want)
		}
	}
	for key, owner := range m.world.owners {
		if value, _ := c.State.Get(ledger.KeyKeyOwner(key.Address())); string(value) != string(owner[:]) {
			t.Fatalf("key %s is that of %x, in the model %s", key, value, owner)
		}
	}
	if entries := c.State.Under("validator/"); len(entries) != len(m.world.owners) {
		t.Fatalf("the state has %d keys, the model %d", len(entries), len(m.world.owners))
	}
}

func (m *GovernModel) compareProposals(t testing.TB, c *Chain) {
	t.Helper()
	last, err := ledger.ReadLastProposal(c.State)
	if err != nil || int(last) != len(m.world.proposals) {
		t.Fatalf("the last proposal is %d (%v), in the model %d", last, err, len(m.world.proposals))
	}
	for i, want := range m.world.proposals {
		is, _, err := ledger.ReadProposal(c.State, ledger.ProposalID(i+1))
		if err != nil || is.Status.String() != want.status || is.Proposer != want.proposer || uint64(is.Created) != want.created ||
			uint64(is.Due) != want.due || is.Delay != want.delay || is.Code != want.code || int(is.Failed) != want.failed || !slices.Equal(is.Votes, want.order) {
			t.Fatalf("proposal %d is %+v (%v), in the model %+v", i+1, is, err, want)
		}
	}
}

// compareStatuses: who answers for each account, and what is frozen and paused.
func (m *GovernModel) compareStatuses(t testing.TB, c *Chain) {
	t.Helper()
	accounts, assets := c.State.Under("account/"), c.State.Under("asset/")
	if len(accounts) != len(m.world.accounts) || len(assets) != len(m.world.assets) {
		t.Fatalf("the state has %d accounts and %d assets, the model %d and %d", len(accounts), len(assets), len(m.world.accounts), len(m.world.assets))
	}
	for _, e := range accounts {
		address := crypto.Address([]byte(e.Key))
		is, err := ledger.DecodeAccount(e.Value)
		if want := m.world.accounts[address]; err != nil || want == nil || is.Status.String() != want.status() || is.Member != want.member {
			t.Fatalf("account %s is %s, of %s (%v), in the model %+v", address, is.Status, is.Member, err, want)
		}
	}
	for _, e := range assets {
		address := crypto.Address([]byte(e.Key))
		is, err := ledger.DecodeAsset(e.Value)
		if want := m.world.assets[address]; err != nil || want == nil || is.Status.String() != want.status() || is.Issuer != want.issuer {
			t.Fatalf("asset %s is %s, issued by %s (%v), in the model %+v", address, is.Status, is.Issuer, err, want)
		}
	}
}
