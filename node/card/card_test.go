package card

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

var update = flag.Bool("update", false, "write the golden file anew")

// keysOf are keys that follow from a letter.
func keysOf(letter byte) Keys {
	seed := bytes.Repeat([]byte{letter}, 32)
	admin, err := crypto.PrivateKeyFromBytes(seed)
	if err != nil {
		panic(err)
	}
	node := bytes.Repeat([]byte{letter, '.'}, 16)
	return Keys{Admin: admin, Consensus: ed25519.NewKeyFromSeed(seed), Node: ed25519.NewKeyFromSeed(node)}
}

// bank is what Bank A says of itself.
func bank() Card {
	return Card{
		Name: "Bank A & Söhne", Address: "bank-a.example:26656", Roles: []string{"validator", "issuer", "registrar"},
		Power: DefaultPower, Time: 1767323045,
	}
}

func signed(t testing.TB, c Card, letter byte) *Card {
	t.Helper()
	made, err := c.Sign(keysOf(letter))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// The bytes of a card never change.
func TestGoldenCard(t *testing.T) {
	const golden = "testdata/card.json"
	text := signed(t, bank(), 'a').Text()
	if *update {
		if err := os.WriteFile(golden, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, want) {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	c, err := Parse(want)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(c.Text(), want) || c.Peer() != c.NodeID.String()+"@bank-a.example:26656" {
		t.Errorf("read back: %+v", c)
	}
	member := c.Member()
	if member.Name != "Bank A & Söhne" || member.Admin != c.Admin || !slices.Equal(member.NodeIDs, []ledger.NodeID{c.NodeID}) {
		t.Errorf("member %+v", member)
	}
}

// Space between the parts is free: mail programs wrap and indent.
func TestSpaceIsFree(t *testing.T) {
	c := signed(t, bank(), 'a')
	compact, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(compact), "\r\n\t" + strings.ReplaceAll(string(c.Text()), "\n", "\r\n") + "  "} {
		if _, err := Parse([]byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Whatever is changed in a card after it was signed is found, and named.
func TestChangedCard(t *testing.T) {
	other := signed(t, bank(), 'b')
	const altered = "changed after it was signed"
	for _, c := range []struct {
		field string
		value any // nil removes the field
		want  string
	}{
		{"version", 2, "version: is 2"},
		{"version", "1", "version: "},
		{"version", nil, "version: is missing"},
		{"name", "Bank B", altered},
		{"name", "", "name: must be"},
		{"name", strings.Repeat("x", 200), "name: must be"},
		{"name", "a\u0007b", "name: must be"},
		{"name", nil, "name: is missing"},
		{"admin", other.Admin, altered},
		{"admin", "0x0000000000000000000000000000000000000000", "admin: is the zero address"},
		{"admin", "0x12", "admin: address"},
		{"admin", strings.ToLower(other.Admin.String()), "should be"},
		{"consensusKey", other.ConsensusKey, altered},
		{"consensusKey", "", "consensusKey: must be given"},
		{"consensusKey", "0x02" + strings.Repeat("ab", 32), "consensusKey: consensus key"}, // a compressed secp256k1 key
		{"consensusKey", "tendermint/PubKeySecp256k1", "consensusKey: consensus key"},
		{"nodeKey", other.NodeKey, "nodeId: is"},
		{"nodeKey", "0xabcd", "nodeKey: 2 bytes"},
		{"nodeKey", 7, "nodeKey: "},
		{"nodeKey", "zz", "nodeKey: it must be 0x"},
		{"nodeId", other.NodeID, "nodeId: is"},
		{"nodeId", strings.ToUpper(other.NodeID.String()), "nodeId: node ID"},
		{"address", "bank-b.example:26656", altered},
		{"address", "bank-a.example", "address: "},
		{"address", "0.0.0.0:26656", "address: "},
		{"address", "bank-a.example:0", "address: "},
		{"address", "", "address: "},
		{"roles", []string{"validator", "issuer"}, altered},
		{"roles", []string{"issuer", "validator"}, "roles: must stand in the order"},
		{"roles", []string{"validator", "validator"}, "listed twice"},
		{"roles", []string{"king"}, `role "king"`},
		{"roles", []string{"issuer"}, "power: must be 0"},
		{"roles", "validator", "roles: "},
		{"power", 2 * DefaultPower, altered},
		{"power", 5, "power: must be 0 or from"},
		{"power", uint64(ledger.MaxPower) + 1, "power: must be 0 or from"},
		{"power", -1, "power: "},
		{"power", 1.5, "power: "},
		{"networkId", "eu-clearing", altered},
		{"networkId", "eu clearing", "networkId"},
		{"time", 1767323046, altered},
		{"time", 0, "time: 0"},
		{"time", uint64(latestTime) + 1, "time: "},
		{"time", nil, "time: is missing"},
		{"adminSignature", other.AdminSignature, "adminSignature: is not by the key of admin"},
		{"adminSignature", "0x", "adminSignature: is not by"},
		{"consensusSignature", other.ConsensusSignature, "consensusSignature: is not by the key of consensusKey"},
		{"consensusSignature", "0x00", "consensusSignature: is not by"},
		{"nodeSignature", other.NodeSignature, "nodeSignature: is not by the key of nodeKey"},
		{"nodeSignature", nil, "nodeSignature: is missing"},
		{"note", "x", "note: a card has no such field"},
	} {
		t.Run(c.field, func(t *testing.T) {
			_, err := Parse(spoiled(t, c.field, c.value))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v: got %v, want something with %q", c.value, err, c.want)
			}
		})
	}
}

// spoiled is a good card with another value in one field, written in order.
func spoiled(t *testing.T, field string, value any) []byte {
	t.Helper()
	text := signed(t, bank(), 'a').Text()
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	found := false
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"version", "name", "admin", "consensusKey", "nodeKey", "nodeId", "address", "roles", "power",
		"networkId", "time", "adminSignature", "consensusSignature", "nodeSignature", "note"} {
		raw := fields[name]
		if name == field {
			raw, found = encoded, true
		}
		if raw != nil && string(raw) != "null" {
			lines = append(lines, `"`+name+`":`+string(raw))
		}
	}
	if !found {
		t.Fatalf("no field %s", field)
	}
	return []byte("{" + strings.Join(lines, ",") + "}")
}

// A text that another reader could understand differently is no card.
func TestTextRefused(t *testing.T) {
	good := string(signed(t, bank(), 'a').Text())
	for name, text := range map[string]string{
		"nothing":          "",
		"null":             "null",
		"a list":           "[" + good + "]",
		"two cards":        good + good,
		"cut off":          good[:len(good)-10],
		"a field twice":    strings.Replace(good, `"name":`, `"name": "Bank Z", "name":`, 1),
		"another order":    strings.Replace(good, `"version": 1,`, "", 1)[:len(good)-16] + `, "version": 1}`,
		"an escape":        strings.Replace(good, `Bank A`, `B\u0061nk A`, 1),
		"a number's form":  strings.Replace(good, `1000000`, `1000000.0`, 1),
		"null for a field": strings.Replace(good, `"networkId": ""`, `"networkId": null`, 1),
		"too long":         good + strings.Repeat(" ", MaxBytes),
		"digits in upper":  strings.Replace(good, `"nodeKey": "0x`, `"nodeKey": "0X`, 1),
	} {
		if c, err := Parse([]byte(text)); err == nil {
			t.Errorf("%s: taken for the card %s", name, c)
		}
	}
}

// A key for which anybody can make signatures proves nothing.
func TestKeyOfSmallOrder(t *testing.T) {
	c := *signed(t, bank(), 'a')
	c.ConsensusKey = ledger.ConsensusKey{1} // the neutral element
	message := c.message()
	admin := keysOf('a').Admin.Sign(crypto.Keccak256(message))
	c.AdminSignature, c.NodeSignature = admin[:], ed25519.Sign(keysOf('a').Node, message)
	forged := make([]byte, ed25519.SignatureSize)
	forged[0] = 1 // R is the neutral element and s is 0
	c.ConsensusSignature = forged
	if !ed25519.Verify(c.ConsensusKey[:], message, forged) {
		t.Fatal("the usual verification should be fooled by this")
	}
	if _, err := Parse(c.Text()); err == nil || !strings.Contains(err.Error(), "consensusSignature") {
		t.Errorf("got %v", err)
	}
}

// What cannot be a member is not signed.
func TestSignRefuses(t *testing.T) {
	for want, spoil := range map[string]func(*Card, *Keys){
		"name":      func(c *Card, _ *Keys) { c.Name = " " },
		"address":   func(c *Card, _ *Keys) { c.Address = "nowhere" },
		"power":     func(c *Card, _ *Keys) { c.Power = 1 },
		"roles":     func(c *Card, _ *Keys) { c.Roles = []string{"registrar", "validator"} },
		"networkId": func(c *Card, _ *Keys) { c.NetworkID = "?" },
		"time":      func(c *Card, _ *Keys) { c.Time = 0 },
		"nodeKey":   func(_ *Card, k *Keys) { k.Node = k.Consensus },
	} {
		c, k := bank(), keysOf('a')
		spoil(&c, &k)
		if _, err := c.Sign(k); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

// No text makes the reader panic, and what it takes is written as it was read.
func FuzzParse(f *testing.F) {
	good := signed(f, bank(), 'a')
	f.Add(good.Text())
	f.Add([]byte(`{"version":1}`))
	f.Add(bytes.Replace(good.Text(), []byte("validator"), []byte("auditor"), 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(data)
		if err != nil {
			return
		}
		again, err := Parse(c.Text())
		if err != nil || !bytes.Equal(again.Text(), c.Text()) {
			t.Errorf("%s is read and not read again: %v", data, err)
		}
	})
}
