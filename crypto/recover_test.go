package crypto

import (
	"crypto/sha256"
	"math/big"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"pgregory.net/rapid"
)

// recoverer is one way to recover an address. Recover uses the library of the
// build; btcec is there in every build. Without cgo the two are one.
type recoverer struct {
	name    string
	recover func(Hash, Signature) (Address, error)
}

var recoverers = []recoverer{
	{"Recover with " + RecoveryLibrary, Recover},
	{"btcec", func(digest Hash, sig Signature) (Address, error) {
		if err := sig.Check(); err != nil {
			return Address{}, err
		}
		return recoverBtcec(digest, sig)
	}},
}

// recoverBoth runs every way and fails the test when they differ in address,
// in error or in the error's text.
func recoverBoth(t rapid.TB, digest Hash, sig Signature) (Address, error) {
	t.Helper()
	address, err := recoverers[0].recover(digest, sig)
	for _, other := range recoverers[1:] {
		otherAddress, otherErr := other.recover(digest, sig)
		if otherAddress != address || otherErr != err {
			t.Fatalf("digest %s, signature %s:\n%s: %s, %v\n%s: %s, %v", digest, sig,
				recoverers[0].name, address, err, other.name, otherAddress, otherErr)
		}
	}
	if err != nil && !address.IsZero() {
		t.Fatalf("digest %s, signature %s: %s beside the error %v", digest, sig, address, err)
	}
	return address, err
}

// noncePoint returns r and the parity of Y of the point k·G.
func noncePoint(t testing.TB, k int64) (r *big.Int, v byte) {
	t.Helper()
	b := word(t, big.NewInt(k))
	_, public := btcec.PrivKeyFromBytes(b[:])
	return new(big.Int).Mod(public.X(), bigOrder), byte(public.Y().Bit(0))
}

// offCurve returns the least r from start on, in steps of step, that is no X
// coordinate of the curve y² = x³ + 7.
func offCurve(start *big.Int, step int64) *big.Int {
	p := btcec.S256().P
	for x := new(big.Int).Set(start); ; x.Add(x, big.NewInt(step)) {
		y2 := new(big.Int).Exp(x, big.NewInt(3), p)
		if big.Jacobi(y2.Add(y2, big.NewInt(7)), p) == -1 {
			return x
		}
	}
}

// hardCase is an input near an edge of the recovery's arithmetic.
type hardCase struct {
	name   string
	digest Hash
	r, s   *big.Int
	v      byte
	want   error // nil: some address
}

// hardCases lists what recovery could get wrong: points that are not there, a
// key at infinity, a doubling in the last addition, digests at the order.
func hardCases(t testing.TB) []hardCase {
	t.Helper()
	const k = 7
	r, v := noncePoint(t, k)
	s := big.NewInt(1000003)
	atInfinity := new(big.Int).Mod(new(big.Int).Mul(s, big.NewInt(k)), bigOrder)
	doubling := new(big.Int).Sub(bigOrder, atInfinity)
	digest := Keccak256([]byte("hard"))
	cases := []hardCase{
		{"point at infinity", word(t, atInfinity), r, s, v, ErrRecover},
		{"point at infinity, digest above n", word(t, new(big.Int).Add(atInfinity, bigOrder)), r, s, v, ErrRecover},
		{"its mirror", word(t, atInfinity), r, s, v ^ 1, nil},
		{"doubling", word(t, doubling), r, s, v, nil},
		{"doubling mirrored", word(t, doubling), r, s, v ^ 1, ErrRecover},
		{"digest zero", Hash{}, r, s, v, nil},
		{"digest n", curveOrder, r, s, v, nil},
		{"digest n+1", word(t, plus(bigOrder, 1)), r, s, v, nil},
		{"digest all ones", word(t, bigMax), r, s, v, nil},
		{"s is n/2", digest, r, bigHalf, v, nil},
		{"s is n/2+1", digest, r, plus(bigHalf, 1), v, ErrSignatureS},
		{"s is n", digest, r, bigOrder, v, ErrSignatureS},
		{"s is 0", digest, r, new(big.Int), v, ErrSignatureS},
		{"r is 0", digest, new(big.Int), s, v, ErrSignatureR},
		{"r is n", digest, bigOrder, s, v, ErrSignatureR},
		{"r is n+1", digest, plus(bigOrder, 1), s, v, ErrSignatureR},
		{"r is p", digest, btcec.S256().P, s, v, ErrSignatureR},
		{"r off the curve, small", digest, offCurve(big.NewInt(1), 1), s, 0, ErrRecover},
		{"r off the curve, below n", digest, offCurve(plus(bigOrder, -1), -1), s, 1, ErrRecover},
		{"r off the curve, middle", digest, offCurve(bigHalf, 1), s, 0, ErrRecover},
	}
	for _, wrong := range []byte{2, 3, 4, 27, 28, 31, 255} {
		cases = append(cases, hardCase{"v out of range", digest, r, s, wrong, ErrSignatureV})
	}
	return cases
}

