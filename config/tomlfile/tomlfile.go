// Package tomlfile reads the TOML of files that an operator writes: settings, keys
// of callers, webhooks.
//
// It adds to github.com/pelletier/go-toml what such files need. Errors are plain
// text with a line and a column, and quote no values: some of the files stand beside
// secrets, and people mix them up. And where the library panics over a text, as it
// has done over "[[key.scopes]]", that is an error of the text: a node that reads a
// file while it runs must not stop for a typing error.
package tomlfile

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Read decodes text into into, a pointer to a structure or a map. Keys that into
// has no place for are passed over.
func Read(text []byte, into any) error {
	return decode(toml.NewDecoder(bytes.NewReader(text)), into, "")
}

// ReadStrictly is Read, but a key that into has no place for is an error, one line
// for each. want says what the file may have, for that error.
func ReadStrictly(text []byte, into any, want string) error {
	return decode(toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields(), into, want)
}

// decoder is toml.Decoder, or what stands in for one in tests.
type decoder interface {
	Decode(into any) error
}

func decode(d decoder, into any, want string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it is no TOML that can be read: %v; look for a table or a list where another is expected", p)
		}
	}()
	return plain(d.Decode(into), want)
}

// plain says where the text is wrong.
func plain(err error, want string) error {
	if unknown, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		problems := make([]error, len(unknown.Errors))
		for i := range unknown.Errors {
			line, _ := unknown.Errors[i].Position()
			problems[i] = fmt.Errorf("line %d: there is no such field: want %s", line, want)
		}
		return errors.Join(problems...)
	}
	if syntax, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, column := syntax.Position()
		message := strings.TrimPrefix(syntax.Error(), "toml: ")
		// The library names the fields and types of Go's structures.
		if kind := wrongType.FindStringSubmatch(message); kind != nil && len(syntax.Key()) > 0 {
			message = fmt.Sprintf("%s: the value is of the wrong type, %s", strings.Join(syntax.Key(), "."), kind[1])
		}
		return fmt.Errorf("line %d, column %d: %s", line, column, message)
	}
	return err
}

var wrongType = regexp.MustCompile(`^cannot decode TOML (.+) into `)
