package crypto

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
)

// PrivateKeySize is the number of bytes in a private key.
const PrivateKeySize = 32

// ErrPrivateKey says that bytes are no private key: not 32 of them, or a
// number that is not above 0 and below the curve's order n. Errors about
// private keys never repeat the input.
var ErrPrivateKey = errors.New("not a private key")

// PrivateKey signs digests. It never shows its secret through fmt or
// encoding/json: only Bytes gives it out. The zero value is not usable; keys
// come from GenerateKey, ParsePrivateKey or PrivateKeyFromBytes.
type PrivateKey struct {
	key     *btcec.PrivateKey
	address Address
}

// GenerateKey returns a new key from the system's random source. It fails only
// when that source does.
func GenerateKey() (*PrivateKey, error) {
	key, err := btcec.NewPrivateKey()
	if err != nil {
		return nil, fmt.Errorf("generate private key: %w", err)
	}
	return newPrivateKey(key), nil
}

// ParsePrivateKey reads a key from exactly 64 hexadecimal digits of either
// case, with or without 0x before them. The error wraps ErrPrivateKey and
// never repeats the text.
func ParsePrivateKey(text string) (*PrivateKey, error) {
	digits := strings.TrimPrefix(text, "0x")
	if len(digits) != 2*PrivateKeySize {
		return nil, fmt.Errorf("%w: %d characters, expected %d hexadecimal digits", ErrPrivateKey, len(digits), 2*PrivateKeySize)
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPrivateKey, ErrHex)
	}
	return PrivateKeyFromBytes(b)
}

// PrivateKeyFromBytes returns the key with the big-endian number k that b
// holds: 32 bytes, 0 < k < n. The error wraps ErrPrivateKey. The key keeps no
// reference to b.
func PrivateKeyFromBytes(b []byte) (*PrivateKey, error) {
	if len(b) != PrivateKeySize {
		return nil, fmt.Errorf("%w: %d bytes, expected %d", ErrPrivateKey, len(b), PrivateKeySize)
	}
	if bytes.Equal(b, zero32[:]) || bytes.Compare(b, curveOrder[:]) >= 0 {
		return nil, fmt.Errorf("%w: the number is not above 0 and below the curve's order", ErrPrivateKey)
	}
	key, _ := btcec.PrivKeyFromBytes(b)
	return newPrivateKey(key), nil
}

func newPrivateKey(key *btcec.PrivateKey) *PrivateKey {
	return &PrivateKey{key: key, address: addressOfPoint(key.PubKey().SerializeUncompressed())}
}

// Address returns the address of the key.
func (k *PrivateKey) Address() Address { return k.address }

// Bytes returns a copy of the secret: 32 bytes, big-endian. Whoever holds it
// can sign for the address.
func (k *PrivateKey) Bytes() []byte { return k.key.Serialize() }

// PublicKey returns the uncompressed public key, 65 bytes 0x04 ‖ X ‖ Y.
func (k *PrivateKey) PublicKey() []byte { return k.key.PubKey().SerializeUncompressed() }

// Sign returns the signature of digest, which passes Check and from which
// Recover gives the address of the key. It is deterministic (RFC 6979 with
// SHA-256): the same key and digest always give the same bytes.
func (k *PrivateKey) Sign(digest Hash) Signature {
	compact := ecdsa.SignCompact(k.key, digest[:], false)
	var s Signature
	copy(s[:], compact[1:])
	s[signatureV] = compact[0] - compactOffset
	if err := s.Check(); err != nil {
		// The nonce's point would have an X coordinate of at least n: one chance
		// in 2^127, so the library is broken.
		panic("crypto: sign: " + err.Error())
	}
	return s
}

// Format writes the key's address for every verb, and never its secret.
func (k PrivateKey) Format(f fmt.State, _ rune) { fmt.Fprint(f, k.String()) }

// String returns the key's address, marked as standing for a private key.
func (k PrivateKey) String() string { return "PrivateKey(" + k.address.String() + ")" }

// GoString returns what String does.
func (k PrivateKey) GoString() string { return k.String() }

// MarshalText returns what String does, so that no encoder looks inside.
func (k PrivateKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }
