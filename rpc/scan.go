package rpc

import (
	"bytes"
	"encoding/json"
	"iter"
)

// The functions here find the parts of a JSON text without reading them. They
// are for UTF-8 that json.Valid accepts, and for nothing else. What they yield
// are views.

// objectMember is one member of an object.
type objectMember struct {
	key   []byte // with its quotes, as it is written
	value []byte
}

// name is the key decoded.
func (m objectMember) name() string {
	if bytes.IndexByte(m.key, '\\') < 0 {
		return string(m.key[1 : len(m.key)-1])
	}
	var name string
	if err := json.Unmarshal(m.key, &name); err != nil {
		return "" // not in valid JSON
	}
	return name
}

// members yields the members of the object that raw is.
func members(raw []byte) iter.Seq[objectMember] {
	return func(yield func(objectMember) bool) {
		i := skip(raw, skipBlanks(raw, 0)+1)
		for i < len(raw) && raw[i] == '"' {
			keyEnd := stringEnd(raw, i)
			begin := skipBlanks(raw, skipBlanks(raw, keyEnd)+1) // after the colon
			end := valueEnd(raw, begin)
			if !yield(objectMember{raw[i:keyEnd], raw[begin:end]}) {
				return
			}
			i = skip(raw, end)
		}
	}
}

// elements yields the elements of the array that raw is.
func elements(raw []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		i := skip(raw, skipBlanks(raw, 0)+1)
		for i < len(raw) && raw[i] != ']' {
			end := valueEnd(raw, i)
			if !yield(raw[i:end]) {
				return
			}
			i = skip(raw, end)
		}
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func skipBlanks(raw []byte, i int) int {
	for i < len(raw) && isBlank(raw[i]) {
		i++
	}
	return i
}

// skip passes blanks and the commas between members.
func skip(raw []byte, i int) int {
	for i < len(raw) && (isBlank(raw[i]) || raw[i] == ',') {
		i++
	}
	return i
}

// stringEnd is just behind the string that begins at i.
func stringEnd(raw []byte, i int) int {
	for i++; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(raw)
}

// valueEnd is just behind the value that begins at i.
func valueEnd(raw []byte, i int) int {
	if raw[i] == '"' {
		return stringEnd(raw, i)
	}
	depth := 0
	for i < len(raw) {
		switch c := raw[i]; {
		case c == '"':
			i = stringEnd(raw, i)
			continue
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth == 0 {
				return i // of what is around a number or a word
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case depth == 0 && (c == ',' || isBlank(c)):
			return i
		}
		i++
	}
	return len(raw)
}
