package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Messages that are wrong before any method is reached.
func TestBrokenMessages(t *testing.T) {
	h := newHarness(t, Options{MaxBatch: 10})
	batch := func(n int) string {
		return "[" + strings.TrimSuffix(strings.Repeat(request("ledger_status")+",", n), ",") + "]"
	}
	for _, c := range []struct {
		name, body string
		code       int
		kind       string
		id         string
	}{
		{"nothing", ``, codeParseError, "parseError", "null"},
		{"blanks", " \n\t", codeParseError, "parseError", "null"},
		{"half an object", `{"jsonrpc":"2.0"`, codeParseError, "parseError", "null"},
		{"two objects", `{} {}`, codeParseError, "parseError", "null"},
		{"a comma too many", `{"jsonrpc":"2.0",}`, codeParseError, "parseError", "null"},
		{"not UTF-8", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ledger_\xff\"}", codeParseError, "parseError", "null"},
		{"nested too deep", strings.Repeat("[", 20000) + strings.Repeat("]", 20000), codeParseError, "parseError", "null"},
		{"a number", `7`, codeInvalidRequest, "invalidRequest", "null"},
		{"null", `null`, codeInvalidRequest, "invalidRequest", "null"},
		{"a text", `"ledger_status"`, codeInvalidRequest, "invalidRequest", "null"},
		{"an empty object", `{}`, codeInvalidRequest, "invalidRequest", "null"},
		{"an empty batch", `[]`, codeInvalidRequest, "invalidRequest", "null"},
		{"no version", `{"id":5,"method":"ledger_status"}`, codeInvalidRequest, "invalidRequest", "5"},
		{"version 1", `{"jsonrpc":"1.0","id":5,"method":"ledger_status"}`, codeInvalidRequest, "invalidRequest", "5"},
		{"version as a number", `{"jsonrpc":2.0,"id":5,"method":"ledger_status"}`, codeInvalidRequest, "invalidRequest", "5"},
		{"no method", `{"jsonrpc":"2.0","id":"a"}`, codeInvalidRequest, "invalidRequest", `"a"`},
		{"method as a number", `{"jsonrpc":"2.0","id":"a","method":1}`, codeInvalidRequest, "invalidRequest", `"a"`},
		{"method null", `{"jsonrpc":"2.0","id":"a","method":null}`, codeInvalidRequest, "invalidRequest", `"a"`},
		{"id as an object", `{"jsonrpc":"2.0","id":{},"method":"ledger_status"}`, codeInvalidRequest, "invalidRequest", "null"},
		{"id as a boolean", `{"jsonrpc":"2.0","id":true,"method":"ledger_status"}`, codeInvalidRequest, "invalidRequest", "null"},
		{"method twice", `{"jsonrpc":"2.0","id":1,"method":"ledger_status","method":"ledger_status"}`, codeInvalidRequest, "invalidRequest", "null"},
		{"params twice, once escaped", `{"jsonrpc":"2.0","id":1,"method":"ledger_status","params":[],"par\u0061ms":[]}`, codeInvalidRequest, "invalidRequest", "null"},
		{"a response", `{"jsonrpc":"2.0","id":1,"result":7}`, codeInvalidRequest, "invalidRequest", "1"},
		{"an unknown method", `{"jsonrpc":"2.0","id":1,"method":"ledger_mint"}`, codeMethodNotFound, "methodNotFound", "1"},
		{"the dispatcher's own method", `{"jsonrpc":"2.0","id":1,"method":"rpc_modules"}`, codeMethodNotFound, "methodNotFound", "1"},
		{"the internal method", `{"jsonrpc":"2.0","id":1,"method":"rpc_refuse","params":[{"code":1,"message":"x","data":{}}]}`, codeMethodNotFound, "methodNotFound", "1"},
		{"a subscription", `{"jsonrpc":"2.0","id":1,"method":"ledger_subscribe","params":["newBlocks"]}`, wire.CodeInvalidInput, "webSocketOnly", "1"},
		{"an end of a subscription", `{"jsonrpc":"2.0","id":1,"method":"ledger_unsubscribe","params":["0x1"]}`, wire.CodeInvalidInput, "webSocketOnly", "1"},
		{"the dispatcher's own subscription", `{"jsonrpc":"2.0","id":1,"method":"rpc_subscribe","params":["newBlocks"]}`, codeMethodNotFound, "methodNotFound", "1"},
		{"a method's name in capitals", `{"jsonrpc":"2.0","id":1,"method":"LEDGER_STATUS"}`, codeMethodNotFound, "methodNotFound", "1"},
		{"a very long method", `{"jsonrpc":"2.0","id":1,"method":"` + strings.Repeat("m", 100_000) + `"}`, codeMethodNotFound, "methodNotFound", "1"},
		{"named params", `{"jsonrpc":"2.0","id":1,"method":"ledger_getReceipt","params":{"hash":"0x"}}`, codeInvalidParams, "invalidParams", "1"},
		{"params as a text", `{"jsonrpc":"2.0","id":1,"method":"ledger_getReceipt","params":"0x"}`, codeInvalidParams, "invalidParams", "1"},
		{"a batch too long", batch(11), codeInvalidRequest, "batchTooLarge", "null"},
		{"a batch of 1000", batch(1000), codeInvalidRequest, "batchTooLarge", "null"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := h.post(c.body)
			a := readAnswer(t, w.Body.Bytes())
			if w.Code != http.StatusOK || a.Error == nil || a.Error.Code != c.code || a.Error.Data.Name != c.kind || string(a.ID) != c.id {
				t.Fatalf("HTTP %d %.300s", w.Code, w.Body)
			}
			if len(a.Error.Message) > 500 || a.Error.Message == "" {
				t.Errorf("message of %d bytes", len(a.Error.Message))
			}
			h.contract.checkError(t, "", a)
		})
	}
	h.result(t, new(wire.Status), "ledger_status") // alive
}

