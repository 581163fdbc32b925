package mnemonic

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	bip39 "github.com/cosmos/go-bip39"

	"github.com/tallystick/tallystick/crypto"
)

const junk = "test test test test test test test test test test test junk"

type vectors struct {
	BIP39 []struct{ Entropy, Mnemonic, Seed string }
	BIP32 []struct {
		Seed string
		Keys map[string]string
	}
}

func loadVectors(t *testing.T) vectors {
	t.Helper()
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func unhex(t *testing.T, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBIP39Vectors(t *testing.T) {
	list := loadVectors(t).BIP39
	if len(list) < 20 {
		t.Fatalf("%d vectors", len(list))
	}
	for _, v := range list {
		sentence, err := bip39.NewMnemonic(unhex(t, v.Entropy))
		if err != nil || sentence != v.Mnemonic {
			t.Errorf("entropy %s gives %q, %v", v.Entropy, sentence, err)
		}
		if normal, err := Normalize(v.Mnemonic); err != nil || normal != v.Mnemonic {
			t.Errorf("%q is normalised to %q, %v", v.Mnemonic, normal, err)
		}
		seed, err := Seed(v.Mnemonic, "TREZOR")
		if err != nil || hex.EncodeToString(seed) != v.Seed {
			t.Errorf("%q gives seed %x, %v", v.Mnemonic, seed, err)
		}
	}
}

// Vector 3 and 4 have keys with leading zeros, which wrong code drops.
func TestBIP32Vectors(t *testing.T) {
	list := loadVectors(t).BIP32
	if len(list) != 4 {
		t.Fatalf("%d seeds", len(list))
	}
	for i, v := range list {
		if len(v.Keys) < 2 {
			t.Errorf("vector %d has %d keys", i+1, len(v.Keys))
		}
		for _, path := range slices.Sorted(maps.Keys(v.Keys)) {
			node, err := deriveNode(unhex(t, v.Seed), parsePath(t, path)...)
			if err != nil || node.String() != v.Keys[path] {
				t.Errorf("vector %d, %s: %v, %v", i+1, path, node, err)
			}
		}
	}
}

// parsePath reads a path as BIP-32 writes it, with H for hardened steps.
func parsePath(t *testing.T, path string) []uint32 {
	t.Helper()
	var steps []uint32
	for _, part := range strings.Split(path, "/")[1:] {
		number, hardened := strings.CutSuffix(part, "H")
		n, err := strconv.ParseUint(number, 10, 31)
		if err != nil {
			t.Fatal(err)
		}
		step := uint32(n)
		if hardened {
			step += hdkeychain.HardenedKeyStart
		}
		steps = append(steps, step)
	}
	return steps
}

// The ten accounts that development networks of Ethereum share.
func TestWellKnownAccounts(t *testing.T) {
	want := []string{
		"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
		"0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
		"0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
		"0x90F79bf6EB2c4f870365E785982E1f101E93b906",
		"0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
		"0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
		"0x976EA74026E726554dB657fA54763abd0C3a0aa9",
		"0x14dC79964da2C08b23698B3D3cc7Ca32193d9955",
		"0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f",
		"0xa0Ee7A142d267C1f36714E4a8F75612F20a79720",
	}
	for i, address := range want {
		key, err := Derive(junk, "", uint32(i))
		if err != nil {
			t.Fatal(err)
		}
		if key.Address().String() != address {
			t.Errorf("%s gives %s, want %s", Path(uint32(i)), key.Address(), address)
		}
	}
	first, err := Derive(junk, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(first.Bytes()); got != "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80" {
		t.Errorf("the first key is %s", got)
	}
}

// The seed was computed with another implementation of PBKDF2 and NFKD. The
// passphrase holds a letter that is composed, a compatibility character, a
// ligature and a voiced kana, each of which NFKD takes apart.
func TestPassphraseIsNormalized(t *testing.T) {
	const want = "4ad125d23767c2f144849620efd066a26d743c4b8ce6eae52df2b56d611a1482" +
		"7f803915096b211e7703aa81279457a5d88d29a49efb59fd0f6bdba0ee1c8734"
	for _, passphrase := range []string{"caf\u00e9 \u212b \ufb01 \u30ac", "cafe\u0301 A\u030a fi \u30ab\u3099"} {
		seed, err := Seed(junk, passphrase)
		if err != nil || hex.EncodeToString(seed) != want {
			t.Errorf("passphrase %+q gives seed %x, %v", passphrase, seed, err)
		}
	}
	if seed, err := Seed(junk, "cafe A fi \u30ab"); err != nil || hex.EncodeToString(seed) == want {
		t.Errorf("the accents do not count, %v", err)
	}
}

func TestPassphraseAndIndexCount(t *testing.T) {
	seen := map[crypto.Address]string{}
	for _, c := range []struct {
		name, mnemonic, passphrase string
		index                      uint32
	}{
		{"plain", junk, "", 0},
		{"passphrase", junk, "p", 0},
		{"capital passphrase", junk, "P", 0},
		{"space as passphrase", junk, " ", 0},
		{"last index", junk, "", MaxIndex},
		{"other words", strings.Repeat("abandon ", 11) + "about", "", 0},
	} {
		key, err := Derive(c.mnemonic, c.passphrase, c.index)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if other, double := seen[key.Address()]; double {
			t.Errorf("%s and %s give the same key", c.name, other)
		}
		seen[key.Address()] = c.name
	}
}

func TestNormalizeIsKind(t *testing.T) {
	for _, text := range []string{
		"  " + junk + "\n",
		strings.ReplaceAll(junk, " ", "\t \r\n"),
		strings.ToUpper(junk),
		strings.ReplaceAll(junk, " ", "\u3000"),
		strings.ReplaceAll(junk, "t", "\uff54"), // full-width letters
	} {
		if got, err := Normalize(text); err != nil || got != junk {
			t.Errorf("%q is normalised to %q, %v", text, got, err)
		}
	}
}

func TestNormalizeRefuses(t *testing.T) {
	words := strings.Fields(junk)
	refused := []struct {
		name, text string
		want       error
		mention    string
	}{
		{"empty", "", ErrWordCount, "not 0"},
		{"spaces", " \n ", ErrWordCount, "not 0"},
		{"one word", "test", ErrWordCount, "not 1"},
		{"11 words", strings.Join(words[:11], " "), ErrWordCount, "not 11"},
		{"13 words", junk + " test", ErrWordCount, "not 13"},
		{"27 words", junk + " " + junk + " test test test", ErrWordCount, "not 27"},
		{"commas", strings.ReplaceAll(junk, " ", ","), ErrWordCount, "not 1"},
		{"unknown first word", "tests " + strings.Join(words[1:], " "), ErrWord, `word 1, "tests"`},
		{"unknown last word", strings.Join(words[:11], " ") + " junks", ErrWord, `word 12, "junks"`},
		{"abbreviated", strings.Join(words[:11], " ") + " jun", ErrWord, `"jun"`},
		{"quoted", `"` + junk + `"`, ErrWord, `word 1`},
		{"wrong checksum", strings.Repeat("test ", 12), ErrChecksum, "checksum"},
		{"words exchanged", "junk " + strings.Join(words[:11], " "), ErrChecksum, "checksum"},
		{"24 words, wrong checksum", strings.Repeat("zoo ", 24), ErrChecksum, "checksum"},
		{"huge", strings.Repeat("test ", 1<<16), ErrWordCount, "327680 bytes"},
	}
	for _, c := range refused {
		t.Run(c.name, func(t *testing.T) {
			got, err := Normalize(c.text)
			if !errors.Is(err, c.want) || got != "" {
				t.Fatalf("%q, %v, want %v", got, err, c.want)
			}
			if !strings.Contains(err.Error(), c.mention) {
				t.Errorf("the error %q does not mention %q", err, c.mention)
			}
			if key, err := Derive(c.text, "", 0); !errors.Is(err, c.want) || key != nil {
				t.Errorf("Derive: %v, %v", key, err)
			}
		})
	}
}

func TestDeriveRefusesHardenedIndex(t *testing.T) {
	for _, index := range []uint32{MaxIndex + 1, 1<<32 - 1} {
		if key, err := Derive(junk, "", index); !errors.Is(err, ErrIndex) || key != nil {
			t.Errorf("index %d: %v, %v", index, key, err)
		}
	}
}

func TestNew(t *testing.T) {
	for _, count := range []int{12, 15, 18, 21, 24} {
		seen := map[string]bool{}
		for range 20 {
			sentence, err := New(count)
			if err != nil {
				t.Fatal(err)
			}
			if got := len(strings.Fields(sentence)); got != count {
				t.Errorf("%d words, want %d", got, count)
			}
			if normal, err := Normalize(sentence); err != nil || normal != sentence {
				t.Errorf("%q is not valid: %v", sentence, err)
			}
			if seen[sentence] {
				t.Errorf("%q twice", sentence)
			}
			seen[sentence] = true
		}
	}
	for _, count := range []int{-12, 0, 3, 9, 11, 13, 16, 25, 27, 1 << 30} {
		if sentence, err := New(count); !errors.Is(err, ErrWordCount) || sentence != "" {
			t.Errorf("%d words: %q, %v", count, sentence, err)
		}
	}
}

func FuzzNormalize(f *testing.F) {
	f.Add(junk)
	f.Add(strings.ToUpper(junk))
	f.Add(strings.Repeat("abandon ", 11) + "about")
	f.Add(strings.Repeat("abandon ", 23) + "art")
	f.Add(strings.Repeat("zoo ", 12))
	f.Add("\xff\u3000\u0301")
	f.Fuzz(func(t *testing.T, text string) {
		normal, err := Normalize(text)
		if err != nil {
			if normal != "" {
				t.Errorf("%q beside the error %v", normal, err)
			}
			return
		}
		if again, err := Normalize(normal); err != nil || again != normal {
			t.Errorf("%q is normalised to %q, then to %q, %v", text, normal, again, err)
		}
	})
}

func BenchmarkDerive(b *testing.B) {
	for b.Loop() {
		if _, err := Derive(junk, "", 1); err != nil {
			b.Fatal(err)
		}
	}
}
