package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	neturl "net/url"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/rpc"
	"github.com/gorilla/websocket"

	"github.com/tallystick/tallystick/rpc/wire"
)

// Options are how a client shows itself to nodes, and how it knows them. The zero
// value is without a key, and trusts whom the system trusts.
type Options struct {
	// APIKey is sent to every node whose address has none of its own. An address
	// has one where its path is /key/KEY; it is sent as a header then, and shown in
	// no error.
	APIKey string
	// Authorities are whom to trust with the certificates of https and wss; nil is
	// whom the system trusts. A consortium's own authority goes here.
	Authorities *x509.CertPool
}

// keyPath begins the path of an address that has a key in it.
const keyPath = "/key/"

// SplitKey takes the key out of a node's address; "" where there is none.
func SplitKey(address string) (without, key string) {
	u, err := neturl.Parse(address)
	if err != nil {
		return address, ""
	}
	key, found := strings.CutPrefix(u.Path, keyPath)
	if !found || key == "" {
		return address, ""
	}
	u.Path, u.RawPath = "/", ""
	return u.String(), key
}

// withoutSecrets is an address, or what somebody took for one, without what nobody
// should read in an error or a log: a key in the path, wherever that begins, and a
// password before the host.
func withoutSecrets(address string) string {
	if at := strings.Index(address, keyPath); at >= 0 && len(address) > at+len(keyPath) {
		address = address[:at+len(keyPath)] + "…"
	}
	scheme, rest, found := strings.Cut(address, "://")
	if !found {
		scheme, rest = "", address
	} else {
		scheme += "://"
	}
	host, path, cut := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		host = "…" + host[at:]
	}
	if cut {
		path = "/" + path
	}
	return scheme + host + path
}

// TLS is the client's side of TLS.
func (o Options) TLS() *tls.Config {
	return &tls.Config{RootCAs: o.Authorities, MinVersion: tls.VersionTLS12}
}

// Header carries a key; empty for none.
func Header(key string) http.Header {
	if key == "" {
		return http.Header{}
	}
	return http.Header{"Authorization": {"Bearer " + key}}
}

// idleConns is how many connections to a node are kept for the next calls: calls that
// are made at once again and again do not connect again.
const idleConns = 32

// dialOptions are those of go-ethereum's client. Where a program has put a transport of
// its own in the place of Go's, that is called, unless the node has authorities of its own.
func (n *node) dialOptions() []rpc.ClientOption {
	options := []rpc.ClientOption{rpc.WithWebsocketMessageSizeLimit(maxAnswerBytes), rpc.WithHeaders(Header(n.key))}
	transport, ok := http.DefaultTransport.(*http.Transport)
	switch {
	case ok:
		transport = transport.Clone()
	case n.authorities == nil:
		return options
	default:
		transport = &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	}
	transport.MaxIdleConnsPerHost = idleConns
	n.http = &http.Client{Transport: transport}
	options = append(options, rpc.WithHTTPClient(n.http))
	if n.authorities == nil {
		return options
	}
	secure := Options{Authorities: n.authorities}.TLS()
	transport.TLSClientConfig = secure
	return append(options, rpc.WithWebsocketDialer(websocket.Dialer{Proxy: http.ProxyFromEnvironment, TLSClientConfig: secure.Clone()}))
}

// refusedKey reads the answer of a node to a request whose key it does not take;
// nil for any other error. That of a WebSocket's handshake is not to be had.
func refusedKey(url string, keyed bool, err error) *Error {
	var status rpc.HTTPError
	if errors.As(err, &status) {
		var body struct {
			Error *struct {
				Code    int            `json:"code"`
				Message string         `json:"message"`
				Data    wire.ErrorData `json:"data"`
			} `json:"error"`
		}
		if status.StatusCode != http.StatusUnauthorized || json.Unmarshal(status.Body, &body) != nil || body.Error == nil || body.Error.Data.Name == "" {
			return nil
		}
		e := body.Error
		return &Error{Code: e.Code, Name: e.Data.Name, Message: e.Message, Hint: e.Data.Hint, Node: url, cause: err}
	}
	if !strings.Contains(err.Error(), "bad handshake") || !strings.Contains(err.Error(), "HTTP status 401") {
		return nil
	}
	e := &Error{Code: wire.CodeInvalidInput, Name: "keyMissing", Node: url, cause: err, unsent: true,
		Message: fmt.Sprintf("node %s asks for an API key", url), Hint: "ask the node's operator for a key"}
	if keyed {
		e.Name, e.Message = "keyUnknown", fmt.Sprintf("node %s does not know the API key", url)
		e.Hint = "compare it with the key that the node's operator gave you, or ask for a new one"
	}
	return e
}

// maxRateWait bounds a pause that a node asks for, and rateRounds how often a
// read is tried again after one.
const (
	maxRateWait = 5 * time.Second
	rateRounds  = 3
)

// rested waits as long as a node that was called too often has asked for; false
// where err is another error, or there is no such time left.
func rested(ctx context.Context, err error) bool {
	var e *Error
	if !errors.As(err, &e) || e.RetryAfter <= 0 || e.RetryAfter > maxRateWait {
		return false
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < e.RetryAfter {
		return false
	}
	timer := time.NewTimer(e.RetryAfter)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
