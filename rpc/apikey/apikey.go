// Package apikey is the file that says who may call a node, and the secrets
// that callers prove it with.
//
// # Secrets
//
// A secret is "tally_" and 43 characters of URL-safe base64: 32 random bytes.
// The file has only its SHA-256. As the secret is random and long, nothing slower
// than one hash is needed, and whoever reads the file can call nothing with it.
//
// # The file
//
// It is TOML, one table a key:
//
//	[[key]]
//	name = "bank-a-backoffice"
//	scopes = ["read", "submit"]
//	sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
//	rate = 200
//	burst = 400
//
// name is for people and logs, scopes say what the key may do, and rate and burst
// bound its calls a second and at once. The last two may be left out: then the
// calls count for the address that they come from. It is read strictly, as the
// node's configuration is: an unknown field, an unknown scope, a name or a hash
// that stands twice is an error. A file without a key is in order: nobody may
// call.
package apikey

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/config/tomlfile"
)

// Scopes is a set of scopes. They are independent: none includes another.
type Scopes uint8

// The scopes.
const (
	Read   Scopes = 1 << iota // ask what is on the ledger, and wait for it
	Submit                    // send transactions
	Admin                     // be the operator's own: bound by no rate, and told of the node's machines
)

// All is every scope.
const All = Read | Submit | Admin

// scopeNames are the scopes' names, in the order of their bits.
var scopeNames = []string{"read", "submit", "admin"}

// Has reports whether every scope of want is in s.
func (s Scopes) Has(want Scopes) bool { return s&want == want }

// Names lists the scopes' names.
func (s Scopes) Names() []string {
	var names []string
	for i, name := range scopeNames {
		if s.Has(1 << i) {
			names = append(names, name)
		}
	}
	return names
}

// String lists the names with commas.
func (s Scopes) String() string { return strings.Join(s.Names(), ",") }

// ParseScopes reads names of scopes. There must be one at least, and none twice.
func ParseScopes(names []string) (Scopes, error) {
	var s Scopes
	for _, name := range names {
		i := slices.Index(scopeNames, name)
		if i < 0 {
			return 0, fmt.Errorf("scope %q: want one of %s", name, strings.Join(scopeNames, ", "))
		}
		if s.Has(1 << i) {
			return 0, fmt.Errorf("scope %q stands twice", name)
		}
		s |= 1 << i
	}
	if s == 0 {
		return 0, fmt.Errorf("no scope: want some of %s", strings.Join(scopeNames, ", "))
	}
	return s, nil
}

// Hash is the SHA-256 of a secret.
type Hash [sha256.Size]byte

// HashOf hashes a secret as callers send it.
func HashOf(secret string) Hash { return sha256.Sum256([]byte(secret)) }

// String is the hash as the file has it: 64 hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Prefix begins every secret, so that people and scanners know one when they see
// it where it should not be.
const Prefix = "tally_"

// secretBytes is the length of a secret's random part.
const secretBytes = 32

// MaxSecretBytes bounds what is worth hashing: no secret is longer.
const MaxSecretBytes = 128

