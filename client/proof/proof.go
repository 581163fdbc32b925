package proof

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/cometbft/cometbft/crypto/merkle"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Limits of what is looked at. A proof that a node makes is far within them.
const (
	// MaxBytes bounds a proof's JSON: a transaction and its effects in hex, and those in
	// JSON.
	MaxBytes      = 16 << 20
	maxSteps      = 40 // more than any block has transactions
	maxValidators = 10_000
)

// Proven is what a proof shows.
type Proven struct {
	Hash      crypto.Hash // of the transaction
	Raw       []byte
	Height    ledger.Height
	BlockHash crypto.Hash
	Time      ledger.UnixTime // of the block
	NetworkID string

	Code     ledger.Code // Applied, or why it was refused
	BodyHash crypto.Hash
	Events   []ledger.Event
	// Tx is the transaction with its signers. It is nil where its bytes cannot be
	// read; then it did nothing.
	Tx *ledger.Tx

	// Signers are the validators of the next block, whose header shows all this, and
	// how each of them voted for it.
	Signers []Signer
	// ValidatorsHash is CometBFT's hash of their set. Power is what all of them have
	// together, and Signed that of those who signed: more than two thirds.
	ValidatorsHash crypto.Hash
	Power, Signed  uint64
	// Trusted says how the signers hang together with those whom the caller trusts.
	Trusted Trusted
}

// Read reads a proof from JSON: one object, with no field that is not known.
func Read(data []byte) (*wire.ReceiptProof, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("receipt proof: %d bytes, more than %d", len(data), MaxBytes)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var p wire.ReceiptProof
	if err := d.Decode(&p); err != nil {
		return nil, fmt.Errorf("receipt proof: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("receipt proof: there is something after its end")
	}
	if !written(data, &p) {
		return nil, errors.New("receipt proof: a field is missing, given twice, or not written as it should be")
	}
	return &p, nil
}

// written reports whether data is p and nothing besides, in any order and spacing: of
// two fields of one name, or of names that differ in case, the decoder takes the last,
// and a person may read the first.
func written(data []byte, p *wire.ReceiptProof) bool {
	own, err := json.Marshal(p)
	if err != nil {
		return false
	}
	read, tokens := values(data)
	want, all := values(own)
	return tokens == all && reflect.DeepEqual(read, want)
}

// values decodes a JSON value, and counts its tokens.
func values(data []byte) (v any, tokens int) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil, 0
	}
	for d = json.NewDecoder(bytes.NewReader(data)); ; tokens++ {
		if _, err := d.Token(); err != nil {
			return v, tokens
		}
	}
}

// Verify checks a proof and says what it shows. The error names the first link that
// does not hold. Cost: a signature check for each validator, about 0.1 ms, and one for
// each of the transaction's.
func Verify(p *wire.ReceiptProof, trust Trust) (*Proven, error) {
	if p.Format != wire.ReceiptProofFormat {
		return nil, fmt.Errorf("the format is %q, and this program knows %q", p.Format, wire.ReceiptProofFormat)
	}
	out, result, err := outcome(p)
	if err != nil {
		return nil, err
	}
	header, err := headerOf("header", &p.Header)
	if err != nil {
		return nil, err
	}
	next, err := headerOf("nextHeader", &p.NextHeader)
	if err != nil {
		return nil, err
	}
	if next.ChainID != header.ChainID || next.Height != header.Height+1 || !bytes.Equal(next.LastBlockID.Hash, header.Hash()) ||
		!bytes.Equal(header.NextValidatorsHash, next.ValidatorsHash) {
		return nil, errors.New("nextHeader is not that of the block after header's")
	}
	txLeaf := sha256.Sum256(p.Raw)
	if err := follow(p.TransactionPath, header.DataHash, txLeaf[:]); err != nil {
		return nil, fmt.Errorf("the transaction is not in the block: %w", err)
	}
	if !samePlace(p.TransactionPath, p.ResultPath) {
		return nil, errors.New("resultPath leads to the result of another transaction")
	}
	if err := follow(p.ResultPath, next.LastResultsHash, resultLeaf(result)); err != nil {
		return nil, fmt.Errorf("the outcome is not the one that the next block commits to: %w", err)
	}
	out.Height, out.BlockHash, out.Time, out.NetworkID = ledger.Height(header.Height), crypto.Hash(header.Hash()), ledger.UnixTime(header.Time.Unix()), header.ChainID
	if err := out.read(p.Network); err != nil {
		return nil, err
	}
	if err := out.commit(p, next); err != nil {
		return nil, err
	}
	return out, trust.judge(out)
}

