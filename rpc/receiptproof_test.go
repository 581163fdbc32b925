package rpc

import (
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/rpc/wire"
)

// A receipt is provable one block later than it is there, and until its block is pruned;
// each of these is told apart from what is not on the ledger at all.
func TestReceiptProof(t *testing.T) {
	h := newHarness(t, Options{})
	first, raw := h.rawTx(t, 0, 1)
	h.result(t, new(wire.Receipt), "ledger_sendRawTransactionSync", raw, 1000)
	h.refused(t, wire.CodeUnavailable, "notYetProvable", "ledger_getReceiptProof", first.Hash.String())
	_, raw = h.rawTx(t, 1, 1)
	h.result(t, new(wire.Receipt), "ledger_sendRawTransactionSync", raw, 1000)
	var p *wire.ReceiptProof
	h.result(t, &p, "ledger_getReceiptProof", first.Hash.String())
	if p == nil || p.Hash != first.Hash || hexOf(p.Raw) != hexOf(first.Raw) || p.NextHeader.Height != 2 || len(p.Events) != 1 {
		t.Fatalf("the proof is %+v", p)
	}
	h.result(t, &p, "ledger_getReceiptProof", crypto.Hash{1}.String())
	if p != nil {
		t.Fatalf("there is a proof of what is not there: %+v", p)
	}
	h.node.mu.Lock()
	h.node.pruned = 1
	h.node.mu.Unlock()
	h.refused(t, wire.CodeNotFound, "blockPruned", "ledger_getReceiptProof", first.Hash.String())
}
