//go:build cgo && !gofuzz

package crypto

import "github.com/ethereum/go-ethereum/crypto/secp256k1"

// RecoveryLibrary names the library that Recover uses in this build.
const RecoveryLibrary = "libsecp256k1"

// recoverChecked is recovery by libsecp256k1. The build constraint is that of
// go-ethereum's wrapper. The signature must have passed Check.
func recoverChecked(digest Hash, sig Signature) (Address, error) {
	key, err := secp256k1.RecoverPubkey(digest[:], sig[:])
	if err != nil {
		return Address{}, ErrRecover
	}
	return addressOfPoint(key), nil
}
