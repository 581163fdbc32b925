package words

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick/ledger"
)

// Decimal writes an amount of smallest units as a person does: the thousands
// apart, a point before the last decimals digits. All decimals are written, so that
// a column of amounts lines up, unless there are more than two zeros to spare.
func Decimal(amount ledger.Amount, decimals uint8) string {
	digits := amount.String()
	if missing := int(decimals) + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	at := len(digits) - int(decimals)
	whole, fraction := Thousands(digits[:at]), digits[at:]
	for len(fraction) > 2 && fraction[len(fraction)-1] == '0' {
		fraction = fraction[:len(fraction)-1]
	}
	if fraction == "" {
		return whole
	}
	return whole + "." + fraction
}

// Thousands sets the thousands of a whole number apart.
func Thousands(digits string) string {
	if len(digits) <= 3 {
		return digits
	}
	var t strings.Builder
	for i, d := range []byte(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 {
			t.WriteByte(',')
		}
		t.WriteByte(d)
	}
	return t.String()
}

// Count writes a number of things: one block, 2 blocks.
func Count(n uint64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Thousands(strconv.FormatUint(n, 10)) + " " + many
}

// latest is the last time that time.Time writes with four digits of year.
const latest = 253402300799

// UTC writes a time of the ledger.
func UTC(seconds uint64) string {
	if seconds > latest {
		return fmt.Sprintf("second %d", seconds)
	}
	return time.Unix(int64(seconds), 0).UTC().Format("2006-01-02 15:04:05 UTC")
}

// Lasting writes a length of time in its two greatest units.
func Lasting(seconds uint64) string {
	units := []struct {
		seconds   uint64
		one, many string
	}{{86400, "day", "days"}, {3600, "hour", "hours"}, {60, "minute", "minutes"}, {1, "second", "seconds"}}
	for i, u := range units {
		if seconds < u.seconds {
			continue
		}
		text := Count(seconds/u.seconds, u.one, u.many)
		if rest := seconds % u.seconds; i+1 < len(units) && rest >= units[i+1].seconds {
			text += " " + Count(rest/units[i+1].seconds, units[i+1].one, units[i+1].many)
		}
		return text
	}
	return "0 seconds"
}

// PlainDecimal writes an amount for programs: all of its decimals, nothing else.
func PlainDecimal(amount ledger.Amount, decimals uint8) string {
	digits := amount.String()
	if decimals == 0 {
		return digits
	}
	if missing := int(decimals) + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	at := len(digits) - int(decimals)
	return digits[:at] + "." + digits[at:]
}
