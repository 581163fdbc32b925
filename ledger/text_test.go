package ledger

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// judged puts text into a memo, a reference and a name of their own.
func judged(t testing.TB, text string) (memo, reference, name Code) {
	t.Helper()
	net := fuzzNet(t)
	self := net.Settlement
	leg := Leg{From: self, To: self, Asset: self, Amount: NewAmount(1), Reference: text}
	create := &CreateAsset{Symbol: "A", Name: text}
	return CheckBody(net, &Body{Sender: self, Memo: text, Op: &PauseAsset{Asset: self}}),
		CheckBody(net, &Body{Sender: self, Op: &Transfer{Legs: []Leg{leg}}}),
		CheckBody(net, &Body{Sender: self, Op: create})
}

// TestTextRefuses: what does not show, or changes how the rest shows, is in no
// text, wherever it stands in it. The last and first of each range, and what
// lies just outside.
func TestTextRefuses(t *testing.T) {
	refused := []rune{0, 1, 7, '\t', 0x0b, 0x0c, '\r', 0x1b, 0x1f, 0x7f, 0x80, 0x85, 0x9f, 0x2028, 0x2029, 0x202a, 0x202c, 0x202e, 0x2066, 0x2067, 0x2069}
	for _, r := range refused {
		for _, text := range []string{string(r), "a" + string(r), string(r) + "b", "a" + string(r) + "b"} {
			memo, reference, name := judged(t, text)
			if memo != CodeInvalidField || reference != CodeInvalidField || name != CodeInvalidField {
				t.Errorf("%+q: memo %s, reference %s, name %s", text, memo, reference, name)
			}
		}
	}
	taken := []rune{' ', '~', 0xa0, 0xad, 0x200b, 0x200d, 0x200e, 0x2027, 0x202f, 0x2065, 0x206a, 0xfeff, 0xfffd, 0x1f600, 0x10ffff}
	for _, r := range taken {
		text := "a" + string(r)
		if memo, reference, name := judged(t, text); memo != Applied || reference != Applied || name != Applied {
			t.Errorf("%+q: memo %s, reference %s, name %s", text, memo, reference, name)
		}
	}
}

// TestMemoLines: a memo alone may have several lines.
func TestMemoLines(t *testing.T) {
	memo, reference, name := judged(t, "one\ntwo\n")
	if memo != Applied || reference != CodeInvalidField || name != CodeInvalidField {
		t.Errorf("memo %s, reference %s, name %s", memo, reference, name)
	}
}

// TestBlankName: a name shows something. Memos and references need not.
func TestBlankName(t *testing.T) {
	const spaces = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
	for _, text := range append(strings.Split(spaces, ""), "   ", " \u00a0\u3000 ", "") {
		memo, reference, name := judged(t, text)
		if memo != Applied || reference != Applied || name != CodeInvalidField {
			t.Errorf("%+q: memo %s, reference %s, name %s", text, memo, reference, name)
		}
	}
	if _, _, name := judged(t, spaces+"x"); name != Applied {
		t.Errorf("a name with spaces: %s", name)
	}
}

// TestGenesisNames: genesis names are judged as those of createAsset.
func TestGenesisNames(t *testing.T) {
	for text, want := range map[string]bool{"Gold": true, " ": false, "Go\u202eld": false, "Go\nld": false} {
		g := Genesis{NetworkID: "a", Settlement: "A", Params: NewGenesisParams(DefaultParams()),
			Accounts: []GenesisAccount{{Address: fuzzNet(t).Settlement}},
			Assets:   []GenesisAsset{{Symbol: "A", Name: text, Issuer: fuzzNet(t).Settlement}}}
		g.ChainID = DeriveChainID(g.NetworkID)
		if _, err := g.Build(); (err == nil) != want {
			t.Errorf("%+q: %v", text, err)
		}
	}
}

// TestTextSlowly compares with the ranges written another way.
func TestTextSlowly(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.OneOf(rapid.StringN(0, 20, 60), rapid.StringOf(rapid.RuneFrom([]rune("a \n\t\u0080\u2028\u2066\u2070")))).Draw(rt, "text")
		plain, lines := true, true
		for _, r := range text {
			hex := fmt.Sprintf("%04x", r)
			hidden := strings.HasPrefix(hex, "000") || strings.HasPrefix(hex, "001") || hex == "007f" ||
				strings.HasPrefix(hex, "008") || strings.HasPrefix(hex, "009") ||
				strings.Contains("2028 2029 202a 202b 202c 202d 202e 2066 2067 2068 2069", hex)
			plain, lines = plain && !hidden, lines && (!hidden || r == '\n')
		}
		if validText(text) != plain || validMemo(text) != lines {
			rt.Fatalf("%+q: text %v, memo %v", text, validText(text), validMemo(text))
		}
	})
}
