package crypto

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	gethcrypto "github.com/ethereum/go-ethereum/crypto"
	"pgregory.net/rapid"
)

func mustHash(t testing.TB, text string) Hash {
	t.Helper()
	h, err := ParseHash(text)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// The hashes of the empty string and of "abc" are those of the Keccak team's
// original submission; Ethereum's empty code hash is the first.
func TestKeccak256Vectors(t *testing.T) {
	vectors := []struct {
		parts []string
		want  string
	}{
		{nil, "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"},
		{[]string{""}, "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"},
		{[]string{"abc"}, "0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"},
		{[]string{"a", "", "bc"}, "0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"},
	}
	for _, v := range vectors {
		var parts [][]byte
		for _, p := range v.parts {
			parts = append(parts, []byte(p))
		}
		if got := Keccak256(parts...).String(); got != v.want {
			t.Errorf("Keccak256(%q) = %s, want %s", v.parts, got, v.want)
		}
	}
}

// However input is cut into parts, and wherever a part ends in the hasher's
// buffer, the hash is that of go-ethereum over the whole.
func TestKeccak256AgainstGoEthereum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		length := rapid.OneOf(rapid.IntRange(0, 300), rapid.IntRange(540, 548), rapid.IntRange(0, 2000)).Draw(t, "length")
		data := bytes.Repeat([]byte{rapid.Byte().Draw(t, "fill")}, length)
		for i := range data {
			data[i] += byte(i)
		}
		first := rapid.IntRange(0, length).Draw(t, "first")
		second := rapid.IntRange(first, length).Draw(t, "second")
		got := Keccak256(data[:first], data[first:second], data[second:])
		if want := gethcrypto.Keccak256(data); !bytes.Equal(got[:], want) {
			t.Fatalf("%d bytes cut at %d and %d: %s, want %x", length, first, second, got, want)
		}
	})
}

func TestKeccak256AllocatesNothing(t *testing.T) {
	var word [32]byte
	allocations := testing.AllocsPerRun(100, func() {
		sum := Keccak256(word[:], word[:])
		word = sum
	})
	// The pool may drop a hasher in a run, hence not exactly zero.
	if allocations >= 1 {
		t.Errorf("Keccak256 allocates %v times", allocations)
	}
}

func TestParseHash(t *testing.T) {
	digits := strings.Repeat("0aB9", 16)
	h := mustHash(t, "0x"+digits)
	if want := "0x" + strings.ToLower(digits); h.String() != want {
		t.Errorf("String() = %s, want %s", h, want)
	}
	refused := []struct {
		name, text string
		want       error
	}{
		{"empty", "", ErrPrefix},
		{"no prefix", digits, ErrPrefix},
		{"upper prefix", "0X" + digits, ErrPrefix},
		{"prefix alone", "0x", ErrLength},
		{"one digit short", "0x" + digits[1:], ErrLength},
		{"one byte short", "0x" + digits[2:], ErrLength},
		{"one byte long", "0x" + digits + "00", ErrLength},
		{"space before", " 0x" + digits, ErrPrefix},
		{"space after", "0x" + digits + " ", ErrLength},
		{"not hexadecimal", "0x" + digits[1:] + "g", ErrHex},
		{"inner space", "0x" + digits[1:] + " ", ErrHex},
		{"second prefix", "0x0x" + digits[2:], ErrHex},
		{"very long", "0x" + strings.Repeat("00", 1<<16), ErrLength},
	}
	for _, c := range refused {
		t.Run(c.name, func(t *testing.T) {
			kept := h
			err := kept.UnmarshalText([]byte(c.text))
			if !errors.Is(err, c.want) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
			if kept != h {
				t.Error("the hash changed")
			}
			if len(err.Error()) > 500 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestHashJSON(t *testing.T) {
	h := Keccak256([]byte("round trip"))
	text, err := json.Marshal(map[Hash]Hash{h: h})
	if err != nil {
		t.Fatal(err)
	}
	var back map[Hash]Hash
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if back[h] != h {
		t.Errorf("%s came back as %v", text, back)
	}
}

func BenchmarkKeccak256(b *testing.B) {
	for _, size := range []int{64, 1024} {
		data := make([]byte, size)
		b.Run(sizeName(size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				Keccak256(data)
			}
		})
	}
}

func sizeName(size int) string {
	if size == 64 {
		return "64B"
	}
	return "1KiB"
}
