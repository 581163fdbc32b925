package crypto

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	gethcommon "github.com/ethereum/go-ethereum/common"
	"pgregory.net/rapid"
)

func mustAddress(t testing.TB, text string) Address {
	t.Helper()
	a, err := ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// The addresses in the text of EIP-55.
var eip55 = []string{
	"0x52908400098527886E0F7030069857D2E4169EE7",
	"0x8617E340B3D01FA5F11F306F4090FD50E238070D",
	"0xde709f2102306220921060314715629080e2fb77",
	"0x27b1fdb04752bbc536007a920d24acb045561c26",
	"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
	"0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
	"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
	"0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
}

func TestAddressEIP55(t *testing.T) {
	for _, text := range eip55 {
		a := mustAddress(t, text)
		if a.String() != text {
			t.Errorf("%s is written as %s", text, a)
		}
		if mustAddress(t, strings.ToLower(text)) != a {
			t.Errorf("%s in lower case is another address", text)
		}
		if mustAddress(t, "0x"+strings.ToUpper(text[2:])) != a {
			t.Errorf("%s in upper case is another address", text)
		}
	}
}

// Changing the case of any one letter of a text in mixed case breaks its
// checksum, as long as the text stays in mixed case.
func TestAddressEveryWrongCase(t *testing.T) {
	for _, text := range eip55[4:] {
		for i := 2; i < len(text); i++ {
			flipped := []byte(text)
			flipped[i] ^= 0x20
			if text[i] < 'A' {
				continue
			}
			_, err := ParseAddress(string(flipped))
			if !errors.Is(err, ErrChecksum) {
				t.Errorf("%s: error %v, want %v", flipped, err, ErrChecksum)
				continue
			}
			if !strings.Contains(err.Error(), "EIP-55 checksum") || !strings.Contains(err.Error(), string(flipped)) {
				t.Errorf("the error %q does not name its subject", err)
			}
		}
	}
}

func TestAddressAgainstGoEthereum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Address(rapid.SliceOfN(rapid.Byte(), AddressSize, AddressSize).Draw(t, "address"))
		if want := gethcommon.Address(a).Hex(); a.String() != want {
			t.Fatalf("%s, want %s", a, want)
		}
		back, err := ParseAddress(a.String())
		if err != nil || back != a {
			t.Fatalf("%s came back as %s, %v", a, back, err)
		}
	})
}

func TestParseAddressRefused(t *testing.T) {
	good := eip55[4]
	refused := []struct {
		name, text string
		want       error
	}{
		{"empty", "", ErrPrefix},
		{"no prefix", good[2:], ErrPrefix},
		{"upper prefix", "0X" + good[2:], ErrPrefix},
		{"prefix alone", "0x", ErrLength},
		{"one digit short", good[:41], ErrLength},
		{"one digit long", good + "0", ErrLength},
		{"a hash", "0x" + strings.Repeat("00", 32), ErrLength},
		{"space before", " " + good, ErrPrefix},
		{"newline after", good + "\n", ErrLength},
		{"not hexadecimal", good[:41] + "g", ErrHex},
		{"wide character", good[:39] + "\u00e9d", ErrHex},
		{"case swapped", "0x" + swapCase(good[2:]), ErrChecksum},
		{"a digit changed", "0x6" + good[3:], ErrChecksum},
	}
	for _, c := range refused {
		t.Run(c.name, func(t *testing.T) {
			kept := mustAddress(t, good)
			if err := kept.UnmarshalText([]byte(c.text)); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			if kept.String() != good {
				t.Error("the address changed")
			}
		})
	}
}

func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' {
			return r ^ 0x20
		}
		return r
	}, s)
}

func TestAddressOrderAndZero(t *testing.T) {
	low, high := Address{19: 1}, Address{0: 1}
	if low.Compare(high) != -1 || high.Compare(low) != 1 || low.Compare(low) != 0 {
		t.Error("addresses are not ordered by their bytes")
	}
	if !(Address{}).IsZero() || low.IsZero() || high.IsZero() {
		t.Error("IsZero is wrong")
	}
}

func TestAddressJSON(t *testing.T) {
	text, err := json.Marshal(map[string]Address{"to": mustAddress(t, eip55[5])})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"to":"` + eip55[5] + `"}`; string(text) != want {
		t.Errorf("%s, want %s", text, want)
	}
	var back struct{ To Address }
	if err := json.Unmarshal(text, &back); err != nil || back.To.String() != eip55[5] {
		t.Errorf("%s came back as %s, %v", text, back.To, err)
	}
	if err := json.Unmarshal([]byte(`{"to":1}`), &back); err == nil {
		t.Error("a number was read as an address")
	}
}

func TestAddressFromPublicKey(t *testing.T) {
	key := mustKey(t, "0000000000000000000000000000000000000000000000000000000000000001")
	public := key.PublicKey()
	a, err := AddressFromPublicKey(public)
	// The address of the key 1 is known to every Ethereum developer.
	if err != nil || a.String() != "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf" || a != key.Address() {
		t.Fatalf("AddressFromPublicKey = %s, %v", a, err)
	}
	flip := func(i int) []byte {
		changed := append([]byte(nil), public...)
		changed[i] ^= 1
		return changed
	}
	prime := append([]byte{4}, make([]byte, 64)...)
	for i := 1; i < len(prime); i++ {
		prime[i] = 0xff
	}
	refused := map[string][]byte{
		"nil":               nil,
		"without 04":        public[1:],
		"one byte short":    public[:64],
		"one byte long":     append(append([]byte(nil), public...), 0),
		"compressed":        append([]byte{2}, public[1:33]...),
		"hybrid form":       append([]byte{6}, public[1:]...),
		"hybrid odd form":   append([]byte{7}, public[1:]...),
		"wrong X":           flip(32),
		"wrong Y":           flip(64),
		"infinity":          make([]byte, 65),
		"zero point":        append([]byte{4}, make([]byte, 64)...),
		"beyond the field":  prime,
		"leading byte five": append([]byte{5}, public[1:]...),
	}
	for name, b := range refused {
		if a, err := AddressFromPublicKey(b); !errors.Is(err, ErrPublicKey) || !a.IsZero() {
			t.Errorf("%s: %s, %v", name, a, err)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, text := range eip55 {
		f.Add(text)
		f.Add(strings.ToLower(text))
		f.Add("0x" + strings.ToUpper(text[2:]))
		f.Add(text[:41])
		f.Add(text[2:])
	}
	f.Add("")
	f.Add("0x\x00")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseAddress(text)
		if err != nil {
			if !a.IsZero() {
				t.Errorf("%q: an address beside the error %v", text, err)
			}
			return
		}
		if !strings.EqualFold(a.String(), text) {
			t.Errorf("%q was read as %s", text, a)
		}
	})
}
