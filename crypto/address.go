package crypto

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/btcec/v2"
)

// AddressSize is the number of bytes in an Address.
const AddressSize = 20

// ErrChecksum says that an address in mixed case does not carry the
// upper and lower case that EIP-55 gives it, so some character is wrong.
var ErrChecksum = errors.New("wrong EIP-55 checksum")

// ErrPublicKey says that bytes are no uncompressed point of the curve.
var ErrPublicKey = errors.New("not an uncompressed secp256k1 public key")

// Address names an account or an asset: the last 20 bytes of the Keccak-256
// hash of an uncompressed public key, or of what else an asset's address is
// made of. Its text form is EIP-55: 0x and 40 hexadecimal digits, whose case
// is a checksum. The zero address names nothing.
type Address [AddressSize]byte

// String returns the EIP-55 text of a. It costs one hash.
func (a Address) String() string {
	const prefix = 2
	var text [prefix + 2*AddressSize]byte
	copy(text[:], "0x")
	digits := text[prefix:]
	hex.Encode(digits, a[:])
	sum := Keccak256(digits)
	for i, c := range digits {
		nibble := sum[i/2] >> 4
		if i%2 == 1 {
			nibble = sum[i/2] & 0x0f
		}
		if c >= 'a' && nibble >= 8 {
			digits[i] = c - 'a' + 'A'
		}
	}
	return string(text[:])
}

// MarshalText returns the EIP-55 text of a. It never fails.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText sets a from text, as ParseAddress reads it. On an error a is
// unchanged.
func (a *Address) UnmarshalText(text []byte) error {
	parsed, err := ParseAddress(string(text))
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}

// IsZero reports whether a is the zero address.
func (a Address) IsZero() bool { return a == Address{} }

// Compare returns -1, 0 or 1 as a stands before, at or after b in the order of
// their bytes.
func (a Address) Compare(b Address) int { return bytes.Compare(a[:], b[:]) }

// ParseAddress reads 0x and exactly 40 hexadecimal digits. Digits all in lower
// or all in upper case carry no checksum and are taken as they are; digits in
// mixed case must be as EIP-55 writes them. The error wraps ErrPrefix,
// ErrLength, ErrHex or ErrChecksum.
func ParseAddress(s string) (Address, error) {
	var a Address
	if err := decodeHex(a[:], s); err != nil {
		return Address{}, fmt.Errorf("address %s: %w", quote(s), err)
	}
	if mixedCase(s[len("0x"):]) && s != a.String() {
		return Address{}, fmt.Errorf("address %s: %w", quote(s), ErrChecksum)
	}
	return a, nil
}

// mixedCase reports whether hexadecimal digits hold letters of both cases.
func mixedCase(digits string) bool {
	var lower, upper bool
	for _, c := range []byte(digits) {
		lower = lower || c >= 'a'
		upper = upper || (c >= 'A' && c <= 'F')
	}
	return lower && upper
}

// publicKeySize is the number of bytes in an uncompressed public key:
// 0x04 ‖ X(32) ‖ Y(32) (SEC 1, 2.3.3).
const publicKeySize = 65

// AddressFromPublicKey returns the address of an uncompressed public key,
// 65 bytes 0x04 ‖ X ‖ Y. The error is ErrPublicKey when the bytes have another
// form or the point is not on the curve.
func AddressFromPublicKey(uncompressed []byte) (Address, error) {
	if len(uncompressed) != publicKeySize || uncompressed[0] != 0x04 {
		return Address{}, ErrPublicKey
	}
	if _, err := btcec.ParsePubKey(uncompressed); err != nil {
		return Address{}, ErrPublicKey
	}
	return addressOfPoint(uncompressed), nil
}

// addressOfPoint returns the address of a point that is known to be on the
// curve, given as 65 bytes.
func addressOfPoint(uncompressed []byte) Address {
	sum := Keccak256(uncompressed[1:publicKeySize])
	return Address(sum[HashSize-AddressSize:])
}
