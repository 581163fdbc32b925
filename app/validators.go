package app

import (
	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/tallystick/tallystick/ledger"
)

// validatorUpdates is the ABCI form of changed powers.
func validatorUpdates(in []ledger.ValidatorUpdate) []abci.ValidatorUpdate {
	out := make([]abci.ValidatorUpdate, len(in))
	for i := range in {
		out[i] = abci.Ed25519ValidatorUpdate(in[i].Key[:], int64(in[i].Power))
	}
	return out
}

// evidenceOf names the validators whom CometBFT has caught: they signed two blocks
// of one height, or two that a light client could take for the chain.
func evidenceOf(in []abci.Misbehavior) []ledger.ConsensusAddress {
	out := make([]ledger.ConsensusAddress, len(in))
	for i := range in {
		copy(out[i][:], in[i].Validator.Address)
	}
	return out
}