func TestBatch(t *testing.T) {
	h := newHarness(t, Options{})
	w := h.post(`[
		{"jsonrpc":"2.0","id":1,"method":"ledger_status"},
		{"jsonrpc":"2.0","id":2,"method":"nope"},
		{"jsonrpc":"2.0","method":"ledger_status"},
		{"jsonrpc":"2.0","method":"nope"},
		{"jsonrpc":"2.0","id":3,"method":"rpc.discover"},
		7,
		{"jsonrpc":"2.0","id":"4","method":"ledger_getReceipt","params":[1]},
		{"jsonrpc":"2.0","id":null,"method":"ledger_status","params":null}
	]`)
	var answers []answer
	if err := json.Unmarshal(w.Body.Bytes(), &answers); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	want := []struct {
		id   string
		code int
	}{{"1", 0}, {"2", codeMethodNotFound}, {"3", 0}, {"null", codeInvalidRequest}, {`"4"`, codeInvalidParams}, {"null", 0}}
	if len(answers) != len(want) {
		t.Fatalf("%d answers: %s", len(answers), w.Body)
	}
	for i, a := range answers {
		code := 0
		if a.Error != nil {
			code = a.Error.Code
		}
		if string(a.ID) != want[i].id || code != want[i].code {
			t.Errorf("answer %d: %s %+v", i, a.ID, a.Error)
		}
	}
	if compactJSON(t, answers[2].Result) != compactJSON(t, h.openRPC) {
		t.Error("rpc.discover is not the document")
	}
}

func TestDiscoverByBothNames(t *testing.T) {
	h := newHarness(t, Options{Version: "v9"})
	for _, body := range []string{`{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}`, `{"jsonrpc":"2.0","id":1,"method":"rpc_discover"}`, `{"method":"rpc\u002ediscover","id":1,"jsonrpc":"2.0","params":[]}`} {
		a := readAnswer(t, h.post(body).Body.Bytes())
		if a.Error != nil || !strings.Contains(string(a.Result), `"version":"v9"`) {
			t.Errorf("%s: %.200s %+v", body, a.Result, a.Error)
		}
	}
}

func TestWaitingCallsOfABatchAreFew(t *testing.T) {
	h := newHarness(t, Options{})
	var calls []string
	for range maxBatchWaits + 2 {
		calls = append(calls, request("ledger_waitReceipt", crypto.Hash{1}, 0))
	}
	var answers []answer
	w := h.post("[" + strings.Join(calls, ",") + "]")
	if err := json.Unmarshal(w.Body.Bytes(), &answers); err != nil {
		t.Fatal(err)
	}
	for i, a := range answers {
		want := wire.CodeUnavailable
		if i >= maxBatchWaits {
			want = wire.CodeInvalidInput
		}
		if a.Error == nil || a.Error.Code != want {
			t.Errorf("answer %d: %+v", i, a.Error)
		}
	}
}

