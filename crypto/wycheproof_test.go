package crypto

import (
	"bytes"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
)

// wycheproofFile is the shape of the trimmed files in testdata; see the README
// there.
type wycheproofFile struct {
	NumberOfTests int `json:"numberOfTests"`
	TestGroups    []struct {
		PublicKey string           `json:"publicKey"`
		SHA       string           `json:"sha"`
		Tests     []wycheproofTest `json:"tests"`
	} `json:"testGroups"`
}

type wycheproofTest struct {
	ID      int    `json:"tcId"`
	Comment string `json:"comment"`
	Message string `json:"msg"`
	Sig     string `json:"sig"`
	Result  string `json:"result"`
}

// eachWycheproof calls run for every test of a file, with its public key and
// the digest of its message.
func eachWycheproof(t *testing.T, path string, run func(*testing.T, wycheproofTest, []byte, Hash)) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file wycheproofFile
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, group := range file.TestGroups {
		if group.SHA != "SHA-256" {
			t.Fatalf("hash %s", group.SHA)
		}
		for _, test := range group.Tests {
			count++
			run(t, test, unhex(t, group.PublicKey), sha256.Sum256(unhex(t, test.Message)))
		}
	}
	if count != file.NumberOfTests || count == 0 {
		t.Fatalf("%d tests, expected %d", count, file.NumberOfTests)
	}
}

func unhex(t *testing.T, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// recovers reports whether r and s recover the key with v 0 or 1, and fails
// the test if they do so with both.
func recovers(t *testing.T, key []byte, digest Hash, r, s *big.Int) bool {
	t.Helper()
	want, err := AddressFromPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	hits := 0
	for v := range byte(2) {
		if address, err := recoverBoth(t, digest, makeSignature(t, r, s, v)); err == nil && address == want {
			hits++
		}
	}
	if hits == 2 {
		t.Error("both values of v recover the key")
	}
	return hits == 1
}

// reducedR reports whether the signature's point has an X coordinate of n or
// more, so that it would need v 2 or 3, which the ledger refuses.
func reducedR(key []byte, digest Hash, r, s *big.Int) bool {
	compact := make([]byte, SignatureSize)
	r.FillBytes(compact[1:33])
	s.FillBytes(compact[33:])
	for v := byte(2); v < 4; v++ {
		compact[0] = compactOffset + v
		public, _, err := ecdsa.RecoverCompact(compact, digest[:])
		if err == nil && bytes.Equal(public.SerializeUncompressed(), key) {
			return true
		}
	}
	return false
}

// Wycheproof's vectors are for verification. Here each becomes a recovery: a
// valid signature recovers its public key for one v, an invalid one for none.
// A valid one with s above n/2 is refused and its low twin recovers the key.
func TestWycheproofP1363(t *testing.T) {
	valid, high, reduced := 0, 0, 0
	path := "testdata/wycheproof_ecdsa_secp256k1_sha256_p1363.json"
	eachWycheproof(t, path, func(t *testing.T, test wycheproofTest, key []byte, digest Hash) {
		sig := unhex(t, test.Sig)
		if len(sig) != signatureV {
			// Our form has a fixed width; what does not fit it is no signature.
			if test.Result != "invalid" {
				t.Errorf("test %d: valid with %d bytes", test.ID, len(sig))
			}
			if _, err := ParseSignature(append(sig, 0)); err == nil {
				t.Errorf("test %d: accepted %d bytes", test.ID, len(sig))
			}
			return
		}
		r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])
		isHigh := s.Cmp(bigHalf) > 0 && s.Cmp(bigOrder) < 0
		if isHigh && recovers(t, key, digest, r, s) {
			t.Errorf("test %d (%s): recovered with s above n/2", test.ID, test.Comment)
		}
		if isHigh {
			high++
			s.Sub(bigOrder, s)
		}
		got := recovers(t, key, digest, r, s)
		switch {
		case got:
			valid++
		case test.Result == "valid" && reducedR(key, digest, r, s):
			reduced++
			return
		}
		if want := test.Result == "valid"; got != want {
			t.Errorf("test %d (%s): recovered %v, want %v", test.ID, test.Comment, got, want)
		}
	})
	t.Logf("%d recovered, %d with s above n/2, %d need v 2 or 3", valid, high, reduced)
	if valid < 100 || high == 0 {
		t.Error("the vectors were not put to use")
	}
}

// strictDER reads r and s from their one canonical encoding, and reports whether
// it is that and both fit 32 bytes.
func strictDER(sig []byte) (r, s *big.Int, fits bool) {
	var parts struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(sig, &parts); err != nil {
		return nil, nil, false
	}
	again, err := asn1.Marshal(parts)
	if err != nil || !bytes.Equal(again, sig) || parts.R.Sign() < 0 || parts.S.Sign() < 0 {
		return nil, nil, false
	}
	return parts.R, parts.S, parts.R.BitLen() <= 256 && parts.S.BitLen() <= 256
}

// Bitcoin's variant also demands a low s and strict DER, and so is our rule
// exactly once the encoding is stripped.
func TestWycheproofBitcoin(t *testing.T) {
	valid, refused := 0, 0
	path := "testdata/wycheproof_ecdsa_secp256k1_sha256_bitcoin.json"
	eachWycheproof(t, path, func(t *testing.T, test wycheproofTest, key []byte, digest Hash) {
		r, s, fits := strictDER(unhex(t, test.Sig))
		got := fits && recovers(t, key, digest, r, s)
		switch {
		case got:
			valid++
		case fits && test.Result == "valid" && reducedR(key, digest, r, s):
			return
		case fits:
			refused++
		}
		if want := test.Result == "valid"; got != want {
			t.Errorf("test %d (%s): recovered %v, want %v", test.ID, test.Comment, got, want)
		}
	})
	t.Logf("%d recovered, %d refused by their numbers", valid, refused)
	if valid < 100 || refused < 50 {
		t.Error("the vectors were not put to use")
	}
}
