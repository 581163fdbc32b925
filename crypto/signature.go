package crypto

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
)

// SignatureSize is the number of bytes in a Signature.
const SignatureSize = 65

// Reasons why a signature is refused. Signature.Check looks for the first
// three in this order; Recover adds the fourth. Their texts are the same
// whatever library is compiled in.
var (
	ErrSignatureV = errors.New("signature: v is neither 0 nor 1")
	ErrSignatureR = errors.New("signature: r is not above 0 and below the curve's order n")
	ErrSignatureS = errors.New("signature: s is not above 0 and at most n/2")
	ErrRecover    = errors.New("signature: no public key can have made it over this digest")
)

// ErrSignatureLength says that bytes cannot be a signature by their number.
var ErrSignatureLength = errors.New("signature: not 65 bytes")

// Where the parts of a signature stand.
const (
	signatureS = 32
	signatureV = 64
)

var (
	// curveOrder is n, the order of secp256k1 (SEC 2, 2.4.1), big-endian.
	curveOrder = [32]byte{
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
		0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
	}
	// halfOrder is n/2, rounded down, big-endian.
	halfOrder = [32]byte{
		0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
	}
	zero32 [32]byte
)

// Signature is an ECDSA signature with its recovery bit: r(32) ‖ s(32) ‖ v,
// where r and s are big-endian and v, 0 or 1, is the parity of the Y
// coordinate of the signature's point. A Signature may hold any bytes until
// Check has passed them.
type Signature [SignatureSize]byte

// String returns 0x and the 130 lower-case hexadecimal digits of s.
func (s Signature) String() string { return "0x" + hex.EncodeToString(s[:]) }

// Check returns nil when v is 0 or 1, 0 < r < n and 0 < s ≤ n/2; otherwise
// ErrSignatureV, ErrSignatureR or ErrSignatureS, the first that holds in this
// order. The upper half of s is refused because every signature (r, s) has a
// twin (r, n-s): without this rule anybody could change a signed transaction's
// bytes. Values of v above 1, which mean r was reduced by n, are refused
// because no signer can find such an r.
func (s Signature) Check() error {
	if s[signatureV] > 1 {
		return ErrSignatureV
	}
	r := s[:signatureS]
	if bytes.Equal(r, zero32[:]) || bytes.Compare(r, curveOrder[:]) >= 0 {
		return ErrSignatureR
	}
	half := s[signatureS:signatureV]
	if bytes.Equal(half, zero32[:]) || bytes.Compare(half, halfOrder[:]) > 0 {
		return ErrSignatureS
	}
	return nil
}

// ParseSignature reads 65 bytes r ‖ s ‖ v. It also takes v as 27 or 28, as
// wallets write it, and returns it as 0 or 1. The error is that of Check, or
// wraps ErrSignatureLength.
func ParseSignature(b []byte) (Signature, error) {
	if len(b) != SignatureSize {
		return Signature{}, fmt.Errorf("%w but %d", ErrSignatureLength, len(b))
	}
	s := Signature(b)
	if v := s[signatureV]; v == 27 || v == 28 {
		s[signatureV] = v - 27
	}
	if err := s.Check(); err != nil {
		return Signature{}, err
	}
	return s, nil
}
