// Package tomlfile reads the TOML of files that an operator writes: settings, keys
// of callers, webhooks.
//
// It adds to github.com/pelletier/go-toml what such files need. Errors are plain text
// with a line, mostly a column too, and quote no values: some of the files stand beside
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
// for each of the first twenty, and no error has a name that only the text has. want
// says what the file may have, for that error.
func ReadStrictly(text []byte, into any, want string) error {
	return decode(toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields(), into, want)
}

// decoder is toml.Decoder, or what stands in for one in tests.
type decoder interface {
	Decode(into any) error
}

const panicked = "it is no TOML that can be read"

func decode(d decoder, into any, want string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf(panicked+": %v; look for a table or a list where another is expected", p)
		}
	}()
	return plain(d.Decode(into), want)
}

// plain says where the text is wrong.
func plain(err error, want string) error {
	if unknown, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		const most = 20
		var problems []error
		for i := range min(len(unknown.Errors), most) {
			line, column := unknown.Errors[i].Position()
			problems = append(problems, fmt.Errorf("line %d, column %d: there is no such field: want %s", line, column, want))
		}
		if more := len(unknown.Errors) - most; more > 0 {
			problems = append(problems, fmt.Errorf("and %d more", more))
		}
		return errors.Join(problems...)
	}
	if syntax, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, column := syntax.Position()
		message := strings.TrimPrefix(syntax.Error(), "toml: ")
		kind := wrongType.FindStringSubmatch(message)
		switch {
		case kind != nil && kind[1] == "table":
			message = "a table stands here in place of a value" // its key ends with a name that only the text has
		case kind != nil && len(syntax.Key()) > 0: // the library names fields and types of Go
			message = fmt.Sprintf("%s: the value is of the wrong type, %s", strings.Join(syntax.Key(), "."), kind[1])
		case want != "" && standsTwice.MatchString(message): // read strictly, and it names what the text names
			message = "what stands here stands twice, or is one thing here and another above"
		default:
			message, _, _ = strings.Cut(message, ": strconv.") // which quotes the value
		}
		return fmt.Errorf("line %d, column %d: %s", line, column, message)
	}
	return err
}

var (
	wrongType   = regexp.MustCompile(`^cannot decode TOML (.+) into `)
	standsTwice = regexp.MustCompile(`^(key|table) .* (already|should be) `)
)
