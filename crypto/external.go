package crypto

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
)

// Hardware modules and key services sign with secp256k1 but know nothing of
// Ethereum: they answer with (r, s) alone, in DER or as 64 bytes, with s in
// either half, and give public keys in the form of X.509. This file makes of
// that what a Signature and an Address are.

// What can be wrong with what a hardware module or key service gives.
var (
	ErrSignatureDER = errors.New("signature: not an ASN.1 DER sequence of two numbers")
	ErrSigner       = errors.New("signature: not made by the expected key over this digest")
)

// maxDERSize bounds a DER signature: two numbers of 33 bytes, each with its
// head of two bytes, in a sequence.
const maxDERSize = 2 + 2*(2+33)

// SignatureFromDER completes the signature (r, s) that der holds as an ECDSA
// signature of RFC 3279, SEQUENCE { r INTEGER, s INTEGER }, in strict DER with
// nothing after it. It is what PKCS #11 libraries' higher layers, AWS KMS and
// Google Cloud KMS give. The rest is as in CompleteSignature; the error may
// wrap ErrSignatureDER too.
func SignatureFromDER(der []byte, digest Hash, signer Address) (Signature, error) {
	var pair struct{ R, S *big.Int }
	if len(der) > maxDERSize {
		return Signature{}, fmt.Errorf("%w: %d bytes, at most %d", ErrSignatureDER, len(der), maxDERSize)
	}
	if _, err := asn1.Unmarshal(der, &pair); err != nil {
		return Signature{}, fmt.Errorf("%w: %w", ErrSignatureDER, err)
	}
	// The library passes over what follows the sequence, or the two numbers in it.
	if canonical, err := asn1.Marshal(pair); err != nil || !bytes.Equal(canonical, der) {
		return Signature{}, fmt.Errorf("%w: more than two numbers, or bytes after them", ErrSignatureDER)
	}
	switch {
	case pair.R.Sign() < 0 || pair.R.BitLen() > 256:
		return Signature{}, ErrSignatureR
	case pair.S.Sign() < 0 || pair.S.BitLen() > 256:
		return Signature{}, ErrSignatureS
	}
	var r, s [32]byte
	pair.R.FillBytes(r[:])
	pair.S.FillBytes(s[:])
	return CompleteSignature(r, s, digest, signer)
}

// CompleteSignature makes a Signature of (r, s), both big-endian: it brings s
// into the lower half, as Check wants it, and finds the v with which the key of
// signer has signed digest. So what it returns passes Check, and Recover gives
// signer. The error is ErrSignatureR or ErrSignatureS where a number is out of
// range, and wraps ErrSigner where another key signed, or another digest. It
// costs one or two recoveries.
func CompleteSignature(r, s [32]byte, digest Hash, signer Address) (Signature, error) {
	order, number := new(big.Int).SetBytes(curveOrder[:]), new(big.Int).SetBytes(s[:])
	if number.Sign() == 0 || number.Cmp(order) >= 0 {
		return Signature{}, ErrSignatureS
	}
	if number.Cmp(new(big.Int).SetBytes(halfOrder[:])) > 0 {
		number.Sub(order, number).FillBytes(s[:])
	}
	var made Signature
	copy(made[:], r[:])
	copy(made[signatureS:], s[:])
	if err := made.Check(); err != nil {
		return Signature{}, err
	}
	for v := range byte(2) {
		made[signatureV] = v
		if address, err := Recover(digest, made); err == nil && address == signer {
			return made, nil
		}
	}
	return Signature{}, fmt.Errorf("%w: want the key of %s", ErrSigner, signer)
}

// Object identifiers of RFC 5480 and SEC 2.
var (
	ecPublicKey = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	curveOfKey  = asn1.ObjectIdentifier{1, 3, 132, 0, 10}
)

// AddressFromPKIX returns the address of a public key in the form of X.509,
// a SubjectPublicKeyInfo in DER that names the curve secp256k1, as key services
// give it. PEM must be decoded before. The error wraps ErrPublicKey.
func AddressFromPKIX(der []byte) (Address, error) {
	var info struct {
		Algorithm struct{ Algorithm, Curve asn1.ObjectIdentifier }
		Key       asn1.BitString
	}
	rest, err := asn1.Unmarshal(der, &info)
	switch {
	case err != nil:
		return Address{}, fmt.Errorf("%w: %w", ErrPublicKey, err)
	case len(rest) > 0:
		return Address{}, fmt.Errorf("%w: %d bytes after it", ErrPublicKey, len(rest))
	case !info.Algorithm.Algorithm.Equal(ecPublicKey) || !info.Algorithm.Curve.Equal(curveOfKey):
		return Address{}, fmt.Errorf("%w: not of the curve secp256k1, but algorithm %s, curve %s",
			ErrPublicKey, info.Algorithm.Algorithm, info.Algorithm.Curve)
	case info.Key.BitLength != 8*publicKeySize:
		return Address{}, fmt.Errorf("%w: %d bits, want the %d of an uncompressed point", ErrPublicKey, info.Key.BitLength, 8*publicKeySize)
	}
	return AddressFromPublicKey(info.Key.Bytes)
}
