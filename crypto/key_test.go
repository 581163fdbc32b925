package crypto

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func mustKey(t testing.TB, digits string) *PrivateKey {
	t.Helper()
	k, err := ParsePrivateKey(digits)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// RFC 6979 with SHA-256 on secp256k1: the vectors that Bitcoin libraries have
// shared since 2013. The messages are hashed with SHA-256; s is the low one.
func TestSignRFC6979(t *testing.T) {
	vectors := []struct{ key, message, want string }{
		{
			"0000000000000000000000000000000000000000000000000000000000000001", "Satoshi Nakamoto",
			"934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d82442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5",
		},
		{
			"0000000000000000000000000000000000000000000000000000000000000001",
			"All those moments will be lost in time, like tears in rain. Time to die...",
			"8600dbd41e348fe5c9465ab92d23e3db8b98b873beecd930736488696438cb6b547fe64427496db33bf66019dacbf0039c04199abb0122918601db38a72cfc21",
		},
		{
			"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140", "Satoshi Nakamoto",
			"fd567d121db66e382991534ada77a6bd3106f0a1098c231e47993447cd6af2d06b39cd0eb1bc8603e159ef5c20a5c8ad685a45b06ce9bebed3f153d10d93bed5",
		},
		{
			"f8b8af8ce3c7cca5e300d33939540c10d45ce001b8f252bfbc57ba0342904181", "Alan Turing",
			"7063ae83e7f62bbb171798131b4a0564b956930092b33b07b395615d9ec7e15c58dfcc1e00a35e1572f366ffe34ba0fc47db1e7189759b9fb233c5b05ab388ea",
		},
	}
	for _, v := range vectors {
		sig := mustKey(t, v.key).Sign(sha256.Sum256([]byte(v.message)))
		if got := hex.EncodeToString(sig[:64]); got != v.want {
			t.Errorf("%q by %s: %s, want %s", v.message, v.key, got, v.want)
		}
	}
}

func TestSignThenRecover(t *testing.T) {
	for i := range 50 {
		k, err := GenerateKey()
		if err != nil {
			t.Fatal(err)
		}
		digest := Keccak256([]byte{byte(i)})
		sig := k.Sign(digest)
		if err := sig.Check(); err != nil {
			t.Fatalf("key %x: %v", k.Bytes(), err)
		}
		if a, err := Recover(digest, sig); err != nil || a != k.Address() {
			t.Fatalf("key %x: recovered %s, %v", k.Bytes(), a, err)
		}
		sig[signatureV] ^= 1
		if a, err := Recover(digest, sig); err == nil && a == k.Address() {
			t.Fatalf("key %x: recovered with the wrong v", k.Bytes())
		}
	}
}

func TestPrivateKeyForms(t *testing.T) {
	digits := "f8b8af8ce3c7cca5e300d33939540c10d45ce001b8f252bfbc57ba0342904181"
	k := mustKey(t, digits)
	for _, text := range []string{"0x" + digits, strings.ToUpper(digits)} {
		if other := mustKey(t, text); other.Address() != k.Address() {
			t.Errorf("%s gives another key", text)
		}
	}
	secret := k.Bytes()
	if hex.EncodeToString(secret) != digits {
		t.Errorf("Bytes() = %x", secret)
	}
	clear(secret)
	if hex.EncodeToString(k.Bytes()) != digits {
		t.Error("Bytes() gives out the key's own memory")
	}
	source, _ := hex.DecodeString(digits)
	fromBytes, err := PrivateKeyFromBytes(source)
	if err != nil {
		t.Fatal(err)
	}
	clear(source)
	if hex.EncodeToString(fromBytes.Bytes()) != digits {
		t.Error("PrivateKeyFromBytes keeps a reference to its input")
	}
}

func TestPrivateKeyRefused(t *testing.T) {
	order := hex.EncodeToString(curveOrder[:])
	refused := map[string]string{
		"empty":           "",
		"prefix alone":    "0x",
		"zero":            strings.Repeat("0", 64),
		"n":               order,
		"n+1":             order[:63] + "2",
		"all ones":        strings.Repeat("f", 64),
		"one digit short": strings.Repeat("1", 63),
		"one byte short":  strings.Repeat("1", 62),
		"one byte long":   strings.Repeat("1", 66),
		"two prefixes":    "0x0x" + strings.Repeat("1", 62),
		"not hexadecimal": strings.Repeat("1", 63) + "z",
		"space":           strings.Repeat("1", 63) + " ",
	}
	for name, text := range refused {
		k, err := ParsePrivateKey(text)
		if !errors.Is(err, ErrPrivateKey) || k != nil {
			t.Errorf("%s: %v, %v", name, k, err)
			continue
		}
		if len(text) > 8 && strings.Contains(err.Error(), text[:8]) {
			t.Errorf("%s: the error %q repeats the input", name, err)
		}
	}
	below := append([]byte(nil), curveOrder[:]...)
	below[31]--
	if _, err := PrivateKeyFromBytes(below); err != nil {
		t.Errorf("n-1: %v", err)
	}
	for _, size := range []int{0, 31, 33, 64} {
		if _, err := PrivateKeyFromBytes(bytes.Repeat([]byte{1}, size)); !errors.Is(err, ErrPrivateKey) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// Whatever a program does to print a key, nested in its own types or not, no
// verb and no encoder shows four bytes of the secret in a row.
func TestPrivateKeyIsNeverPrinted(t *testing.T) {
	k := mustKey(t, "f8b8af8ce3c7cca5e300d33939540c10d45ce001b8f252bfbc57ba0342904181")
	type open struct{ Key *PrivateKey }
	type closed struct{ key PrivateKey }
	values := []any{k, *k, open{k}, &open{k}, closed{*k}, []any{k}, []PrivateKey{*k}, map[string]*PrivateKey{"k": k}}
	var outputs []string
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%T", "%08.3f"} {
			outputs = append(outputs, fmt.Sprintf(verb, v))
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("key", "key", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("key", "key", v)
		outputs = append(outputs, string(text), log.String())
	}
	secret := k.Bytes()
	for _, out := range outputs {
		for i := 0; i+4 <= len(secret); i++ {
			part := secret[i : i+4]
			forms := []string{
				hex.EncodeToString(part), strings.ToUpper(hex.EncodeToString(part)), string(part),
				strings.Trim(fmt.Sprint(part), "[]"), strings.Trim(fmt.Sprintf("%o", part), "[]"),
			}
			for _, form := range forms {
				if strings.Contains(out, form) {
					t.Fatalf("%q shows a part of the secret", out)
				}
			}
		}
	}
	if got := fmt.Sprint(k); got != "PrivateKey("+k.Address().String()+")" {
		t.Errorf("a key is printed as %q", got)
	}
}

func BenchmarkSign(b *testing.B) {
	k := mustKey(b, "f8b8af8ce3c7cca5e300d33939540c10d45ce001b8f252bfbc57ba0342904181")
	digest := Keccak256([]byte("benchmark"))
	b.ReportAllocs()
	for b.Loop() {
		k.Sign(digest)
	}
}
