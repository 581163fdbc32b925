package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// strictJSON decodes one JSON value whose meaning is beyond doubt: UTF-8, no
// unknown field, no field given twice, nothing after the value. What is
// signed or agreed upon must not depend on which of two values a reader took.
func strictJSON(data []byte, v any) error {
	if !utf8.Valid(data) {
		return errors.New("the JSON text is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("there is something after the JSON value")
	}
	return onceEach(data)
}

// onceEach reports a field that an object of valid JSON gives twice. Names
// that differ in case only are the same: encoding/json takes either.
func onceEach(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var open []*object
	for {
		token, err := d.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var in *object
		if len(open) > 0 {
			in = open[len(open)-1]
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			in.value()
			open = append(open, newObject(token))
			continue
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
			continue
		}
		if name, ok := token.(string); ok && in.wantsName() {
			if !in.add(name) {
				return fmt.Errorf("field %q is given twice", name)
			}
			continue
		}
		in.value()
	}
}

// object is an open JSON object, or an array, which has no names.
type object struct {
	names  map[string]bool // nil in an array
	atName bool
}

func newObject(open json.Token) *object {
	if open == json.Delim('[') {
		return &object{}
	}
	return &object{names: map[string]bool{}, atName: true}
}

func (o *object) wantsName() bool { return o != nil && o.names != nil && o.atName }

func (o *object) add(name string) bool {
	folded := strings.ToLower(name)
	if o.names[folded] {
		return false
	}
	o.names[folded], o.atName = true, false
	return true
}

// value notes that a value was read where one belongs.
func (o *object) value() {
	if o != nil {
		o.atName = true
	}
}
