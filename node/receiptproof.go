package node

import (
	"bytes"
	"fmt"
	"math/bits"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/crypto/merkle"
	"github.com/cometbft/cometbft/types"

	"github.com/tallystick/tallystick/app"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc"
	"github.com/tallystick/tallystick/rpc/wire"
)

// resultStore is what the backend reads of the results of blocks.
type resultStore interface {
	LoadFinalizeBlockResponse(height int64) (*abci.ResponseFinalizeBlock, error)
}

// ReceiptProof implements rpc.Backend. What it reads of the stores must fit together,
// as it did when the block was committed: else the node is damaged.
func (b *backend) ReceiptProof(hash crypto.Hash) (*wire.ReceiptProof, error) {
	height, at, committed, err := b.index.Place(hash)
	if err != nil || !committed {
		return nil, err
	}
	switch {
	case height >= b.Height():
		return nil, &rpc.NotYetProvableError{Height: uint64(height)}
	case int64(height) < b.blocks.Base():
		return nil, rpc.ErrBlockPruned
	}
	proof, err := b.proveReceipt(height, int(at))
	if err != nil && int64(height) < b.blocks.Base() { // pruned meanwhile
		return nil, rpc.ErrBlockPruned
	}
	if err != nil {
		return nil, b.damage(fmt.Errorf("prove receipt %s: %w", hash, err))
	}
	return proof, nil
}

func (b *backend) proveReceipt(height ledger.Height, at int) (*wire.ReceiptProof, error) {
	_, block, err := loadBlock(b.blocks, height)
	if err != nil {
		return nil, err
	}
	next := b.blocks.LoadBlockMeta(int64(height) + 1)
	if next == nil {
		return nil, fmt.Errorf("block %d is not in the block store", height+1)
	}
	saved, err := b.results.LoadFinalizeBlockResponse(int64(height))
	if err != nil {
		return nil, fmt.Errorf("read results of block %d: %w", height, err)
	}
	if at >= len(block.Txs) || len(saved.TxResults) != len(block.Txs) {
		return nil, fmt.Errorf("block %d has %d transactions and %d results, and number %d is wanted", height, len(block.Txs), len(saved.TxResults), at)
	}
	raw := block.Txs[at]
	proof := &wire.ReceiptProof{
		Format: wire.ReceiptProofFormat, Hash: crypto.Keccak256(raw), Raw: wire.Bytes(raw),
		Header: proofHeader(&block.Header), NextHeader: proofHeader(&next.Header),
	}
	if proof.TransactionPath, err = pathTo(block.DataHash, raw.Hash(), block.Txs.Proof(at).Proof); err != nil {
		return nil, fmt.Errorf("the transactions of block %d: %w", height, err)
	}
	results := types.NewResults(saved.TxResults)
	leaf, err := results[at].Marshal()
	if err != nil {
		return nil, fmt.Errorf("encode result %d of block %d: %w", at, height, err)
	}
	if proof.ResultPath, err = pathTo(next.Header.LastResultsHash, leaf, results.ProveResult(at)); err != nil {
		return nil, fmt.Errorf("the results of block %d: %w", height, err)
	}
	result, err := app.ResultFromABCI(saved.TxResults[at])
	if err != nil {
		return nil, fmt.Errorf("result %d of block %d: %w", at, height, err)
	}
	b.addOutcome(proof, &result)
	return proof, b.addCommit(proof, next)
}

// addOutcome says what became of the transaction.
func (b *backend) addOutcome(p *wire.ReceiptProof, r *ledger.TxResult) {
	p.Code, p.BodyHash, p.Outcome, p.Events = uint32(r.Code), r.BodyHash, r.Outcome(), make([]wire.Event, len(r.Events))
	for i := range r.Events {
		p.Events[i].Event = r.Events[i]
	}
	if r.BodyHash == (crypto.Hash{}) {
		return // the bytes are not to be read on any network
	}
	p.Network = &wire.ProofNetwork{ChainID: b.net.ChainID}
	plain, err := ledger.NewNetwork(b.net.ID, b.net.ChainID, crypto.Address{}, 0)
	if err == nil {
		tx, _ := ledger.Decode(plain, p.Raw)
		if tx.RecoverSigners(); tx.BodyHash == r.BodyHash {
			return
		}
	}
	p.Network.Settlement = &wire.ProofSettlement{Asset: b.net.Settlement, Decimals: b.net.SettlementDecimals}
}

