package config

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"regexp"
	"slices"
	"unicode/utf8"
)

// Validate reports every value that the node could not run with, all at once:
// an error that joins one line a problem, each naming the key, the value and
// what is expected. It returns nil where there is none.
func (c Config) Validate() error {
	return c.validate(func(s setting) string { return s.name })
}

// validate is Validate, with problems named by subject.
func (c Config) validate(subject func(setting) string) error {
	var problems []error
	for _, s := range settings {
		if err := s.check(&c); err != nil {
			problems = append(problems, fmt.Errorf("%s = %w", subject(s), err))
		}
	}
	if len(problems) == 0 {
		problems = append(problems, c.conflicts()...)
	}
	problems = append(problems, checkTree("comet", c.Comet, 1)...)
	return errors.Join(problems...)
}

// conflicts reports values that are good each by itself but not together.
func (c Config) conflicts() []error {
	var problems []error
	const envelopeBytes = 4096
	if need := 2*c.Mempool.MaxTxBytes + envelopeBytes; c.RPC.MaxBodyBytes < need {
		problems = append(problems, fmt.Errorf(
			"rpc.max_body_bytes = %d: want at least %d, so that a transaction of mempool.max_tx_bytes fits in hexadecimal",
			c.RPC.MaxBodyBytes, need))
	}
	least := pendingBytes(c.Mempool.MaxTxBytes)
	for _, q := range []struct {
		key   string
		bytes int64
		orNot string // what else is good
	}{
		{"mempool.max_bytes", c.Mempool.MaxBytes, ""},
		{"mempool.account_bytes", c.Mempool.AccountBytes, "0 or "}, {"mempool.member_bytes", c.Mempool.MemberBytes, "0 or "},
	} {
		if q.bytes < least && (q.bytes != 0 || q.orNot == "") {
			problems = append(problems, fmt.Errorf(
				"%s = %d: want %sat least %d, which a transaction of mempool.max_tx_bytes counts for",
				q.key, q.bytes, q.orNot, least))
		}
	}
	if (c.RPC.TLSCert == "") != (c.RPC.TLSKey == "") {
		problems = append(problems, fmt.Errorf(
			"rpc.tls_cert = %q, rpc.tls_key = %q: want both, for TLS, or neither", c.RPC.TLSCert, c.RPC.TLSKey))
	}
	if c.RPC.Burst != 0 && c.RPC.Rate == 0 {
		problems = append(problems, fmt.Errorf("rpc.burst = %d: want a rpc.rate with it, or 0", c.RPC.Burst))
	}
	listeners := []struct{ key, address string }{
		{"p2p.listen", c.P2P.Listen}, {"rpc.listen", c.RPC.Listen}, {"metrics.listen", c.Metrics.Listen},
		{"explorer.listen", c.Explorer.Listen},
	}
	for i, a := range listeners {
		for _, b := range listeners[:i] {
			if collide(a.address, b.address) {
				problems = append(problems, fmt.Errorf(
					"%s = %q: want another port than that of %s, %q", a.key, a.address, b.key, b.address))
			}
		}
	}
	return problems
}

// pendingBytes is what a waiting transaction of a length counts for: that is
// app.PendingBytes, as a test of node checks.
func pendingBytes(length int) int64 { return 1280 + 4*int64(length) }

// collide reports whether one process cannot listen on both addresses.
func collide(a, b string) bool {
	hostA, portA, okA := splitAddress(a)
	hostB, portB, okB := splitAddress(b)
	if !okA || !okB || portA != portB || portA == 0 {
		return false
	}
	return hostA == hostB || everyInterface(hostA) || everyInterface(hostB)
}

func everyInterface(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsUnspecified()
}

// plainName is a key that viper keeps as it is: it lower-cases names and splits
// them at dots.
var plainName = regexp.MustCompile(`^[a-z0-9_-]{1,100}$`)

// deepest is the most tables and arrays that may stand inside one another.
const deepest = 16

// checkTree reports the names and values under path that no setting can have.
func checkTree(path string, tree map[string]any, depth int) []error {
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		if !plainName.MatchString(name) {
			problems = append(problems, fmt.Errorf(
				"%s: want a key of lower-case letters, digits, _ and - only", joined(path, fmt.Sprintf("%q", name))))
			continue
		}
		problems = append(problems, checkValue(joined(path, name), tree[name], depth)...)
	}
	return problems
}

func checkValue(path string, value any, depth int) []error {
	if depth > deepest {
		return []error{fmt.Errorf("%s: want at most %d tables or arrays inside one another", path, deepest)}
	}
	const form = "text, a whole number, a finite number, true or false, an array or a table"
	good := true
	switch v := value.(type) {
	case bool, int64:
	case string:
		good = utf8.ValidString(v)
	case float64:
		good = !math.IsNaN(v) && !math.IsInf(v, 0)
	case map[string]any:
		return checkTree(path, v, depth+1)
	case []any:
		var problems []error
		for i, item := range v {
			problems = append(problems, checkValue(fmt.Sprintf("%s[%d]", path, i), item, depth+1)...)
		}
		return problems
	default:
		good = false
	}
	if !good {
		return []error{fmt.Errorf("%s = %w", path, wrong(value, form))}
	}
	return nil
}

// joined is the dotted name of a key in the section at path, "" for none.
func joined(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// CheckAddress refuses a text that is no address which other nodes can dial.
func CheckAddress(address string) error {
	if !goodDial(address) {
		return fmt.Errorf("%q: want %s", address, dialForm)
	}
	return nil
}
