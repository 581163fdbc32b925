package crypto

import (
	"bytes"
	"errors"
	"math/big"
	"strings"
	"testing"
)

// word returns v as 32 big-endian bytes. Values of 2^256 and more do not fit.
func word(t testing.TB, v *big.Int) [32]byte {
	t.Helper()
	if v.Sign() < 0 || v.BitLen() > 256 {
		t.Fatalf("%x does not fit 32 bytes", v)
	}
	var b [32]byte
	v.FillBytes(b[:])
	return b
}

func makeSignature(t testing.TB, r, s *big.Int, v byte) Signature {
	t.Helper()
	rb, sb := word(t, r), word(t, s)
	var sig Signature
	copy(sig[:], rb[:])
	copy(sig[signatureS:], sb[:])
	sig[signatureV] = v
	return sig
}

// plus returns a + d.
func plus(a *big.Int, d int64) *big.Int { return new(big.Int).Add(a, big.NewInt(d)) }

var (
	bigOrder = new(big.Int).SetBytes(curveOrder[:])
	bigHalf  = new(big.Int).Rsh(bigOrder, 1)
	bigMax   = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
)

func TestHalfOrder(t *testing.T) {
	if !bytes.Equal(bigHalf.Bytes(), halfOrder[:]) {
		t.Errorf("half of n is %x", bigHalf)
	}
}

func TestSignatureCheck(t *testing.T) {
	one := big.NewInt(1)
	cases := []struct {
		name string
		r, s *big.Int
		v    byte
		want error
	}{
		{"least", one, one, 0, nil},
		{"greatest", plus(bigOrder, -1), bigHalf, 1, nil},
		{"r zero", new(big.Int), one, 0, ErrSignatureR},
		{"r is n", bigOrder, one, 0, ErrSignatureR},
		{"r is n+1", plus(bigOrder, 1), one, 1, ErrSignatureR},
		{"r all ones", bigMax, one, 0, ErrSignatureR},
		{"s zero", one, new(big.Int), 0, ErrSignatureS},
		{"s above n/2", one, plus(bigHalf, 1), 0, ErrSignatureS},
		{"s is n-1", one, plus(bigOrder, -1), 0, ErrSignatureS},
		{"s is n", one, bigOrder, 1, ErrSignatureS},
		{"s all ones", one, bigMax, 1, ErrSignatureS},
		{"v two", one, one, 2, ErrSignatureV},
		{"v three", one, one, 3, ErrSignatureV},
		{"v 27", one, one, 27, ErrSignatureV},
		{"v 28", one, one, 28, ErrSignatureV},
		{"v 255", one, one, 255, ErrSignatureV},
		{"all wrong: v first", new(big.Int), new(big.Int), 9, ErrSignatureV},
		{"r and s wrong: r first", new(big.Int), new(big.Int), 0, ErrSignatureR},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			sig := makeSignature(t, c.r, c.s, c.v)
			if err := sig.Check(); err != c.want {
				t.Errorf("Check() = %v, want %v", err, c.want)
			}
			if _, err := Recover(Hash{}, sig); c.want != nil && err != c.want {
				t.Errorf("Recover: %v, want %v", err, c.want)
			}
		})
	}
}

func TestParseSignature(t *testing.T) {
	good := mustKey(t, strings.Repeat("07", 32)).Sign(Keccak256([]byte("parse")))
	v := good[signatureV]
	for _, offset := range []byte{0, 27} {
		b := append([]byte(nil), good[:]...)
		b[signatureV] = v + offset
		got, err := ParseSignature(b)
		if err != nil || got != good {
			t.Errorf("v %d: %s, %v", b[signatureV], got, err)
		}
		if b[signatureV] != v+offset {
			t.Error("ParseSignature changed its input")
		}
	}
	with := func(v byte) []byte { return append(append([]byte(nil), good[:64]...), v) }
	refused := []struct {
		name string
		b    []byte
		want error
	}{
		{"nil", nil, ErrSignatureLength},
		{"64 bytes", good[:64], ErrSignatureLength},
		{"66 bytes", append(with(0), 0), ErrSignatureLength},
		{"v 2", with(2), ErrSignatureV},
		{"v 26", with(26), ErrSignatureV},
		{"v 29", with(29), ErrSignatureV},
		{"v 31", with(31), ErrSignatureV},
		{"v 35", with(35), ErrSignatureV},
		{"zeros", make([]byte, 65), ErrSignatureR},
		{"zeros, v 27", append(make([]byte, 64), 27), ErrSignatureR},
		{"ones", append(bytes.Repeat([]byte{255}, 64), 1), ErrSignatureR},
	}
	for _, c := range refused {
		if sig, err := ParseSignature(c.b); !errors.Is(err, c.want) || sig != (Signature{}) {
			t.Errorf("%s: %s, %v, want %v", c.name, sig, err, c.want)
		}
	}
}
