package rpc

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	gethrpc "github.com/ethereum/go-ethereum/rpc"
	"github.com/gorilla/websocket"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/rpc/wire"
)

// dial opens a WebSocket to h.
func dial(t testing.TB, h *harness) *websocket.Conn {
	t.Helper()
	url := "ws" + strings.TrimPrefix(listening(t, h).URL, "http")
	c, _, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetReadDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	return c
}

func say(t testing.TB, c *websocket.Conn, text string) {
	t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func hear(t testing.TB, c *websocket.Conn) []byte {
	t.Helper()
	_, raw, err := c.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// go-ethereum's own client, as other tools are built on it.
func TestWebSocketWithGethsClient(t *testing.T) {
	h := newHarness(t, Options{})
	c, err := gethrpc.Dial("ws" + strings.TrimPrefix(listening(t, h).URL, "http"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var status wire.Status
	if err := c.Call(&status, "ledger_status"); err != nil || status.ChainID != 777_777 {
		t.Fatalf("%v %+v", err, status)
	}
	batch := []gethrpc.BatchElem{
		{Method: "ledger_getAsset", Args: []any{"EUR"}, Result: new(wire.Asset)},
		{Method: "ledger_getAsset", Args: []any{7}, Result: new(wire.Asset)},
	}
	if err := c.BatchCall(batch); err != nil || batch[0].Error != nil || batch[1].Error == nil {
		t.Errorf("%v %v %v", err, batch[0].Error, batch[1].Error)
	}
}

// Wrong messages are answered, and the connection goes on.
func TestWebSocketSurvivesWrongMessages(t *testing.T) {
	h := newHarness(t, Options{MaxBodyBytes: 10_000})
	c := dial(t, h)
	for _, m := range []struct{ text, name string }{
		{``, "parseError"}, {`{`, "parseError"}, {"\"\xff\"", "parseError"}, {`[]`, "invalidRequest"}, {`7`, "invalidRequest"},
		{`{"jsonrpc":"2.0","id":1,"method":"nope"}`, "methodNotFound"}, {`{"jsonrpc":"2.0","id":1,"result":1}`, "invalidRequest"},
		{request("ledger_getReceipt", 7), "invalidParams"}, {strings.Repeat("1", 10_001), "requestTooLarge"},
		{strings.Repeat("[", 9000), "parseError"}, {`{"jsonrpc":"2.0","id":1,"method":"rpc_refuse"}`, "methodNotFound"},
	} {
		say(t, c, m.text)
		if a := readAnswer(t, hear(t, c)); a.Error == nil || a.Error.Data.Name != m.name {
			t.Errorf("%.40q: %+v", m.text, a.Error)
		}
	}
	say(t, c, `{"jsonrpc":"2.0","method":"ledger_status"}`) // has no answer
	say(t, c, `[{"jsonrpc":"2.0","method":"ledger_status"}]`)
	say(t, c, `{"jsonrpc":"2.0","id":9,"method":"rpc.discover"}`)
	if a := readAnswer(t, hear(t, c)); string(a.ID) != "9" || a.Error != nil {
		t.Errorf("%s %+v", a.ID, a.Error)
	}
	say(t, c, `[{"jsonrpc":"2.0","id":10,"method":"rpc.discover"}]`)
	var answers []answer
	if err := json.Unmarshal(hear(t, c), &answers); err != nil || len(answers) != 1 || answers[0].Error != nil {
		t.Errorf("%v %+v", err, answers)
	}
}

// One connection carries many waiting calls at the same time; the answers come
// when the block does, whatever was sent later.
func TestManyWaitOverOneWebSocket(t *testing.T) {
	calls := 1000
	if testing.Short() {
		calls = 100
	}
	h := newHarness(t, Options{MaxWaiting: calls})
	h.node.hold = true
	c := dial(t, h)
	for i := range calls {
		_, raw := h.rawTx(t, uint64(i), 1)
		say(t, c, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"ledger_sendRawTransactionSync","params":[%q,20000]}`, i, raw))
	}
	eventually(t, "all wait", func() bool { return h.waiting.used() == calls })
	say(t, c, request("ledger_waitReceipt", crypto.Hash{1}, 0))
	if a := readAnswer(t, hear(t, c)); a.Error == nil || a.Error.Data.Name != "busy" {
		t.Errorf("one more than may wait: %+v", a.Error)
	}
	say(t, c, request("ledger_status"))
	if a := readAnswer(t, hear(t, c)); a.Error != nil {
		t.Errorf("a call that does not wait: %+v", a.Error)
	}
	eventually(t, "all are pending", func() bool {
		h.node.mu.Lock()
		defer h.node.mu.Unlock()
		return len(h.node.pending) == calls
	})
	h.node.commit(t)
	seen := map[string]bool{}
	for range calls {
		a := readAnswer(t, hear(t, c))
		if a.Error != nil {
			t.Fatalf("%+v", a.Error)
		}
		seen[string(a.ID)] = true
	}
	if len(seen) != calls {
		t.Errorf("%d different answers", len(seen))
	}
	eventually(t, "all places are given back", func() bool { return h.waiting.used() == 0 })
}

// A peer that goes away gives its places back, waiting ones and its own.
func TestWebSocketPeerGoesAway(t *testing.T) {
	h := newHarness(t, Options{})
	c := dial(t, h)
	for range 5 {
		say(t, c, request("ledger_waitReceipt", crypto.Hash{1}, 30_000))
	}
	say(t, c, "["+request("ledger_waitReceipt", crypto.Hash{1}, 30_000)+"]")
	eventually(t, "all wait", func() bool { return h.waiting.used() == 6 })
	c.Close()
	eventually(t, "all end", func() bool { return h.waiting.used() == 0 && h.sockets.used() == 0 && len(h.connections()) == 0 })
}

func TestWebSocketsAreBounded(t *testing.T) {
	h := newHarness(t, Options{MaxConnections: 1})
	dial(t, h)
	_, response, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(listening(t, h).URL, "http"), nil)
	if err == nil || response == nil || response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a second one: %v %v", err, response)
	}
}

func TestWebSocketOrigin(t *testing.T) {
	h := newHarness(t, Options{Access: Access{AllowedOrigins: []string{"https://app.example"}}})
	url := "ws" + strings.TrimPrefix(listening(t, h).URL, "http")
	for origin, admitted := range map[string]bool{"https://app.example": true, "https://evil.example": false, "null": false, "moz-extension://x": true} {
		c, _, err := websocket.DefaultDialer.Dial(url, http.Header{"Origin": {origin}})
		if (err == nil) != admitted {
			t.Errorf("%s: %v", origin, err)
		}
		if c != nil {
			c.Close()
		}
	}
}

// A message far beyond the limit ends the connection, and nothing else.
func TestWebSocketMessageFarTooLong(t *testing.T) {
	h := newHarness(t, Options{MaxBodyBytes: 1000})
	c := dial(t, h)
	say(t, c, strings.Repeat("1", 1000*drainFactor+1))
	if _, _, err := c.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseMessageTooBig) {
		t.Errorf("%v", err)
	}
	h.result(t, new(wire.Status), "ledger_status")
}

// Shutdown answers what waits, closes in order, and takes nothing more.
func TestShutdownOfWebSockets(t *testing.T) {
	h := newHarness(t, Options{})
	c := dial(t, h)
	say(t, c, request("ledger_waitReceipt", crypto.Hash{1}, 30_000))
	eventually(t, "it waits", func() bool { return h.waiting.used() == 1 })
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := h.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	if a := readAnswer(t, hear(t, c)); a.Error == nil || a.Error.Data.Name != "shuttingDown" {
		t.Errorf("%+v", a.Error)
	}
	if _, _, err := c.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseGoingAway) {
		t.Errorf("closed with %v", err)
	}
	h.refused(t, wire.CodeUnavailable, "shuttingDown", "ledger_status")
}

// A backend that does not heed its context cannot hold Shutdown for ever.
func TestShutdownIsCutOff(t *testing.T) {
	h := newHarness(t, Options{})
	h.node.mu.Lock() // every call of the backend waits for this
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.post(request("ledger_status"))
	}()
	eventually(t, "a call runs", func() bool { return h.concurrent.used() == 1 })
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := h.Shutdown(ctx); err == nil {
		t.Error("Shutdown said that all had ended")
	}
	h.node.mu.Unlock()
	<-done
}
