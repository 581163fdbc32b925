package main

import (
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// Nobody signs what is not said in words: every operation and action has some.
func TestEverythingIsSaid(t *testing.T) {
	for _, kind := range ledger.Kinds() {
		op := ledger.NewOperation(kind)
		switch o := op.(type) {
		case *ledger.Transfer:
			o.Legs = []ledger.Leg{{}}
		case *ledger.Settle:
			o.Captures = []ledger.Capture{{}}
		}
		if text := plain.operation(op); !strings.Contains(text, " ") || strings.TrimSpace(text) == kind.String() {
			t.Errorf("%s is not said: %q", kind, text)
		}
	}
	for _, kind := range ledger.ActionKinds() {
		if text := plain.action(ledger.NewAction(kind)); text == kind.String() {
			t.Errorf("%s is not said", kind)
		}
	}
}

// Every action has a flag.
func TestEveryActionHasAFlag(t *testing.T) {
	c := newProposalCreate()
	for _, kind := range ledger.ActionKinds() {
		var flag strings.Builder // suspendMember: suspend; setPower: set-power
		for _, letter := range kind.String() {
			if letter >= 'A' && letter <= 'Z' {
				flag.WriteByte('-')
			}
			flag.WriteRune(letter)
		}
		name := strings.ToLower(flag.String())
		for _, noun := range []string{"-member", "-account", "-asset"} {
			name = strings.TrimSuffix(name, noun)
		}
		if c.Flags().Lookup(name) == nil {
			t.Errorf("%s has no flag --%s", kind, name)
		}
	}
}

func TestEventText(t *testing.T) {
	address := crypto.Address{19: 0xab}
	for _, c := range []struct{ key, value, want string }{
		{"member", strings.ToLower(address.String()), address.String()},
		{"arbiter", crypto.Address{}.String(), ""},
		{"hold", strings.ToLower(address.String()), address.String()},
		{"hash", crypto.Hash{}.String(), ""},
		{"keys", strings.ToLower(address.String()) + "=3", address.String() + "=3"},
		{"keys", "", ""},
		{"expiry", "1800000000", "2027-01-15T08:00:00Z"},
		{"effect", "0", "1970-01-01T00:00:00Z"},
		{"flags", "5", "freezable,restricted"},
		{"flags", "0", "none"},
		{"roles", "3", "validator,issuer"},
		{"choice", "3", "veto"},
		{"code", "110", ledger.Code(110).String()},
		{"reference", "007", "007"},
		{"amount", "340282366920938463463374607431768211455", "340282366920938463463374607431768211455"},
		{"actions", "0xzz", "0xzz"},
	} {
		if got := eventText(c.key, c.value); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.key, c.value, got, c.want)
		}
	}
}

func TestDays(t *testing.T) {
	for text, want := range map[string]uint64{"0": 0, "90s": 90, "7d": 7 * 86400, "72h": 72 * 3600, "0d": 0} {
		var d days
		if err := d.Set(text); err != nil || d.seconds() != want {
			t.Errorf("%s: %d, %v", text, d.seconds(), err)
		}
	}
	for _, text := range []string{"", "d", "-1d", "1.5d", "1w", "-1s", "1ms", "99999999999999999999d"} {
		if err := new(days).Set(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}
