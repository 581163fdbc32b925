package worldtest

import (
	"context"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// ReceiptProof has the form of a proof, and proves nothing: nobody signs this ledger. As
// a node it has none of what stands in the newest block.
func (w *World) ReceiptProof(_ context.Context, hash crypto.Hash) (*wire.ReceiptProof, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ProofErr != nil {
		return nil, w.ProofErr
	}
	t, err := find(w, w.details, func(t **query.TransactionDetail) bool { return (*t).Hash == hash })
	switch {
	case err != nil:
		return nil, nil
	case (*t).Height == w.blocks[len(w.blocks)-1].Height:
		return nil, explorer.ErrNoProof
	}
	d := *t
	result := ledger.TxResult{Code: ledger.Code(d.Code), BodyHash: d.BodyHash}
	return &wire.ReceiptProof{
		Format: wire.ReceiptProofFormat, Hash: d.Hash, Raw: d.Raw, Network: &wire.ProofNetwork{ChainID: 7}, Code: d.Code, BodyHash: d.BodyHash,
		Events: []wire.Event{}, Outcome: result.Outcome(), TransactionPath: []wire.MerkleStep{{Side: wire.SideLeft}}, ResultPath: []wire.MerkleStep{{Side: wire.SideLeft}},
		Header: wire.ProofHeader{Height: d.Height, Time: "2026-03-01T08:00:00Z"}, NextHeader: wire.ProofHeader{Height: d.Height + 1, Time: "2026-03-01T08:00:01Z"},
		Validators: []wire.ProofValidator{{PublicKey: make(wire.Bytes, 32), Power: 1, Vote: "missing"}},
	}, nil
}
