package explorertest

import (
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/worldtest/hostile"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// Hostile is a chain with all that an enemy can bring into blocks: names, memos and
// references like markup, amounts and numbers as great as they can be, and
// transactions at fault in every way, which are refused and stand there all the same.
// The first block has what is applied, the last what is at fault, and those between
// are as of every chain.
func Hostile(t testing.TB, seed uint64, blocks int) *Chain {
	t.Helper()
	c := NewOf(t, seed, func(g *ledger.Genesis) {
		g.Members[2].Name = hostile.Name
		g.Assets[len(g.Assets)-1].Name = hostile.Name
		g.Assets = append(g.Assets, ledger.GenesisAsset{Symbol: "HUGE", Name: "As much as there can be", Issuer: ledgertest.Address("issuer"), Decimals: 18})
	})
	alice, huge := ledgertest.Address("alice"), c.assetOf("HUGE")
	c.Block(
		c.Sign("issuer", &ledger.Issue{Asset: huge, To: alice, Amount: ledger.MaxAmount, Reference: hostile.Reference}, ""),
		c.Sign("alice", &ledger.Transfer{Legs: []ledger.Leg{{From: alice, To: ledgertest.Address("bob"), Asset: huge, Amount: ledger.MaxAmount, Reference: hostile.Reference}}}, "<img src=x onerror=alert(1)>\n' OR 1=1; --"),
		c.Sign("m1", &ledger.Propose{Actions: ledger.ActionList{&ledger.ResolutionAction{Text: "<script>alert(1)</script>", Hash: crypto.Keccak256(nil)}}, VotingPeriod: 3600}, hostile.Name),
	)
	c.Grow(blocks)
	c.Block(c.Faulty()...)
	return c
}

func (c *Chain) assetOf(symbol string) (found crypto.Address) {
	for _, key := range under(c.state(), "asset/") {
		a, err := ledger.DecodeAsset(c.state()["asset/"+key])
		if err != nil {
			c.t.Fatal(err)
		}
		if a.Symbol == symbol {
			found = crypto.Address([]byte(key))
		}
	}
	return found
}

// Faulty are transactions that no block should have, and that one has all the same.
func (c *Chain) Faulty() (txs []*ledger.Tx) {
	from := ledgertest.Address("dave")
	leg := ledger.Leg{From: from, To: ledgertest.Address("bob"), Asset: c.asset(), Amount: ledger.NewAmount(1)}
	ops := []ledger.Operation{&ledger.Transfer{Legs: []ledger.Leg{leg}}}
	for _, text := range []string{hostile.Memo, "a\x00b", "\xff\xfe\xf0", strings.Repeat("\xf0\x9f\x99\x82", 200), hostile.Reference} {
		bad := leg
		bad.Reference = text
		ops = append(ops, &ledger.Transfer{Legs: []ledger.Leg{bad}}, &ledger.FreezeAccount{Account: from, Reference: text},
			&ledger.CreateAsset{Symbol: text, Name: text, Decimals: 255, Flags: 1 << 31}, &ledger.SetMetadata{Asset: leg.Asset, URI: text},
			&ledger.Propose{VotingPeriod: 1 << 63, Actions: ledger.ActionList{&ledger.ResolutionAction{Text: text}, &ledger.SetParameterAction{Name: text, Value: 1 << 63},
				&ledger.SetThresholdAction{Action: text, Numerator: 1 << 63}, &ledger.AdmitMemberAction{Name: text, Roles: ledger.RoleNames(255)}}})
	}
	add := func(raw []byte) {
		tx, _ := ledger.Decode(c.net, raw)
		tx.RecoverSigners()
		txs = append(txs, tx)
	}
	for i, op := range ops {
		for _, memo := range []string{hostile.Memo, "a\x00b", "\xff\xfe\xf0", "words of what is at fault"} {
			body := ledger.Body{Sender: from, Nonce: ^ledger.Nonce(0) - ledger.Nonce(i), ValidUntil: ^ledger.UnixTime(0), Op: op, Memo: memo}
			add(ledger.EncodeNative(c.net, &body, nil))
		}
	}
	whole := txs[0].Raw
	for _, raw := range [][]byte{{}, {0}, {0x54}, {0x02}, {0xff, 0xff}, whole[:len(whole)/2], append(whole[:len(whole):len(whole)], 0), make([]byte, ledger.MaxTxBytes+1), []byte("<script>alert(1)</script>")} {
		add(raw)
	}
	return txs
}
