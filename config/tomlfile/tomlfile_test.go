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
		{"[[key]]\nnames = \"a\"\n[key.more]\nx = 1", "", "line 2, column 1: there is no such field: want name and scopes\nline 3, column 2: there is no such field: want name and scopes"},
		{"[[key]]\nname = 7", "line 2, column 8: key.name: the value is of the wrong type, integer", "line 2, column 8: key.name: the value is of the wrong type, integer"},
		{"[[key]]\nname = \"a\"\nname = \"b\"", "line 3, column 1: key name is already defined", "line 3, column 1: what stands here stands twice"},
		{"[[key]", "line 1, column 6: expected ']]'", "line 1, column 6: expected ']]'"},
		{"[key]\nname = \"a\"", "", ""}, // a list of one
		{"[[key]]\nname = 1e999", "line 2, column 8: unable to parse float", "line 2, column 8: unable to parse float"},
		// Version 2.2.4 of the library panicked over these two.
		{"[[key.scopes]]", "line 1, column 3: cannot", "line 1, column 3: cannot"},
		{"[[key.more]]", "", "line 1, column 3: there is no such field"},
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

// No name and no value of the text is told: it may be a secret.
func TestNothingOfTheTextIsTold(t *testing.T) {
	for _, text := range []string{
		"[[key]]\nsecret = 1\nsecret = 2", "[secret]\n[secret]", "a = {secret = 1, secret = 2}", "secret = 1\n[secret.secret]", "[secret]\n[[secret]]",
		"[[key]]\nname.secret = 1", "[[key]]\nname.secret.secret = 1", "[key.name.secret]", "[[key]]\nname = secret", "secret", "[secret", "[[key]]\nsecret = 1",
		"[[key]]\nscopes = {secret = 1}", "[[key]]\nscopes = [{secret = 1}]", "[[key]]\nscopes.secret = 1", "[[key.scopes.secret]]", "a.secret = 1\na.secret.secret = 2",
	} {
		if err := ReadStrictly([]byte(text), new(keys), "name and scopes"); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestFewOfManyAreTold(t *testing.T) {
	err := ReadStrictly([]byte("[[key]]\n"+strings.Repeat("[[key]]\nx = 1\n", 25)), new(keys), "name")
	if err == nil || strings.Count(err.Error(), "\n") != 20 || !strings.HasSuffix(err.Error(), "\nand 5 more") {
		t.Error(err)
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

// FuzzRead reads anything, into a structure and into a map. What the library panics
// over stops no node; it is found here all the same, to be told to its authors.
func FuzzRead(f *testing.F) {
	for _, text := range []string{"[[key]]\nname = 'a'\nscopes = ['b']", "[[key.scopes]]", "key = [{name = 'a'}]", "a.b = {c = [1979-05-27, inf]}"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		told := func(err error) {
			if err != nil && (strings.TrimSpace(err.Error()) == "" || strings.HasPrefix(err.Error(), panicked)) {
				t.Errorf("%q", err)
			}
		}
		strictly, tree := ReadStrictly(text, new(keys), "name and scopes"), map[string]any{}
		told(strictly)
		loosely := Read(text, new(keys))
		told(loosely)
		if strictly == nil && loosely != nil {
			t.Errorf("read strictly, but else: %v", loosely)
		}
		told(Read(text, &tree))
	})
}
