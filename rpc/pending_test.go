package rpc

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// What waits is listed in the order of arrival, page by page, for all or for one
// sender, with what it is and why it waits; and no more once it is committed.
func TestPendingIsListed(t *testing.T) {
	h := newHarness(t, Options{})
	h.node.hold = true
	var want []crypto.Hash
	for nonce := range uint64(5) {
		tx, raw := h.rawTx(t, nonce, 1)
		h.result(t, new(crypto.Hash), "ledger_sendRawTransaction", raw)
		want = append(want, tx.Hash)
	}
	for limit := 1; limit < 7; limit++ {
		for _, filter := range []any{nil, map[string]any{}, map[string]any{"account": alice}} {
			var got []crypto.Hash
			for cursor := (*string)(nil); ; {
				var page wire.PendingPage
				h.result(t, &page, "ledger_pending", filter, pageOf(limit, cursor))
				if page.Total != len(want) || page.Height != 0 || len(page.Items) > limit {
					t.Fatalf("%+v", page)
				}
				for _, item := range page.Items {
					got = append(got, item.Hash)
				}
				if cursor = page.Next; cursor == nil {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("by %d: %v, want %v", limit, got, want)
			}
		}
	}
	var page wire.PendingPage
	h.result(t, &page, "ledger_pending")
	item := page.Items[2]
	if item.Sender != alice || item.Nonce != 2 || item.Kind != "transfer" || item.SizeBytes < 100 || item.ValidUntil != 0 ||
		item.Reason != wire.PendingNext || !strings.Contains(item.Message, "next block") {
		t.Errorf("%+v", item)
	}
	h.result(t, &page, "ledger_pending", map[string]any{"account": bob})
	if len(page.Items) != 0 || page.Total != 5 || page.Next != nil {
		t.Errorf("bob's: %+v", page)
	}
	h.node.commit(t)
	h.result(t, &page, "ledger_pending")
	if len(page.Items) != 0 || page.Total != 0 || page.Height != 1 || page.BlockTime != genesisTime+1 {
		t.Errorf("after the block: %+v", page)
	}
}

// Every reason has its words, and no other's.
func TestPendingReasonsHaveWords(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range wire.PendingReasons {
		if seen[r.Name] || seen[r.Meaning] || r.Meaning == "" {
			t.Errorf("%+v", r)
		}
		seen[r.Name], seen[r.Meaning] = true, true
		item := pendingItem(&PendingTx{Tx: &ledger.Tx{Body: ledger.Body{Op: &ledger.Transfer{}}}, Reason: r.Name})
		if item.Message != r.Meaning {
			t.Errorf("%s says %q", r.Name, item.Message)
		}
	}
}

// Peers are shown with the member that lists them.
func TestPeersHaveTheirMembers(t *testing.T) {
	h := newHarness(t, Options{})
	height := uint64(7)
	h.node.peers = []wire.Peer{{NodeID: strings.Repeat("cd", 20), Moniker: "<b>", Address: "10.0.0.1:26656", Direction: "out", ConnectedMs: 5, Height: &height}, {NodeID: strings.Repeat("ef", 20), Direction: "in"}}
	var peers wire.Peers
	h.result(t, &peers, "ledger_peers")
	if len(peers.Items) != 2 || peers.Items[0].Member != nil || peers.NodeID != strings.Repeat("ab", 20) || *peers.Items[0].Height != 7 || peers.Items[1].Height != nil {
		t.Errorf("%+v", peers)
	}
	h.node.peers = nil
	if a := h.call(t, "ledger_peers"); !strings.Contains(string(a.Result), `"items":[]`) {
		t.Errorf("nobody: %s", a.Result)
	}
}

func TestNameMembers(t *testing.T) {
	node := func(b byte) (id ledger.NodeID) {
		id[0] = b
		return id
	}
	g := ledger.Genesis{NetworkID: "peers-test", ChainID: 777_778, Settlement: "TALLY", Params: ledger.NewGenesisParams(ledger.DefaultParams())}
	g.Assets = []ledger.GenesisAsset{{Symbol: "TALLY", Name: "Tally", Issuer: alice}}
	g.Accounts = []ledger.GenesisAccount{{Address: alice, Member: alice}, {Address: bob, Member: bob}}
	for i, admin := range []crypto.Address{alice, bob} {
		g.Members = append(g.Members, ledger.GenesisMember{
			Admin: admin, Name: fmt.Sprintf("Bank %d", i), Roles: []string{"validator", "registrar"}, ConsensusKey: ledger.ConsensusKey{byte(i + 1)},
			Power: ledger.MinFoundingPower, NodeIDs: []ledger.NodeID{node(byte(2*i + 1)), node(byte(2*i + 2))},
		})
	}
	built, err := g.Build()
	if err != nil {
		t.Fatal(err)
	}
	state := ledger.MapState(applied(map[string][]byte{}, built.Changes))
	var peers []wire.Peer
	for b := range byte(5) {
		peers = append(peers, wire.Peer{NodeID: node(b).String()})
	}
	if err := nameMembers(state, peers); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"", "Bank 0", "Bank 0", "Bank 1", "Bank 1"} {
		if p := peers[i]; p.MemberName != want || (p.Member == nil) != (want == "") {
			t.Errorf("peer %d: %+v, want %q", i, p, want)
		}
	}
	if *peers[1].Member != alice || *peers[3].Member != bob {
		t.Errorf("%s and %s", peers[1].Member, peers[3].Member)
	}
}
