package bench

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// response is what a node writes for a receipt.
func response(t testing.TB, id uint64, r wire.Receipt) []byte {
	t.Helper()
	body, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%d,"result":%s}`, id, body)
}

// tricky is a receipt whose texts look like the members that are scanned for.
func tricky() wire.Receipt {
	transfer := ledger.Event{Type: ledger.EventTransfer, Reference: `,"code":9,"height":9,"events":`}
	return wire.Receipt{
		Hash: crypto.Hash{1}, Height: 123456, Code: 109, Kind: "transfer", Status: "refused", Message: "the available balance is too small",
		Events: []wire.Event{{Event: transfer}},
	}
}

func TestRequestIsJSON(t *testing.T) {
	var call struct {
		JSONRPC string
		ID      uint64
		Method  string
		Params  []json.RawMessage
	}
	if err := json.Unmarshal(appendRequest(nil, 7, []byte{0xab, 0}, 1500), &call); err != nil {
		t.Fatal(err)
	}
	if call.JSONRPC != "2.0" || call.ID != 7 || call.Method != "ledger_sendRawTransactionSync" ||
		string(call.Params[0]) != `"0xab00"` || string(call.Params[1]) != "1500" {
		t.Errorf("%+v", call)
	}
}

func TestUsualReceiptIsScanned(t *testing.T) {
	a, ok := scanReceipt(response(t, 42, tricky()))
	if want := (answer{id: 42, height: 123456, code: 109}); !ok || a != want {
		t.Errorf("%+v, %v; want %+v", a, ok, want)
	}
}

func TestParseAnswer(t *testing.T) {
	for text, want := range map[string]answer{
		`{"id":3,"jsonrpc":"2.0","result":{"code":0,"height":4,"hash":"0x"}}`:                                                             {id: 3, height: 4},
		`{"jsonrpc":"2.0","id":3,"error":{"code":-32002,"message":"m","data":{"name":"busy"}}}`:                                           {id: 3, failed: true, rpc: -32002, name: "busy", text: "m"},
		`{"jsonrpc":"2.0","id":3,"error":{"code":-32003,"message":"m","data":{"name":"nonceSpent","code":22}}}`:                           {id: 3, failed: true, rpc: -32003, name: "nonceSpent", code: 22, text: "m"},
		`{"jsonrpc":"2.0","id":3,"error":{"code":-32601,"message":"no method"}}`:                                                          {id: 3, failed: true, rpc: -32601, text: "no method"},
		`{"jsonrpc":"2.0","id":18446744073709551615,"result":{"hash":"0x1","height":5,"code":7,"events":[]}}`:                             {id: 1<<64 - 1, height: 5, code: 7},
		`{"jsonrpc":"2.0","id":5,"result":{"hash":"0x1","bodyHash":"0x2","height":5,"kind":"transfer","code":7,"status":"","events":[]}}`: {id: 5, height: 5, code: 7},
	} {
		if got, err := parseAnswer([]byte(text)); err != nil || got != want {
			t.Errorf("%s is %+v, %v; want %+v", text, got, err, want)
		}
	}
}

func TestParseAnswerRefused(t *testing.T) {
	for text, want := range map[string]string{
		``:                                      "not understood",
		`[]`:                                    "not understood",
		`{"jsonrpc":"2.0","id":1`:               "not understood",
		`{"jsonrpc":"2.0"}`:                     "without id",
		`{"id":null,"result":{}}`:               "without id",
		`{"id":-1,"result":{}}`:                 "not understood",
		`{"id":1}`:                              "without a receipt",
		`{"id":1,"result":null}`:                "without a receipt",
		`{"id":1,"result":{}}`:                  "without a receipt",
		`{"id":1,"result":"0x"}`:                "not understood",
		`{"id":1,"result":{"code":4294967296}}`: "not understood",
		`{"jsonrpc":"2.0","id":1,"result":{"hash":"0x","height":1,"code":99999999999999999999,"events":[]}}`: "not understood",
	} {
		if a, err := parseAnswer([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is %+v, error %v; want %q", text, a, err, want)
		}
	}
}

// What the scanner takes from the nodes' own layout, the JSON decoder reads
// too.
func FuzzScanReceipt(f *testing.F) {
	f.Add("reference", uint64(1), uint32(0), uint64(9))
	f.Add(`,"events":`, uint64(1<<53), uint32(109), uint64(1<<40))
	f.Fuzz(func(t *testing.T, text string, height uint64, code uint32, id uint64) {
		r := tricky()
		r.Height, r.Code = height%(ledger.MaxJSONInteger+1), code
		r.Events[0].Reference = text
		message := response(t, id%1e17, r)
		a, ok := scanReceipt(message)
		if want := (answer{id: id % 1e17, height: ledger.Height(r.Height), code: ledger.Code(code)}); !ok || a != want {
			t.Errorf("%s is %+v, %v; want %+v", message, a, ok, want)
		}
	})
}

// Bytes from a hostile node are refused or read, and nothing else.
func FuzzParseAnswer(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"result":{"hash":"0x","height":1,"code":0,"events":[]}}`))
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"error":{"code":-32002,"data":7}}`))
	f.Add([]byte(`{"jsonrpc":"2.0","id":`))
	f.Fuzz(func(t *testing.T, message []byte) {
		a, err := parseAnswer(message)
		if err != nil && a != (answer{}) {
			t.Errorf("an answer beside the error: %+v", a)
		}
	})
}

func BenchmarkScanReceipt(b *testing.B) {
	message := response(b, 42, tricky())
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := scanReceipt(message); !ok {
			b.Fatal("not scanned")
		}
	}
}
