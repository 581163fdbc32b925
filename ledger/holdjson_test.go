package ledger

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
)

// The JSON forms of holds: what may be left out, and what is refused, each for a
// reason that names what is wrong.
func TestHoldJSON(t *testing.T) {
	const (
		head  = `{"sender":"0x0000000000000000000000000000000000000001","nonce":1,`
		terms = `"from":"0x0000000000000000000000000000000000000001","to":"0x0000000000000000000000000000000000000002","asset":"0x0000000000000000000000000000000000000003","amount":"5"`
		id    = `"0x0000000000000000000000000000000000000004"`
	)
	hold := Hold{From: crypto.Address{19: 1}, To: crypto.Address{19: 2}, Asset: crypto.Address{19: 3}, Amount: NewAmount(5), Expiry: 9}
	arbitrated := hold
	arbitrated.Arbiter = crypto.Address{19: 4}
	moved := Leg{From: hold.From, To: hold.To, Asset: hold.Asset, Amount: hold.Amount}
	for text, want := range map[string]Operation{
		`"createHold":{` + terms + `,"expiry":9}}`:                                  (*CreateHold)(&hold),
		`"createHold":{` + terms + `,"expiry":9,"arbiter":` + id + `}}`:             (*CreateHold)(&arbitrated),
		`"captureHold":{"hold":` + id + `,"amount":"5"}}`:                           &CaptureHold{Hold: crypto.Address{19: 4}, Amount: NewAmount(5)},
		`"releaseHold":{"hold":` + id + `}}`:                                        &ReleaseHold{Hold: crypto.Address{19: 4}},
		`"settle":{}}`:                                                              &Settle{},
		`"settle":{"legs":[{` + terms + `}]}}`:                                      &Settle{Legs: []Leg{moved}},
		`"settle":{"holds":[{` + terms + `,"expiry":9}]}}`:                          &Settle{Holds: []Hold{hold}},
		`"settle":{"captures":[{"hold":` + id + `,"by":` + id + `,"amount":"5"}]}}`: &Settle{Captures: []Capture{{crypto.Address{19: 4}, crypto.Address{19: 4}, NewAmount(5)}}},
	} {
		var b Body
		if err := json.Unmarshal([]byte(head+text), &b); err != nil || !reflect.DeepEqual(b.Op, want) {
			t.Errorf("%s\n  became %+v (%v)", text, b.Op, err)
			continue
		}
		again, err := json.Marshal(b)
		if err != nil || len(again) != len(head+text) {
			t.Errorf("%s\n  is written %s (%v)", text, again, err)
		}
	}
	for text, want := range map[string]string{
		`"createHold":{` + terms + `}}`:                                   `"expiry" is missing`,
		`"createHold":{` + terms + `,"expiry":"9"}}`:                      "expiry",
		`"createHold":{` + terms + `,"expiry":-1}}`:                       "expiry",
		`"createHold":{` + terms + `,"expiry":1.5}}`:                      "expiry",
		`"createHold":{` + terms + `,"expiry":9,"arbiter":null}}`:         `"arbiter" in createHold is null`,
		`"createHold":{` + terms + `,"expiry":9,"arbiter":""}}`:           "address",
		`"createHold":{` + terms + `,"expiry":9,"expiry":10}}`:            `"expiry" is given twice`,
		`"createHold":{` + terms + `,"expiry":9,"left":"5"}}`:             `unknown field "left"`,
		`"captureHold":{"hold":` + id + `}}`:                              `"amount" is missing`,
		`"captureHold":{"hold":` + id + `,"amount":5}}`:                   "amount",
		`"captureHold":{"hold":` + id + `,"by":` + id + `,"amount":"5"}}`: `unknown field "by"`,
		`"releaseHold":{}}`:                                               `"hold" is missing`,
		`"settle":{"captures":null}}`:                                     `"captures" in settle is null`,
		`"settle":{"captures":[{"hold":` + id + `,"amount":"5"}]}}`:       `"by" is missing in settle.captures[0]`,
		`"settle":{"captures":[null]}}`:                                   "is null",
		`"settle":{"legs":[{` + terms + `,"expiry":9}]}}`:                 `unknown field "expiry"`,
		`"settle":{"holds":[{` + terms + `}]}}`:                           `"expiry" is missing in settle.holds[0]`,
		`"settle":{"legs":[],"legs":[]}}`:                                 `"legs" is given twice`,
		`"settle":{"releases":[]}}`:                                       `unknown field "releases"`,
	} {
		var b Body
		if err := json.Unmarshal([]byte(head+text), &b); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n  error %v, want one with %q", text, err, want)
		}
	}
}

