package ledger

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	oneAddress = `"0x0000000000000000000000000000000000000001"`
	bodyHead   = `{"sender":` + oneAddress + `,"nonce":1,`
)

// wholeBodies is a body of each kind with every field that must be there, and
// none that may be left out.
var wholeBodies = []string{
	bodyHead + `"transfer":{"legs":[{"from":` + oneAddress + `,"to":` + oneAddress + `,"asset":` + oneAddress + `,"amount":"7"}]}}`,
	bodyHead + `"createAsset":{"symbol":"A","name":"An asset","decimals":2,"cap":"0","flags":0}}`,
	bodyHead + `"issue":{"asset":` + oneAddress + `,"to":` + oneAddress + `,"amount":"7"}}`,
	bodyHead + `"redeem":{"asset":` + oneAddress + `,"from":` + oneAddress + `,"amount":"7"}}`,
	bodyHead + `"pauseAsset":{"asset":` + oneAddress + `}}`,
	bodyHead + `"resumeAsset":{"asset":` + oneAddress + `}}`,
	bodyHead + `"setKeys":{"threshold":2,"keys":[{"address":` + oneAddress + `,"weight":2}]}}`,
	bodyHead + `"admitAccount":{"account":` + oneAddress + `}}`,
	bodyHead + `"freezeAccount":{"account":` + oneAddress + `}}`,
	bodyHead + `"unfreezeAccount":{"account":` + oneAddress + `}}`,
	bodyHead + `"closeAccount":{"account":` + oneAddress + `}}`,
}

const wholeGenesis = `{"networkId":"a","chainId":1337,"settlement":"A",
	"params":{"accountPolicy":"open","maxNewAccounts":9,"maxMultiPartyLifetime":60,"maxBlockSignatures":64,"maxBlockLegs":4096,"maxBlockBytes":524288},
	"assets":[{"symbol":"A","name":"A","decimals":2,"issuer":` + oneAddress + `,"cap":"0","flags":0}],
	"accounts":[{"address":` + oneAddress + `}],
	"balances":[{"account":` + oneAddress + `,"symbol":"A","amount":"1"}]}`

// spoil calls do with each way to leave out a field of a JSON value, to make it
// null, and to write its name in another way.
func spoil(t *testing.T, value any, do func(name string)) {
	t.Helper()
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			spoil(t, item, do)
		}
	case map[string]any:
		for name, item := range v {
			spoil(t, item, do)
			delete(v, name)
			for _, other := range []string{strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:], strings.Replace(name, "s", "ſ", 1), strings.Replace(name, "k", "\u212a", 1)} {
				if other != name {
					v[other] = item
					do(other)
					delete(v, other)
				}
			}
			v[name] = nil
			do(name)
			delete(v, name)
			do(name)
			v[name] = item
		}
	}
}

// TestEveryFieldIsNeeded: no field of a body or genesis may be missing, null or
// written in another case, but for the few that may be left out.
func TestEveryFieldIsNeeded(t *testing.T) {
	check := func(text string, read func([]byte) error) {
		if err := read([]byte(text)); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		cases := 0
		spoil(t, value, func(name string) {
			cases++
			bad, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			err = read(bad)
			if err == nil || (!strings.Contains(err.Error(), `"`+name+`"`) && !strings.Contains(err.Error(), "exactly one operation")) {
				t.Errorf("%s\n  without %s: %v", bad, name, err)
			}
		})
		if cases < 16 {
			t.Errorf("only %d cases of %s", cases, text)
		}
	}
	for _, text := range wholeBodies {
		check(text, func(b []byte) error { return new(Body).UnmarshalJSON(b) })
	}
	check(wholeGenesis, func(b []byte) error { _, err := ParseGenesis(b); return err })
}

