package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

var (
	usd  = crypto.Address{19: 1}
	gold = crypto.Address{19: 2}
)

// informed is the speech of who knows one asset, one hold and one proposal.
var informed = speech{
	find: func(a crypto.Address) *wire.Asset {
		if a != usd {
			return nil
		}
		return &wire.Asset{Asset: usd, Symbol: "USD", Name: "US Dollar", Decimals: 2, Issuer: crypto.Address{19: 9}}
	},
	findHold: func(id crypto.Address) *wire.OpenHold {
		if id != (crypto.Address{19: 5}) {
			return nil
		}
		return &wire.OpenHold{Hold: id, From: crypto.Address{19: 6}, To: crypto.Address{19: 7}, Asset: usd, Amount: ledger.NewAmount(5000)}
	},
	findProposal: func(id ledger.ProposalID) *wire.Proposal {
		if id != 3 {
			return nil
		}
		return &wire.Proposal{Proposal: 3, Proposer: crypto.Address{19: 8}, Actions: ledger.ActionList{&ledger.ResolutionAction{Text: "We meet."}}}
	},
}

// Nothing is signed unsaid: whatever changes in a transaction, in any field of
// any operation or action, changes the words.
func TestEveryFieldIsSaid(t *testing.T) {
	network, err := ledger.NewNetwork("test-net", 7077, usd, 2)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_700_000_000, 0).UTC()
	body := ledger.Body{Sender: crypto.Address{19: 1}, Nonce: 1, ValidUntil: 1_700_000_600, Memo: "memo",
		Op: &ledger.PauseAsset{Asset: usd}}
	everyChange(t, "body", reflect.ValueOf(&body).Elem(), func() string { return plain.statement(network, &body, now) })
	for _, kind := range ledger.Kinds() {
		op := ledger.NewOperation(kind)
		fill(reflect.ValueOf(op).Elem(), 1)
		everyChange(t, kind.String(), reflect.ValueOf(op).Elem(), func() string { return plain.operation(op) })
	}
	for _, kind := range ledger.ActionKinds() {
		action := ledger.NewAction(kind)
		fill(reflect.ValueOf(action).Elem(), 1)
		everyChange(t, kind.String(), reflect.ValueOf(action).Elem(), func() string { return plain.action(action) })
	}
}

// fill gives every field below v a value that follows from seed. Lists get two
// items.
func fill(v reflect.Value, seed byte) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[ledger.Amount]() {
			v.Set(reflect.ValueOf(ledger.NewAmount(1000 + uint64(seed))))
			return
		}
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i), seed+byte(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), seed+byte(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), seed)
		}
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(seed % 3))
		if v.Type() == reflect.TypeFor[ledger.Choice]() {
			v.SetUint(1)
		}
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d", seed))
	case reflect.Interface:
		v.Set(reflect.ValueOf(&ledger.SuspendMemberAction{Member: crypto.Address{19: seed}}))
	}
}

// everyChange changes one field after the other and wants other words each time.
func everyChange(t *testing.T, path string, v reflect.Value, words func() string) {
	t.Helper()
	before := reflect.New(v.Type()).Elem()
	before.Set(v)
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() != reflect.TypeFor[ledger.Amount]() {
			for i := range v.NumField() {
				if v.Field(i).CanSet() {
					everyChange(t, path+"."+v.Type().Field(i).Name, v.Field(i), words)
				}
			}
			return
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Uint8 {
			for i := range v.Len() {
				everyChange(t, fmt.Sprintf("%s[%d]", path, i), v.Index(i), words)
			}
			return
		}
	case reflect.Interface:
		return
	}
	was := words()
	another(v)
	if words() == was {
		t.Errorf("%s is not said: %q", path, was)
	}
	v.Set(before)
	if words() != was {
		t.Errorf("%s: the test does not put back what it changes", path)
	}
}

// another gives v a value that it does not have.
func another(v reflect.Value) {
	switch v.Kind() {
	case reflect.Array:
		v.Index(v.Len() - 1).SetUint(v.Index(v.Len()-1).Uint() ^ 0x5a)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(v.Uint() + 1)
	case reflect.String:
		v.SetString(v.String() + "!")
	case reflect.Struct:
		fill(v, 77)
	default:
		panic("a field of a new kind: " + v.Kind().String())
	}
}

