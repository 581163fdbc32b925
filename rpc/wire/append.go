package wire

import (
	"encoding/hex"
	"strconv"

	"github.com/tallystick/tallystick/crypto"
)

// AppendJSON appends the receipt as encoding/json writes it, which a test
// compares, at a fraction of its cost: a node writes one for each transaction.
func (r *Receipt) AppendJSON(out []byte) ([]byte, error) {
	out = appendHash(append(out, `{"hash":`...), &r.Hash)
	out = appendHash(append(out, `,"bodyHash":`...), &r.BodyHash)
	out = strconv.AppendUint(append(out, `,"height":`...), r.Height, 10)
	out = strconv.AppendUint(append(out, `,"index":`...), uint64(r.Index), 10)
	out = appendHash(append(out, `,"blockHash":`...), &r.BlockHash)
	out = strconv.AppendUint(append(out, `,"blockTime":`...), r.BlockTime, 10)
	out = appendString(append(out, `,"sender":`...), r.Sender.String())
	out = strconv.AppendUint(append(out, `,"nonce":`...), r.Nonce, 10)
	out = appendString(append(out, `,"kind":`...), r.Kind)
	out = strconv.AppendUint(append(out, `,"code":`...), uint64(r.Code), 10)
	out = appendString(append(out, `,"status":`...), r.Status)
	out = appendString(append(out, `,"message":`...), r.Message)
	out, err := appendEvents(append(out, `,"events":`...), r.Events)
	if err != nil {
		return nil, err
	}
	return append(out, '}'), nil
}

// appendEvents appends a list of events, which is null where it is nil.
func appendEvents(out []byte, events []Event) (_ []byte, err error) {
	if events == nil {
		return append(out, "null"...), nil
	}
	out = append(out, '[')
	for i := range events {
		if i > 0 {
			out = append(out, ',')
		}
		if out, err = events[i].appendJSON(out); err != nil {
			return nil, err
		}
	}
	return append(out, ']'), nil
}

// numbers are the fields of events that are numbers in JSON.
var numbers = setOf("decimals", "flags", "threshold", "roles", "power", "expiry", "reason",
	"proposal", "delay", "choice", "code", "failedAction", "effect", "value", "version", "height", "numerator", "denominator")

// addresses are those that are addresses, in EIP-55.
var addresses = setOf("account", "issuer", "from", "to", "asset", "member", "hold", "arbiter")

func setOf(names ...string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[name] = true
	}
	return set
}

// appendJSON writes type first, then the fields in the order of the outcome.
// Of these, numbers are numbers, and everything else is a string.
func (e *Event) appendJSON(out []byte) ([]byte, error) {
	out = appendString(append(out, `{"type":`...), e.Type.Name())
	for _, a := range e.Attributes() {
		out = append(appendString(append(out, ','), a.Key), ':')
		switch {
		case numbers[a.Key]:
			out = append(out, a.Value...)
		case addresses[a.Key]:
			address, err := crypto.ParseAddress(a.Value)
			if err != nil {
				return nil, err
			}
			out = appendString(out, address.String())
		default:
			out = appendString(out, a.Value)
		}
	}
	return append(out, '}'), nil
}

func appendHash(out []byte, h *crypto.Hash) []byte {
	return append(hex.AppendEncode(append(out, `"0x`...), h[:]), '"')
}

// appendString quotes s. What needs no escape, and most does not, is copied.
func appendString(out []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return append(out, quote(s)...)
		}
	}
	return append(append(append(out, '"'), s...), '"')
}
