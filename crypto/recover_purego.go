//go:build !cgo || gofuzz

package crypto

// RecoveryLibrary names the library that Recover uses in this build.
const RecoveryLibrary = "btcec"

// recoverChecked is recovery by btcec. The signature must have passed Check.
func recoverChecked(digest Hash, sig Signature) (Address, error) {
	return recoverBtcec(digest, sig)
}
