package ledger

import (
	"fmt"

	"github.com/holiman/uint256"
)

// amountBits is the width of an Amount.
const amountBits = 128

// maxAmountDigits is the length of 2^128 - 1 in decimal.
const maxAmountDigits = 39

// Amount is a quantity of an asset in its smallest unit, from 0 to 2^128 - 1.
// The zero value is zero. Amounts are comparable with ==.
type Amount struct{ v uint256.Int }

// MaxAmount is 2^128 - 1.
var MaxAmount = Amount{uint256.Int{^uint64(0), ^uint64(0), 0, 0}}

// NewAmount returns v as an Amount.
func NewAmount(v uint64) Amount { return Amount{uint256.Int{v}} }

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
	var a Amount
	if err := a.v.SetFromDecimal(s); err != nil || a.v.BitLen() > amountBits {
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
	a.v.SetBytes(b)
	return a, true
}

// Bytes returns the shortest big-endian form; zero is the empty string.
func (a Amount) Bytes() []byte { return a.v.Bytes() }

// Bytes32 returns the big-endian form in 32 bytes, as the Ethereum ABI and
// EIP-712 write it.
func (a Amount) Bytes32() [32]byte { return a.v.Bytes32() }

// Uint256 returns the amount as a 256-bit integer.
func (a Amount) Uint256() *uint256.Int { v := a.v; return &v }

// AmountFromUint256 converts v; ok is false when it is not below 2^128.
func AmountFromUint256(v *uint256.Int) (a Amount, ok bool) {
	if v.BitLen() > amountBits {
		return Amount{}, false
	}
	return Amount{*v}, true
}

// Add returns a + b; ok is false when the sum is not below 2^128.
func (a Amount) Add(b Amount) (sum Amount, ok bool) {
	sum.v.Add(&a.v, &b.v)
	if sum.v.BitLen() > amountBits {
		return Amount{}, false
	}
	return sum, true
}

// Sub returns a - b; ok is false when b is greater than a.
func (a Amount) Sub(b Amount) (difference Amount, ok bool) {
	if a.v.Lt(&b.v) {
		return Amount{}, false
	}
	difference.v.Sub(&a.v, &b.v)
	return difference, true
}

// Cmp returns -1, 0 or 1 as a is less than, equal to or greater than b.
func (a Amount) Cmp(b Amount) int { return a.v.Cmp(&b.v) }

// IsZero reports whether a is zero.
func (a Amount) IsZero() bool { return a.v.IsZero() }

// String returns the decimal form.
func (a Amount) String() string { return a.v.Dec() }

// MarshalText returns the decimal form: JSON carries amounts as strings.
func (a Amount) MarshalText() ([]byte, error) { return []byte(a.v.Dec()), nil }

// UnmarshalText is ParseAmount.
func (a *Amount) UnmarshalText(b []byte) error {
	v, err := ParseAmount(string(b))
	if err != nil {
		return err
	}
	*a = v
	return nil
}
