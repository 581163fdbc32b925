package proof

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/cometbft/cometbft/crypto/ed25519"
	cometjson "github.com/cometbft/cometbft/libs/json"
	"github.com/cometbft/cometbft/types"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// Trust is what the caller knows of a network from elsewhere. All of it is optional: the
// zero Trust knows nothing, and Proven then says whose signatures there are, and no more.
type Trust struct {
	// Network is the network's identity; nil: not known.
	Network *ledger.Network
	// Validators are whom the caller trusts, such as the founding ones. More than a
	// third of their power must have signed.
	Validators []Validator
	// ValidatorsHash is CometBFT's hash of the set that must have signed; zero for any.
	ValidatorsHash crypto.Hash
	// GenesisHash is the SHA-256 of the document that Genesis read; else zero.
	GenesisHash [sha256.Size]byte
}

// Validator is a validator and its power.
type Validator struct {
	PublicKey [ed25519.PubKeySize]byte
	Power     uint64
}

// Trusted says how those who signed hang together with those whom the caller trusts.
type Trusted struct {
	// Set: the hash of the validators is the one that the caller gave.
	Set bool
	// Same: the validators and their powers are those of Trust.Validators.
	Same bool
	// Power is what those of Trust.Validators have together there, and Signed the power
	// there of those who signed.
	Power, Signed uint64
}

// ErrNotTrusted: the proof holds, but nothing connects those who signed it with those
// whom the caller trusts. The text says more.
var ErrNotTrusted = errors.New("not signed by whom you trust")

// judge compares those who signed with those whom the caller trusts.
func (t *Trust) judge(out *Proven) error {
	if err := t.sameNetwork(out); err != nil {
		return err
	}
	if t.ValidatorsHash != (crypto.Hash{}) {
		if t.ValidatorsHash != out.ValidatorsHash {
			return fmt.Errorf("%w: the validators that signed are the set %s, not %s", ErrNotTrusted, out.ValidatorsHash, t.ValidatorsHash)
		}
		out.Trusted.Set = true
	}
	if len(t.Validators) == 0 {
		return nil
	}
	power := map[[ed25519.PubKeySize]byte]uint64{}
	for _, v := range t.Validators {
		power[v.PublicKey] = v.Power
		out.Trusted.Power += v.Power
	}
	same := len(t.Validators) == len(out.Signers)
	for _, s := range out.Signers {
		same = same && power[s.PublicKey] == s.Power
		if s.Vote == "signed" {
			out.Trusted.Signed += power[s.PublicKey]
		}
	}
	out.Trusted.Same = same
	if !out.Trusted.Set && out.Trusted.Signed <= out.Trusted.Power/3 {
		return fmt.Errorf("%w: of the validators that you trust, those who signed have %d of the power of %d, and more than a third is wanted",
			ErrNotTrusted, out.Trusted.Signed, out.Trusted.Power)
	}
	return nil
}

// sameNetwork compares what the proof says of the network with what is known of it.
func (t *Trust) sameNetwork(out *Proven) error {
	switch {
	case t.Network == nil:
	case t.Network.ID != out.NetworkID:
		return fmt.Errorf("the proof is of the network %q, not of %q", out.NetworkID, t.Network.ID)
	case out.Tx != nil:
		tx, _ := ledger.Decode(t.Network, out.Raw)
		if tx.RecoverSigners(); tx.BodyHash != out.BodyHash {
			return fmt.Errorf("the transaction is not to be read on the network %q of chain ID %d as the proof says", t.Network.ID, t.Network.ChainID)
		}
		out.Tx = tx
	}
	return nil
}

// Genesis is the trust in a network's genesis document: in its founding validators, who
// may have been replaced since. Nothing in it is checked but what is used here: a node,
// and `tally genesis verify`, check it all. Who gives a wrong document gets a wrong
// answer, so compare GenesisHash with the other members'.
func Genesis(document []byte) (Trust, error) {
	trust := Trust{GenesisHash: sha256.Sum256(document)}
	var fields struct {
		ChainID    string          `json:"chain_id"`
		Validators json.RawMessage `json:"validators"`
		State      json.RawMessage `json:"app_state"`
	}
	if err := json.Unmarshal(document, &fields); err != nil {
		return Trust{}, fmt.Errorf("genesis document: %w", err)
	}
	state, err := ledger.ParseGenesis(fields.State)
	if err != nil {
		return Trust{}, fmt.Errorf("genesis document: %w", err)
	}
	built, err := state.Build()
	if err != nil {
		return Trust{}, fmt.Errorf("genesis document: %w", err)
	}
	if fields.ChainID != built.Network.ID {
		return Trust{}, fmt.Errorf("genesis document: chain_id is %q, but app_state.networkId is %q", fields.ChainID, built.Network.ID)
	}
	trust.Network = built.Network
	for _, m := range state.Members {
		if m.Power > 0 {
			trust.Validators = append(trust.Validators, Validator{m.ConsensusKey, m.Power})
		}
	}
	if len(state.Members) == 0 {
		trust.Validators, err = listed(fields.Validators)
	}
	if err == nil && len(trust.Validators) == 0 {
		err = errors.New("it has no validators")
	}
	if err != nil {
		return Trust{}, fmt.Errorf("genesis document: %w", err)
	}
	return trust, nil
}

// listed are the validators of a document whose network began without members.
func listed(raw json.RawMessage) (out []Validator, err error) {
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil, nil
	}
	var list []types.GenesisValidator
	if err := cometjson.Unmarshal(raw, &list); err != nil {
		return nil, err
	}
	total := uint64(0)
	for i, v := range list {
		key, ok := v.PubKey.(ed25519.PubKey)
		if !ok || len(key) != ed25519.PubKeySize || v.Power <= 0 {
			return nil, fmt.Errorf("validators[%d]: want an ed25519 key and a power", i)
		}
		if total += uint64(v.Power); total > uint64(types.MaxTotalVotingPower) {
			return nil, fmt.Errorf("validators[%d].power: brings the whole above %d", i, types.MaxTotalVotingPower)
		}
		out = append(out, Validator{[ed25519.PubKeySize]byte(key), uint64(v.Power)})
	}
	return out, nil
}
