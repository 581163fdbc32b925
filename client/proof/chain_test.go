package proof_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/crypto/tmhash"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/cometbft/cometbft/proto/tendermint/version"
	"github.com/cometbft/cometbft/types"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/tallystick/tallystick/client/proof"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// chain signs two blocks of a network as four validators do, and proves what stands in
// the first. A test changes it before it is made: package node proves receipts of a
// network that nobody changed.
type chain struct {
	network *ledger.Network
	keys    []ed25519.PrivKey // in any order
	power   int64
	nils    int // how many of them vote for no block
	missing int // how many do not vote
	txs     [][]byte
	results []ledger.TxResult
}

var payer = func() *crypto.PrivateKey {
	k, err := crypto.ParsePrivateKey("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
	if err != nil {
		panic(err)
	}
	return k
}()

// newChain has as many transactions as given, of which each third one is refused.
func newChain(t testing.TB, transactions int) *chain {
	t.Helper()
	network, err := ledger.NewNetwork("proof-test", 777_777, crypto.Address{9}, 2)
	if err != nil {
		t.Fatal(err)
	}
	c := &chain{network: network, power: 1_000_000}
	for i := range 4 {
		c.keys = append(c.keys, ed25519.GenPrivKeyFromSecret([]byte{byte(i)}))
	}
	for i := range transactions {
		leg := ledger.Leg{From: payer.Address(), To: crypto.Address{1}, Asset: crypto.Address{2}, Amount: ledger.NewAmount(uint64(i + 1)), Reference: "invoice"}
		tx, code := ledger.Sign(network, ledger.Body{Sender: payer.Address(), Nonce: ledger.Nonce(i), Op: &ledger.Transfer{Legs: []ledger.Leg{leg}}}, ledger.SchemeBodyHash, payer)
		if code != ledger.Applied {
			t.Fatal(code)
		}
		r := ledger.TxResult{BodyHash: tx.BodyHash}
		if i%3 == 2 {
			r.Code = ledger.CodeInsufficientBalance
		} else {
			r.Events = []ledger.Event{{Type: ledger.EventTransfer, From: leg.From, To: leg.To, Asset: leg.Asset, Amount: leg.Amount, Reference: leg.Reference}}
		}
		c.txs, c.results = append(c.txs, tx.Raw), append(c.results, r)
	}
	return c
}

func (c *chain) set() (*types.ValidatorSet, map[string]ed25519.PrivKey) {
	var list []*types.Validator
	byAddress := map[string]ed25519.PrivKey{}
	for _, k := range c.keys {
		list = append(list, types.NewValidator(k.PubKey(), c.power))
		byAddress[string(k.PubKey().Address())] = k
	}
	return types.NewValidatorSet(list), byAddress
}

// trust is in the validators that sign.
func (c *chain) trust() proof.Trust {
	t := proof.Trust{Network: c.network}
	for _, k := range c.keys {
		t.Validators = append(t.Validators, proof.Validator{PublicKey: [32]byte(k.PubKey().Bytes()), Power: uint64(c.power)})
	}
	return t
}

var blockTime = time.Date(2026, 3, 1, 8, 0, 0, 500, time.UTC)

func (c *chain) header(height int64, set *types.ValidatorSet) types.Header {
	some := tmhash.Sum([]byte("some"))
	return types.Header{
		Version: version.Consensus{Block: 11, App: 1}, ChainID: c.network.ID, Height: height, Time: blockTime.Add(time.Duration(height) * time.Second),
		LastBlockID:    types.BlockID{Hash: some, PartSetHeader: types.PartSetHeader{Total: 1, Hash: some}},
		LastCommitHash: some, DataHash: some, ValidatorsHash: set.Hash(), NextValidatorsHash: set.Hash(), ConsensusHash: some, AppHash: some,
		LastResultsHash: some, EvidenceHash: some, ProposerAddress: set.Validators[0].Address,
	}
}

// prove signs the blocks and proves what became of a transaction.
func (c *chain) prove(t testing.TB, at int) *wire.ReceiptProof {
	t.Helper()
	set, keys := c.set()
	header, next := c.header(7, set), c.header(8, set)
	txs, results := types.ToTxs(c.txs), make([]*abci.ExecTxResult, len(c.results))
	for i := range c.results {
		digest := c.results[i].Digest()
		results[i] = &abci.ExecTxResult{Code: uint32(c.results[i].Code), Data: digest[:]}
	}
	header.DataHash, next.LastResultsHash = txs.Hash(), types.NewResults(results).Hash()
	next.LastBlockID.Hash = header.Hash()
	r := &c.results[at]
	p := &wire.ReceiptProof{
		Format: wire.ReceiptProofFormat, Hash: crypto.Keccak256(c.txs[at]), Raw: c.txs[at], Network: &wire.ProofNetwork{ChainID: c.network.ChainID},
		Code: uint32(r.Code), BodyHash: r.BodyHash, Events: []wire.Event{}, Outcome: r.Outcome(),
		TransactionPath: steps(at, len(txs), txs.Proof(at).Proof.Aunts), ResultPath: steps(at, len(txs), types.NewResults(results).ProveResult(at).Aunts),
		Header: written(&header), NextHeader: written(&next),
	}
	for _, e := range r.Events {
		p.Events = append(p.Events, wire.Event{Event: e})
	}
	c.sign(t, p, &next, set, keys)
	return p
}

// sign has the validators vote on the second block.
func (c *chain) sign(t testing.TB, p *wire.ReceiptProof, next *types.Header, set *types.ValidatorSet, keys map[string]ed25519.PrivKey) {
	t.Helper()
	id := types.BlockID{Hash: next.Hash(), PartSetHeader: types.PartSetHeader{Total: 3, Hash: tmhash.Sum([]byte("parts"))}}
	p.Commit = wire.ProofCommit{Round: 2, Parts: wire.ProofParts{Total: 3, Hash: wire.Bytes(id.PartSetHeader.Hash)}}
	for i, v := range set.Validators {
		out := wire.ProofValidator{PublicKey: v.PubKey.Bytes(), Power: uint64(v.VotingPower), Vote: "signed", Signature: wire.Bytes{}}
		vote := types.Vote{Type: cmtproto.PrecommitType, Height: next.Height, Round: 2, BlockID: id, Timestamp: blockTime.Add(time.Duration(i+1) * time.Millisecond), ValidatorAddress: v.Address, ValidatorIndex: int32(i)}
		switch {
		case i < c.missing:
			out.Vote = "missing"
			p.Validators = append(p.Validators, out)
			continue
		case i < c.missing+c.nils:
			out.Vote, vote.BlockID = "nil", types.BlockID{}
		}
		sig, err := keys[string(v.Address)].Sign(types.VoteSignBytes(next.ChainID, vote.ToProto()))
		if err != nil {
			t.Fatal(err)
		}
		out.Time, out.Signature = vote.Timestamp.Format(time.RFC3339Nano), sig
		p.Validators = append(p.Validators, out)
	}
}

// steps names the sides of a path from a leaf of a tree, by RFC 6962's recursion.
func steps(at, total int, aunts [][]byte) []wire.MerkleStep {
	if total == 1 {
		return []wire.MerkleStep{}
	}
	left := 1
	for 2*left < total {
		left *= 2
	}
	last := len(aunts) - 1
	if at < left {
		return append(steps(at, left, aunts[:last]), wire.MerkleStep{Side: "right", Hash: crypto.Hash(aunts[last])})
	}
	return append(steps(at-left, total-left, aunts[:last]), wire.MerkleStep{Side: "left", Hash: crypto.Hash(aunts[last])})
}

func written(h *types.Header) wire.ProofHeader {
	return wire.ProofHeader{
		BlockVersion: h.Version.Block, AppVersion: h.Version.App, ChainID: h.ChainID, Height: uint64(h.Height), Time: h.Time.Format(time.RFC3339Nano),
		LastBlockID:    wire.ProofBlockID{Hash: wire.Bytes(h.LastBlockID.Hash), Parts: wire.ProofParts{Total: h.LastBlockID.PartSetHeader.Total, Hash: wire.Bytes(h.LastBlockID.PartSetHeader.Hash)}},
		LastCommitHash: wire.Bytes(h.LastCommitHash), DataHash: wire.Bytes(h.DataHash), ValidatorsHash: wire.Bytes(h.ValidatorsHash),
		NextValidatorsHash: wire.Bytes(h.NextValidatorsHash), ConsensusHash: wire.Bytes(h.ConsensusHash), AppHash: wire.Bytes(h.AppHash),
		LastResultsHash: wire.Bytes(h.LastResultsHash), EvidenceHash: wire.Bytes(h.EvidenceHash), ProposerAddress: wire.Bytes(h.ProposerAddress),
	}
}

// copied is a proof that can be changed by itself.
func copied(t testing.TB, p *wire.ReceiptProof) *wire.ReceiptProof {
	t.Helper()
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	again, err := proof.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	return again
}
