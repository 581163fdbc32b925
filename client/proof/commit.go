package proof

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/proto/tendermint/version"
	"github.com/cometbft/cometbft/types"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Signer is a validator and its vote.
type Signer struct {
	PublicKey [ed25519.PubKeySize]byte
	Address   [20]byte // of the key, as blocks name validators
	Power     uint64
	Vote      string // "signed", "nil" (for no block) or "missing"
}

// headerOf reads a header. Its hash is never empty.
func headerOf(name string, w *wire.ProofHeader) (*types.Header, error) {
	at, err := timeOf(w.Time)
	if err != nil {
		return nil, fmt.Errorf("%s.time: %w", name, err)
	}
	if w.Height > math.MaxInt64-1 {
		return nil, fmt.Errorf("%s.height: %d is no height", name, w.Height)
	}
	h := &types.Header{
		Version: version.Consensus{Block: w.BlockVersion, App: w.AppVersion}, ChainID: w.ChainID, Height: int64(w.Height), Time: at,
		LastBlockID:    types.BlockID{Hash: unlessEmpty(w.LastBlockID.Hash), PartSetHeader: partsOf(w.LastBlockID.Parts)},
		LastCommitHash: unlessEmpty(w.LastCommitHash), DataHash: unlessEmpty(w.DataHash), ValidatorsHash: unlessEmpty(w.ValidatorsHash),
		NextValidatorsHash: unlessEmpty(w.NextValidatorsHash), ConsensusHash: unlessEmpty(w.ConsensusHash), AppHash: unlessEmpty(w.AppHash),
		LastResultsHash: unlessEmpty(w.LastResultsHash), EvidenceHash: unlessEmpty(w.EvidenceHash), ProposerAddress: unlessEmpty(w.ProposerAddress),
	}
	if err := h.ValidateBasic(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(h.Hash()) != sha256.Size {
		return nil, fmt.Errorf("%s has no hash: it names no validators", name)
	}
	return h, nil
}

// unlessEmpty is nil for no bytes, as CometBFT has them.
func unlessEmpty(b wire.Bytes) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

func partsOf(w wire.ProofParts) types.PartSetHeader {
	return types.PartSetHeader{Total: w.Total, Hash: unlessEmpty(w.Hash)}
}

// timeOf reads a time in the one form that it has. CometBFT's encoding panics on years
// that no clock shows.
func timeOf(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.UTC().Format(time.RFC3339Nano) != text || t.Year() < 1970 || t.Year() > 9998 {
		return time.Time{}, fmt.Errorf("%.64q is no time such as 2026-03-01T08:00:00.5Z", text)
	}
	return t.UTC(), nil
}

// commit checks that the validators signed the next header.
func (out *Proven) commit(p *wire.ReceiptProof, next *types.Header) error {
	set, err := out.validators(p.Validators)
	if err != nil {
		return err
	}
	if hash := set.Hash(); !bytes.Equal(hash, next.ValidatorsHash) {
		return fmt.Errorf("validators has the hash %x, and nextHeader names %x", hash, []byte(next.ValidatorsHash))
	}
	if p.Commit.Round > math.MaxInt32 {
		return fmt.Errorf("commit.round: %d is no round", p.Commit.Round)
	}
	commit := &types.Commit{
		Height: next.Height, Round: int32(p.Commit.Round), Signatures: make([]types.CommitSig, len(p.Validators)),
		BlockID: types.BlockID{Hash: next.Hash(), PartSetHeader: partsOf(p.Commit.Parts)},
	}
	for i, v := range p.Validators {
		if commit.Signatures[i], err = signatureOf(v, set.Validators[i].Address); err != nil {
			return fmt.Errorf("validators[%d]: %w", i, err)
		}
		if v.Vote == "signed" {
			out.Signed += v.Power
		}
	}
	if err := errors.Join(commit.BlockID.ValidateBasic(), commit.ValidateBasic()); err != nil { // each leaves out what CometBFT panics on
		return fmt.Errorf("commit: %w", err)
	}
	if err := types.VerifyCommit(next.ChainID, set, commit.BlockID, next.Height, commit); err != nil {
		return fmt.Errorf("the signatures under nextHeader: %w", err)
	}
	out.ValidatorsHash = crypto.Hash(next.ValidatorsHash)
	return nil
}

// signatureOf is a validator's vote as CometBFT has it.
func signatureOf(v wire.ProofValidator, address types.Address) (types.CommitSig, error) {
	flag := map[string]types.BlockIDFlag{"signed": types.BlockIDFlagCommit, "nil": types.BlockIDFlagNil, "missing": types.BlockIDFlagAbsent}[v.Vote]
	switch flag {
	case 0:
		return types.CommitSig{}, fmt.Errorf("%.16q is no vote", v.Vote)
	case types.BlockIDFlagAbsent:
		if v.Time != "" || len(v.Signature) > 0 {
			return types.CommitSig{}, errors.New("a missing vote has a time or a signature")
		}
		return types.NewCommitSigAbsent(), nil
	}
	at, err := timeOf(v.Time)
	if err == nil && len(v.Signature) != ed25519.SignatureSize {
		err = fmt.Errorf("a signature of %d bytes, not %d", len(v.Signature), ed25519.SignatureSize)
	}
	return types.CommitSig{BlockIDFlag: flag, ValidatorAddress: address, Timestamp: at, Signature: v.Signature}, err
}

// validators reads the set, which is not to be trusted yet: CometBFT panics on one that
// no network can have.
func (out *Proven) validators(list []wire.ProofValidator) (*types.ValidatorSet, error) {
	if len(list) == 0 || len(list) > maxValidators {
		return nil, fmt.Errorf("%d validators: want 1 to %d", len(list), maxValidators)
	}
	set := &types.ValidatorSet{}
	seen := map[Signer]bool{}
	for i, v := range list {
		if len(v.PublicKey) != ed25519.PubKeySize {
			return nil, fmt.Errorf("validators[%d].publicKey: %d bytes, not %d", i, len(v.PublicKey), ed25519.PubKeySize)
		}
		key := ed25519.PubKey(v.PublicKey)
		s := Signer{PublicKey: [ed25519.PubKeySize]byte(key), Address: [20]byte(key.Address())}
		if seen[s] {
			return nil, fmt.Errorf("validators[%d]: the key stands there twice", i)
		}
		seen[s] = true
		if v.Power == 0 || v.Power > uint64(types.MaxTotalVotingPower) {
			return nil, fmt.Errorf("validators[%d].power: %d is no power", i, v.Power)
		}
		if out.Power += v.Power; out.Power > uint64(types.MaxTotalVotingPower) {
			return nil, fmt.Errorf("validators[%d].power: brings the whole above %d", i, types.MaxTotalVotingPower)
		}
		s.Power, s.Vote = v.Power, v.Vote
		out.Signers = append(out.Signers, s)
		set.Validators = append(set.Validators, types.NewValidator(key, int64(v.Power)))
	}
	return set, nil
}
