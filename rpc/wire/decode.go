package wire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// UnmarshalJSON reads what MarshalJSON writes. A type or a field that this
// version does not know is an error, because an event read in part would be a
// wrong account of what happened.
func (e *Event) UnmarshalJSON(data []byte) error {
	fields, err := eventFields(data)
	if err != nil {
		return err
	}
	name := fields["type"]
	blank, ok := eventOfType(name)
	if !ok {
		return fmt.Errorf("event of the unknown type %q: a newer version may know it", name)
	}
	attributes := blank.Attributes()
	if len(fields) != len(attributes)+1 {
		return fmt.Errorf("event %s: %d fields, want %d", name, len(fields), len(attributes)+1)
	}
	for i := range attributes {
		key := attributes[i].Key
		text, present := fields[key]
		if !present {
			return fmt.Errorf("event %s: field %q is missing", name, key)
		}
		if attributes[i].Value, err = plainText(key, text); err != nil {
			return fmt.Errorf("event %s: field %q: %w", name, key, err)
		}
	}
	event, ok := ledger.ParseEvent(name, attributes)
	if !ok {
		return fmt.Errorf("event %s: a field has a value that no such event has", name)
	}
	e.Event = event
	return nil
}

// eventFields reads an object of strings and numbers, each as its text.
func eventFields(data []byte) (map[string]string, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return nil, fmt.Errorf("event: %w", err)
	}
	fields := make(map[string]string, len(raw))
	for key, value := range raw {
		isNumber := numbers[key]
		if isNumber {
			value = bytes.TrimSpace(value)
			if len(value) == 0 || value[0] < '0' || value[0] > '9' {
				return nil, fmt.Errorf("event: field %q is not a number", key)
			}
			fields[key] = string(value)
			continue
		}
		var text *string
		if err := json.Unmarshal(value, &text); err != nil || text == nil {
			return nil, fmt.Errorf("event: field %q is not a string", key)
		}
		fields[key] = *text
	}
	return fields, nil
}

// eventOfType returns an empty event of the type with this name.
func eventOfType(name string) (ledger.Event, bool) {
	for _, t := range ledger.EventTypes() {
		if t.Name() == name {
			return ledger.Event{Type: t}, true
		}
	}
	return ledger.Event{}, false
}

// plainText turns a field's JSON text into the ledger's: addresses lose the
// case of EIP-55.
func plainText(key, text string) (string, error) {
	if !addresses[key] {
		return text, nil
	}
	address, err := crypto.ParseAddress(text)
	if err != nil {
		return "", err
	}
	return "0x" + hex.EncodeToString(address[:]), nil
}
