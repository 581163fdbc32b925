package rpc

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

const greeting = `Tallystick JSON-RPC 2.0.

POST a request here, or open a WebSocket. For example:

  curl -H 'content-type: application/json' \
    -d '{"jsonrpc":"2.0","id":1,"method":"ledger_status","params":[]}' THIS-URL

The method rpc.discover returns the description of every method (OpenRPC).
`

// ServeHTTP serves one request: POST is JSON-RPC, a WebSocket handshake opens
// a connection, GET answers with a few lines for a person.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !served(r.URL.Path) {
		s.refuseHTTP(w, r, http.StatusNotFound, kindRequest.with("JSON-RPC is served on the path / (with an API key in it: /key/KEY), not on this one"))
		return
	}
	access := s.access.Load()
	if !access.origins.admit(w, r) {
		s.refuseHTTP(w, r, http.StatusBadRequest, kindRequest.with("scripts of %s may not use this node from a browser: its operator has to allow that origin", shorten(r.Header.Get("Origin"))))
		return
	}
	switch {
	case websocket.IsWebSocketUpgrade(r):
		s.serveWebSocket(w, r, access)
	case r.Method == http.MethodPost:
		s.servePost(w, r, access)
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		io.WriteString(w, greeting)
	case r.Method == http.MethodOptions:
		w.Header().Set("Allow", allowedMethods)
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Allow", allowedMethods)
		s.refuseHTTP(w, r, http.StatusMethodNotAllowed, kindRequest.with("HTTP method %s is not served: POST a JSON-RPC request", shorten(r.Method)))
	}
}

const allowedMethods = "POST, GET, HEAD, OPTIONS"

func (s *Server) servePost(w http.ResponseWriter, r *http.Request, access *access) {
	id := access.identify(r)
	if _, problem := access.admit(id); problem != nil {
		s.refuseKey(w, r, problem)
		return
	}
	if problem := checkMediaType(r.Header); problem != nil {
		s.refuseHTTP(w, r, http.StatusUnsupportedMediaType, problem)
		return
	}
	if !s.requests.try() {
		s.refuseHTTP(w, r, http.StatusOK, kindBusy.plain())
		return
	}
	defer s.requests.leave()
	body, problem := s.readBody(w, r)
	if problem != nil {
		w.Header().Set("Connection", "close")
		s.refuseHTTP(w, r, http.StatusOK, problem)
		return
	}
	// A body can take its time, and its sender may have lost rights in the meantime.
	who, problem := s.access.Load().admit(id)
	if problem != nil {
		s.refuseKey(w, r, problem)
		return
	}
	message := s.screen(body, who)
	ctx, release := s.holding(r.Context())
	defer release()
	if message.direct {
		s.respond(w, http.StatusOK, s.reply(ctx, message.call))
		return
	}
	s.respond(w, http.StatusOK, s.exchange(ctx, message))
}

// checkMediaType insists on JSON: a browser sends that across origins only
// after asking, which keeps strange web pages out.
func checkMediaType(h http.Header) *callError {
	if encoding := h.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return kindRequest.with("content-encoding %s is not read: send the body as it is", shorten(encoding))
	}
	given := h.Get("Content-Type")
	media, _, err := mime.ParseMediaType(given)
	if err == nil && (media == "application/json" || media == "application/json-rpc" || media == "application/jsonrequest") {
		return nil
	}
	return kindRequest.with("the content-type is %s: send content-type: application/json", shorten(given))
}

// readBody reads the body within its limit and deadline. Of a body that is
// too long the rest is read away, within reason, so that the client is done
// writing when the answer comes.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) ([]byte, *callError) {
	limit := int64(s.options.MaxBodyBytes)
	tooLarge := kindTooLarge.with("the body is longer than the %d bytes that this node takes", limit)
	if r.ContentLength > drainFactor*limit {
		return nil, tooLarge
	}
	control := http.NewResponseController(w)
	// A writer without deadlines is a test's or a proxy's: then there are none.
	_ = control.SetReadDeadline(time.Now().Add(s.options.ReadTimeout))
	buffer := bytes.NewBuffer(make([]byte, 0, bodyCapacity(r.ContentLength)))
	_, err := buffer.ReadFrom(io.LimitReader(r.Body, limit+1))
	if err == nil && int64(buffer.Len()) > limit {
		_, err = io.CopyN(io.Discard, r.Body, drainFactor*limit)
		if err == nil || errors.Is(err, io.EOF) {
			return nil, tooLarge
		}
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, kindBodyTimeout.with("the body did not arrive within %s", s.options.ReadTimeout)
	case err != nil:
		return nil, kindRequest.with("the body broke off after %d bytes", buffer.Len())
	}
	// Only now: of a body that did not come whole, http.Server reads the rest
	// after the answer, and that must end too.
	_ = control.SetReadDeadline(time.Time{})
	return buffer.Bytes(), nil
}

// bodyCapacity is what is set aside for a body of a promised length, which is
// -1 where nothing is promised. A promise alone gets little: thousands of clients
// can promise the most and send nothing.
func bodyCapacity(promised int64) int64 {
	const least, most = 512, 64 << 10
	return min(max(promised, least), most) + bytes.MinRead
}

// exchange has go-ethereum's server answer one message, single or batch. The
// answer is empty for notifications.
func (s *Server) exchange(ctx context.Context, message screened) []byte {
	if message.answer != nil {
		return message.answer
	}
	if message.batch {
		b := &batch{patience: time.Now().Add(s.receiptPatience)}
		b.left.Store(maxBatchResponse)
		ctx = context.WithValue(ctx, batchKey{}, b)
	}
	// The http.Server's WriteTimeout would make go-ethereum answer by itself.
	ctx = context.WithValue(ctx, http.ServerContextKey, nil)
	request := (&http.Request{
		Method: http.MethodPost, Header: jsonHeader, ContentLength: int64(len(message.message)),
		Body: io.NopCloser(bytes.NewReader(message.message)),
	}).WithContext(ctx)
	var out answerWriter
	s.geth.ServeHTTP(&out, request)
	return out.body
}

// batch is what the calls of a batch share.
type batch struct {
	left     atomic.Int64 // bytes for their results
	patience time.Time    // until when they may wait for receipts of what is pending
}

type batchKey struct{}

// batchOf finds the batch that a call is of; nil for a single call.
func batchOf(ctx context.Context) *batch {
	b, _ := ctx.Value(batchKey{}).(*batch)
	return b
}

var jsonHeader = http.Header{"Content-Type": {"application/json"}} // read only

// answerWriter collects one answer in memory.
type answerWriter struct {
	header http.Header
	body   []byte
}

// Header implements http.ResponseWriter.
func (w *answerWriter) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}

// Write implements http.ResponseWriter.
func (w *answerWriter) Write(b []byte) (int, error) {
	w.body = append(w.body, b...)
	return len(b), nil
}

// WriteHeader implements http.ResponseWriter.
func (w *answerWriter) WriteHeader(int) {}

func (s *Server) refuseHTTP(w http.ResponseWriter, r *http.Request, status int, problem *callError) {
	s.respond(w, status, s.exchange(r.Context(), refusal(problem)))
}

func (s *Server) respond(w http.ResponseWriter, status int, body []byte) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout)) // see readBody
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has gone needs no answer
}
