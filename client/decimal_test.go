package client

import (
	"io"
	"log"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/ledger"
)

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

func TestParseDecimal(t *testing.T) {
	for _, c := range []struct {
		text     string
		decimals uint8
		want     string
	}{
		{"0", 2, "0"}, {"1", 0, "1"}, {"12.34", 2, "1234"}, {"12.3", 2, "1230"}, {"0.05", 2, "5"},
		{"1", 18, "1000000000000000000"}, {"0.000000000000000001", 18, "1"}, {"0.00", 2, "0"},
		{"340282366920938463463374607431768211455", 0, "340282366920938463463374607431768211455"},
		{"340282366920938463463.374607431768211455", 18, "340282366920938463463374607431768211455"},
	} {
		if got, err := ParseDecimal(c.text, c.decimals); err != nil || got.String() != c.want {
			t.Errorf("%s with %d decimals is %s, %v; want %s", c.text, c.decimals, got, err, c.want)
		}
	}
}

func TestParseDecimalRefused(t *testing.T) {
	for _, c := range []struct {
		text     string
		decimals uint8
		want     string
	}{
		{"", 2, "digits before"}, {".5", 2, "digits before"}, {"5.", 2, "digits before"}, {"1.234", 2, "3 decimals: this asset has 2"},
		{"1.0", 0, "no decimals"}, {"-1", 2, "neither"}, {"+1", 2, "neither"}, {"1,5", 2, "neither"}, {"1e3", 2, "neither"},
		{" 1", 2, "neither"}, {"1 ", 2, "neither"}, {"0x10", 2, "neither"}, {"1.2.3", 6, "neither"}, {"01", 2, "leading zero"},
		{"00.5", 2, "leading zero"}, {"１", 2, "neither"}, {"3402823669209384634633746074317682114.56", 2, "too large"},
		{strings.Repeat("9", 100), 2, "too large"},
	} {
		if got, err := ParseDecimal(c.text, c.decimals); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q with %d decimals: %s, error %v, want %q", c.text, c.decimals, got, err, c.want)
		}
	}
}

func TestDecimalComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bytes := rapid.SliceOfN(rapid.Byte(), 0, 16).Draw(t, "amount")
		for len(bytes) > 0 && bytes[0] == 0 {
			bytes = bytes[1:]
		}
		amount, ok := ledger.AmountFromBytes(bytes)
		if !ok {
			t.Fatal("not an amount")
		}
		decimals := rapid.Uint8Range(0, 18).Draw(t, "decimals")
		text := FormatDecimal(amount, decimals)
		back, err := ParseDecimal(text, decimals)
		if err != nil || back != amount {
			t.Fatalf("%s with %d decimals is written %s and read as %s, %v", amount, decimals, text, back, err)
		}
		if strings.Contains(text, ".") && strings.HasSuffix(text, "0") {
			t.Fatalf("%s ends with a zero that says nothing", text)
		}
	})
}
