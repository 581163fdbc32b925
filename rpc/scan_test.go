package rpc

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"
)

// FuzzScan compares the scanner with encoding/json on every valid text.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, ` [ ] `, `{"a":1}`, `{"a" : {"b":[1,"]"]} , "c":"\"}"}`, `[1, true,null ,"a,\\",{"x":[]},-1.5e3]`,
		`{"\u0061":"\\\"","a":[[[[]]]]}`, "[\n1\t,\r2 ]", `{"":""}`, `["\\"]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) || !utf8.Valid(raw) {
			return
		}
		switch trimmed := bytes.TrimSpace(raw); trimmed[0] {
		case '[':
			var want []json.RawMessage
			if err := json.Unmarshal(raw, &want); err != nil {
				t.Fatal(err)
			}
			n := 0
			for got := range elements(raw) {
				if n >= len(want) || !bytes.Equal(got, want[n]) {
					t.Fatalf("element %d is %q in %q", n, got, raw)
				}
				n++
			}
			if n != len(want) {
				t.Fatalf("%d elements of %d in %q", n, len(want), raw)
			}
		case '{':
			compareMembers(t, trimmed)
		}
	})
}

func compareMembers(t *testing.T, raw []byte) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	for got := range members(raw) {
		key, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		var want json.RawMessage
		if err := d.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if key != got.name() || !bytes.Equal(want, got.value) {
			t.Fatalf("member %q: %q in %q", got.key, got.value, raw)
		}
	}
	if d.More() {
		t.Fatalf("a member is missing in %q", raw)
	}
}
