package client

import (
	"fmt"
	"strings"

	"github.com/tallystick/tallystick/ledger"
)

// ParseDecimal reads an amount as a person writes it, such as "12.34", and
// returns it in the smallest unit of an asset with the given decimals (0..18).
// Digits and one point only; more decimals than the asset has are an error,
// because the amount would have to be rounded.
func ParseDecimal(text string, decimals uint8) (ledger.Amount, error) {
	whole, fraction, point := strings.Cut(text, ".")
	if whole == "" || (point && fraction == "") {
		return ledger.Amount{}, fmt.Errorf("amount %q: write digits before and after the point, such as 0.5", text)
	}
	if len(fraction) > int(decimals) {
		if decimals == 0 {
			return ledger.Amount{}, fmt.Errorf("amount %q: this asset has no decimals: write a whole number", text)
		}
		return ledger.Amount{}, fmt.Errorf("amount %q has %d decimals: this asset has %d", text, len(fraction), decimals)
	}
	for _, c := range []byte(whole + fraction) {
		if c < '0' || c > '9' {
			return ledger.Amount{}, fmt.Errorf("amount %q: %q is neither a digit nor a decimal point; write it like 1234.56", text, c)
		}
	}
	if len(whole) > 1 && whole[0] == '0' {
		return ledger.Amount{}, fmt.Errorf("amount %q has a leading zero", text)
	}
	digits := strings.TrimLeft(whole+fraction+strings.Repeat("0", int(decimals)-len(fraction)), "0")
	if digits == "" {
		return ledger.Amount{}, nil
	}
	amount, err := ledger.ParseAmount(digits)
	if err != nil {
		return ledger.Amount{}, fmt.Errorf("amount %q is too large: it must be below 2^128 smallest units", text)
	}
	return amount, nil
}

// FormatDecimal writes an amount as a person does: with a point before the
// last decimals digits, and without zeros at the end.
func FormatDecimal(amount ledger.Amount, decimals uint8) string {
	digits := amount.String()
	if decimals == 0 {
		return digits
	}
	if missing := int(decimals) + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	at := len(digits) - int(decimals)
	return strings.TrimSuffix(digits[:at]+"."+strings.TrimRight(digits[at:], "0"), ".")
}
