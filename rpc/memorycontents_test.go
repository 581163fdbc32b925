package rpc

import (
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

func (m *memory) Header(height ledger.Height) (*Header, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.fail != nil || int(height) > len(m.blocks):
		return nil, m.fail
	case height == 0:
		params := ledger.DefaultParams()
		return &Header{Block: &wire.Block{Hash: m.done[0].Hash, Time: uint64(m.done[0].Time), Proposer: make(wire.Bytes, 20), Transactions: []crypto.Hash{}}, Votes: []wire.CommitVote{}, Params: &params}, nil
	}
	block := *m.blocks[height-1]
	block.Transactions = []crypto.Hash{}
	return &Header{Block: &block, Millis: 250, Votes: []wire.CommitVote{{ConsensusAddress: make(wire.Bytes, 20), Power: 5, Vote: "signed"}}}, nil
}

func (m *memory) Prove(key []byte) (*wire.StateProof, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil || len(m.states) < 3 {
		if m.fail != nil {
			return nil, m.fail
		}
		return nil, ErrCatchingUp
	}
	at := len(m.states) - 2
	value := wire.Bytes(m.states[at][string(key)])
	if value == nil {
		value = wire.Bytes{}
	}
	return &wire.StateProof{Height: uint64(at), Key: key, Value: value, Proof: wire.Bytes{1}}, nil
}

// ReceiptProof has the form of a proof, and proves nothing: this node signs nothing.
func (m *memory) ReceiptProof(hash crypto.Hash) (*wire.ReceiptProof, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.receipts[hash]
	switch {
	case m.fail != nil || r == nil:
		return nil, m.fail
	case r.Height == uint64(len(m.blocks)):
		return nil, &NotYetProvableError{Height: r.Height}
	case r.Height <= m.pruned:
		return nil, ErrBlockPruned
	}
	return &wire.ReceiptProof{
		Format: wire.ReceiptProofFormat, Hash: hash, Raw: m.raws[hash].Raw, Network: &wire.ProofNetwork{ChainID: m.net.ChainID}, Code: r.Code, BodyHash: r.BodyHash,
		Events: r.Events, Outcome: wire.Bytes{1}, TransactionPath: []wire.MerkleStep{}, ResultPath: []wire.MerkleStep{},
		Header: wire.ProofHeader{Height: r.Height}, NextHeader: wire.ProofHeader{Height: r.Height + 1}, Validators: []wire.ProofValidator{},
	}, nil
}
