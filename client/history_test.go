package client

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// historyNode serves a history of 5 blocks, two items a page, and counts on.
func historyNode(t *testing.T, seen *[]string) *fakeNode {
	n := newFake(t, "net-a")
	n.on("ledger_getHistory", func(params []json.RawMessage) (any, *fakeError) {
		*seen = append(*seen, string(params[0])+string(params[1]))
		var page wire.Page
		if err := json.Unmarshal(params[1], &page); err != nil {
			return nil, &fakeError{-32602, err.Error(), nil}
		}
		from := map[string]uint64{"": 5, "4.1": 3, "2.1": 1}[page.Cursor]
		out := wire.HistoryPage{Items: []wire.HistoryItem{}}
		for height := from; height > 0 && len(out.Items) < 2; height-- {
			hash, index := crypto.Hash{byte(height)}, uint32(0)
			out.Items = append(out.Items, wire.HistoryItem{Height: height, Hash: &hash, Index: &index, Events: []wire.Event{},
				Receipt: &wire.Receipt{Hash: hash, Height: height, Events: []wire.Event{{Event: ledger.Event{Type: ledger.EventTransfer, Reference: "r"}}}}})
		}
		if from == 1 { // the genesis ends it
			out.Items = append(out.Items, wire.HistoryItem{Events: []wire.Event{{Event: ledger.Event{Type: ledger.EventAccountCreated, Account: settlement}}}})
		} else {
			next := map[uint64]string{5: "4.1", 3: "2.1"}[from]
			out.Next = &next
		}
		return out, nil
	})
	return n
}

// A history is read page by page, whole and only as far as it is wanted.
func TestWholeHistory(t *testing.T) {
	var asked []string
	c := dial(t, historyNode(t, &asked))
	account := crypto.Address{19: 9}
	var heights []uint64
	for item, err := range c.WholeHistory(t.Context(), wire.Subject{Account: &account}) {
		if err != nil {
			t.Fatal(err)
		}
		heights = append(heights, item.Height)
		if (item.Receipt == nil) != (item.Height == 0) || item.Receipt != nil && item.Receipt.Events[0].Reference != "r" {
			t.Errorf("item %+v", item)
		}
	}
	if len(heights) != 6 || heights[0] != 5 || heights[5] != 0 {
		t.Errorf("heights %v", heights)
	}
	want := `{"account":"` + account.String() + `"}`
	if len(asked) != 3 || asked[0] != want+`{}` || asked[2] != want+`{"cursor":"2.1"}` {
		t.Errorf("asked %v", asked)
	}
	asked = nil
	for range c.WholeHistory(t.Context(), wire.Subject{Reference: "r"}) {
		break
	}
	if len(asked) != 1 || asked[0] != `{"reference":"r"}{}` {
		t.Errorf("asked %v", asked)
	}
}

// An error ends a history, and so does a node that would never end it.
func TestWholeHistoryEnds(t *testing.T) {
	n := newFake(t, "net-a")
	c := dial(t, n)
	read := func() (errs []error) {
		for _, err := range c.WholeHistory(t.Context(), wire.Subject{Asset: "EUR"}) {
			errs = append(errs, err)
		}
		return errs
	}
	n.fails("ledger_getHistory", wire.CodeNotFound, wire.ErrorData{Name: "noSuchAsset"})
	if errs := read(); len(errs) != 1 || wants(t, errs[0], "noSuchAsset").Temporary() {
		t.Errorf("%v", errs)
	}
	n.on("ledger_getHistory", func([]json.RawMessage) (any, *fakeError) {
		next := "again"
		return wire.HistoryPage{Items: []wire.HistoryItem{}, Next: &next}, nil
	})
	if errs := read(); len(errs) != 1 || !strings.Contains(wants(t, errs[0], NameAnswer).Error(), "does not end") {
		t.Errorf("%v", errs)
	}
}

func TestPendingAndPeers(t *testing.T) {
	n := newFake(t, "net-a")
	var asked string
	n.on("ledger_pending", func(params []json.RawMessage) (any, *fakeError) {
		asked = string(params[0]) + string(params[1])
		return wire.PendingPage{Total: 3, Items: []wire.PendingItem{{Nonce: 7, Reason: wire.PendingQueued}}}, nil
	})
	n.on("ledger_peers", func([]json.RawMessage) (any, *fakeError) {
		return wire.Peers{NodeID: "me", Items: []wire.Peer{{NodeID: "you", Direction: "in"}}}, nil
	})
	c := dial(t, n)
	account := crypto.Address{19: 9}
	p, err := c.Pending(t.Context(), wire.PendingFilter{Account: &account}, wire.Page{Limit: 5})
	if err != nil || p.Total != 3 || p.Items[0].Reason != wire.PendingQueued || asked != `{"account":"`+account.String()+`"}{"limit":5}` {
		t.Errorf("%+v, %v, asked %s", p, err, asked)
	}
	peers, err := c.Peers(t.Context())
	if err != nil || peers.NodeID != "me" || peers.Items[0].NodeID != "you" {
		t.Errorf("%+v, %v", peers, err)
	}
}
