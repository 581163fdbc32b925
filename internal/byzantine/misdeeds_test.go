package main

import (
	"slices"
	"testing"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// The rules themselves must have against each wrong block what is written
// beside it, and must have nothing against the same without the wrong.
func TestMisdeeds(t *testing.T) {
	net, genesis := build(t)
	const now = 1_800_000_000
	names := map[string]bool{}
	for _, m := range misdeeds {
		if names[m.name] {
			t.Errorf("%s: twice in the list", m.name)
		}
		names[m.name] = true
		s := &scene{net: net, now: now}
		s.seen = s.signed(s.pay(mallory, 5), mallory)
		block := m.block(s)
		if m.replays {
			genesis := afterBlock(t, net, genesis, now, block)
			if got := verdict(t, net, genesis, now, block); got != m.code {
				t.Errorf("%s: %s, want %s", m.name, got, m.code)
			}
			continue
		}
		if got := verdict(t, net, genesis, now, block); got != m.code {
			t.Errorf("%s: %s, want %s", m.name, got, m.code)
		}
	}
	s := &scene{net: net, now: now}
	for name, raw := range map[string][]byte{
		"payment": s.signed(s.pay(victim, 0), victim), "swap": s.signed(s.swap(victim), victim, mallory),
		"board": s.signed(s.pay(board, 0), victim, friend), "long": s.many(1, 3600)[0],
	} {
		if got := verdict(t, net, genesis, now, [][]byte{raw}); got != ledger.Applied {
			t.Errorf("good %s: %s", name, got)
		}
	}
}

// build makes a small network like that of the tests that run the program.
func build(t *testing.T) (*ledger.Network, ledger.MapState) {
	t.Helper()
	params := ledger.DefaultParams()
	params.MaxBlockBytes, params.MaxBlockSignatures, params.MaxBlockLegs = 1<<20, ledger.MaxSignatures, ledger.MaxLegs
	g := ledger.Genesis{
		NetworkID: "misdeeds", ChainID: ledger.DeriveChainID("misdeeds"), Settlement: "TALLY",
		Params: ledger.NewGenesisParams(params),
		Assets: []ledger.GenesisAsset{{Symbol: "TALLY", Name: "Tally", Decimals: 18, Issuer: ledgertest.Address(friend)}},
	}
	keys := []ledger.Key{}
	for _, name := range []string{victim, mallory, friend} {
		keys = append(keys, ledger.Key{Address: ledgertest.Address(name), Weight: 1})
		g.Accounts = append(g.Accounts, ledger.GenesisAccount{Address: ledgertest.Address(name)})
	}
	slices.SortFunc(keys, func(a, b ledger.Key) int { return a.Address.Compare(b.Address) })
	g.Accounts = append(g.Accounts, ledger.GenesisAccount{Address: ledgertest.Address(board), Keys: keys, Threshold: 2})
	for _, a := range g.Accounts {
		g.Balances = append(g.Balances, ledger.GenesisBalance{Account: a.Address, Symbol: "TALLY", Amount: ledger.NewAmount(1_000_000)})
	}
	built, err := g.Build()
	if err != nil {
		t.Fatal(err)
	}
	s := ledger.MapState{}
	for _, c := range built.Changes {
		s[string(c.Key)] = c.Value
	}
	return built.Network, s
}

func decode(net *ledger.Network, block [][]byte) []*ledger.Tx {
	txs := make([]*ledger.Tx, len(block))
	for i, raw := range block {
		txs[i], _ = ledger.Decode(net, raw)
	}
	return txs
}

// verdict is what speaks against a block on a state.
func verdict(t *testing.T, net *ledger.Network, s ledger.MapState, now ledger.UnixTime, block [][]byte) ledger.Code {
	t.Helper()
	v, err := ledger.CheckBlock(net, ledger.Block{Height: 1, Time: now, Txs: decode(net, block)}, s)
	if err != nil {
		t.Fatal(err)
	}
	return v.Code
}

// afterBlock is the state after a block.
func afterBlock(t *testing.T, net *ledger.Network, s ledger.MapState, now ledger.UnixTime, block [][]byte) ledger.MapState {
	t.Helper()
	result, err := ledger.Apply(net, ledger.Block{Height: 1, Time: now, Txs: decode(net, block)}, s)
	if err != nil {
		t.Fatal(err)
	}
	after := ledger.MapState{}
	for k, v := range s {
		after[k] = v
	}
	for _, c := range result.Changes {
		after[string(c.Key)] = c.Value
	}
	return after
}
