package ledger

import (
	"cmp"
	"fmt"
	"math/bits"

	"github.com/holiman/uint256"
)

// amountBits is the width of an Amount.
const amountBits = 128

// maxAmountDigits is the length of 2^128 - 1 in decimal.
const maxAmountDigits = 39

// Amount is a quantity of an asset in its smallest unit, from 0 to 2^128 - 1.
// The zero value is zero. Amounts are comparable with ==.
type Amount struct{ high, low uint64 }

// MaxAmount is 2^128 - 1.
var MaxAmount = Amount{^uint64(0), ^uint64(0)}

// NewAmount returns v as an Amount.
func NewAmount(v uint64) Amount { return Amount{low: v} }

// ParseAmount reads a decimal number: digits only, no sign, no leading zero,
// below 2^128.
func ParseAmount(s string) (Amount, error) {
	if s == "" {
		return Amount{}, fmt.Errorf("amount is empty: write a whole number of the asset's smallest unit, such as \"100\"")
	}
	if len(s) > maxAmountDigits {
		return Amount{}, fmt.Errorf("amount has %d digits: it must be below 2^128 (at most %d digits)", len(s), maxAmountDigits)
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return Amount{}, fmt.Errorf("amount %q has a character that is not a digit: write a whole number of the asset's smallest unit", s)
		}
	}
	if len(s) > 1 && s[0] == '0' {
		return Amount{}, fmt.Errorf("amount %q has a leading zero", s)
	}
	var v uint256.Int
	err := v.SetFromDecimal(s)
	a, ok := AmountFromUint256(&v)
	if err != nil || !ok {
		return Amount{}, fmt.Errorf("amount %q is not below 2^128", s)
	}
	return a, nil
}

// AmountFromBytes reads a big-endian number without leading zero bytes (zero
// is the empty string), at most 16 bytes long. ok is false for anything else.
func AmountFromBytes(b []byte) (a Amount, ok bool) {
	if len(b) > amountBits/8 || (len(b) > 0 && b[0] == 0) {
		return Amount{}, false
	}
	for _, c := range b {
		a = Amount{a.high<<8 | a.low>>56, a.low<<8 | uint64(c)}
	}
	return a, true
}

// Bytes returns the shortest big-endian form; zero is the empty string.
func (a Amount) Bytes() []byte { return a.Uint256().Bytes() }

// Bytes32 returns the big-endian form in 32 bytes, as the Ethereum ABI and
// EIP-712 write it.
func (a Amount) Bytes32() [32]byte { return a.Uint256().Bytes32() }

// Uint256 returns the amount as a 256-bit integer.
func (a Amount) Uint256() *uint256.Int { return &uint256.Int{a.low, a.high} }

// AmountFromUint256 converts v; ok is false when it is not below 2^128.
func AmountFromUint256(v *uint256.Int) (a Amount, ok bool) {
	if v.BitLen() > amountBits {
		return Amount{}, false
	}
	return Amount{v[1], v[0]}, true
}

// Add returns a + b; ok is false when the sum is not below 2^128.
func (a Amount) Add(b Amount) (sum Amount, ok bool) {
	low, carry := bits.Add64(a.low, b.low, 0)
	high, carry := bits.Add64(a.high, b.high, carry)
	if carry != 0 {
		return Amount{}, false
	}
	return Amount{high, low}, true
}

// Sub returns a - b; ok is false when b is greater than a.
func (a Amount) Sub(b Amount) (difference Amount, ok bool) {
	low, borrow := bits.Sub64(a.low, b.low, 0)
	high, borrow := bits.Sub64(a.high, b.high, borrow)
	if borrow != 0 {
		return Amount{}, false
	}
	return Amount{high, low}, true
}

// Cmp returns -1, 0 or 1 as a is less than, equal to or greater than b.
func (a Amount) Cmp(b Amount) int {
	if c := cmp.Compare(a.high, b.high); c != 0 {
		return c
	}
	return cmp.Compare(a.low, b.low)
}

// IsZero reports whether a is zero.
func (a Amount) IsZero() bool { return a.high|a.low == 0 }

// String returns the decimal form.
func (a Amount) String() string { return a.Uint256().Dec() }

// MarshalText returns the decimal form: JSON carries amounts as strings.
func (a Amount) MarshalText() ([]byte, error) { return []byte(a.Uint256().Dec()), nil }

// UnmarshalText is ParseAmount.
func (a *Amount) UnmarshalText(b []byte) error {
	v, err := ParseAmount(string(b))
	if err != nil {
		return err
	}
	*a = v
	return nil
}
