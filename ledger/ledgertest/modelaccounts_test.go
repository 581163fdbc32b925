package ledgertest

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// TestModelAgreesOnAccounts is TestModelAgrees where members do little but
// their registrars' work, and the others often change their keys.
func TestModelAgreesOnAccounts(t *testing.T) {
	seen := map[ledger.Code]int{}
	wanted := []ledger.Code{
		ledger.Applied, ledger.CodeAuthorityUnchanged, ledger.CodeNotMember, ledger.CodeMissingRole, ledger.CodeUnknownAccount,
		ledger.CodeNotOwnAccount, ledger.CodeAdminAccount, ledger.CodeAccountExists, ledger.CodeAccountIsAsset, ledger.CodeAccountClosed,
		ledger.CodeAccountFrozen, ledger.CodeAccountNotFrozen, ledger.CodeAccountHasBalances,
	}
	checkUntilSeen(t, seen, wanted, func(rt *rapid.T) {
		g := playGenesis(rt)
		if len(g.Members) == 0 {
			addMembers(rt, g)
		}
		p := &play{chain: NewChain(t, g), model: NewModel(g), registry: true}
		p.vote(rt, t)
		for range rapid.IntRange(3, 6).Draw(rt, "blocks") {
			p.block(rt, t, seen)
		}
	})
}

// addMembers founds the network by members that answer for most of the cast.
func addMembers(t *rapid.T, g *ledger.Genesis) {
	for i := range g.Accounts {
		if name := rapid.SampledFrom([]string{"bank", "bank", "desk", "nobody"}).Draw(t, "member"); name != "nobody" {
			g.Accounts[i].Member = Address(name)
		}
	}
	AddMember(g, "bank", ledger.MinFoundingPower, "validator", "issuer", "registrar")
	AddMember(g, "desk", 0, "registrar")
	AddMember(g, "watch", 0, "auditor")
}

// vote does what the members may have voted for before the play.
func (p *play) vote(rt *rapid.T, t *testing.T) {
	if oneIn(rt, 4, "freeze") {
		p.chain.FreezeByNetwork(t, Address("carol"))
		p.model.FreezeByNetwork(Address("carol"))
	}
	desk := Address("desk")
	if p.model.world.members[desk] == nil {
		return
	}
	status := rapid.SampledFrom([]ledger.MemberStatus{ledger.MemberActive, ledger.MemberActive, ledger.MemberActive, ledger.MemberSuspended, ledger.MemberRemoved}).Draw(rt, "desk")
	if status != ledger.MemberActive {
		p.chain.SetMemberStatus(t, desk, status)
		p.model.SetMemberStatus(desk, status)
	}
}

// enough are keys that reach the account's threshold as it was before the
// block, none of them needless.
func (p *play) enough(rt *rapid.T, a crypto.Address) (keys []crypto.Address) {
	account := p.model.world.accounts[a]
	if account == nil {
		return []crypto.Address{a}
	}
	for _, name := range cast {
		if account.keys[Address(name)] != nil {
			keys = append(keys, Address(name))
		}
	}
	if rapid.Bool().Draw(rt, "from the end") {
		slices.Reverse(keys)
	}
	for i := 0; i < len(keys); {
		if without := slices.Delete(slices.Clone(keys), i, i+1); p.model.allAuthorised([]crypto.Address{a}, without) {
			keys = without
		} else {
			i++
		}
	}
	return keys
}

// setKeys is a new authority for the sender, of which enough keys are known.
func (p *play) setKeys(rt *rapid.T, sender string) ledger.Operation {
	weights := map[crypto.Address]uint32{}
	for _, name := range rapid.SliceOfN(rapid.SampledFrom(append(slices.Clone(signers), sender)), 0, 3).Draw(rt, "keys") {
		weights[Address(name)] = rapid.Uint32Range(1, 3).Draw(rt, "weight")
	}
	if len(weights) == 1 && weights[Address(sender)] == 1 {
		weights = nil // which is written so
	}
	return SetKeys(weights, func(sum uint64) uint64 { return rapid.Uint64Range(1, sum).Draw(rt, "threshold") })
}

// registrar is what registrars do, most often to an account of their own
// member, which may be frozen already.
func (p *play) registrar(rt *rapid.T, sender crypto.Address) ledger.Operation {
	account := p.recipient(rt)
	var own, frozen []crypto.Address
	for _, name := range cast {
		if a := p.model.world.accounts[Address(name)]; a != nil && a.member == sender {
			own = append(own, Address(name))
			if a.barred() {
				frozen = append(frozen, Address(name))
			}
		}
	}
	if len(own) > 0 && oneIn(rt, 2, "own account") {
		account = rapid.SampledFrom(own).Draw(rt, "account")
	}
	if len(frozen) > 0 && oneIn(rt, 3, "frozen account") {
		account = rapid.SampledFrom(frozen).Draw(rt, "account")
	}
	reference := rapid.SampledFrom([]string{"", "case 17"}).Draw(rt, "reference")
	switch rapid.SampledFrom([]int{0, 1, 2, 3, 4, 5}).Draw(rt, "what") {
	case 0:
		return &ledger.AdmitAccount{Account: account}
	case 1, 2:
		return &ledger.FreezeAccount{Account: account, Reference: reference}
	case 3, 4:
		return &ledger.UnfreezeAccount{Account: account, Reference: reference}
	}
	return &ledger.CloseAccount{Account: account}
}
