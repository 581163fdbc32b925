package ledger

import (
	"bytes"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/rlp"
	"github.com/holiman/uint256"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/crypto"
)

// TestEncoderIsRLP writes random nested items with the encoder and with
// go-ethereum's.
func TestEncoderIsRLP(t *testing.T) {
	var write func(rt *rapid.T, w *encoder, depth int) any
	write = func(rt *rapid.T, w *encoder, depth int) any {
		switch rapid.SampledFrom([]string{"uint", "bytes", "string", "address", "big", "list", "list"}).Draw(rt, "item") {
		case "uint":
			v := rapid.Uint64().Draw(rt, "uint")
			w.uint(v)
			return v
		case "bytes":
			b := rapid.SliceOfN(rapid.Byte(), 0, 70).Draw(rt, "bytes")
			w.bytes(b)
			return b
		case "string":
			s := string(bytes.Repeat([]byte{rapid.Byte().Draw(rt, "letter")}, rapid.SampledFrom([]int{0, 1, 2, 55, 56, 255, 256, 65535, 65536}).Draw(rt, "length")))
			w.string(s)
			return s
		case "address":
			a := crypto.Address{1, 2, 3}
			w.address(a)
			return a[:]
		case "big":
			v := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(rt, "big"))
			w.big(uint256.MustFromBig(v))
			return v
		}
		list, begin := []any{}, w.list()
		if depth > 0 {
			for range rapid.IntRange(0, 6).Draw(rt, "items") {
				list = append(list, write(rt, w, depth-1))
			}
		}
		w.end(begin)
		return list
	}
	rapid.Check(t, func(rt *rapid.T) {
		var w encoder
		value := write(rt, &w, 3)
		want, err := rlp.EncodeToBytes(value)
		if err != nil {
			rt.Fatal(err)
		}
		if !bytes.Equal(w.out, want) {
			rt.Fatalf("%x, want %x", w.out, want)
		}
	})
}

// TestTypeNames: the tables by kind stand in the order of the kinds.
func TestTypeNames(t *testing.T) {
	for i, spec := range kindSpecs {
		if i > 0 && kindSpecs[i-1].kind >= spec.kind || spec.empty().Kind() != spec.kind {
			t.Errorf("kind %d stands at %d", spec.kind, i)
		}
		if spec.kind.String() != spec.name {
			t.Errorf("kind %d is named %s", spec.kind, spec.kind)
		}
	}
	for i, spec := range eventSpecs {
		if i > 0 && eventSpecs[i-1].kind >= spec.kind {
			t.Errorf("event %d stands at %d", spec.kind, i)
		}
	}
	if Kind(0).String() != "unknown" || Kind(200).String() != "unknown" || EventType(0).Name() != "unknown" || EventType(200).Name() != "unknown" {
		t.Error("unknown numbers have names")
	}
}

// TestCodeTable: numbers ascend as precedence does, names are unique, and the
// division between the two halves is that of SpendsNonce.
func TestCodeTable(t *testing.T) {
	names := map[string]bool{}
	for i, c := range codeTable {
		if i > 0 && codeTable[i-1].Code >= c.Code {
			t.Errorf("%s is out of order", c.Name)
		}
		if names[c.Name] || c.Name == "" || c.Meaning == "" {
			t.Errorf("code %d has the name %q and the meaning %q", c.Code, c.Name, c.Meaning)
		}
		names[c.Name] = true
		if c.Code.SpendsNonce() != (c.Code == 0 || c.Code >= 100) {
			t.Errorf("%s spends the nonce: %v", c.Name, c.Code.SpendsNonce())
		}
	}
	if Code(99).String() != "unknown" {
		t.Error("unknown codes have names")
	}
}
