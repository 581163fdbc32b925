package ledger

import (
	"encoding/hex"
	"math"
	"strconv"

	"github.com/tallystick/tallystick/crypto"
)

func addressField(key string, at func(*Event) *crypto.Address) field {
	return field{
		key:   key,
		write: func(w *encoder, e *Event) { w.address(*at(e)) },
		text:  func(e *Event) string { return "0x" + hex.EncodeToString(at(e)[:]) },
		parse: func(e *Event, s string) bool {
			if len(s) != 42 || s[:2] != "0x" {
				return false
			}
			_, err := hex.Decode(at(e)[:], []byte(s[2:]))
			return err == nil
		},
	}
}

// hashField is 32 bytes, as text 0x and hex in lower case.
func hashField(key string, at func(*Event) *crypto.Hash) field {
	return field{
		key:   key,
		write: func(w *encoder, e *Event) { w.bytes(at(e)[:]) },
		text:  func(e *Event) string { return at(e).String() },
		parse: func(e *Event, s string) bool { return at(e).UnmarshalText([]byte(s)) == nil },
	}
}

func amountField(key string) field {
	return field{
		key:   key,
		write: func(w *encoder, e *Event) { w.amount(e.Amount) },
		text:  func(e *Event) string { return e.Amount.String() },
		parse: func(e *Event, s string) bool { return e.Amount.UnmarshalText([]byte(s)) == nil },
	}
}

func textField(key string, at func(*Event) *string) field {
	return field{
		key:   key,
		write: func(w *encoder, e *Event) { w.string(*at(e)) },
		text:  func(e *Event) string { return *at(e) },
		parse: func(e *Event, s string) bool { *at(e) = s; return validText(s) },
	}
}

func numberField(key string, most uint64, get func(*Event) uint64, set func(*Event, uint64)) field {
	return field{
		key:   key,
		write: func(w *encoder, e *Event) { w.uint(get(e)) },
		text:  func(e *Event) string { return strconv.FormatUint(get(e), 10) },
		parse: func(e *Event, s string) bool {
			v, err := strconv.ParseUint(s, 10, 64)
			set(e, v)
			return err == nil && v <= most
		},
	}
}

func memoField(key string, at func(*Event) *string) field {
	f := textField(key, at)
	f.parse = func(e *Event, s string) bool { *at(e) = s; return validMemo(s) }
	return f
}

func number(key string) field {
	return numberField(key, math.MaxUint64, func(e *Event) uint64 { return e.Number }, func(e *Event, v uint64) { e.Number = v })
}

func until(key string) field {
	return numberField(key, math.MaxUint64, func(e *Event) uint64 { return uint64(e.Until) }, func(e *Event, v uint64) { e.Until = UnixTime(v) })
}
