package rpc

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// FuzzBody posts anything: the answer is always HTTP 200 and either empty or
// JSON-RPC, with no code that clients retry by themselves, and never a trace
// of a crash inside.
func FuzzBody(f *testing.F) {
	h := newHarness(f, Options{WaitTimeout: 1e6, MaxBatch: 20}) // 1 ms
	for method, params := range validParams(f, h) {
		f.Add(request(method, params...))
	}
	f.Add(`[` + request("ledger_status") + `,7,{"jsonrpc":"2.0","method":"rpc.discover"}]`)
	f.Add(`{"jsonrpc":"2.0","id":{},"method":"ledger_getBlock","params":[{"a":[1e9999]}]}`)
	f.Add("{\"jsonrpc\":\"2.0\",\"id\":\"\\ud800\",\"method\":\"\xff\"}")
	for _, bad := range badBodies() {
		f.Add(`{"jsonrpc":"2.0","id":1,"method":"ledger_typedData","params":[` + bad + `]}`)
	}
	f.Fuzz(func(t *testing.T, body string) {
		w := h.post(body)
		if w.Code != http.StatusOK {
			t.Fatalf("HTTP %d", w.Code)
		}
		if w.Body.Len() == 0 {
			return
		}
		var answers []answer
		if raw := w.Body.Bytes(); raw[0] == '[' {
			if err := json.Unmarshal(raw, &answers); err != nil {
				t.Fatalf("%v in %s", err, raw)
			}
		} else {
			answers = []answer{readAnswer(t, raw)}
		}
		for _, a := range answers {
			if a.Error == nil {
				continue
			}
			switch a.Error.Code {
			case -1, -32603, -32005, -32007:
				t.Errorf("code %d: %s", a.Error.Code, a.Error.Message)
			}
			if len(a.Error.RawData) == 0 || strings.Contains(string(a.Error.RawData), `"internal"`) {
				t.Errorf("%s %s", a.Error.Message, a.Error.RawData)
			}
		}
	})
}
