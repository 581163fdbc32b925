package ledgertest

import (
	"math/big"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// The model of regulated assets: who may issue, what an issuer says about an
// asset and its holders, and what follows for those who pay and receive.

const (
	freezable  = 1
	clawback   = 2
	restricted = 4
)

// modelHolder is what an issuer said about a holder.
type modelHolder struct {
	approved bool
	frozen   bool
	amount   *big.Int // of the available balance, which must stay
}

// regulated notes the flags of a genesis's assets, and the approved holders.
func (m *Model) regulated(g *ledger.Genesis, bySymbol map[string]crypto.Address) {
	for i, a := range g.Assets {
		m.world.assets[m.assetAddress(crypto.Address{}, uint64(i))].flags = a.Flags
	}
	for _, h := range g.Holders {
		m.world.holder(bySymbol[h.Symbol], h.Account).approved = true
	}
}

// mayIssue: under the admitted policy, where there are members, only who
// belongs to one with the role.
func (m *Model) mayIssue(a crypto.Address) bool {
	member := m.world.members[m.world.accounts[a].member]
	return m.Open || len(m.world.members) == 0 || member != nil && member.status == ledger.MemberActive && member.roles["issuer"]
}

// holder is what was said about a holder, which may be nothing.
func (w *world) holder(asset, account crypto.Address) *modelHolder {
	id := [2]crypto.Address{asset, account}
	if w.holders[id] == nil {
		w.holders[id] = &modelHolder{amount: new(big.Int)}
	}
	return w.holders[id]
}

// stands says what stands against moving an asset.
func (a *modelAsset) stands() ledger.Code {
	if a.retired {
		return ledger.CodeAssetRetired
	}
	if a.paused {
		return ledger.CodeAssetPaused
	}
	return ledger.Applied
}

// receiveAsset is receive, and asks whether the account may have the asset.
func (m *Model) receiveAsset(asset, to crypto.Address) ledger.Code {
	if code := m.receive(to); code != ledger.Applied {
		return code
	}
	a, h := m.world.assets[asset], m.world.holder(asset, to)
	if a.flags&restricted > 0 && a.issuer != to && !h.approved {
		return ledger.CodeRecipientNotApproved
	}
	if h.frozen && !a.retired {
		return ledger.CodeRecipientFrozen
	}
	return ledger.Applied
}

// spend takes from a balance unless a freeze or the balance forbids it.
func (m *Model) spend(from, asset crypto.Address, amount *big.Int) ledger.Code {
	a, h := m.world.assets[asset], m.world.holder(asset, from)
	if h.frozen && !a.retired {
		return ledger.CodeSourceFrozen
	}
	if !m.world.take(from, asset, amount) {
		return ledger.CodeInsufficientBalance
	}
	left := m.world.balances[[2]crypto.Address{from, asset}]
	if !a.retired && h.amount.Sign() > 0 && left.Cmp(h.amount) < 0 {
		return ledger.CodeBalanceFrozen
	}
	return ledger.Applied
}

// regulate applies the operations of issuers on their assets; known is false
// for any other.
func (m *Model) regulate(b *ledger.Body) (code ledger.Code, known bool) {
	switch op := b.Op.(type) {
	case *ledger.RetireAsset:
		return m.retire(b, op), true
	case *ledger.ChangeIssuer:
		return m.changeIssuer(b, op), true
	case *ledger.SetMetadata:
		return m.setMetadata(b, op), true
	case *ledger.ApproveHolder:
		return m.say(b.Sender, op.Asset, op.Account, restricted, ledger.CodeNotRestricted, func(h *modelHolder) ledger.Code {
			return flip(&h.approved, true, ledger.CodeHolderApproved)
		}), true
	case *ledger.RevokeHolder:
		return m.say(b.Sender, op.Asset, op.Account, restricted, ledger.CodeNotRestricted, func(h *modelHolder) ledger.Code {
			return flip(&h.approved, false, ledger.CodeHolderNotApproved)
		}), true
	case *ledger.FreezeHolder:
		return m.say(b.Sender, op.Asset, op.Account, freezable, ledger.CodeNotFreezable, func(h *modelHolder) ledger.Code {
			return flip(&h.frozen, true, ledger.CodeHolderFrozen)
		}), true
	case *ledger.UnfreezeHolder:
		return m.say(b.Sender, op.Asset, op.Account, freezable, ledger.CodeNotFreezable, func(h *modelHolder) ledger.Code {
			return flip(&h.frozen, false, ledger.CodeHolderNotFrozen)
		}), true
	case *ledger.FreezeBalance:
		return m.say(b.Sender, op.Asset, op.Account, freezable, ledger.CodeNotFreezable, func(h *modelHolder) ledger.Code {
			if h.amount.Cmp(bigOf(op.Amount)) == 0 {
				return ledger.CodeFrozenUnchanged
			}
			h.amount = bigOf(op.Amount)
			return ledger.Applied
		}), true
	case *ledger.Clawback:
		return m.clawback(b, op), true
	}
	return 0, false
}

func flip(b *bool, to bool, already ledger.Code) ledger.Code {
	if *b == to {
		return already
	}
	*b = to
	return ledger.Applied
}

// say changes what the issuer says about a holder.
func (m *Model) say(sender, asset, account crypto.Address, flag uint32, lacking ledger.Code, change func(*modelHolder) ledger.Code) ledger.Code {
	a, code := m.issuedBy(sender, asset)
	switch {
	case code != ledger.Applied:
		return code
	case a.flags&flag == 0:
		return lacking
	case a.retired:
		return ledger.CodeAssetRetired
	case m.world.accounts[account] == nil || m.world.accounts[account].closed:
		return ledger.CodeUnknownHolder
	}
	return change(m.world.holder(asset, account))
}

func (m *Model) retire(b *ledger.Body, op *ledger.RetireAsset) ledger.Code {
	a, code := m.issuedBy(b.Sender, op.Asset)
	switch {
	case code != ledger.Applied:
		return code
	case a.retired:
		return ledger.CodeAssetRetired
	case op.Asset == m.Settlement:
		return ledger.CodeSettlementAsset
	case a.paused:
		return ledger.CodeAssetPaused
	}
	for _, h := range m.world.holds {
		if h.asset == op.Asset {
			return ledger.CodeAssetHasHolds
		}
	}
	a.retired = true
	return ledger.Applied
}

func (m *Model) changeIssuer(b *ledger.Body, op *ledger.ChangeIssuer) ledger.Code {
	a, code := m.issuedBy(b.Sender, op.Asset)
	switch {
	case code != ledger.Applied:
		return code
	case a.retired:
		return ledger.CodeAssetRetired
	case !m.acts(m.world.accounts[op.To]):
		return ledger.CodeNewIssuerInactive
	case !m.mayIssue(op.To):
		return ledger.CodeNotIssuerMember
	}
	a.issuer = op.To
	return ledger.Applied
}

func (m *Model) setMetadata(b *ledger.Body, op *ledger.SetMetadata) ledger.Code {
	a, code := m.issuedBy(b.Sender, op.Asset)
	switch {
	case code != ledger.Applied:
		return code
	case a.retired:
		return ledger.CodeAssetRetired
	case a.uri == op.URI && a.hash == op.Hash:
		return ledger.CodeMetadataUnchanged
	}
	a.uri, a.hash = op.URI, op.Hash
	return ledger.Applied
}

func (m *Model) clawback(b *ledger.Body, op *ledger.Clawback) ledger.Code {
	a, code := m.issuedBy(b.Sender, op.Asset)
	if code != ledger.Applied {
		return code
	}
	if a.flags&clawback == 0 {
		return ledger.CodeNotClawback
	}
	if code := m.receiveAsset(op.Asset, op.To); code != ledger.Applied {
		return code
	}
	if !m.world.take(op.From, op.Asset, bigOf(op.Amount)) {
		return ledger.CodeInsufficientBalance
	}
	m.world.add(op.To, op.Asset, bigOf(op.Amount))
	return ledger.Applied
}

// compareHolders compares what issuers said about holders, and the metadata.
func (m *Model) compareHolders(t testing.TB, c *Chain) {
	t.Helper()
	kept := 0
	for id, want := range m.world.holders {
		value, _ := c.State.Get(ledger.KeyHolder(id[0], id[1]))
		got, err := ledger.DecodeHolder(value)
		if err != nil {
			t.Fatal(err)
		}
		if got.Approved != want.approved || got.Frozen != want.frozen || bigOf(got.FrozenAmount).Cmp(want.amount) != 0 {
			t.Fatalf("holder %s of %s is %+v, in the model %+v", id[1], id[0], got, want)
		}
		if value != nil {
			kept++
		}
	}
	if entries := c.State.Under("holder/"); len(entries) != kept {
		t.Fatalf("the state has %d holders, the model %d", len(entries), kept)
	}
	described := 0
	for address, a := range m.world.assets {
		value, _ := c.State.Get(ledger.KeyMetadata(address))
		got, err := ledger.DecodeMetadata(value)
		if err != nil || got.URI != a.uri || got.Hash != a.hash {
			t.Fatalf("metadata of %s is %+v (error %v), in the model %q %s", a.symbol, got, err, a.uri, a.hash)
		}
		if value != nil {
			described++
		}
	}
	if entries := c.State.Under("metadata/"); len(entries) != described {
		t.Fatalf("the state has metadata of %d assets, the model of %d", len(entries), described)
	}
}

// status is what the asset's record must say.
func (a *modelAsset) status() ledger.AssetStatus {
	switch {
	case a.retired:
		return ledger.AssetRetired
	case a.paused:
		return ledger.AssetPaused
	}
	return ledger.AssetActive
}
