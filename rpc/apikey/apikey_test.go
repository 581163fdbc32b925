package apikey

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

const (
	hashA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" // of "test"
	hashB = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae" // of "foo"
)

// with is a file of one key in which one text is replaced.
func with(old, new string) string {
	const good = "[[key]]\nname = \"bank-a\"\nscopes = [\"read\", \"submit\"]\nsha256 = \"" + hashA + "\"\nrate = 200\nburst = 400\n"
	if old != "" && !strings.Contains(good, old) {
		panic("no " + old)
	}
	return strings.Replace(good, old, new, 1)
}

func TestRefusedFiles(t *testing.T) {
	secret := NewSecret()
	for _, c := range []struct{ name, text, want string }{
		{"no TOML", "[[key]", "line 1"},
		{"JSON", `{"key":[]}`, "line 1"},
		{"an unknown field", with("rate", "rates"), "line 5"},
		{"an unknown table", "[keys]\n", "line 1"},
		{"a setting of the node", "rpc.rate = 5\n", "line 1"},
		{"a list within the list", "[[key.scopes]]\n", "line 1, column 3"},
		{"a list that is no field", "[[key.more]]\n", "line 1, column 3: there is no such field"},
		{"the secret as a key", secret + " = \"read\"\n" + secret + " = \"submit\"\n", "line 2"},
		{"the secret below a field", with("sha256", "sha256."+secret), "line 4"},
		{"no name", with(`name = "bank-a"`, ""), "name"},
		{"a name with a space", with("bank-a", "bank a"), "name"},
		{"a name with a newline", with("bank-a", `bank\na`), "name"},
		{"a name too long", with("bank-a", strings.Repeat("a", 65)), "name"},
		{"the secret as the name", with("bank-a", secret), "name"},
		{"no scopes", with(`scopes = ["read", "submit"]`, ""), "no scope"},
		{"an empty list of scopes", with(`["read", "submit"]`, "[]"), "no scope"},
		{"an unknown scope", with("submit", "write"), `scope "write"`},
		{"a scope in capitals", with("read", "Read"), `scope "Read"`},
		{"a scope twice", with("submit", "read"), "twice"},
		{"scopes as a text", with(`["read", "submit"]`, `"read"`), "line 3"},
		{"no hash", with(`sha256 = "`+hashA+`"`, ""), "sha256"},
		{"a short hash", with(hashA, hashA[:62]), "sha256"},
		{"a long hash", with(hashA, hashA+"00"), "sha256"},
		{"a hash with 0x", with(hashA, "0x"+hashA[:62]), "sha256"},
		{"the secret as the hash", with(hashA, secret), "sha256"},
		{"rate 0", with("200", "0"), "rate = 0"},
		{"a negative rate", with("200", "-1"), "rate = -1"},
		{"a rate too high", with("200", "1000001"), "rate = 1000001"},
		{"a rate as a text", with("200", `"200"`), "line 5"},
		{"a rate with a fraction", with("200", "0.5"), "line 5"},
		{"burst without a rate", with("rate = 200", ""), "burst"},
		{"burst 0", with("400", "0"), "burst = 0"},
		{"a name twice", with("", "") + strings.Replace(with("", ""), hashA, hashB, 1), "name of key 1"},
		{"a hash twice", with("", "") + with("bank-a", "bank-b"), "sha256 of key 1"},
		{"a hash twice, once in capitals", with("", "") + strings.Replace(with("bank-a", "bank-b"), hashA, strings.ToUpper(hashA), 1), "sha256 of key 1"},
		{"too long", with("", "") + strings.Repeat("#", MaxFileBytes), "larger than"},
		{"too many", strings.Repeat("[[key]]\n", MaxKeys+1), "at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			keys, err := Parse([]byte(c.text))
			if err == nil {
				t.Fatalf("read as %+v", keys)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("does not say %q: %v", c.want, err)
			}
			if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), hashA) {
				t.Errorf("says too much: %v", err)
			}
		})
	}
}

func TestParse(t *testing.T) {
	for _, empty := range []string{"", "# nobody\n", "key = []\n"} {
		if keys, err := Parse([]byte(empty)); err != nil || len(keys) != 0 || keys == nil {
			t.Errorf("%q: %v %v", empty, keys, err)
		}
	}
	keys, err := Parse([]byte(with("", "") + "[[key]]\nname = \"ops\"\nscopes = [\"admin\"]\nsha256 = \"" + hashB + "\"\n"))
	want := []Key{
		{"bank-a", Read | Submit, HashOf("test"), 200, 400}, {"ops", Admin, HashOf("foo"), 0, 0},
	}
	if err != nil || !reflect.DeepEqual(keys, want) {
		t.Errorf("%+v, %v", keys, err)
	}
	if keys, err := Parse([]byte(with("burst = 400", ""))); err != nil || keys[0].Burst != 200 {
		t.Errorf("%+v, %v", keys, err)
	}
}

// What is written as an entry is read back as it was.
func TestEntry(t *testing.T) {
	var text string
	var want []Key
	for i := range 8 {
		k := Key{Name: fmt.Sprintf("key.%d_x-Y", i), Scopes: Scopes(i%7 + 1), Hash: HashOf(NewSecret())}
		if i%2 == 1 {
			k.Rate, k.Burst = i, 2*i
		}
		want = append(want, k)
		text += "\n" + k.Entry()
	}
	if got, err := Parse([]byte(text)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v of\n%s", got, err, text)
	}
}

func TestSecrets(t *testing.T) {
	form := regexp.MustCompile(`^tally_[0-9A-Za-z_-]{43}$`)
	seen := map[string]bool{}
	for range 1000 {
		s := NewSecret()
		if !form.MatchString(s) || len(s) > MaxSecretBytes || seen[s] {
			t.Fatal(s)
		}
		seen[s] = true
	}
}

// FuzzParse reads anything: what is accepted has names that are safe to log, and
// is the same when written and read again.
func FuzzParse(f *testing.F) {
	f.Add([]byte(with("", "")))
	f.Add([]byte("[[key]]\nname=\"a\"\nscopes=[\"admin\"]\nsha256=\"" + hashB + "\"\n[[key]]\n"))
	f.Add([]byte("key = [{name = 'a', scopes = ['read'], sha256 = '" + hashA + "'}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := Parse(text)
		if err != nil {
			return
		}
		var again string
		for _, k := range keys {
			if CheckName(k.Name) != nil || k.Scopes == 0 || !All.Has(k.Scopes) {
				t.Fatalf("%+v", k)
			}
			again += k.Entry()
		}
		if got, err := Parse([]byte(again)); err != nil || !reflect.DeepEqual(got, keys) {
			t.Fatalf("%+v became %+v, %v", keys, got, err)
		}
	})
}
