package main

import (
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
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
		{"reference", "007", `"007"`},
		{"name", "Bond 2030", `"Bond 2030"`},
		{"memo", "", ""},
		{"amount", "340282366920938463463374607431768211455", "340282366920938463463374607431768211455"},
		{"actions", "0xzz", "0xzz"},
	} {
		if got := eventText(c.key, c.value); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.key, c.value, got, c.want)
		}
	}
}

// An event's amount is in the unit that people write, and what did not fail says
// nothing of failures.
func TestEventWords(t *testing.T) {
	usd := crypto.Address{19: 1}
	knows := speech{find: func(a crypto.Address) *wire.Asset {
		if a != usd {
			return nil
		}
		return &wire.Asset{Asset: usd, Symbol: "USD", Decimals: 2}
	}}
	for _, c := range []struct {
		event ledger.Event
		want  string
	}{
		{ledger.Event{Type: ledger.EventIssue, Asset: usd, Amount: ledger.NewAmount(1234), Reference: "mint 7"},
			"issue asset=" + usd.String() + ` amount=12.34 USD reference="mint 7"`},
		{ledger.Event{Type: ledger.EventIssue, Asset: crypto.Address{1}, Amount: ledger.NewAmount(1234)},
			"issue asset=" + crypto.Address{1}.String() + " amount=1234 units"},
		{ledger.Event{Type: ledger.EventAssetCreated, Asset: usd, Symbol: "USD", Name: "US Dollar", Decimals: 2},
			"assetCreated asset=" + usd.String() + ` symbol=USD name="US Dollar" decimals=2 cap=none flags=none`},
		{ledger.Event{Type: ledger.EventProposalEnded, Number: 3, Name: "executed"}, "proposalEnded proposal=3 status=executed"},
		{ledger.Event{Type: ledger.EventProposalEnded, Number: 3, Name: "failed", Flags: uint32(ledger.CodeNoChange)},
			"proposalEnded proposal=3 status=failed code=noChange failedAction=0"},
	} {
		if got := knows.event(&c.event); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

func TestLasting(t *testing.T) {
	for seconds, want := range map[uint64]string{0: "0s", 59: "59s", 60: "1m", 5400: "90m", 3600: "1h", 86400: "1d", 90000: "25h", 604800: "7d"} {
		if got := lasting(seconds); got != want {
			t.Errorf("%d: %s, want %s", seconds, got, want)
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