// NewSecret draws a secret.
func NewSecret() string {
	var b [secretBytes]byte
	rand.Read(b[:]) // never errs
	return Prefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// Key is one entry of the file.
type Key struct {
	Name   string // 1 to 64 of a-z, A-Z, 0-9, ".", "_" and "-"
	Scopes Scopes
	Hash   Hash
	// Rate is how many calls a second the key may make, wherever they come from,
	// and Burst how many at once. Rate 0: its calls count for their address.
	Rate, Burst int
}

// Limits of the file.
const (
	MaxFileBytes = 4 << 20
	MaxKeys      = 10_000
	maxRate      = 1_000_000
)

// entry is a key as it stands in the file.
type entry struct {
	Name   string   `toml:"name"`
	Scopes []string `toml:"scopes"`
	SHA256 string   `toml:"sha256"`
	Rate   *int64   `toml:"rate,omitempty"`
	Burst  *int64   `toml:"burst,omitempty"`
}

type file struct {
	Keys []entry `toml:"key"`
}

var goodName = regexp.MustCompile(`^[0-9A-Za-z._-]{1,64}$`)

// CheckName refuses what is no name of a key.
func CheckName(name string) error {
	if strings.HasPrefix(name, Prefix) {
		return errors.New("a secret stands where the name should: keep it secret, and give the key a name")
	}
	if !goodName.MatchString(name) {
		return fmt.Errorf("name %s: want 1 to 64 letters of a-z and A-Z, digits, dots, _ and -", quoted(name))
	}
	return nil
}

// Parse reads the text of a file. The error names every entry that is wrong, a
// line each, and never a hash: somebody may have put the secret in its place.
func Parse(text []byte) ([]Key, error) {
	if len(text) > MaxFileBytes {
		return nil, fmt.Errorf("larger than %d bytes; is it a file of keys?", MaxFileBytes)
	}
	var f file
	if err := tomlfile.ReadStrictly(text, &f, "[[key]] with name, scopes, sha256, rate and burst"); err != nil {
		return nil, err
	}
	if len(f.Keys) > MaxKeys {
		return nil, fmt.Errorf("%d keys: want at most %d", len(f.Keys), MaxKeys)
	}
	keys := make([]Key, 0, len(f.Keys))
	names, hashes := map[string]int{}, map[Hash]int{}
	var problems []error
	for i, e := range f.Keys {
		k, err := e.key()
		if err != nil {
			problems = append(problems, fmt.Errorf("key %d (%s): %w", i+1, quoted(e.Name), err))
			continue
		}
		if first, again := names[k.Name]; again {
			problems = append(problems, fmt.Errorf("key %d has the name of key %d, %q: want each once", i+1, first, k.Name))
		}
		if first, again := hashes[k.Hash]; again {
			problems = append(problems, fmt.Errorf("key %d (%q) has the sha256 of key %d: make a key for each", i+1, k.Name, first))
		}
		names[k.Name], hashes[k.Hash] = i+1, i+1
		keys = append(keys, k)
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return keys, nil
}

// key judges an entry.
func (e entry) key() (Key, error) {
	if err := CheckName(e.Name); err != nil {
		return Key{}, err
	}
	k := Key{Name: e.Name}
	var err error
	if k.Scopes, err = ParseScopes(e.Scopes); err != nil {
		return Key{}, err
	}
	if raw, err := hex.DecodeString(e.SHA256); err != nil || len(raw) != len(k.Hash) {
		return Key{}, errors.New("sha256: want the 64 hexadecimal digits of the secret's SHA-256, never the secret itself")
	} else {
		copy(k.Hash[:], raw)
	}
	if k.Rate, err = number("rate", e.Rate); err != nil {
		return Key{}, err
	}
	if k.Burst, err = number("burst", e.Burst); err != nil {
		return Key{}, err
	}
	if k.Burst != 0 && k.Rate == 0 {
		return Key{}, errors.New("burst: want a rate with it")
	}
	if k.Burst == 0 {
		k.Burst = k.Rate
	}
	return k, nil
}

// number is an optional field; 0 where it is left out.
func number(name string, given *int64) (int, error) {
	if given == nil {
		return 0, nil
	}
	if *given < 1 || *given > maxRate {
		return 0, fmt.Errorf("%s = %d: want a whole number of calls from 1 to %d, or leave it out", name, *given, maxRate)
	}
	return int(*given), nil
}

// Entry writes the key as it stands in a file.
func (k Key) Entry() string {
	var b strings.Builder
	fmt.Fprintf(&b, "[[key]]\nname = %q\nscopes = [\"%s\"]\nsha256 = %q\n", k.Name, strings.Join(k.Scopes.Names(), `", "`), k.Hash)
	if k.Rate != 0 {
		fmt.Fprintf(&b, "rate = %d\nburst = %d\n", k.Rate, k.Burst)
	}
	return b.String()
}

// quoted is text of the file for a message.
func quoted(s string) string {
	if strings.HasPrefix(s, Prefix) {
		return `"` + Prefix + `…"` // a secret, in the wrong place
	}
	const most = 64
	if len(s) > most {
		return fmt.Sprintf("%q…", s[:most])
	}
	return fmt.Sprintf("%q", s)
}
