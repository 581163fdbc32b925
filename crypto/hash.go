package crypto

import (
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"sync"

	"golang.org/x/crypto/sha3"
)

// HashSize is the number of bytes in a Hash.
const HashSize = 32

// maxQuoted bounds how much of a wrong input an error repeats, in bytes.
const maxQuoted = 80

// Causes of a text that is no hash, address or key. They are wrapped with what
// was being read, so test for them with errors.Is.
var (
	ErrPrefix = errors.New(`the text does not start with "0x"`)
	ErrLength = errors.New("the text has the wrong length")
	ErrHex    = errors.New("the text holds a character that is not a hexadecimal digit")
)

// Hash is a Keccak-256 hash. Its text form is 0x and 64 lower-case hexadecimal
// digits.
type Hash [HashSize]byte

// String returns the text form of h.
func (h Hash) String() string { return "0x" + hex.EncodeToString(h[:]) }

// MarshalText returns the text form of h. It never fails.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText sets h from its text form, as ParseHash reads it. On an error
// h is unchanged.
func (h *Hash) UnmarshalText(text []byte) error {
	parsed, err := ParseHash(string(text))
	if err != nil {
		return err
	}
	*h = parsed
	return nil
}

// ParseHash reads 0x and exactly 64 hexadecimal digits of either case. The
// error wraps ErrPrefix, ErrLength or ErrHex.
func ParseHash(s string) (Hash, error) {
	var h Hash
	if err := decodeHex(h[:], s); err != nil {
		return Hash{}, fmt.Errorf("hash %s: %w", quote(s), err)
	}
	return h, nil
}

// Keccak256 returns the Keccak-256 hash of the concatenation of parts. This is
// the original Keccak of Ethereum, with other padding than the SHA-3 standard.
// It allocates nothing and costs one permutation for each 136 bytes.
func Keccak256(parts ...[]byte) Hash {
	h := hashers.Get().(*hasher)
	h.sponge.Reset()
	// Each part is copied through the hasher's own buffer, because bytes handed
	// to an interface method are moved to the heap by the compiler, and most
	// callers hash small arrays that stand on their stack.
	filled := 0
	for _, part := range parts {
		for len(part) > 0 {
			n := copy(h.buffer[filled:], part)
			part, filled = part[n:], filled+n
			if filled == len(h.buffer) {
				h.sponge.Write(h.buffer[:])
				filled = 0
			}
		}
	}
	h.sponge.Write(h.buffer[:filled])
	h.sponge.Read(h.buffer[:HashSize])
	sum := Hash(h.buffer[:HashSize])
	hashers.Put(h)
	return sum
}

// sponge is the part of x/crypto's Keccak that this package uses. Read
// squeezes the sum out without the copy of the state that Sum makes.
type sponge interface {
	hash.Hash
	io.Reader
}

// hasher is one pooled Keccak-256 state and the buffer its input passes
// through: four blocks of 136 bytes.
type hasher struct {
	sponge sponge
	buffer [4 * 136]byte
}

var hashers = sync.Pool{New: func() any {
	return &hasher{sponge: sha3.NewLegacyKeccak256().(sponge)}
}}

// decodeHex fills dst from 0x and exactly 2·len(dst) hexadecimal digits.
func decodeHex(dst []byte, s string) error {
	digits, found := strings.CutPrefix(s, "0x")
	if !found {
		return ErrPrefix
	}
	if len(digits) != 2*len(dst) {
		return fmt.Errorf("%w: %d digits, expected %d", ErrLength, len(digits), 2*len(dst))
	}
	if _, err := hex.Decode(dst, []byte(digits)); err != nil {
		return ErrHex
	}
	return nil
}

// quote returns s in quotes, cut to a length that suits an error message.
func quote(s string) string {
	if len(s) <= maxQuoted {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf("%q… (%d bytes)", s[:maxQuoted], len(s))
}
