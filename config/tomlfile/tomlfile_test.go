package tomlfile

import (
	"strings"
	"testing"
)

type keys struct {
	Key []struct {
		Name   string   `toml:"name"`
		Scopes []string `toml:"scopes"`
	} `toml:"key"`
}

func TestRead(t *testing.T) {
	for _, c := range []struct {
		text          string
		loose, strict string // how the error begins, "" where it is read
	}{
		{"", "", ""},
		{"[[key]]\nname = \"a\"\nscopes = [\"b\"]", "", ""},
		{"[[key]]\nnames = \"a\"\n[key.more]\nx = 1", "", "line 2: there is no such field: want name and scopes\nline 3: there is no such field: want name and scopes"},
		{"[[key]]\nname = 7", "line 2, column 8: key.name: the value is of the wrong type, integer", "line 2, column 8: key.name: the value is of the wrong type, integer"},
		{"[[key]]\nname = \"a\"\nname = \"b\"", "line 3, column 1: key name", "line 3, column 1: key name"},
		{"[[key]", "line 1, column 6: expected ']]'", "line 1, column 6: expected ']]'"},
		// Version 2.2.4 of the library panicked over these two.
		{"[[key.scopes]]", "line 1, column 3: cannot", "line 1, column 3: cannot"},
		{"[[key.more]]", "", "line 1: there is no such field"},
	} {
		check := func(how, want string, err error) {
			if (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%s, %q: got %v, want %q", how, c.text, err, want)
			}
		}
		check("loosely", c.loose, Read([]byte(c.text), new(keys)))
		check("strictly", c.strict, ReadStrictly([]byte(c.text), new(keys), "name and scopes"))
	}
}

type breaks struct{}

func (breaks) Decode(any) error { panic("reflect: slice index out of range") }

func TestPanicIsAnError(t *testing.T) {
	err := decode(breaks{}, new(keys), "")
	if err == nil || !strings.Contains(err.Error(), "no TOML that can be read: reflect: slice index") {
		t.Error(err)
	}
}

// FuzzRead reads anything, into a structure and into a map.
func FuzzRead(f *testing.F) {
	for _, text := range []string{"[[key]]\nname = 'a'\nscopes = ['b']", "[[key.scopes]]", "key = [{name = 'a'}]", "a.b = {c = [1979-05-27, inf]}"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		strictly, tree := ReadStrictly(text, new(keys), "name and scopes"), map[string]any{}
		if loosely := Read(text, new(keys)); strictly == nil && loosely != nil {
			t.Errorf("read strictly, but else: %v", loosely)
		}
		if err := Read(text, &tree); err != nil && strings.TrimSpace(err.Error()) == "" {
			t.Error("an error without a word")
		}
	})
}
