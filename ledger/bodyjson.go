package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/tallystick/tallystick/crypto"
)

// bodyCommon is the common part of the JSON form of a Body. Beside it stands
// exactly one operation under its name.
type bodyCommon struct {
	Sender     crypto.Address `json:"sender"`
	Nonce      uint64         `json:"nonce"`
	ValidUntil uint64         `json:"validUntil,omitempty"`
	Memo       string         `json:"memo,omitempty"`
}

// bodyForm is the form of a body's JSON. That it has one operation is judged
// apart.
var bodyForm = func() jsonForm {
	form := all("sender", "nonce").with("validUntil", "memo")
	for _, s := range kindSpecs {
		form = append(form, jsonField{s.name, true, s.form})
	}
	return form
}()

// MarshalJSON writes the body as the JSON-RPC and files carry it.
func (b Body) MarshalJSON() ([]byte, error) {
	if b.Op == nil {
		return nil, errors.New("transaction has no operation")
	}
	out, err := json.Marshal(bodyCommon{b.Sender, uint64(b.Nonce), uint64(b.ValidUntil), b.Memo})
	if err != nil {
		return nil, err
	}
	op, err := json.Marshal(b.Op)
	if err != nil {
		return nil, err
	}
	out = append(out[:len(out)-1], `,"`+b.Op.Kind().String()+`":`...)
	return append(append(out, op...), '}'), nil
}

// UnmarshalJSON reads the form that MarshalJSON writes, strictly: validUntil,
// memo and references may be left out, nothing else may be missing, and
// nothing is null. It does not judge the values: CheckBody does.
func (b *Body) UnmarshalJSON(data []byte) error {
	var fields map[string]json.RawMessage
	if err := strictJSON(data, bodyForm, &fields); err != nil {
		return err
	}
	var head bodyCommon
	if err := json.Unmarshal(data, &head); err != nil {
		return err
	}
	var op Operation
	count := 0
	for _, s := range kindSpecs {
		raw, given := fields[s.name]
		if !given {
			continue
		}
		count++
		op = s.empty()
		if err := json.Unmarshal(raw, op); err != nil {
			return under(s.name, err)
		}
	}
	if count != 1 {
		return fmt.Errorf("a transaction has exactly one operation, one of %q; this one has %d", KindNames(), count)
	}
	*b = Body{Sender: head.Sender, Nonce: Nonce(head.Nonce), ValidUntil: UnixTime(head.ValidUntil), Memo: head.Memo, Op: op}
	return nil
}

// under names the field in which decoding failed, with those around it.
func under(name string, err error) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return fmt.Errorf("%s: %w", name, err)
	}
	named := *wrong
	named.Struct, named.Field = "Body", strings.TrimSuffix(name+"."+named.Field, ".")
	return &named
}