// What a settlement with empty lists shows a wallet has all its types.
func TestSettleShowsTypesOfEmptyLists(t *testing.T) {
	net := fuzzNet(t)
	leg := Leg{From: crypto.Address{1}, To: crypto.Address{2}, Asset: crypto.Address{3}, Amount: NewAmount(5)}
	full := &Settle{
		Captures: []Capture{{crypto.Address{4}, crypto.Address{1}, NewAmount(5)}}, Legs: []Leg{leg},
		Holds: []Hold{{From: leg.From, To: leg.To, Asset: leg.Asset, Amount: leg.Amount, Expiry: 9}},
	}
	want := net.TypedData(&Body{Sender: leg.From, Op: full}).Types
	for _, op := range []*Settle{{Captures: full.Captures}, {Legs: full.Legs}, {Holds: full.Holds}} {
		shown := net.TypedData(&Body{Sender: leg.From, Op: op})
		if !reflect.DeepEqual(shown.Types, want) {
			t.Errorf("%+v shows the types %v, want %v", op, shown.Types, want)
		}
		for _, list := range []string{"captures", "legs", "holds"} {
			if values, ok := shown.Message[list].([]any); !ok || values == nil {
				t.Errorf("%s is shown as %#v", list, shown.Message[list])
			}
		}
	}
}

// Records of holds that no block can have made are not read.
func TestDecodeHoldRefuses(t *testing.T) {
	good := Hold{From: crypto.Address{1}, To: crypto.Address{2}, Arbiter: crypto.Address{3}, Asset: crypto.Address{4}, Amount: NewAmount(5), Expiry: 9, Reference: "r"}
	written := func(change func(*Hold)) []byte {
		h, w := good, encoder{}
		change(&h)
		writeHold(&w, &h)
		return w.out
	}
	if h, err := DecodeHold(written(func(*Hold) {})); err != nil || h != good {
		t.Fatalf("%+v, %v", h, err)
	}
	plain := written(func(h *Hold) { h.Arbiter = crypto.Address{} })
	if h, err := DecodeHold(plain); err != nil || !h.Arbiter.IsZero() {
		t.Fatalf("%+v, %v", h, err)
	}
	for name, value := range map[string][]byte{
		"nothing":             nil,
		"an empty list":       {0xc0},
		"one byte more":       append(slices.Clone(plain), 0),
		"cut":                 plain[:len(plain)-1],
		"payer zero":          written(func(h *Hold) { h.From = crypto.Address{} }),
		"payee zero":          written(func(h *Hold) { h.To = crypto.Address{} }),
		"asset zero":          written(func(h *Hold) { h.Asset = crypto.Address{} }),
		"to oneself":          written(func(h *Hold) { h.To = h.From }),
		"arbiter is a party":  written(func(h *Hold) { h.Arbiter = h.To }),
		"nothing left":        written(func(h *Hold) { h.Amount = Amount{} }),
		"expiry out of range": written(func(h *Hold) { h.Expiry = 1 << 53 }),
		"reference too long":  written(func(h *Hold) { h.Reference = strings.Repeat("r", 36) }),
		"reference hidden":    written(func(h *Hold) { h.Reference = "a\nb" }),
	} {
		if _, err := DecodeHold(value); err == nil {
			t.Errorf("%s: %x is taken for a hold", name, value)
		}
	}
}
