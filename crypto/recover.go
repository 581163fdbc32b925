package crypto

import (
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
)

// Recover returns the address whose key made sig over digest. The error is
// that of sig.Check, or ErrRecover when no key fits: r is not the X coordinate
// of a point, or the key would be the point at infinity. Results and errors
// are the same on every platform and with or without cgo. It costs some tens
// of microseconds with cgo and three to four times that without.
//
// Any r that is on the curve recovers some address: a successful Recover
// proves nothing until the address is compared with one that was expected.
func Recover(digest Hash, sig Signature) (Address, error) {
	if err := sig.Check(); err != nil {
		return Address{}, err
	}
	return recoverChecked(digest, sig)
}

// compactOffset is what Bitcoin's compact signatures, which btcec reads and
// writes, add to the recovery bit of an uncompressed key.
const compactOffset = 27

// recoverBtcec is recovery by btcec, in Go alone. It is compiled into every
// build, so that it can be compared with libsecp256k1 where that is in use.
// The signature must have passed Check.
func recoverBtcec(digest Hash, sig Signature) (Address, error) {
	var compact [SignatureSize]byte
	compact[0] = compactOffset + sig[signatureV]
	copy(compact[1:], sig[:signatureV])
	key, _, err := ecdsa.RecoverCompact(compact[:], digest[:])
	if err != nil {
		return Address{}, ErrRecover
	}
	return addressOfPoint(key.SerializeUncompressed()), nil
}
