package ledger

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
)

var zeroAddress crypto.Address

func keccak(s string) crypto.Hash { return crypto.Keccak256([]byte(s)) }

// TestBodyJSONRefuses: JSON whose meaning could be doubted is refused, each
// for a reason that names what is wrong.
func TestBodyJSONRefuses(t *testing.T) {
	const (
		head = `{"sender":"0x0000000000000000000000000000000000000001","nonce":1,`
		op   = `"pauseAsset":{"asset":"0x0000000000000000000000000000000000000002"}}`
		leg  = `"from":"0x0000000000000000000000000000000000000001","to":"0x0000000000000000000000000000000000000001","asset":"0x0000000000000000000000000000000000000002"`
	)
	var b Body
	if err := json.Unmarshal([]byte(head+op), &b); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		`{"nonce":1,` + op: `"sender" is missing`,
		`{"sender":"0x0000000000000000000000000000000000000001",` + op: `"nonce" is missing`,
		`{"sender":null,"nonce":1,` + op:                               `"sender" is null`,
		head + `"memo":"x"}`:                                           "has 0",
		head + `"transfer":null}`:                                      `"transfer" is null`,
		head + `"resumeAsset":{"asset":"0x0000000000000000000000000000000000000002"},` + op: "has 2",
		head + `"other":1,` + op: `unknown field "other"`,
		head + `"nonce":2,` + op: `"nonce" is given twice`,
		head + `"Nonce":2,` + op: `unknown field "Nonce"`,
		head + `"pauseAsset":{"asset":"0x0000000000000000000000000000000000000003"},` + op: "given twice",
		head + "\"memo\":\"\xff\"," + op:                                                                                            "UTF-8",
		head + `"memo":7,` + op:                                                                                                     "memo",
		strings.Replace(head, `:1,`, `:-1,`, 1) + op:                                                                                "nonce",
		strings.Replace(head, `:1,`, `:1.5,`, 1) + op:                                                                               "nonce",
		strings.Replace(head, `:1,`, `:"1",`, 1) + op:                                                                               "nonce",
		strings.Replace(head, `:1,`, `:18446744073709551616,`, 1) + op:                                                              "nonce",
		strings.Replace(head, `0001`, `001`, 1) + op:                                                                                "address",
		head + `"transfer":{"legs":[{` + leg + `,"amount":1}]}}`:                                                                    "amount",
		head + `"transfer":{"legs":[{` + leg + `,"amount":"01"}]}}`:                                                                 "leading zero",
		head + `"transfer":{"legs":[{` + leg + `,"amount":"-1"}]}}`:                                                                 "not a digit",
		head + `"transfer":{"legs":[{` + leg + `,"amount":"1e3"}]}}`:                                                                "not a digit",
		head + `"transfer":{"legs":[{` + leg + `,"amount":""}]}}`:                                                                   "empty",
		head + `"transfer":{"legs":[{` + leg + `,"amount":"340282366920938463463374607431768211456"}]}}`:                            "2^128",
		head + `"transfer":{"legs":[{` + leg + `,"amount":"1","amount":"2"}]}}`:                                                     `"amount" is given twice`,
		head + `"createAsset":{"symbol":"A","name":"A","decimals":256,"cap":"0","flags":0}}`:                                        "decimals",
		head + `"createAsset":{"symbol":"A","name":"A","decimals":0,"cap":"0","flags":4294967296}}`:                                 "flags",
		head + `"setKeys":{"threshold":1,"keys":[{"address":"0x0000000000000000000000000000000000000002","weight":4294967296}]}}`:   "weight",
		head + `"setKeys":{"threshold":"1","keys":[]}}`:                                                                             "threshold",
		head + `"setKeys":{"threshold":1,"keys":null}}`:                                                                             `"keys" in setKeys is null`,
		head + `"setKeys":{"threshold":1,"keys":[{"address":"0x0000000000000000000000000000000000000002","weight":1,"weight":2}]}}`: `"weight" is given twice in setKeys.keys[0]`,
		head + `"freezeAccount":{"account":"0x0000000000000000000000000000000000000002","reference":null}}`:                         `"reference" in freezeAccount is null`,
		`[]`:   "array",
		`null`: "is null",
	} {
		err := json.Unmarshal([]byte(text), &b)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n  error %v, want one with %q", text, err, want)
		}
	}
	if err := (&Body{}).UnmarshalJSON([]byte(head + op + " {}")); err == nil || !strings.Contains(err.Error(), "after the JSON value") {
		t.Errorf("trailing value: %v", err)
	}
	if _, err := json.Marshal(Body{}); err == nil {
		t.Error("a body without an operation was written")
	}
	if code := CheckBody(fuzzNet(t), &Body{}); code != CodeInvalidField {
		t.Errorf("a body without an operation: %s", code)
	}
}

