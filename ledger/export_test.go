package ledger

import "github.com/tallystick/tallystick/crypto"

// AssumeSigners makes tx as if its signers had been recovered, for benchmarks
// that need many transactions.
func (tx *Tx) AssumeSigners(signers ...crypto.Address) {
	tx.Signers, tx.recovered, tx.sigFault = signers, true, Applied
}

// EncodedTypes lists the EIP-712 types of all operations, each with those that
// it uses.
func EncodedTypes() (out []string) {
	for _, s := range kindSpecs {
		out = append(out, s.encodedType())
	}
	return out
}
