package client

import (
	"bytes"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gorilla/websocket"
)

// serveSocket has a fake node answer the calls of a WebSocket.
func serveSocket(t *testing.T, n *fakeNode, w http.ResponseWriter, r *http.Request) {
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	c, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	for {
		_, call, err := c.ReadMessage()
		if err != nil {
			return // the client has gone
		}
		answer := httptest.NewRecorder()
		n.serve(answer, httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(call)))
		if err := c.WriteMessage(websocket.TextMessage, answer.Body.Bytes()); err != nil {
			return
		}
	}
}

func tlsOf(t *testing.T, cert, key []byte) *tls.Config {
	t.Helper()
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}}
}