func TestAnswersOfABatchAreBounded(t *testing.T) {
	h := newHarness(t, Options{})
	n := maxBatchResponse/len(h.openRPC) + 2
	h.options.MaxBatch = n
	w := h.post("[" + strings.TrimSuffix(strings.Repeat(request("rpc_discover")+",", n), ",") + "]")
	var answers []answer
	if err := json.Unmarshal(w.Body.Bytes(), &answers); err != nil {
		t.Fatal(err)
	}
	last := answers[len(answers)-1]
	if len(answers) != n || answers[0].Error != nil || last.Error == nil || last.Error.Code != wire.CodeInvalidInput {
		t.Errorf("%d answers, the last %+v", len(answers), last.Error)
	}
	if w.Body.Len() > maxBatchResponse+1<<20 {
		t.Errorf("%d bytes", w.Body.Len())
	}
}

func TestNotificationHasNoAnswer(t *testing.T) {
	h := newHarness(t, Options{})
	tx, raw := h.rawTx(t, 0, 1)
	w := h.post(`{"jsonrpc":"2.0","method":"ledger_sendRawTransaction","params":["` + raw + `"]}`)
	if w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Errorf("HTTP %d %q", w.Code, w.Body)
	}
	h.result(t, new(wire.Receipt), "ledger_getReceipt", tx.Hash)
}