// addCommit says who signed the header of the next block.
func (b *backend) addCommit(p *wire.ReceiptProof, next *types.BlockMeta) error {
	height := next.Header.Height
	commit := b.commits.LoadBlockCommit(height)
	if commit == nil { // it is the newest block
		commit = b.commits.LoadSeenCommit(height)
	}
	set, err := loadValidators(b.validators, height)
	if err != nil {
		return fmt.Errorf("read the validators of height %d: %w", height, err)
	}
	if commit == nil || !commit.BlockID.Equals(next.BlockID) || len(commit.Signatures) != len(set.Validators) || !bytes.Equal(set.Hash(), next.Header.ValidatorsHash) {
		return fmt.Errorf("the commit of block %d is not there, or not by its %d validators", height, len(set.Validators))
	}
	p.Commit = wire.ProofCommit{Round: uint32(commit.Round), Parts: proofParts(commit.BlockID.PartSetHeader)}
	p.Validators = make([]wire.ProofValidator, len(set.Validators))
	for i, v := range set.Validators {
		sig := commit.Signatures[i]
		out := wire.ProofValidator{PublicKey: v.PubKey.Bytes(), Power: uint64(v.VotingPower), Vote: "missing", Signature: wire.Bytes{}}
		if sig.BlockIDFlag != types.BlockIDFlagAbsent {
			out.Vote, out.Time, out.Signature = "signed", proofTime(sig.Timestamp), sig.Signature
		}
		if sig.BlockIDFlag == types.BlockIDFlagNil {
			out.Vote = "nil"
		}
		p.Validators[i] = out
	}
	return nil
}

// pathTo is CometBFT's proof of a leaf as a path, which names no numbers that the root
// does not bind.
func pathTo(root, leaf []byte, p merkle.Proof) ([]wire.MerkleStep, error) {
	if err := p.Verify(root, leaf); err != nil {
		return nil, fmt.Errorf("they are not those that the header commits to: %w", err)
	}
	sides := make([]string, 0, len(p.Aunts)) // from the root
	for index, total := p.Index, p.Total; total > 1; {
		left := int64(1) << (bits.Len64(uint64(total-1)) - 1) // the largest power of two below total
		if index < left {
			sides, total = append(sides, wire.SideRight), left
		} else {
			sides, index, total = append(sides, wire.SideLeft), index-left, total-left
		}
	}
	path := make([]wire.MerkleStep, len(p.Aunts))
	for i, aunt := range p.Aunts {
		path[i] = wire.MerkleStep{Side: sides[len(sides)-1-i], Hash: hash32(aunt)}
	}
	return path, nil
}

func proofHeader(h *types.Header) wire.ProofHeader {
	return wire.ProofHeader{
		BlockVersion: h.Version.Block, AppVersion: h.Version.App, ChainID: h.ChainID, Height: uint64(h.Height), Time: proofTime(h.Time),
		LastBlockID:    wire.ProofBlockID{Hash: present(h.LastBlockID.Hash), Parts: proofParts(h.LastBlockID.PartSetHeader)},
		LastCommitHash: present(h.LastCommitHash), DataHash: present(h.DataHash), ValidatorsHash: present(h.ValidatorsHash),
		NextValidatorsHash: present(h.NextValidatorsHash), ConsensusHash: present(h.ConsensusHash), AppHash: present(h.AppHash),
		LastResultsHash: present(h.LastResultsHash), EvidenceHash: present(h.EvidenceHash), ProposerAddress: present(h.ProposerAddress),
	}
}

func proofParts(p types.PartSetHeader) wire.ProofParts {
	return wire.ProofParts{Total: p.Total, Hash: present(p.Hash)}
}

// present is bytes that are 0x in JSON where there are none, and not null.
func present(b []byte) wire.Bytes {
	if b == nil {
		return wire.Bytes{}
	}
	return b
}

func proofTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
