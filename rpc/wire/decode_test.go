package wire

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// fullEvent draws an event with every field that its type carries.
func fullEvent(t *rapid.T) ledger.Event {
	address := func(label string) crypto.Address {
		return crypto.Address(rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, label))
	}
	text := rapid.StringMatching(`[a-zA-Z0-9 "\\é€]{0,12}`)
	all := ledger.Event{
		Account: address("account"), From: address("from"), To: address("to"), Asset: address("asset"),
		Amount:    ledger.NewAmount(rapid.Uint64().Draw(t, "amount")),
		Reference: text.Draw(t, "reference"), Symbol: text.Draw(t, "symbol"), Name: text.Draw(t, "name"),
		Decimals: rapid.Uint8().Draw(t, "decimals"), Flags: rapid.Uint32().Draw(t, "flags"),
		Other: address("other"), Number: rapid.Uint64Range(1, 2).Draw(t, "number"),
		Until: ledger.UnixTime(rapid.Uint64Max(ledger.MaxJSONInteger).Draw(t, "until")),
		Hash:  crypto.Keccak256([]byte(text.Draw(t, "hashed"))),
	}
	all.Type = rapid.SampledFrom(ledger.EventTypes()).Draw(t, "type")
	fillMembership(t, &all, address("member"))
	switch all.Type {
	case ledger.EventRolesChanged:
		all.Flags %= 16
	case ledger.EventValidatorKeyChanged:
		all.Keys = "0x" + strings.Repeat("5a", 32)
	case ledger.EventVoteCast:
		all.Decimals %= 4
	case ledger.EventProposalCreated:
		all.Flags %= ledger.MaxProposalDelay
	}
	event, ok := ledger.ParseEvent(all.Type.Name(), all.Attributes())
	if !ok {
		t.Fatalf("the ledger does not read its own event %+v", all)
	}
	return event
}

// fillMembership draws what the events of accounts and members carry.
func fillMembership(t *rapid.T, e *ledger.Event, member crypto.Address) {
	switch e.Type {
	case ledger.EventAuthorityChanged:
		e.Number = rapid.Uint64Max(1<<33).Draw(t, "threshold")
		e.Keys = rapid.SampledFrom([]string{"", "0x00000000000000000000000000000000000000aa=7", "0x00000000000000000000000000000000000000aa=1,0x00000000000000000000000000000000000000ab=4294967295"}).Draw(t, "keys")
	case ledger.EventMemberAdmitted:
		e.Flags, e.Number = rapid.Uint32Max(15).Draw(t, "roles"), rapid.Uint64Max(ledger.MaxPower).Draw(t, "power")
		e.Keys = rapid.SampledFrom([]string{"", "0x" + strings.Repeat("5a", 32)}).Draw(t, "key")
		e.Nodes = rapid.SampledFrom([]string{"", strings.Repeat("0b", 20), strings.Repeat("0b", 20) + "," + strings.Repeat("c0", 20)}).Draw(t, "nodes")
	}
	e.Other = member
}

func TestEventComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := fullEvent(t)
		text, err := json.Marshal(Event{want})
		if err != nil {
			t.Fatal(err)
		}
		var got Event
		if err := json.Unmarshal(text, &got); err != nil || got.Event != want {
			t.Fatalf("%s came back as %+v, %v", text, got, err)
		}
	})
}

func TestEventRefused(t *testing.T) {
	good := `{"type":"accountCreated","account":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"}`
	var e Event
	if err := json.Unmarshal([]byte(good), &e); err != nil {
		t.Fatal(err)
	}
	const asset = `"asset":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"`
	created := func(decimals, flags string) string {
		return `{"type":"assetCreated",` + asset + `,"symbol":"A","name":"n","decimals":` + decimals +
			`,"issuer":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed","cap":"0","flags":` + flags + `}`
	}
	if err := json.Unmarshal([]byte(created("2", "0")), &e); err != nil {
		t.Fatal(err)
	}
	const parties = `"from":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed","to":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",` + asset
	held := func(expiry string) string {
		return `{"type":"holdCreated","hold":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",` + parties +
			`,"arbiter":"0x0000000000000000000000000000000000000000","amount":"1","reference":"","expiry":` + expiry + `}`
	}
	if err := json.Unmarshal([]byte(held("5")), &e); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"not an object":     {`[]`, "event"},
		"null field":        {`{"type":null}`, "not a string"},
		"no type":           {`{"account":"x"}`, "unknown type"},
		"unknown type":      {`{"type":"burned"}`, `unknown type "burned"`},
		"type unknown":      {`{"type":"unknown"}`, "unknown type"},
		"field missing":     {`{"type":"accountCreated"}`, "1 fields, want 2"},
		"field too many":    {strings.Replace(good, "}", `,"memo":"x"}`, 1), "3 fields, want 2"},
		"field of another":  {`{"type":"assetPaused","account":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"}`, `"asset" is missing`},
		"wrong checksum":    {strings.Replace(good, "aA", "AA", 1), "checksum"},
		"number for string": {`{"type":"assetPaused","asset":7}`, "not a string"},
		"decimals a string": {created(`"2"`, "0"), "not a number"},
		"decimals too big":  {created("256", "0"), "value"},
		"flags negative":    {created("2", "-1"), "not a number"},
		"flags a fraction":  {created("2", "1.5"), "value"},
		"flags null":        {created("2", "null"), "not a number"},
		"expiry a string":   {held(`"5"`), "not a number"},
		"expiry too late":   {held("9007199254740992"), "value"},
		"cause of nothing":  {`{"type":"holdReleased","hold":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",` + parties + `,"amount":"1","cause":"lost"}`, "value"},
		"amount not a number": {`{"type":"issue",` + asset +
			`,"to":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed","amount":"-1","reference":""}`, "value"},
	} {
		var got Event
		err := json.Unmarshal([]byte(c.text), &got)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
		if got.Event != (ledger.Event{}) {
			t.Errorf("%s: an event beside the error: %+v", name, got)
		}
	}
}

func FuzzEvent(f *testing.F) {
	f.Add([]byte(`{"type":"accountCreated","account":"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"}`))
	f.Add([]byte(`{"type":"assetPaused","asset":"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"}`))
	f.Add([]byte(`{"type":"issue","asset":"","to":"","amount":"1","reference":"\ud800"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var e Event
		if json.Unmarshal(data, &e) != nil {
			return
		}
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatalf("%s was read but cannot be written: %v", data, err)
		}
		var again Event
		if err := json.Unmarshal(text, &again); err != nil || again != e {
			t.Fatalf("%s came back as %+v, %v", text, again, err)
		}
	})
}
