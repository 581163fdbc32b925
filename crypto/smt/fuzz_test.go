package smt

import (
	"testing"

	ics23 "github.com/cosmos/ics23/go"
)

// FuzzVerify hands Verify any bytes that decode to a proof, for any key. It
// must not panic, and what it accepts must be true of the content.
func FuzzVerify(f *testing.F) {
	fix := newFixture(f)
	for _, key := range []string{string(fix.present), string(fix.absent), "absent", fix.order[0]} {
		bz, err := fix.prove(f, key).Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(key), []byte(fix.content[key]), bz)
	}
	f.Add([]byte("a"), []byte(nil), []byte{})
	f.Fuzz(func(t *testing.T, key, value, bz []byte) {
		proof := new(ics23.CommitmentProof)
		if proof.Unmarshal(bz) != nil {
			return
		}
		have, present := fix.content[string(key)]
		if Verify(fix.root, key, nil, proof) == nil && present {
			t.Fatalf("key %q was proved absent", key)
		}
		for _, v := range [][]byte{value, proof.GetExist().GetValue()} {
			if len(v) > 0 && Verify(fix.root, key, v, proof) == nil && (!present || have != string(v)) {
				t.Fatalf("key %q was proved to have %q", key, v)
			}
		}
	})
}
