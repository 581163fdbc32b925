package rpc

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// answer is a JSON-RPC response.
type answer struct {
	ID     json.RawMessage `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *answerError    `json:"error"`
}

type answerError struct {
	Code    int             `json:"code"`
	Message string          `json:"message"`
	RawData json.RawMessage `json:"data"`
	Data    wire.ErrorData  `json:"-"`
}

func readAnswer(t testing.TB, raw []byte) answer {
	t.Helper()
	var a answer
	if err := json.Unmarshal(raw, &a); err != nil {
		t.Fatalf("%v in the answer %q", err, raw)
	}
	if e := a.Error; e != nil && len(e.RawData) > 0 && e.RawData[0] == '"' {
		e.Data.Name = map[int]string{codeReverted: kindReverted.name, codeSyncTimeout: kindSyncTimeout.name}[e.Code]
	} else if e != nil {
		if err := json.Unmarshal(e.RawData, &e.Data); err != nil {
			t.Fatalf("%v in the data of %s", err, raw)
		}
	}
	return a
}

// harness is a server over a memory, and its contract.
type harness struct {
	*Server
	node     *memory
	contract *contract
}

func newHarness(t testing.TB, o Options) *harness {
	t.Helper()
	return newHarnessOf(t, o, newMemory(t))
}

func newHarnessOf(t testing.TB, o Options, node *memory) *harness {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	s, err := NewServer(node, o)
	if err != nil {
		t.Fatal(err)
	}
	return &harness{s, node, newContract(t)}
}

// post sends a body without a network.
func (h *harness) post(body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func request(method string, params ...any) string {
	if params == nil {
		params = []any{}
	}
	raw, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// call calls a method, and holds the answer to the contract.
func (h *harness) call(t testing.TB, method string, params ...any) answer {
	t.Helper()
	w := h.post(request(method, params...))
	if w.Code != http.StatusOK {
		t.Fatalf("HTTP %d for %s", w.Code, method)
	}
	a := readAnswer(t, w.Body.Bytes())
	if string(a.ID) != "1" {
		t.Errorf("id %s in the answer to %s", a.ID, method)
	}
	h.contract.check(t, method, a)
	return a
}

// result calls a method that must succeed.
func (h *harness) result(t testing.TB, into any, method string, params ...any) {
	t.Helper()
	a := h.call(t, method, params...)
	if a.Error != nil {
		t.Fatalf("%s: %+v", method, *a.Error)
	}
	if err := json.Unmarshal(a.Result, into); err != nil {
		t.Fatalf("%s: %v in %s", method, err, a.Result)
	}
}

// refused calls a method that must fail with a code and a name.
func (h *harness) refused(t testing.TB, code int, name, method string, params ...any) *answerError {
	t.Helper()
	a := h.call(t, method, params...)
	if a.Error == nil {
		t.Fatalf("%s%v: wanted the error %s, got %s", method, params, name, a.Result)
	}
	if a.Error.Code != code || a.Error.Data.Name != name {
		t.Errorf("%s%v: wanted %d %s, got %d %s (%s)", method, params, code, name, a.Error.Code, a.Error.Data.Name, a.Error.Message)
	}
	return a.Error
}

// payment is a transfer of the settlement asset from alice to bob.
func (h *harness) payment(nonce uint64, amount uint64) ledger.Body {
	return ledger.Body{Sender: alice, Nonce: ledger.Nonce(nonce), Op: &ledger.Transfer{Legs: []ledger.Leg{
		{From: alice, To: bob, Asset: h.node.net.Settlement, Amount: ledger.NewAmount(amount), Reference: "inv-1"},
	}}}
}

// signedBy is the raw bytes of a body signed by alice.
func (h *harness) signed(t testing.TB, b ledger.Body) *ledger.Tx {
	t.Helper()
	tx, code := ledger.Sign(h.node.net, b, ledger.SchemeTypedData, aliceKey)
	if code != ledger.Applied {
		t.Fatal(code)
	}
	return tx
}

func hexOf(b []byte) string {
	text, err := wire.Bytes(b).MarshalText()
	if err != nil {
		panic(err)
	}
	return string(text)
}

// rawTx is a payment ready to be sent.
func (h *harness) rawTx(t testing.TB, nonce, amount uint64) (*ledger.Tx, string) {
	t.Helper()
	tx := h.signed(t, h.payment(nonce, amount))
	return tx, hexOf(tx.Raw)
}

func compactJSON(t testing.TB, raw []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
