package card

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// MaxBytes bounds a card's text.
const MaxBytes = 8192

// Text is the card as it is handed on: indented JSON that ends with a newline.
func (c *Card) Text() []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(c); err != nil {
		panic("card: write: " + err.Error()) // every field has a form in JSON
	}
	return b.Bytes()
}

// Parse reads a card and checks all that can be checked of it: its form, its
// fields and its three signatures. The error names the field that is wrong.
func Parse(data []byte) (*Card, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("%d bytes: a card has at most %d", len(data), MaxBytes)
	}
	var given map[string]json.RawMessage
	if err := json.Unmarshal(data, &given); err != nil || given == nil {
		return nil, errors.New("it is no JSON object: a card is what `tally member card` prints, whole")
	}
	c := new(Card)
	if err := c.take(given); err != nil {
		return nil, err
	}
	if got, want := plain(data), plain(c.Text()); !bytes.Equal(got, want) {
		return nil, fmt.Errorf("it is not written as `tally member card` writes it: %s", firstDifference(got, want))
	}
	if err := c.verify(); err != nil {
		return nil, err
	}
	return c, nil
}

// plain is valid JSON without what encoders are free in: the space between the
// parts, and the escapes of < > & that encoding/json adds.
func plain(data []byte) []byte {
	var compact, escaped bytes.Buffer
	if err := json.Compact(&compact, data); err != nil {
		panic("card: compact: " + err.Error()) // it was decoded before
	}
	json.HTMLEscape(&escaped, compact.Bytes())
	return escaped.Bytes()
}

// take sets each field from its JSON.
func (c *Card) take(given map[string]json.RawMessage) error {
	fields := []struct {
		name string
		at   any
	}{
		{"version", &c.Version}, {"name", &c.Name}, {"admin", &c.Admin}, {"consensusKey", &c.ConsensusKey},
		{"nodeKey", &c.NodeKey}, {"nodeId", &c.NodeID}, {"address", &c.Address}, {"roles", &c.Roles},
		{"power", &c.Power}, {"networkId", &c.NetworkID}, {"time", &c.Time}, {"adminSignature", &c.AdminSignature},
		{"consensusSignature", &c.ConsensusSignature}, {"nodeSignature", &c.NodeSignature},
	}
	for _, f := range fields {
		value, ok := given[f.name]
		if !ok {
			return fmt.Errorf("%s: is missing", f.name)
		}
		if err := json.Unmarshal(value, f.at); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		if f.name == "version" && c.Version != Version {
			return fmt.Errorf("version: is %d, but this program knows version %d of cards", c.Version, Version)
		}
		delete(given, f.name)
	}
	for name := range given {
		return fmt.Errorf("%s: a card has no such field", name)
	}
	return nil
}

// firstDifference shows where a text leaves the form that it should have.
func firstDifference(got, want []byte) string {
	const around = 24
	n := 0
	for n < len(got) && n < len(want) && got[n] == want[n] {
		n++
	}
	cut := func(b []byte) []byte { return b[max(0, n-around):min(len(b), n+around)] }
	return fmt.Sprintf("%q should be %q", cut(got), cut(want))
}
