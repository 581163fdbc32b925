package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// jsonForm is what a JSON object looks like: all its fields, named exactly.
type jsonForm []jsonField

type jsonField struct {
	name     string
	optional bool     // it may be left out
	form     jsonForm // of the object that it holds, or of those in its list; nil: it holds none
}

// all makes a form of fields that must be there and hold no objects.
func all(names ...string) jsonForm {
	form := make(jsonForm, len(names))
	for i, name := range names {
		form[i].name = name
	}
	return form
}

// with adds fields that may be left out and hold no objects.
func (f jsonForm) with(names ...string) jsonForm {
	for _, name := range names {
		f = append(f, jsonField{name: name, optional: true})
	}
	return f
}

// strictJSON decodes one JSON value whose meaning is beyond doubt: UTF-8 and
// no half of a surrogate pair, nothing after the value, and in its objects the
// fields of the form, no other, none missing, null or twice. What is signed or
// agreed upon must not depend on what a reader makes of the rest:
// encoding/json by itself takes names in any case, the last of two, and zero
// for what is not there.
func strictJSON(data []byte, form jsonForm, v any) error {
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
	if !pairedSurrogates(data) {
		return errors.New(`a \u escape is half of a surrogate pair: it stands for no character`)
	}
	w := formWalk{d: json.NewDecoder(bytes.NewReader(data))}
	w.d.UseNumber()
	return w.value(form)
}

// formWalk compares a JSON value, which is known to be valid, with a form.
type formWalk struct {
	d    *json.Decoder
	path []string // of the value at hand: names, and places in lists
}

func (w *formWalk) value(form jsonForm) error {
	token, err := w.d.Token()
	switch {
	case err != nil:
		return err
	case token == nil:
		return fmt.Errorf("%s is null: give a value, or leave it out if it may be", w.subject())
	case token == json.Delim('{'):
		return w.object(form)
	case token == json.Delim('['):
		return w.list(form)
	}
	return nil
}

func (w *formWalk) list(form jsonForm) error {
	for i := 0; w.d.More(); i++ {
		w.path = append(w.path, "["+strconv.Itoa(i)+"]")
		if err := w.value(form); err != nil {
			return err
		}
		w.path = w.path[:len(w.path)-1]
	}
	_, err := w.d.Token() // the end of the list
	return err
}

func (w *formWalk) object(form jsonForm) error {
	given := make([]bool, len(form))
	for w.d.More() {
		token, err := w.d.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		i := form.find(name)
		switch {
		case i < 0:
			return fmt.Errorf("unknown field %q%s", name, w.within())
		case given[i]:
			return fmt.Errorf("field %q is given twice%s", name, w.within())
		}
		given[i] = true
		w.path = append(w.path, name)
		if err := w.value(form[i].form); err != nil {
			return err
		}
		w.path = w.path[:len(w.path)-1]
	}
	for i, f := range form {
		if !given[i] && !f.optional {
			return fmt.Errorf("field %q is missing%s", f.name, w.within())
		}
	}
	_, err := w.d.Token() // the end of the object
	return err
}

func (f jsonForm) find(name string) int {
	for i := range f {
		if f[i].name == name {
			return i
		}
	}
	return -1
}

// subject names the value at hand, for errors.
func (w *formWalk) subject() string {
	if len(w.path) == 0 {
		return "the JSON value"
	}
	last := w.path[len(w.path)-1]
	if strings.HasPrefix(last, "[") {
		return "item " + w.place(len(w.path))
	}
	w.path = w.path[:len(w.path)-1]
	return fmt.Sprintf("field %q%s", last, w.within())
}

// within says in which object the walk is, unless in the outermost.
func (w *formWalk) within() string {
	if len(w.path) == 0 {
		return ""
	}
	return " in " + w.place(len(w.path))
}

// place joins the first n parts of the path: transfer.legs[0].
func (w *formWalk) place(n int) string {
	joined := strings.Join(w.path[:n], ".")
	return strings.ReplaceAll(joined, ".[", "[")
}

// pairedSurrogates reports whether the \u escapes of valid JSON stand for
// characters.
func pairedSurrogates(data []byte) bool {
	for i := 0; i < len(data); {
		if data[i] != '\\' {
			i++
			continue
		}
		unit, ok := escapedUnit(data[i:])
		if !ok {
			i += 2 // any other escape: its letter may be a backslash
			continue
		}
		i += escapedUnitBytes
		if unit < highSurrogates || unit >= pastSurrogates {
			continue
		}
		low, ok := escapedUnit(data[i:])
		if !ok || unit >= lowSurrogates || low < lowSurrogates || low >= pastSurrogates {
			return false
		}
		i += escapedUnitBytes
	}
	return true
}

const escapedUnitBytes = len(`\u0000`)

// A surrogate pair is a high and a low one, in this order (RFC 2781, 2.1).
const (
	highSurrogates = 0xd800
	lowSurrogates  = 0xdc00
	pastSurrogates = 0xe000
)

// escapedUnit reads the UTF-16 unit of an escape that data begins with.
func escapedUnit(data []byte) (unit uint64, ok bool) {
	if len(data) < escapedUnitBytes || data[0] != '\\' || data[1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(string(data[2:escapedUnitBytes]), 16, 16)
	return v, err == nil
}