func TestRecoverHardCases(t *testing.T) {
	for _, c := range hardCases(t) {
		t.Run(c.name, func(t *testing.T) {
			sig := makeSignature(t, c.r, c.s, c.v)
			address, err := recoverBoth(t, c.digest, sig)
			if err != c.want {
				t.Errorf("v %d: %s, %v, want error %v", c.v, address, err, c.want)
			}
			if err == nil && address.IsZero() {
				t.Error("recovered the zero address")
			}
		})
	}
}

// One bit changed in the digest or in r or s gives another signer or none.
func TestRecoverEveryBitCounts(t *testing.T) {
	key := mustKey(t, "0101010101010101010101010101010101010101010101010101010101010101")
	digest := Keccak256([]byte("every bit"))
	sig := key.Sign(digest)
	for bit := range 8 * HashSize {
		changed := digest
		changed[bit/8] ^= 1 << (bit % 8)
		if address, _ := recoverBoth(t, changed, sig); address == key.Address() {
			t.Errorf("digest bit %d does not count", bit)
		}
	}
	for bit := range 8 * SignatureSize {
		changed := sig
		changed[bit/8] ^= 1 << (bit % 8)
		if address, _ := recoverBoth(t, digest, changed); address == key.Address() {
			t.Errorf("signature bit %d does not count", bit)
		}
	}
}

// Signatures that nobody made, drawn at random: about half recover something.
func TestRecoverDifferential(t *testing.T) {
	draw32 := rapid.SliceOfN(rapid.Byte(), 32, 32)
	recovered, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		digest := Hash(draw32.Draw(t, "digest"))
		var sig Signature
		copy(sig[:], draw32.Draw(t, "r"))
		copy(sig[signatureS:], draw32.Draw(t, "s"))
		sig[signatureS] &= 0x7f
		sig[signatureV] = rapid.SampledFrom([]byte{0, 1}).Draw(t, "v")
		if _, err := recoverBoth(t, digest, sig); err == nil {
			recovered++
		} else {
			refused++
		}
	})
	if recovered == 0 || refused == 0 {
		t.Errorf("%d recovered, %d refused: the inputs are not mixed", recovered, refused)
	}
}

// FuzzRecoverDifferential looks for an input that the two libraries judge
// differently. It tells something only where cgo is on.
func FuzzRecoverDifferential(f *testing.F) {
	for _, c := range hardCases(f) {
		r, s := word(f, c.r), word(f, c.s)
		f.Add(c.digest[:], r[:], s[:], c.v)
	}
	for d := int64(-3); d <= 3; d++ {
		r, s := word(f, plus(bigOrder, d)), word(f, plus(bigHalf, d))
		f.Add(r[:], r[:], s[:], byte(d&1))
	}
	key := mustKey(f, "0202020202020202020202020202020202020202020202020202020202020202")
	for i := range byte(4) {
		digest := Hash(sha256.Sum256([]byte{i}))
		sig := key.Sign(digest)
		f.Add(digest[:], sig[:signatureS], sig[signatureS:signatureV], sig[signatureV])
	}
	f.Fuzz(func(t *testing.T, digest, r, s []byte, v byte) {
		var d Hash
		copy(d[:], digest)
		var sig Signature
		copy(sig[:signatureS], r)
		copy(sig[signatureS:signatureV], s)
		sig[signatureV] = v
		_, err := recoverBoth(t, d, sig)
		if checked := sig.Check(); checked != nil && err != checked {
			t.Errorf("signature %s: Check says %v, Recover %v", sig, checked, err)
		}
		if parsed, err := ParseSignature(sig[:]); err == nil {
			if _, err := recoverBoth(t, d, parsed); err != nil && err != ErrRecover {
				t.Errorf("signature %s parses but is refused: %v", sig, err)
			}
		}
	})
}

func BenchmarkRecover(b *testing.B) {
	key := mustKey(b, "0101010101010101010101010101010101010101010101010101010101010101")
	digest := Keccak256([]byte("benchmark"))
	sig := key.Sign(digest)
	for _, r := range recoverers {
		b.Run(r.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.recover(digest, sig); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
