package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// event says what a transaction did: the event's name and what its fields say.
func (s speech) event(e *ledger.Event) string {
	var t strings.Builder
	t.WriteString(e.Type.Name())
	for _, a := range e.Attributes() {
		text := eventText(a.Key, a.Value)
		switch {
		case a.Key == "amount" || a.Key == "cap" && !e.Amount.IsZero():
			text = s.amount(e)
		case a.Key == "cap":
			text = "none"
		case e.Type == ledger.EventProposalEnded && e.Flags == 0 && (a.Key == "code" || a.Key == "failedAction"):
			text = "" // nothing failed
		}
		if text != "" {
			fmt.Fprintf(&t, " %s=%s", a.Key, text)
		}
	}
	return t.String()
}

// amount is an event's, in the unit in which people write the asset's.
func (s speech) amount(e *ledger.Event) string {
	if asset := s.find(e.Asset); asset != nil {
		return money(e.Amount, asset)
	}
	return e.Amount.String() + " units"
}

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
	case "reference", "name", "uri", "text":
		if value != "" {
			return quoted(value)
		}
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
