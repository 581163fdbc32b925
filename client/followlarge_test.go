package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/tallystick/tallystick/rpc/wire"
)

// A notice that is larger than a client takes comes again from every node, so
// following ends and says so. It must not ask for the same again and again.
func TestFollowEndsAtANoticeThatIsTooLarge(t *testing.T) {
	var upgrader websocket.Upgrader
	large := `{"jsonrpc":"2.0","method":"ledger_subscription","params":{"subscription":"0x1","result":{"cursor":{"height":0,"index":-1},"padding":"` +
		strings.Repeat("x", maxAnswerBytes) + `"}}}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		for {
			var call struct {
				ID     int
				Method string
			}
			if c.ReadJSON(&call) != nil {
				return
			}
			var result any = wire.Status{NetworkID: "test", ChainID: 7077}
			if call.Method == "ledger_subscribe" {
				result = "0x1"
			}
			text, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": call.ID, "result": result})
			if err != nil {
				t.Error(err)
			}
			if c.WriteMessage(websocket.TextMessage, text) != nil {
				return
			}
			if call.Method == "ledger_subscribe" {
				_ = c.WriteMessage(websocket.TextMessage, []byte(large)) // the peer gives up before its end
			}
		}
	}))
	defer server.Close()
	c, err := Dial(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for n, err := range c.Follow(ctx, Receipts, wire.SubscribeOptions{Cursor: &wire.Cursor{Index: wire.IndexBlockBegin}}) {
		var e *Error
		if !errors.As(err, &e) || e.Name != NameAnswer || !strings.Contains(e.Message, "bytes") {
			t.Fatalf("%+v, %v", n, err)
		}
		return
	}
	t.Error("it ended without a word")
}