// What a person reads before signing, whole.
func TestStatement(t *testing.T) {
	network, err := ledger.NewNetwork("bank-net", 7077, usd, 2)
	if err != nil {
		t.Fatal(err)
	}
	alice, bob := crypto.Address{19: 0xa}, crypto.Address{19: 0xb}
	body := ledger.Body{Sender: alice, Nonce: 4, ValidUntil: 1_700_000_600, Memo: "rent", Op: &ledger.Transfer{Legs: []ledger.Leg{
		{From: alice, To: bob, Asset: usd, Amount: ledger.NewAmount(1234), Reference: "march"},
		{From: alice, To: bob, Asset: usd, Amount: ledger.NewAmount(66)},
		{From: bob, To: alice, Asset: gold, Amount: ledger.NewAmount(7)},
	}}}
	now := time.Unix(1_700_000_000, 0).In(time.FixedZone("CET", 3600))
	const want = `network     bank-net (chain 7077)
sender      0x000000000000000000000000000000000000000A, nonce 4
valid until 2023-11-14 23:23:20 +0100 (2023-11-14 22:23:20 UTC), in 10 minutes
memo        "rent", which everybody sees
  0x000000000000000000000000000000000000000A pays 12.34 USD to 0x000000000000000000000000000000000000000b, reference "march"
  0x000000000000000000000000000000000000000A pays 0.66 USD to 0x000000000000000000000000000000000000000b
  0x000000000000000000000000000000000000000b pays 7 units of asset 0x0000000000000000000000000000000000000002 to 0x000000000000000000000000000000000000000A
in all      0x000000000000000000000000000000000000000A pays 13 USD and receives 7 units of asset 0x0000000000000000000000000000000000000002
in all      0x000000000000000000000000000000000000000b pays 7 units of asset 0x0000000000000000000000000000000000000002 and receives 13 USD
asset       USD is 0x0000000000000000000000000000000000000001, "US Dollar", with 2 decimals, issued by 0x0000000000000000000000000000000000000009
unknown     asset 0x0000000000000000000000000000000000000002: its name and decimals are not known here, amounts are in its smallest unit
`
	if got := informed.statement(network, &body, now); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestHoldsAndProposalsAreSaid(t *testing.T) {
	for _, c := range []struct {
		op   ledger.Operation
		want string
	}{
		{&ledger.CaptureHold{Hold: crypto.Address{19: 5}, Amount: ledger.NewAmount(1234), Reference: "part"},
			"capture 12.34 USD of the hold 0x0000000000000000000000000000000000000005, which 0x0000000000000000000000000000000000000006 made for 0x0000000000000000000000000000000000000007, reference \"part\""},
		{&ledger.ReleaseHold{Hold: crypto.Address{19: 5}}, "release 50 USD of the hold"},
		{&ledger.CaptureHold{Hold: crypto.Address{19: 4}, Amount: ledger.NewAmount(1234)}, "1234 units of the hold 0x0000000000000000000000000000000000000004, which is not known here"},
		{&ledger.ReleaseHold{Hold: crypto.Address{19: 4}}, "not known here"},
		{&ledger.CastVote{Proposal: 3, Choice: ledger.ChoiceNo}, "vote no on proposal 3 of 0x0000000000000000000000000000000000000008, which is:\n    resolve \"We meet.\""},
		{&ledger.WithdrawProposal{Proposal: 4}, "withdraw proposal 4, which is not known here"},
	} {
		if got := informed.operation(c.op); !strings.Contains(got, c.want) {
			t.Errorf("%q does not say %q", got, c.want)
		}
	}
}

func TestLastTime(t *testing.T) {
	now := time.Unix(1_700_000_000, 0).UTC()
	for until, want := range map[ledger.UnixTime]string{
		0:                                      "for ever: it can be included at any time until its nonce is spent",
		1_700_000_000:                          "2023-11-14 22:13:20 UTC, in 0 seconds",
		1_700_000_119:                          "2023-11-14 22:15:19 UTC, in 119 seconds",
		1_700_000_000 + 7200:                   "2023-11-15 00:13:20 UTC, in 2 hours",
		1_700_000_000 + 3*86400:                "2023-11-17 22:13:20 UTC, in 3 days",
		1_699_999_999:                          "2023-11-14 22:13:19 UTC, which has passed",
		ledger.UnixTime(ledger.MaxJSONInteger): "second 9007199254740991 of Unix time, which nobody will live to see",
	} {
		if got := lastTime(until, now); got != want {
			t.Errorf("%d: %q, want %q", until, got, want)
		}
	}
}

// tricks are texts that would show as something else than they are.
var tricks = map[string]string{
	"moves the cursor up":      "rent\x1b[1A\x1b[2Kpays 1 USD",
	"ends the line":            "rent\r  0xAA pays 1 USD to",
	"C1 control":               "rent\u009b2K",
	"right to left":            "rent \u202e001\u202c USD",
	"isolates":                 "rent \u2066evil\u2069",
	"line separator":           "rent\u2028network     other",
	"zero width":               "re\u200bnt\ufeff\u2060",
	"tag characters":           "rent\U000e0041\U000e0042",
	"soft hyphen":              "re\u00adnt",
	"filler":                   "rent\u3164\u115f\u2800",
	"no UTF-8":                 "rent\xff\xfe",
	"quote that ends too soon": "rent\", which everybody sees\n  0xAA pays 1 USD to 0xBB, reference \"",
	"bell and backspace":       "rent\a\b\b\b\b",
}

// No text that somebody else chose can move, hide or turn around what stands
// beside it, or look like a line of this program's.
func TestTextsCannotFoolTheReader(t *testing.T) {
	network, err := ledger.NewNetwork("bank-net", 7077, usd, 2)
	if err != nil {
		t.Fatal(err)
	}
	for name, trick := range tricks {
		said := map[string]string{
			"memo":      plain.statement(network, &ledger.Body{Memo: trick, Op: &ledger.Transfer{}}, time.Now()),
			"reference": plain.operation(&ledger.Transfer{Legs: []ledger.Leg{{Reference: trick}}}),
			"asset":     plain.operation(&ledger.CreateAsset{Symbol: "A", Name: trick}),
			"metadata":  plain.operation(&ledger.SetMetadata{URI: trick}),
			"hold":      plain.operation(&ledger.CreateHold{Reference: trick}),
			"freeze":    plain.operation(&ledger.FreezeAccount{Reference: trick}),
			"member":    plain.action(&ledger.AdmitMemberAction{Name: trick}),
			"text":      plain.action(&ledger.ResolutionAction{Text: trick}),
			"upgrade":   plain.action(&ledger.ScheduleUpgradeAction{Name: trick}),
		}
		for what, text := range said {
			shown := visible(text)
			if shown != text {
				t.Errorf("%s in %s: only the last sieve stops %q", name, what, text)
			}
			for _, r := range shown {
				if r == utf8.RuneError || r != '\n' && (r < 0x20 || !isShown(r)) {
					t.Errorf("%s in %s: %q reaches the terminal", name, what, r)
				}
			}
			for line := range strings.Lines(shown) {
				if strings.HasPrefix(line, "  0xAA") || strings.HasPrefix(line, "network     other") {
					t.Errorf("%s in %s makes a line of its own: %q", name, what, line)
				}
			}
		}
	}
}

// isShown is told apart from the code that it judges: ranges of Unicode written
// out, not those of a library.
func isShown(r rune) bool {
	hidden := [][2]rune{{0x7f, 0x9f}, {0xad, 0xad}, {0x115f, 0x1160}, {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
		{0x2800, 0x2800}, {0x3164, 0x3164}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xe0000, 0xe007f}}
	return !slices.ContainsFunc(hidden, func(p [2]rune) bool { return r >= p[0] && r <= p[1] })
}

func FuzzVisible(f *testing.F) {
	for _, trick := range tricks {
		f.Add(trick)
	}
	f.Fuzz(func(t *testing.T, text string) {
		shown := visible(text)
		if !utf8.ValidString(shown) || strings.Count(shown, "\n") != strings.Count(text, "\n") || visible(shown) != shown {
			t.Errorf("%q shows as %q", text, shown)
		}
		for _, r := range shown {
			if r != '\n' && (r < 0x20 || !isShown(r)) {
				t.Errorf("%q lets %q through", text, r)
			}
		}
		if strings.Contains(quoted(text), "\n") {
			t.Errorf("%q has lines in quotes", text)
		}
	})
}

// Ordinary text of all the world stays as it is.
func TestVisibleKeepsText(t *testing.T) {
	for _, text := range []string{"", "Rechnung für März, 12 €", "請求書", "חשבונית", "فاتورة", "счёт №7", "a\nb\n", "emoji 🙂"} {
		if got := visible(text); got != text {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

// Only what was shown is signed: no other file of this program signs anything but
// identity cards and consensus keys, which are no transactions.
func TestOnlyWhatWasShownIsSigned(t *testing.T) {
	signs := regexp.MustCompile(`\.(Sign|SignDigest|SignHash|SignTypedData)\(`)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !signs.Match(data) {
			continue
		}
		if file != "clearsign.go" {
			t.Errorf("%s signs past clearsign.go", file)
		}
		found = true
	}
	if !found {
		t.Error("nothing signs: the test looks for the wrong names")
	}
}
