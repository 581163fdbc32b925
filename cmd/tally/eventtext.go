package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// eventText writes an attribute of an event for a person: addresses with their
// checksums, and numbers that stand for something as what they mean. It is empty
// for what says nothing.
func eventText(key, value string) string {
	switch key {
	case "account", "issuer", "from", "to", "asset", "member", "hold", "arbiter":
		return addressText(value)
	case "keys":
		keys, ok := ledger.ParseKeys(value)
		if !ok {
			return value
		}
		texts := make([]string, len(keys))
		for i, k := range keys {
			texts[i] = k.Address.String() + "=" + strconv.FormatUint(uint64(k.Weight), 10)
		}
		return strings.Join(texts, ",")
	case "hash":
		if h, err := crypto.ParseHash(value); err == nil && h == (crypto.Hash{}) {
			return ""
		}
	case "actions":
		if actions, err := ledger.ParseActions(value); err == nil {
			return strings.ReplaceAll(actionNames(actions), ", ", ",")
		}
	}
	return eventNumber(key, value)
}

// addressText is an address with its checksum; the zero address says nothing.
func addressText(value string) string {
	address, err := crypto.ParseAddress(value)
	switch {
	case err != nil:
		return value
	case address.IsZero():
		return ""
	}
	return address.String()
}

// eventNumber writes what the numbers of some attributes stand for, and
// everything else as it is.
func eventNumber(key, value string) string {
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil {
		return value
	}
	switch key {
	case "expiry", "effect":
		return time.Unix(int64(n), 0).UTC().Format(time.RFC3339)
	case "flags":
		return strings.ReplaceAll(assetFlagNames(uint32(n)), ", ", ",")
	case "roles":
		return strings.ReplaceAll(roleWords(ledger.Roles(n)), ", ", ",")
	case "choice":
		return choiceName(ledger.Choice(n))
	case "code":
		return ledger.Code(n).String()
	}
	return value
}