// TestBuildFaults: Build answers with the fault that comes first, and never
// with a transaction that Decode would take otherwise.
func TestBuildFaults(t *testing.T) {
	net := fuzzNet(t)
	key, err := crypto.PrivateKeyFromBytes(keyBytes("a key"))
	if err != nil {
		t.Fatal(err)
	}
	good := Body{Sender: key.Address(), Op: &PauseAsset{Asset: net.Settlement}}
	long := good
	long.Memo = strings.Repeat("m", 257)
	for _, one := range []struct {
		name       string
		body       Body
		signatures []Signature
		want       Code
	}{
		{"good", good, nil, Applied},
		{"no operation", Body{Sender: key.Address()}, nil, CodeInvalidField},
		{"memo and signature", long, []Signature{{Scheme: 1}}, CodeLimitExceeded},
		{"scheme", good, []Signature{{Scheme: 2}}, CodeInvalidField},
		{"signature", good, []Signature{{Scheme: 1}}, CodeInvalidSignature},
		{"65 signatures", good, make([]Signature, 65), CodeLimitExceeded},
	} {
		if _, code := Build(net, one.body, one.signatures); code != one.want {
			t.Errorf("%s: %s, want %s", one.name, code, one.want)
		}
	}
	if _, code := Sign(net, good, SchemeTypedData, key, key); code != CodeSignatureOrder {
		t.Errorf("one key twice: %s", code)
	}
	for _, scheme := range []Scheme{SchemeTypedData, SchemeBodyHash} {
		if tx, code := Sign(net, Body{Sender: key.Address()}, scheme, key); tx != nil || code != CodeInvalidField {
			t.Errorf("signed without an operation: %v %s", tx, code)
		}
	}
	if _, code := Sign(net, good, 2, key); code != CodeInvalidField {
		t.Errorf("signed under a scheme that is none: %s", code)
	}
}

// failing is a state that cannot be read at one key.
type failing struct {
	Reader
	key string
}

var errDisk = errors.New("disk on fire")

func (f failing) Get(key []byte) ([]byte, error) {
	if strings.HasPrefix(string(key), f.key) {
		return nil, errDisk
	}
	return f.Reader.Get(key)
}

// TestMachineErrors: an error of the reader, or a record that does not decode,
// is an error that names the key, and never a code.
func TestMachineErrors(t *testing.T) {
	net := fuzzNet(t)
	key, err := crypto.PrivateKeyFromBytes(keyBytes("a key"))
	if err != nil {
		t.Fatal(err)
	}
	self := key.Address()
	state := MapState{KeyParams: encodeParams(DefaultParams())}
	put := func(key, value []byte) { state[string(key)] = value }
	var account, asset encoder
	writeAccount(&account, &Account{Status: StatusActive})
	writeAsset(&asset, &Asset{Symbol: "A", Name: "A", Issuer: self, Status: AssetActive, Supply: NewAmount(9)})
	var balance encoder
	writeBalance(&balance, &Balance{Available: NewAmount(9)})
	put(KeyAccount(self), account.out)
	put(KeyAsset(net.Settlement), asset.out)
	put(KeyBalance(self, net.Settlement), balance.out)
	body := Body{Sender: self, Op: &Transfer{Legs: []Leg{{From: self, To: self, Asset: net.Settlement, Amount: NewAmount(1)}}}}
	tx, code := Sign(net, body, SchemeBodyHash, key)
	if code != Applied {
		t.Fatal(code)
	}
	block := Block{Txs: []*Tx{tx}}
	if r, err := Apply(net, block, state); err != nil || r.Results[0].Code != Applied {
		t.Fatalf("%+v %v", r, err)
	}
	for _, prefix := range []string{KeyParams, prefixAccount, prefixAsset, prefixBalance} {
		if _, err := Apply(net, block, failing{state, prefix}); !errors.Is(err, errDisk) || !strings.Contains(err.Error(), strings.TrimSuffix(prefix, "/")) {
			t.Errorf("%s: Apply says %v", prefix, err)
		}
		for k := range state {
			if strings.HasPrefix(k, prefix) {
				broken := MapState{}
				for key, value := range state {
					broken[key] = value
				}
				broken[k] = []byte{0xc1, 0x00}
				if _, err := Simulate(net, 0, broken, tx); err == nil || !strings.Contains(err.Error(), "not well formed") {
					t.Errorf("%q: Simulate says %v", k, err)
				}
			}
		}
	}
	if _, err := Includable(net, 0, failing{state, prefixAccount}, tx); !errors.Is(err, errDisk) {
		t.Errorf("Includable says %v", err)
	}
	if _, err := CheckBlock(net, block, failing{state, prefixAccount}); !errors.Is(err, errDisk) {
		t.Errorf("CheckBlock says %v", err)
	}
}

func keyBytes(s string) []byte { h := keccak(s); return h[:] }
