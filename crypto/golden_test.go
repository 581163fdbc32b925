package crypto

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// goldenEntry is one key and what it makes. Keys here are public.
type goldenEntry struct {
	PrivateKey string         `json:"privateKey"`
	PublicKey  string         `json:"publicKey"`
	Address    Address        `json:"address"`
	Signatures []goldenSigned `json:"signatures"`
}

type goldenSigned struct {
	Message   string `json:"message"`
	Domain    Hash   `json:"domain"`
	Digest    Hash   `json:"digest"`
	Signature string `json:"signature"`
}

func goldenKeys() []string {
	half, below := halfOrder, curveOrder
	below[31]--
	return []string{
		strings.Repeat("0", 63) + "1",
		strings.Repeat("0", 63) + "2",
		hex.EncodeToString(half[:]),
		hex.EncodeToString(below[:]),
		"ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
		"4646464646464646464646464646464646464646464646464646464646464646",
	}
}

func makeGolden(t *testing.T) []goldenEntry {
	t.Helper()
	var entries []goldenEntry
	for i, digits := range goldenKeys() {
		key := mustKey(t, digits)
		entry := goldenEntry{
			PrivateKey: "0x" + digits,
			PublicKey:  "0x" + hex.EncodeToString(key.PublicKey()),
			Address:    key.Address(),
		}
		for j := range 4 {
			message := fmt.Sprintf("message %d of key %d", j, i)
			domain := DomainSeparator("Tallystick", "1", uint64(j)<<50|1, key.Address())
			digest := TypedDataDigest(domain, Keccak256([]byte(message)))
			sig := key.Sign(digest)
			entry.Signatures = append(entry.Signatures, goldenSigned{message, domain, digest, sig.String()})
		}
		entries = append(entries, entry)
	}
	return entries
}

// Every build, with or without cgo, of 32 or 64 bits, makes these bytes and
// recovers these addresses.
func TestGolden(t *testing.T) {
	const path = "testdata/golden.json"
	entries := makeGolden(t)
	got, err := json.MarshalIndent(entries, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from what this build makes; see the diff after -update", path)
	}
	var stored []goldenEntry
	if err := json.Unmarshal(want, &stored); err != nil {
		t.Fatal(err)
	}
	for _, entry := range stored {
		for _, signed := range entry.Signatures {
			b, err := hex.DecodeString(strings.TrimPrefix(signed.Signature, "0x"))
			if err != nil {
				t.Fatal(err)
			}
			sig, err := ParseSignature(b)
			if err != nil {
				t.Fatalf("%s: %v", signed.Message, err)
			}
			if address, err := recoverBoth(t, signed.Digest, sig); err != nil || address != entry.Address {
				t.Errorf("%s: recovered %s, %v, want %s", signed.Message, address, err, entry.Address)
			}
		}
	}
}
