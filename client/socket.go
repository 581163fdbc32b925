package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/rpc"
	"github.com/gorilla/websocket"
)

// socket is a WebSocket that is read as fast as its user takes what comes, which
// go-ethereum's client does not do: it reads on and queues.
type socket struct {
	conn *websocket.Conn
	node string // its address
	id   int    // of the last call
}

// silence is how long a node may say nothing at all: it pings every 30 s.
const silence = 75 * time.Second

// openSocket opens a WebSocket of its own to the node, at http addresses too: they
// serve both.
func (n *node) openSocket(ctx context.Context) (*socket, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	address := n.url
	if rest, ok := strings.CutPrefix(address, "http"); ok {
		address = "ws" + rest
	}
	dialer := websocket.Dialer{
		Proxy: http.ProxyFromEnvironment, HandshakeTimeout: patience, TLSClientConfig: Options{Authorities: n.authorities}.TLS(),
	}
	conn, response, err := dialer.DialContext(ctx, address, Header(n.key))
	if errors.Is(err, websocket.ErrBadHandshake) {
		body, _ := io.ReadAll(response.Body) // the dialer has read it, as far as it goes
		if refused := refusedKey(n.url, n.key != "", rpc.HTTPError{StatusCode: response.StatusCode, Status: response.Status, Body: body}); refused != nil {
			return nil, refused
		}
	}
	if errors.Is(err, websocket.ErrBadHandshake) && response.StatusCode < 500 && response.StatusCode != http.StatusTooManyRequests {
		return nil, &Error{Name: NameAnswer, Message: fmt.Sprintf("node %s: no WebSocket: HTTP status %s", n.url, response.Status), Node: n.url,
			Hint: "check the address: it should be that of the node's JSON-RPC", cause: err}
	}
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(maxAnswerBytes)
	s := &socket{conn: conn, node: n.url}
	answer := conn.PingHandler()
	conn.SetPingHandler(func(data string) error {
		if err := s.expectMore(silence); err != nil {
			return err
		}
		return answer(data)
	})
	return s, nil
}

// Close ends the connection, whoever is reading.
func (s *socket) Close() {
	_ = s.conn.Close() // there is nothing to do about a socket that fails to close
}

// message is what a node sends: the answer to a call, or a notification.
type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		Result json.RawMessage `json:"result"`
	} `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *callFailure    `json:"error"`
}

// callFailure is an error that a node answered with. It is a rpc.DataError.
type callFailure struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data"`
}

func (e *callFailure) Error() string  { return e.Message }
func (e *callFailure) ErrorCode() int { return e.Code }
func (e *callFailure) ErrorData() any { return e.Data }

func (s *socket) expectMore(within time.Duration) error {
	return s.conn.SetReadDeadline(time.Now().Add(within))
}

// read takes the next message.
func (s *socket) read() (*message, error) { return s.readWithin(silence) }

func (s *socket) readWithin(limit time.Duration) (*message, error) {
	if err := s.expectMore(limit); err != nil {
		return nil, err
	}
	_, raw, err := s.conn.ReadMessage()
	if errors.Is(err, websocket.ErrReadLimit) { // and would be again, however often it is asked for
		return nil, badAnswer(s.node, fmt.Errorf("a message of it has more than %d bytes", maxAnswerBytes))
	}
	if err != nil {
		return nil, err
	}
	m := new(message)
	if err := json.Unmarshal(raw, m); err != nil {
		return nil, err
	}
	return m, nil
}

// call calls a method and reads its answer, which comes before anything that the
// call brings about.
func (s *socket) call(result any, method string, params ...any) error {
	s.id++
	if params == nil {
		params = []any{}
	}
	if err := s.conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if err := s.conn.WriteJSON(map[string]any{"jsonrpc": "2.0", "id": s.id, "method": method, "params": params}); err != nil {
		return err
	}
	for {
		m, err := s.readWithin(patience)
		if err != nil {
			return err
		}
		if string(m.ID) != fmt.Sprint(s.id) {
			continue
		}
		if m.Error != nil {
			return m.Error
		}
		return json.Unmarshal(m.Result, result)
	}
}
