package rpc

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// trivial admits everything at no cost, so that the server's own is measured.
type trivial struct{ *memory }

func (trivial) Submit(context.Context, []byte) (Verdict, error) {
	return Verdict{Hash: crypto.Hash{1}, Code: ledger.Applied}, nil
}

func benchServer(b *testing.B) (*Server, string) {
	h := newHarness(b, Options{})
	s, err := NewServer(trivial{h.node}, Options{Logger: h.options.Logger})
	if err != nil {
		b.Fatal(err)
	}
	_, raw := h.rawTx(b, 1, 1)
	return s, request("ledger_sendRawTransaction", raw)
}

// BenchmarkHandler is one call without a network.
func BenchmarkHandler(b *testing.B) {
	s, body := benchServer(b)
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		s.ServeHTTP(httptest.NewRecorder(), r)
	}
}

// BenchmarkHTTP is one call over a kept connection, client included.
func BenchmarkHTTP(b *testing.B) {
	s, body := benchServer(b)
	server := httptest.NewServer(s)
	defer server.Close()
	b.ReportAllocs()
	for b.Loop() {
		response, err := http.Post(server.URL, "application/json", strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			b.Fatal(err)
		}
		response.Body.Close()
	}
}

// BenchmarkWebSocket is one call of many over one connection, client included.
func BenchmarkWebSocket(b *testing.B) {
	s, body := benchServer(b)
	server := httptest.NewServer(s)
	defer server.Close()
	c, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.URL, "http"), nil)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	const window = 64
	sent, got := 0, 0
	b.ReportAllocs()
	for b.Loop() {
		if err := c.WriteMessage(websocket.TextMessage, []byte(body)); err != nil {
			b.Fatal(err)
		}
		if sent++; sent-got < window {
			continue
		}
		if _, _, err := c.ReadMessage(); err != nil {
			b.Fatal(err)
		}
		got++
	}
}