// What HTTP itself can carry wrong. No status here is one that clients retry.
func TestHTTP(t *testing.T) {
	h := newHarness(t, Options{Access: Access{AllowedOrigins: []string{"https://app.example"}}})
	good := request("ledger_status")
	for _, c := range []struct {
		name, method, path, body string
		header                   map[string]string
		status                   int
		contains                 string
	}{
		{"GET", "GET", "/", "", nil, 200, "curl"},
		{"HEAD", "HEAD", "/", "", nil, 200, ""},
		{"PUT", "PUT", "/", good, nil, 405, "invalidRequest"},
		{"DELETE", "DELETE", "/", "", nil, 405, "invalidRequest"},
		{"TRACE", "TRACE", "/", "", nil, 405, "invalidRequest"},
		{"OPTIONS", "OPTIONS", "/", "", nil, 204, ""},
		{"another path", "POST", "/rpc", good, nil, 404, "invalidRequest"},
		{"JSON with a charset", "POST", "/", good, map[string]string{"Content-Type": "application/json; charset=utf-8"}, 200, "chainId"},
		{"JSON-RPC", "POST", "/", good, map[string]string{"Content-Type": "application/json-rpc"}, 200, "chainId"},
		{"curl's default type", "POST", "/", good, map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, 415, "content-type: application/json"},
		{"a web page's type", "POST", "/", good, map[string]string{"Content-Type": "text/plain"}, 415, "content-type: application/json"},
		{"no type", "POST", "/", good, map[string]string{"Content-Type": ""}, 415, "content-type: application/json"},
		{"a broken type", "POST", "/", good, map[string]string{"Content-Type": ";;;"}, 415, "content-type: application/json"},
		{"gzip", "POST", "/", good, map[string]string{"Content-Encoding": "gzip"}, 415, "content-encoding"},
		{"a strange page", "POST", "/", good, map[string]string{"Origin": "https://evil.example"}, 400, "invalidRequest"},
		{"a page on this host", "POST", "/", good, map[string]string{"Origin": "http://localhost:3000"}, 400, "invalidRequest"},
		{"a page without a name", "POST", "/", good, map[string]string{"Origin": "null"}, 400, "invalidRequest"},
		{"its preflight", "OPTIONS", "/", "", map[string]string{"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}, 400, "invalidRequest"},
		{"an allowed page", "POST", "/", good, map[string]string{"Origin": "https://App.example"}, 200, "chainId"},
		{"its preflight", "OPTIONS", "/", "", map[string]string{"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}, 204, ""},
		{"a wallet's extension", "POST", "/", good, map[string]string{"Origin": "chrome-extension://abc"}, 200, "chainId"},
		{"a broken handshake", "GET", "/", "", map[string]string{"Upgrade": "websocket", "Connection": "Upgrade"}, 400, ""},
	} {
		t.Run(c.name+" "+c.method, func(t *testing.T) {
			r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
			r.Header.Set("Content-Type", "application/json")
			for k, v := range c.header {
				r.Header.Set(k, v)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.contains) {
				t.Errorf("HTTP %d %s", w.Code, w.Body)
			}
			if granted := w.Header().Get("Access-Control-Allow-Origin"); (granted != "") != (c.header["Origin"] != "" && c.status < 300) {
				t.Errorf("origin granted: %q", granted)
			}
		})
	}
}

// listening serves h on a real port, as the node does.
func listening(t testing.TB, h *harness) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server
}

func postTo(t testing.TB, url string, body io.Reader) (*http.Response, []byte) {
	t.Helper()
	response, err := http.Post(url, "application/json", body)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, raw
}

func TestBodiesTooLong(t *testing.T) {
	h := newHarness(t, Options{MaxBodyBytes: 1 << 20})
	server := listening(t, h)
	chunked := func(b []byte) io.Reader { return io.MultiReader(bytes.NewReader(b)) }
	for name, body := range map[string]io.Reader{
		"1 MiB and one byte": bytes.NewReader(bytes.Repeat([]byte(" "), 1<<20+1)),
		"10 MB":              bytes.NewReader(bytes.Repeat([]byte("9"), 10_000_000)),
		"10 MB in chunks":    chunked(bytes.Repeat([]byte("9"), 10_000_000)),
		"2 MB in chunks":     chunked(bytes.Repeat([]byte("9"), 2_000_000)),
	} {
		t.Run(name, func(t *testing.T) {
			response, err := http.Post(server.URL, "application/json", body)
			if err != nil {
				if strings.HasPrefix(name, "10 MB") { // more than is read away: the connection may break first
					return
				}
				t.Fatal(err)
			}
			raw, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			if a := readAnswer(t, raw); response.StatusCode != 200 || a.Error == nil || a.Error.Data.Name != "requestTooLarge" || a.Error.Code != codeInvalidRequest {
				t.Errorf("HTTP %d %s", response.StatusCode, raw)
			}
		})
	}
	full := request("ledger_status")
	full += strings.Repeat(" ", 1<<20-len(full))
	if _, raw := postTo(t, server.URL, strings.NewReader(full)); readAnswer(t, raw).Error != nil {
		t.Errorf("a body of exactly the limit: %.200s", raw)
	}
}

func TestSlowBody(t *testing.T) {
	h := newHarness(t, Options{ReadTimeout: 50 * time.Millisecond})
	server := listening(t, h)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"jsonrpc\"")
	raw, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(raw), "HTTP/1.1 200") || !strings.Contains(string(raw), "requestTimeout") {
		t.Errorf("%s", raw)
	}
}

// A connection is used again after a wait that was longer than ReadTimeout.
func TestReadTimeoutIsForTheBodyAlone(t *testing.T) {
	h := newHarness(t, Options{ReadTimeout: 30 * time.Millisecond})
	server := listening(t, h)
	for range 2 {
		_, raw := postTo(t, server.URL, strings.NewReader(request("ledger_waitReceipt", crypto.Hash{1}, 90)))
		if a := readAnswer(t, raw); a.Error == nil || a.Error.Data.Name != "timeout" {
			t.Errorf("%s", raw)
		}
	}
}

func TestBodyThatBreaksOff(t *testing.T) {
	h := newHarness(t, Options{})
	r := httptest.NewRequest(http.MethodPost, "/", io.MultiReader(strings.NewReader("{"), brokenReader{}))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if a := readAnswer(t, w.Body.Bytes()); a.Error == nil || a.Error.Data.Name != "invalidRequest" {
		t.Errorf("%s", w.Body)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// eventually waits for a condition.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func TestWaitingCallsAreBounded(t *testing.T) {
	h := newHarness(t, Options{MaxWaiting: 2})
	var wait sync.WaitGroup
	tx, raw := h.rawTx(t, 0, 1)
	for range 2 {
		wait.Go(func() {
			if a := readAnswer(t, h.post(request("ledger_waitReceipt", tx.Hash, 30_000)).Body.Bytes()); a.Error != nil {
				t.Errorf("%+v", a.Error)
			}
		})
	}
	eventually(t, "two calls wait", func() bool { return h.waiting.used() == 2 })
	h.refused(t, wire.CodeUnavailable, "busy", "ledger_waitReceipt", tx.Hash, 0)
	h.refused(t, wire.CodeUnavailable, "busy", "ledger_sendRawTransactionSync", raw, 0)
	h.result(t, new(crypto.Hash), "ledger_sendRawTransaction", raw) // does not wait, and lets the others end
	wait.Wait()
	if h.waiting.used() != 0 {
		t.Error("a place was not given back")
	}
}

func TestConcurrentCallsAreBounded(t *testing.T) {
	g := newGate(1)
	if !g.try() || g.try() || g.wait(context.Background(), time.Millisecond) {
		t.Error("more than one at a time")
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if g.wait(ended, time.Hour) {
		t.Error("let in after its context ended")
	}
	g.queued.Store(4)
	if g.wait(context.Background(), time.Hour) {
		t.Error("let in from a queue that is full")
	}
	g.queued.Store(0)
	g.leave()
	if !g.wait(context.Background(), time.Hour) {
		t.Error("not let in when there is room")
	}
}

// However many search the history, other calls are answered.
func TestSearchesAreBounded(t *testing.T) {
	h := newHarness(t, Options{})
	h.heavy = newGate(1)
	h.heavy.try()
	h.heavy.queued.Store(4) // as many wait for a place as may
	h.refused(t, wire.CodeUnavailable, "busy", "ledger_getHistory", alice)
	for _, m := range []string{"eth_getLogs", "eth_getBlockReceipts", "eth_getFilterChanges", "eth_getFilterLogs"} {
		if !methodNamed(m).heavy {
			t.Errorf("%s may search for as long as it likes", m)
		}
	}
	h.result(t, new(any), "ledger_getAccount", alice)
	h.heavy.queued.Store(0)
	h.heavy.leave()
	h.result(t, new(any), "ledger_getHistory", alice)
	if h.heavy.used() != 0 {
		t.Error("a place was not given back")
	}
}

// A client that goes away gives its waiting place back.
func TestHTTPClientGoesAway(t *testing.T) {
	h := newHarness(t, Options{})
	server := listening(t, h)
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, strings.NewReader(request("ledger_waitReceipt", crypto.Hash{1}, 30_000)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	done := make(chan struct{})
	go func() {
		defer close(done)
		if response, err := http.DefaultClient.Do(r); err == nil {
			response.Body.Close()
		}
	}()
	eventually(t, "the call waits", func() bool { return h.waiting.used() == 1 })
	cancel()
	<-done
	eventually(t, "the call ends", func() bool { return h.waiting.used() == 0 })
}

func TestShutdownAnswersWhoWaits(t *testing.T) {
	h := newHarness(t, Options{})
	answers := make(chan answer, 1)
	go func() {
		answers <- readAnswer(t, h.post(request("ledger_waitReceipt", crypto.Hash{7}, 30_000)).Body.Bytes())
	}()
	eventually(t, "the call waits", func() bool { return h.waiting.used() == 1 })
	if err := h.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if a := <-answers; a.Error == nil || a.Error.Data.Name != "shuttingDown" || a.Error.Data.Hash == nil {
		t.Errorf("%+v", a.Error)
	}
	if err := h.Shutdown(context.Background()); err != nil {
		t.Errorf("a second time: %v", err)
	}
}

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	h := newHarness(t, Options{Metrics: registry})
	h.call(t, "ledger_status")
	h.call(t, "ledger_getReceipt", 7)
	h.post(`{}`)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			key := f.GetName()
			for _, l := range m.GetLabel() {
				key += " " + l.GetValue()
			}
			got[key] = m.GetCounter().GetValue()
			if m.GetHistogram() != nil {
				got[key] = float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	for key, want := range map[string]float64{
		"tallystick_rpc_calls_total ledger_status": 1, "tallystick_rpc_calls_total ledger_getReceipt": 1, "tallystick_rpc_calls_total invalid": 1,
		"tallystick_rpc_errors_total -32602 ledger_getReceipt invalidParams": 1, "tallystick_rpc_errors_total -32600 invalid invalidRequest": 1,
		"tallystick_rpc_call_seconds ledger_status": 1,
	} {
		if got[key] != want {
			t.Errorf("%s is %v, want %v in %v", key, got[key], want, got)
		}
	}
	if _, err := NewServer(h.node, Options{Metrics: registry}); err == nil {
		t.Error("metrics registered twice without an error")
	}
}

func TestOptionsOutOfRange(t *testing.T) {
	for _, o := range []Options{{MaxBodyBytes: -1}, {MaxBatch: -1}, {MaxWaiting: -1}, {MaxConcurrent: -1}, {MaxConnections: -1}, {WaitTimeout: -1}, {ReadTimeout: -1}} {
		if _, err := NewServer(newMemory(t), o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

// Memory is for bytes that came, not for those that were announced.
func TestBodyCapacity(t *testing.T) {
	for promised, want := range map[int64]int64{
		-1: 512, 0: 512, 1000: 1000, 64 << 10: 64 << 10, 5 << 20: 64 << 10, 1 << 62: 64 << 10,
	} {
		if got := bodyCapacity(promised) - bytes.MinRead; got != want {
			t.Errorf("a promise of %d bytes sets %d aside, want %d", promised, got, want)
		}
	}
}