// TestFieldsLeftOut: these alone may be left out; null is not leaving out.
func TestFieldsLeftOut(t *testing.T) {
	for _, text := range []string{
		strings.Replace(wholeBodies[0], `"nonce"`, `"validUntil":5,"memo":"m","nonce"`, 1),
		strings.Replace(wholeBodies[0], `"7"`, `"7","reference":"r"`, 1),
		strings.Replace(wholeBodies[2], `"7"`, `"7","reference":"r"`, 1),
		strings.Replace(wholeBodies[3], `"7"`, `"7","reference":"r"`, 1),
		bodyHead + `"freezeAccount":{"account":` + oneAddress + `,"reference":"r"}}`,
		bodyHead + `"unfreezeAccount":{"account":` + oneAddress + `,"reference":"r"}}`,
		bodyHead + `"setKeys":{"threshold":0,"keys":[]}}`,
	} {
		if err := new(Body).UnmarshalJSON([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{
		strings.Replace(wholeBodies[0], `"nonce"`, `"validUntil":null,"nonce"`, 1),
		strings.Replace(wholeBodies[0], `"nonce"`, `"memo":null,"nonce"`, 1),
		strings.Replace(wholeBodies[0], `"7"`, `"7","reference":null`, 1),
		strings.Replace(wholeBodies[0], `"nonce"`, `"issue":null,"nonce"`, 1),
		strings.Replace(wholeBodies[0], `[{`, `[null,{`, 1),
	} {
		if err := new(Body).UnmarshalJSON([]byte(text)); err == nil || !strings.Contains(err.Error(), "is null") {
			t.Errorf("%s: %v", text, err)
		}
	}
	keys := `{"address":` + oneAddress + `,"keys":[{"address":` + oneAddress + `,"weight":2}],"threshold":2}`
	text := strings.Replace(wholeGenesis, `{"address":`+oneAddress+`}`, keys, 1)
	if _, err := ParseGenesis([]byte(text)); err != nil {
		t.Error(err)
	}
	for _, name := range []string{`"address":` + oneAddress + `,"weight"`, `"weight":2`} {
		bad := strings.Replace(text, name, strings.Trim(strings.TrimPrefix(name, `"address":`+oneAddress), ","), 1)
		if name == `"weight":2` {
			bad = strings.Replace(text, `,"weight":2`, ``, 1)
		}
		if _, err := ParseGenesis([]byte(bad)); err == nil || !strings.Contains(err.Error(), "accounts[0].keys[0]") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	empty, err := json.Marshal(Genesis{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseGenesis(empty); err != nil {
		t.Errorf("an empty genesis, as it is written: %v", err)
	}
	if _, err := ParseGenesis([]byte(`null`)); err == nil {
		t.Error("null is a genesis")
	}
}

// TestSurrogates: half a pair is no character, and must not become another one.
func TestSurrogates(t *testing.T) {
	with := func(memo string) []byte {
		return []byte(strings.Replace(wholeBodies[4], `"nonce"`, `"memo":"`+memo+`","nonce"`, 1))
	}
	for memo, want := range map[string]string{
		`\ud83d\ude00`: "😀", `\uD83D\uDE00!`: "😀!", `\\ud800`: `\ud800`, `\u00e9`: "é", `\ufffd`: "\ufffd", `\\\ud83d\ude00`: `\😀`, `\ud7ff\ue000`: "\ud7ff\ue000",
	} {
		var b Body
		if err := b.UnmarshalJSON(with(memo)); err != nil || b.Memo != want {
			t.Errorf("%s: %q, %v", memo, b.Memo, err)
		}
	}
	for _, memo := range []string{
		`\ud800`, `\udfff`, `\uDC00`, `\ud800x`, `\ud83d\n\ude00`, `\ud83d\ud83d\ude00`, `\ude00\ud83d`, `\ud83d\\ude00`, `\ud83d\u0041`, `\\\ud800`, `a\udbff`,
	} {
		if err := new(Body).UnmarshalJSON(with(memo)); err == nil || !strings.Contains(err.Error(), "surrogate") {
			t.Errorf("%s: %v", memo, err)
		}
	}
	name := []byte(strings.Replace(wholeBodies[4], `"nonce"`, `"mem\ud800o":"","nonce"`, 1))
	if err := new(Body).UnmarshalJSON(name); err == nil {
		t.Error("in a name")
	}
}

// TestEscapedNames: an escape writes the same name, and so counts as the same.
func TestEscapedNames(t *testing.T) {
	escaped := strings.Replace(wholeBodies[4], `"nonce"`, `"n\u006fnce"`, 1)
	if err := new(Body).UnmarshalJSON([]byte(escaped)); err != nil {
		t.Error(err)
	}
	twice := strings.Replace(wholeBodies[4], `"nonce"`, `"n\u006fnce":1,"nonce"`, 1)
	if err := new(Body).UnmarshalJSON([]byte(twice)); err == nil || !strings.Contains(err.Error(), `"nonce" is given twice`) {
		t.Error(err)
	}
}

// TestGoldenGenesisIsStrict: what the documents show is read.
func TestGoldenGenesisIsStrict(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "genesis.json"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseGenesis(text); err != nil {
		t.Error(err)
	}
}
