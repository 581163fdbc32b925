package ledgertest

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// regulate adds to a play's genesis an asset with flags, some approved holders,
// and sometimes members, of which only the issuer's may issue.
func regulate(t *rapid.T, g *ledger.Genesis) {
	flags := rapid.SampledFrom([]uint32{1, 2, 4, 7, 7, 7, 7}).Draw(t, "flags")
	g.Assets = append(g.Assets, ledger.GenesisAsset{Symbol: "SHARE", Name: "Share", Issuer: Address("issuer"), Cap: Amount("100000"), Flags: flags})
	for _, name := range []string{"alice", "bob", "duo"} {
		if flags&restricted > 0 {
			g.Holders = append(g.Holders, ledger.GenesisHolder{Account: Address(name), Symbol: "SHARE"})
		}
		g.Balances = append(g.Balances, ledger.GenesisBalance{Account: Address(name), Symbol: "SHARE", Amount: ledger.NewAmount(1000)})
	}
}

// TestModelAgreesOnRegulatedAssets plays what issuers and holders do with one
// asset with flags, properly signed and with fresh nonces, so that most of it
// comes as far as the rules of such assets.
func TestModelAgreesOnRegulatedAssets(t *testing.T) {
	seen := map[ledger.Code]int{}
	wanted := []ledger.Code{
		ledger.CodeAssetRetired, ledger.CodeNotFreezable, ledger.CodeNotClawback, ledger.CodeNotRestricted, ledger.CodeUnknownHolder,
		ledger.CodeHolderApproved, ledger.CodeHolderNotFrozen, ledger.CodeRecipientNotApproved, ledger.CodeRecipientFrozen,
		ledger.CodeSourceFrozen, ledger.CodeBalanceFrozen,
	}
	checkUntilSeen(t, seen, wanted, func(rt *rapid.T) {
		g := playGenesis(rt)
		p := &play{chain: NewChain(t, g), model: NewModel(g)}
		if oneIn(rt, 4, "freeze") {
			p.chain.FreezeByNetwork(t, Address("carol"))
			p.model.FreezeByNetwork(Address("carol"))
		}
		nonces := map[crypto.Address]ledger.Nonce{}
		for range rapid.IntRange(3, 7).Draw(rt, "blocks") {
			var requests []Request
			var txs []*ledger.Tx
			for range rapid.IntRange(2, 6).Draw(rt, "transactions") {
				r, tx := p.proper(rt, nonces)
				requests, txs = append(requests, r), append(txs, tx)
			}
			p.compare(t, seen, p.chain.Time+1, requests, txs)
		}
	})
}

// proper draws a transaction that is includable, but where an account is frozen:
// of the issuer of SHARE, or a transfer of a holder.
func (p *play) proper(rt *rapid.T, nonces map[crypto.Address]ledger.Nonce) (Request, *ledger.Tx) {
	share := p.chain.Asset("SHARE")
	sender := p.model.world.assets[share].issuer
	var op ledger.Operation
	switch rapid.IntRange(0, 9).Draw(rt, "what") {
	case 0, 1, 2:
		from := Address(rapid.SampledFrom([]string{"alice", "bob", "duo"}).Draw(rt, "from"))
		op = &ledger.Transfer{Legs: []ledger.Leg{{From: from, To: p.recipient(rt), Asset: share, Amount: p.amount(rt)}}}
		sender = from
	case 3:
		op = &ledger.Issue{Asset: share, To: p.recipient(rt), Amount: p.amount(rt)}
	case 4:
		from := Address(rapid.SampledFrom([]string{"alice", "bob", "duo"}).Draw(rt, "from"))
		op = &ledger.Redeem{Asset: share, From: from, Amount: p.amount(rt)}
	default:
		op = p.regulated(rt, sender)
	}
	b := ledger.Body{Sender: sender, Nonce: nonces[sender], ValidUntil: p.chain.Time + 50, Op: op}
	nonces[sender]++
	names := map[string]bool{}
	for _, a := range append(paying(op), sender) {
		for _, name := range slices.Concat(people, strangers, []string{"duo"}) {
			if a == Address(name) {
				names[name] = true
			}
		}
	}
	if names["duo"] {
		names["alice"], names["bob"] = true, true
		delete(names, "duo")
	}
	r := Request{Envelope: ledger.EnvelopeNative, Body: b}
	var keys []*crypto.PrivateKey
	for _, name := range slices.Concat(people, strangers) {
		if names[name] {
			keys, r.Signers = append(keys, Key(name)), append(r.Signers, Address(name))
		}
	}
	slices.SortFunc(r.Signers, crypto.Address.Compare)
	tx, code := ledger.Sign(p.chain.Net, b, ledger.SchemeBodyHash, keys...)
	if code != ledger.Applied {
		rt.Fatalf("%s: %+v", code, op)
	}
	return r, tx
}

// regulated draws an operation of an issuer, most often on SHARE.
func (p *play) regulated(rt *rapid.T, sender crypto.Address) ledger.Operation {
	asset := p.chain.Asset("SHARE")
	if oneIn(rt, 6, "another asset") {
		asset = p.asset(rt)
	}
	holder := Address(rapid.SampledFrom([]string{"alice", "alice", "bob", "carol", "duo", "trio", "issuer", "dave"}).Draw(rt, "holder"))
	switch rapid.IntRange(0, 14).Draw(rt, "regulation") {
	case 0:
		if oneIn(rt, 5, "really") {
			return &ledger.RetireAsset{Asset: asset}
		}
		if oneIn(rt, 3, "settlement") {
			return &ledger.RetireAsset{Asset: p.chain.Net.Settlement}
		}
		return &ledger.UnfreezeHolder{Asset: asset, Account: holder}
	case 1:
		others := slices.DeleteFunc([]string{"alice", "bob", "carol", "issuer", "duo"}, func(name string) bool { return Address(name) == sender })
		return &ledger.ChangeIssuer{Asset: asset, To: Address(rapid.SampledFrom(others).Draw(rt, "new issuer"))}
	case 2:
		return &ledger.SetMetadata{
			Asset: asset, URI: rapid.SampledFrom([]string{"", "https://example.org/terms"}).Draw(rt, "uri"),
			Hash: crypto.Hash{rapid.ByteMax(1).Draw(rt, "hash")},
		}
	case 3, 4:
		return &ledger.ApproveHolder{Asset: asset, Account: holder}
	case 5:
		return &ledger.RevokeHolder{Asset: asset, Account: holder}
	case 6, 7:
		return &ledger.FreezeHolder{Asset: asset, Account: holder}
	case 8:
		return &ledger.UnfreezeHolder{Asset: asset, Account: holder}
	case 9, 10, 11:
		amount := rapid.SampledFrom([]uint64{0, 1, 950, 990, 1000, 5000}).Draw(rt, "frozen")
		return &ledger.FreezeBalance{Asset: asset, Account: holder, Amount: ledger.NewAmount(amount)}
	}
	op := &ledger.Clawback{Asset: asset, From: holder, To: p.recipient(rt), Amount: p.amount(rt), Reason: 1}
	if op.From == op.To {
		op.To = Address("erin")
	}
	return op
}
