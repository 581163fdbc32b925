package crypto

import (
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
	"testing"
)

// derOf is a signature as a hardware module gives it.
func derOf(t testing.TB, r, s *big.Int) []byte {
	t.Helper()
	der, err := asn1.Marshal(struct{ R, S *big.Int }{r, s})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func partsOf(s Signature) (r, half *big.Int) {
	return new(big.Int).SetBytes(s[:signatureS]), new(big.Int).SetBytes(s[signatureS:signatureV])
}

// Whatever half s is in and whatever v must be, the signature that our own key
// makes comes back from its numbers alone.
func TestSignatureFromDER(t *testing.T) {
	key := mustKey(t, strings.Repeat("07", 32))
	sawV := map[byte]bool{}
	for i := range 32 {
		digest := Keccak256([]byte{byte(i)})
		want := key.Sign(digest)
		sawV[want[signatureV]] = true
		r, s := partsOf(want)
		for name, half := range map[string]*big.Int{"low": s, "high": new(big.Int).Sub(bigOrder, s)} {
			got, err := SignatureFromDER(derOf(t, r, half), digest, key.Address())
			if err != nil || got != want {
				t.Errorf("%s s: %s, %v, want %s", name, got, err, want)
			}
		}
	}
	if len(sawV) != 2 {
		t.Errorf("only v %v was needed: the test shows too little", sawV)
	}
}

func TestSignatureFromDERRefuses(t *testing.T) {
	key, other := mustKey(t, strings.Repeat("07", 32)), mustKey(t, strings.Repeat("08", 32))
	digest := Keccak256([]byte("pay"))
	made := key.Sign(digest)
	r, s := partsOf(made)
	good := derOf(t, r, s)
	three, err := asn1.Marshal(struct{ R, S, T *big.Int }{r, s, big.NewInt(1)})
	if err != nil {
		t.Fatal(err)
	}
	long := append([]byte{0x30, 0x81, good[1]}, good[2:]...) // BER: a length in two bytes
	huge := new(big.Int).Lsh(big.NewInt(1), 256)
	for name, c := range map[string]struct {
		der    []byte
		digest Hash
		signer Address
		want   error
	}{
		"nothing":          {nil, digest, key.Address(), ErrSignatureDER},
		"half of it":       {good[:len(good)/2], digest, key.Address(), ErrSignatureDER},
		"raw r and s":      {made[:signatureV], digest, key.Address(), ErrSignatureDER},
		"bytes after it":   {append(good[:len(good):len(good)], 0), digest, key.Address(), ErrSignatureDER},
		"three numbers":    {three, digest, key.Address(), ErrSignatureDER},
		"BER":              {long, digest, key.Address(), ErrSignatureDER},
		"endless":          {make([]byte, 1<<20), digest, key.Address(), ErrSignatureDER},
		"r is 0":           {derOf(t, new(big.Int), s), digest, key.Address(), ErrSignatureR},
		"r is negative":    {derOf(t, new(big.Int).Neg(r), s), digest, key.Address(), ErrSignatureR},
		"r is n":           {derOf(t, bigOrder, s), digest, key.Address(), ErrSignatureR},
		"s is 0":           {derOf(t, r, new(big.Int)), digest, key.Address(), ErrSignatureS},
		"s is negative":    {derOf(t, r, new(big.Int).Neg(s)), digest, key.Address(), ErrSignatureS},
		"s is n":           {derOf(t, r, bigOrder), digest, key.Address(), ErrSignatureS},
		"s is above n":     {derOf(t, r, new(big.Int).Add(bigOrder, big.NewInt(1))), digest, key.Address(), ErrSignatureS},
		"another key's":    {good, digest, other.Address(), ErrSigner},
		"another digest's": {good, Keccak256([]byte("pay more")), key.Address(), ErrSigner},
		"r and s swapped":  {derOf(t, s, r), digest, key.Address(), ErrSigner},
		"nobody's":         {good, digest, Address{}, ErrSigner},
	} {
		if got, err := SignatureFromDER(c.der, c.digest, c.signer); !errors.Is(err, c.want) || got != (Signature{}) {
			t.Errorf("%s: %s, %v, want %v", name, got, err, c.want)
		}
	}
	if got, err := SignatureFromDER(derOf(t, huge, s), digest, key.Address()); err == nil {
		t.Errorf("r of 257 bits gives %s", got)
	}
}

// The public key of the secret 1 as a key service gives it.
func TestAddressFromPKIX(t *testing.T) {
	key := mustKey(t, strings.Repeat("0", 63)+"1")
	head, err := hex.DecodeString("3056301006072a8648ce3d020106052b8104000a034200")
	if err != nil {
		t.Fatal(err)
	}
	der := append(head, key.PublicKey()...)
	if got, err := AddressFromPKIX(der); err != nil || got != key.Address() {
		t.Errorf("%s, %v, want %s", got, err, key.Address())
	}
	p256 := strings.Replace(hex.EncodeToString(der), "06052b8104000a", "06052b81040022", 1) // another curve
	curve, err := hex.DecodeString(p256)
	if err != nil {
		t.Fatal(err)
	}
	off := append([]byte{}, der...)
	off[len(off)-1]++
	for name, bad := range map[string][]byte{
		"nothing": nil, "cut off": der[:len(der)-1], "bytes after it": append(der[:len(der):len(der)], 0),
		"another curve": curve, "the bare point": key.PublicKey(), "not on the curve": off,
	} {
		if got, err := AddressFromPKIX(bad); !errors.Is(err, ErrPublicKey) || !got.IsZero() {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

// Whatever a module answers, nothing panics, and what is taken is a signature of
// the expected key.
func FuzzSignatureFromDER(f *testing.F) {
	key := mustKey(f, strings.Repeat("07", 32))
	digest := Keccak256([]byte("fuzz"))
	r, s := partsOf(key.Sign(digest))
	f.Add(derOf(f, r, s))
	f.Add(derOf(f, r, new(big.Int).Sub(bigOrder, s)))
	f.Add([]byte{0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01})
	f.Fuzz(func(t *testing.T, der []byte) {
		if _, err := AddressFromPKIX(der); err != nil && !errors.Is(err, ErrPublicKey) {
			t.Errorf("an error of another kind: %v", err)
		}
		made, err := SignatureFromDER(der, digest, key.Address())
		if err != nil {
			return
		}
		if address, err := Recover(digest, made); err != nil || address != key.Address() {
			t.Errorf("%x gives %s, which recovers %s, %v", der, made, address, err)
		}
	})
}