// outcome checks the parts that show what became of the transaction against each other.
func outcome(p *wire.ReceiptProof) (*Proven, *ledger.TxResult, error) {
	if len(p.Raw) > ledger.MaxTxBytes {
		return nil, nil, fmt.Errorf("raw has %d bytes, more than the %d of any transaction", len(p.Raw), ledger.MaxTxBytes)
	}
	r := &ledger.TxResult{Code: ledger.Code(p.Code), BodyHash: p.BodyHash, Events: make([]ledger.Event, len(p.Events))}
	if uint32(r.Code) != p.Code || r.Code.Info().Name == "unknown" {
		return nil, nil, fmt.Errorf("the result code %d is not known: a newer version of this program may know it", p.Code)
	}
	if r.Code != ledger.Applied && len(p.Events) > 0 {
		return nil, nil, errors.New("a refused transaction has events")
	}
	for i := range p.Events {
		e := p.Events[i].Event
		if e.Type.Name() == "unknown" {
			return nil, nil, fmt.Errorf("event %d is of no known type", i)
		}
		if plain, ok := ledger.ParseEvent(e.Type.Name(), e.Attributes()); !ok || plain != e { // JSON makes no such one
			return nil, nil, fmt.Errorf("event %d has a value that no %s has", i, e.Type.Name())
		}
		r.Events[i] = e
	}
	if hash := crypto.Keccak256(p.Raw); hash != p.Hash {
		return nil, nil, fmt.Errorf("raw has the hash %s, not %s", hash, p.Hash)
	}
	if !bytes.Equal(r.Outcome(), p.Outcome) {
		return nil, nil, errors.New("outcome is not the canonical form of code, bodyHash and events")
	}
	return &Proven{Hash: p.Hash, Raw: p.Raw, Code: r.Code, BodyHash: r.BodyHash, Events: r.Events}, r, nil
}

// resultLeaf is what CometBFT commits to of a result: an ExecTxResult in protobuf of
// code (1) and data (2) alone, as the ledger's have no gas.
func resultLeaf(r *ledger.TxResult) []byte {
	var leaf []byte
	if r.Code != 0 {
		leaf = binary.AppendUvarint(append(leaf, 1<<3), uint64(r.Code)) // field 1, a varint
	}
	digest := r.Digest()
	leaf = append(leaf, 2<<3|2, byte(len(digest))) // field 2, bytes
	return append(leaf, digest[:]...)
}

// follow checks a path from a leaf to a root. CometBFT's proofs name a leaf by its
// number among all; how many there are, a root does not bind, so the path is followed
// as in a full tree of its depth, where each turn is a bit of the number.
func follow(path []wire.MerkleStep, root, leaf []byte) error {
	if len(path) > maxSteps {
		return fmt.Errorf("a path of %d steps, more than %d", len(path), maxSteps)
	}
	if len(root) != sha256.Size {
		return errors.New("the header commits to nothing")
	}
	hash := sha256.Sum256(append([]byte{0}, leaf...))
	p := merkle.Proof{Total: 1 << len(path), LeafHash: hash[:]}
	for i := range path {
		switch path[i].Side {
		case wire.SideLeft:
			p.Index |= 1 << i
		case wire.SideRight:
		default:
			return fmt.Errorf("step %d is on the side %q, which is neither left nor right", i, path[i].Side)
		}
		p.Aunts = append(p.Aunts, path[i].Hash[:])
	}
	return p.Verify(root, leaf)
}

// samePlace reports whether two paths come from the same place in two trees of one
// shape, as those of a block's transactions and of their results are.
func samePlace(a, b []wire.MerkleStep) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Side != b[i].Side {
			return false
		}
	}
	return true
}

// read decodes the transaction. What the proof says of the network must be just what
// that needs: the body hash, which is proved, commits to it.
func (out *Proven) read(n *wire.ProofNetwork) error {
	if n == nil || out.BodyHash == (crypto.Hash{}) {
		if n != nil || out.BodyHash != (crypto.Hash{}) {
			return errors.New("network and bodyHash do not go together: both are there, or neither")
		}
		return nil
	}
	tx, err := decode(out, n.ChainID, wire.ProofSettlement{})
	if err != nil {
		return err
	}
	if n.Settlement != nil {
		if tx.BodyHash == out.BodyHash {
			return errors.New("network.settlement is superfluous: the transaction moves no plain value")
		}
		if tx, err = decode(out, n.ChainID, *n.Settlement); err != nil {
			return err
		}
	}
	if tx.BodyHash != out.BodyHash {
		return fmt.Errorf("on the network %q with chain ID %d the transaction has the body hash %s, not %s", out.NetworkID, n.ChainID, tx.BodyHash, out.BodyHash)
	}
	out.Tx = tx
	return nil
}

func decode(out *Proven, chainID uint64, s wire.ProofSettlement) (*ledger.Tx, error) {
	network, err := ledger.NewNetwork(out.NetworkID, chainID, s.Asset, s.Decimals)
	if err != nil {
		return nil, fmt.Errorf("network: %w", err)
	}
	tx, _ := ledger.Decode(network, out.Raw) // what is wrong with it, the outcome says
	tx.RecoverSigners()
	return tx, nil
}
