package client

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/rpc"
)

// node is one address. It connects when it is first used, and again after a
// connection is lost.
type node struct {
	url         string // for people: without the key, and without a password
	dialled     string // the same, as it is called
	key         string // for its API; "" for none
	authorities *x509.CertPool

	identified atomic.Bool // it has said that it is of the client's network

	mu   sync.Mutex // guards what follows
	conn *rpc.Client
	http *http.Client // that conn calls by; nil for Go's own
}

// newNode checks the address; it does not connect.
func newNode(address string, o Options) (*node, error) {
	address, key := SplitKey(address)
	if key == "" {
		key = o.APIKey
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, &Error{Name: NameAddress, Message: fmt.Sprintf("node address %q is no URL", withoutSecrets(address)),
			Hint: "write it as http://127.0.0.1:8545 or ws://127.0.0.1:8545"}
	}
	switch u.Scheme {
	case "http", "https", "ws", "wss":
		return &node{url: withoutSecrets(address), dialled: address, key: key, authorities: o.Authorities}, nil
	}
	return nil, &Error{Name: NameAddress, Message: fmt.Sprintf("node address %q: %q is none of http, https, ws, wss", withoutSecrets(address), u.Scheme),
		Hint: "write it as http://127.0.0.1:8545 or ws://127.0.0.1:8545"}
}

// connect returns the connection. go-ethereum's client renews a broken
// WebSocket by itself at the next call.
func (n *node) connect(ctx context.Context) (*rpc.Client, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conn == nil {
		conn, err := rpc.DialOptions(ctx, n.dialled, n.dialOptions()...)
		if err != nil {
			return nil, err
		}
		n.conn = conn
	}
	return n.conn, nil
}

// maxAnswerBytes bounds an answer over WebSocket: a receipt with 4096 legs has
// about 2 MiB.
const maxAnswerBytes = 32 << 20

// attempt calls a method of this node and gives it limit to answer. A node that
// does not is as good as unreachable, unless ctx itself has ended.
func (n *node) attempt(ctx context.Context, limit time.Duration, result any, method string, args ...any) error {
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := n.call(within, result, method, args...)
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		return &Error{Name: NameUnreachable, Node: n.url, cause: err, Hint: "ask another node, and tell this one's operator",
			Message: fmt.Sprintf("node %s took the call and did not answer within %s", n.url, limit)}
	}
	return err
}

// call calls a method of this node. The error is an *Error.
func (n *node) call(ctx context.Context, result any, method string, args ...any) error {
	conn, err := n.connect(ctx)
	if err != nil {
		if e := refusedKey(n.url, n.key != "", err); e != nil {
			return e
		}
		e := asError(ctx, n.url, err)
		e.unsent = true
		return e
	}
	var raw json.RawMessage
	if err := conn.CallContext(ctx, &raw, method, args...); err != nil {
		if e := refusedKey(n.url, n.key != "", err); e != nil {
			return e
		}
		return asError(ctx, n.url, err)
	}
	if err := json.Unmarshal(raw, result); err != nil {
		return badAnswer(n.url, err)
	}
	return nil
}

func (n *node) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conn != nil {
		n.conn.Close()
		n.conn = nil
	}
	if n.http != nil { // go-ethereum's client leaves its connections open
		n.http.CloseIdleConnections()
	}
}
