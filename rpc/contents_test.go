package rpc

import (
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// whole gathers a block from its parts.
func (h *harness) whole(t *testing.T, height uint64) (all wire.BlockContents, parts int) {
	t.Helper()
	from := uint64(0)
	for {
		var part wire.BlockContents
		h.result(t, &part, "ledger_getBlockContents", height, from)
		parts++
		events, txs := append(all.Events, part.Events...), append(all.Transactions, part.Transactions...)
		all = part
		all.Events, all.Transactions = events, txs
		if part.Next == nil {
			return all, parts
		}
		if *part.Next <= from {
			t.Fatalf("the part at %d goes on at %d", from, *part.Next)
		}
		from = *part.Next
	}
}

// The parts of a block together are the block: genesis, and one with transactions.
func TestBlockContents(t *testing.T) {
	h := newHarness(t, Options{})
	_, raw := h.rawTx(t, 0, 1)
	h.result(t, new(wire.Receipt), "ledger_sendRawTransactionSync", raw, 1000)
	zero, _ := h.whole(t, 0)
	if zero.Params == nil || len(zero.Events) != len(h.node.done[0].Events) || len(zero.Transactions) > 0 {
		t.Fatalf("the genesis is %+v", zero)
	}
	one, _ := h.whole(t, 1)
	if one.Params != nil || len(one.Transactions) != 1 || hexOf(one.Transactions[0].Raw) != raw || len(one.Transactions[0].Events) != 1 || one.Block.Hash != h.node.blocks[0].Hash || len(one.Votes) != 1 {
		t.Fatalf("block 1 is %+v", one)
	}
	var behind wire.BlockContents
	h.result(t, &behind, "ledger_getBlockContents", 1, 1_000_000)
	if len(behind.Transactions)+len(behind.Events) > 0 || behind.Next != nil {
		t.Fatalf("behind the end there is %+v", behind)
	}
	h.refused(t, wire.CodeNotFound, "unknownHeight", "ledger_getBlockContents", 2)
}

// A large block comes in parts, none of which is long: events and bytes are bounded.
func TestBlockContentsInParts(t *testing.T) {
	h := newHarness(t, Options{})
	done := &Done{Height: 0, Events: make([]ledger.Event, 3*contentsEvents+1)}
	for i := range done.Events {
		done.Events[i] = ledger.Event{Type: ledger.EventAccountCreated, Account: crypto.Address{byte(i), byte(i >> 8), 1}}
	}
	h.node.done[0] = done
	all, parts := h.whole(t, 0)
	if parts != 4 || len(all.Events) != len(done.Events) {
		t.Fatalf("%d events in %d parts", len(all.Events), parts)
	}
	for i, e := range all.Events {
		if e.Event != done.Events[i] {
			t.Fatalf("event %d is %+v", i, e)
		}
	}
	raw, receipts := make([][]byte, 9), make([]*wire.Receipt, 9)
	for i := range raw {
		raw[i], receipts[i] = make([]byte, contentsBytes/4), &wire.Receipt{Events: make([]wire.Event, 10)}
	}
	out := &wire.BlockContents{}
	added := addTransactions(out, &Done{Receipts: receipts}, raw, 0)
	if added != 2 || len(out.Transactions) != 2 {
		t.Fatalf("a part has %d large transactions", added)
	}
	for i := range receipts {
		receipts[i].Events, raw[i] = make([]wire.Event, contentsEvents), nil
	}
	if added := addTransactions(&wire.BlockContents{}, &Done{Receipts: receipts}, raw, 3); added != 1 {
		t.Fatalf("a part has %d transactions of many events", added)
	}
}

// A state without a provable height is not there yet, and not wrong.
func TestStateProof(t *testing.T) {
	h := newHarness(t, Options{})
	h.refused(t, wire.CodeUnavailable, "catchingUp", "ledger_getStateProof", hexOf([]byte("params")))
	for nonce := range uint64(3) {
		_, raw := h.rawTx(t, nonce, 1)
		h.result(t, new(wire.Receipt), "ledger_sendRawTransactionSync", raw, 1000)
	}
	var p wire.StateProof
	h.result(t, &p, "ledger_getStateProof", hexOf([]byte("params")))
	if string(p.Key) != "params" || len(p.Value) == 0 || p.Height == 0 {
		t.Fatalf("a proof is %+v", p)
	}
	h.result(t, &p, "ledger_getStateProof", hexOf([]byte("nothing")))
	if len(p.Value) > 0 {
		t.Fatalf("an absent key has a value: %+v", p)
	}
}
