package wire

import "slices"

// numberKeys are the fields of events that are numbers in JSON; all others are
// strings. action is both: a place in a proposal's list, and the name of a kind.
var numberKeys = []string{
	"decimals", "flags", "roles", "power", "proposal", "expiry", "effect", "delay", "choice", "code",
	"version", "height", "numerator", "denominator", "value",
}

func isNumber(key string) bool { return slices.Contains(numberKeys, key) }
