package client

import (
	"bytes"
	"encoding/json"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/tallystick/tallystick/internal/authority"
	"github.com/tallystick/tallystick/rpc/wire"
)

const goodKey = "tally_good"

// newKeyed is a fake node that asks for goodKey, and never takes one in the path.
func newKeyed(t *testing.T, secure bool) (*fakeNode, *authority.Authority) {
	t.Helper()
	n := newFake(t, "net-a")
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := ""
		switch r.Header.Get("Authorization") {
		case "Bearer " + goodKey:
		case "":
			name = "keyMissing"
		default:
			name = "keyUnknown"
		}
		switch {
		case r.URL.Path != "/":
			t.Errorf("the path %s was asked for", r.URL.Path)
		case name != "":
			w.WriteHeader(http.StatusUnauthorized)
			_ = json.NewEncoder(w).Encode(map[string]any{"jsonrpc": "2.0", "id": nil, "error": fakeError{wire.CodeInvalidInput, "because " + name, wire.ErrorData{Name: name, Hint: "do"}}})
		case websocket.IsWebSocketUpgrade(r):
			serveSocket(t, n, w, r)
		default:
			n.serve(w, r)
		}
	})
	n.Server.Close()
	n.Server = httptest.NewUnstartedServer(handler)
	n.Config.ErrorLog = log.New(bytes.NewBuffer(nil), "", 0) // refused handshakes
	a := authority.New(t)
	if !secure {
		n.Start()
	} else {
		cert, key := a.Issue("node", time.Now().Add(time.Hour))
		n.TLS = tlsOf(t, cert, key)
		n.StartTLS()
	}
	t.Cleanup(n.Close)
	return n, a
}

func TestKeyIsSent(t *testing.T) {
	for _, secure := range []bool{false, true} {
		n, a := newKeyed(t, secure)
		socket := "ws" + strings.TrimPrefix(n.URL, "http")
		withPath := func(url string) string { return url + "/key/" + goodKey }
		for name, c := range map[string]struct {
			url, key, want string
		}{
			"good":                   {n.URL, goodKey, ""},
			"good, over WebSocket":   {socket, goodKey, ""},
			"in the path":            {withPath(n.URL), "", ""},
			"in the path, WebSocket": {withPath(socket), "", ""},
			"the path's is the one":  {withPath(n.URL), "tally_other", ""},
			"missing":                {n.URL, "", "keyMissing"},
			"missing, WebSocket":     {socket, "", "keyMissing"},
			"unknown":                {n.URL, "tally_bad", "keyUnknown"},
			"unknown, WebSocket":     {socket, "tally_bad", "keyUnknown"},
			"unknown in the path":    {n.URL + "/key/tally_bad", goodKey, "keyUnknown"},
		} {
			c2, err := DialWith(t.Context(), Options{APIKey: c.key, Authorities: a.Pool()}, c.url)
			if c.want == "" {
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				if got := c2.URLs()[0]; strings.Contains(got, goodKey) {
					t.Errorf("%s: the address shows the key: %s", name, got)
				}
				c2.Close()
				continue
			}
			e := wants(t, err, c.want)
			if e.Code != wire.CodeInvalidInput || e.Temporary() || e.Hint == "" || strings.Contains(e.Error()+e.Node, "tally_bad") {
				t.Errorf("%s: %+v", name, e)
			}
		}
	}
}

// A certificate of an authority that one does not know is not trusted.
func TestAuthorities(t *testing.T) {
	n, _ := newKeyed(t, true)
	stranger := authority.New(t)
	for _, url := range []string{n.URL, "ws" + strings.TrimPrefix(n.URL, "http")} {
		for name, o := range map[string]Options{"the system's": {APIKey: goodKey}, "another": {APIKey: goodKey, Authorities: stranger.Pool()}} {
			_, err := DialWith(t.Context(), o, url)
			if e := wants(t, err, NameUnreachable); !strings.Contains(e.Error(), "certificate") {
				t.Errorf("%s, %s: %v", url, name, e)
			}
		}
	}
}

// The key is in no error, however the node fails.
func TestKeyIsInNoError(t *testing.T) {
	for _, url := range []string{
		closedPort(t), "ftp://127.0.0.1", "http://127.0.0.1:1",
		"127.0.0.1:8545", "node.example", "http//127.0.0.1:8545", "http://127.0.0.1:1/behind/a/proxy", "http://[::1", "http://me:tally_secret@127.0.0.1:1",
	} {
		_, err := Dial(t.Context(), url+"/key/tally_secret")
		if err == nil || strings.Contains(err.Error(), "tally_secret") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestWithoutSecrets(t *testing.T) {
	for address, want := range map[string]string{
		"http://a.example:8545/":          "http://a.example:8545/",
		"ws://a.example/rpc?x=1":          "ws://a.example/rpc?x=1",
		"https://me:pw@a.example/rpc":     "https://…@a.example/rpc",
		"a.example:1/key/tally_x":         "a.example:1/key/…",
		"https://a.example/b/key/tally_x": "https://a.example/b/key/…",
		"https://a.example/key/":          "https://a.example/key/",
		"":                                "",
	} {
		if got := withoutSecrets(address); got != want {
			t.Errorf("%s: %s", address, got)
		}
	}
}

func TestSplitKey(t *testing.T) {
	for address, want := range map[string][2]string{
		"http://a.example":                  {"http://a.example", ""},
		"http://a.example/":                 {"http://a.example/", ""},
		"https://a.example:1/key/tally_x":   {"https://a.example:1/", "tally_x"},
		"wss://a.example/key/tally_x?a=b":   {"wss://a.example/?a=b", "tally_x"},
		"https://a.example/key/":            {"https://a.example/key/", ""},
		"https://a.example/keys/tally_x":    {"https://a.example/keys/tally_x", ""},
		"https://a.example/rpc/key/tally_x": {"https://a.example/rpc/key/tally_x", ""},
		"://":                               {"://", ""},
	} {
		if without, key := SplitKey(address); without != want[0] || key != want[1] {
			t.Errorf("%s: %s and %q", address, without, key)
		}
	}
}

// A read waits as long as a node asks that was called too often, and no longer
// than it is worth.
func TestReadsHeedTheRate(t *testing.T) {
	n := newFake(t, "net-a")
	c := dial(t, n)
	var calls atomic.Int32
	limited := func(times int32, waitMs uint64) {
		calls.Store(0)
		n.on("ledger_listAssets", func([]json.RawMessage) (any, *fakeError) {
			if calls.Add(1) <= times {
				return nil, &fakeError{wire.CodeUnavailable, "too often", wire.ErrorData{Name: "rateLimited", RetryAfterMs: waitMs}}
			}
			return wire.AssetPage{}, nil
		})
	}
	limited(2, 20)
	began := time.Now()
	if _, err := c.Assets(t.Context(), wire.Page{}); err != nil || calls.Load() != 3 || time.Since(began) < 40*time.Millisecond {
		t.Errorf("%v after %d calls and %s", err, calls.Load(), time.Since(began))
	}
	for name, waitMs := range map[string]uint64{"for ever": 1, "too long a pause": 60_000, "no pause": 0} {
		limited(1000, waitMs)
		began := time.Now()
		_, err := c.Assets(t.Context(), wire.Page{})
		e := wants(t, err, "rateLimited")
		if e.RetryAfter != time.Duration(waitMs)*time.Millisecond || calls.Load() > rateRounds+1 || time.Since(began) > patience {
			t.Errorf("%s: %d calls in %s: %+v", name, calls.Load(), time.Since(began), e)
		}
	}
}
