package rpc

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/tallystick/tallystick/rpc/apikey"
)

// dialAs opens a WebSocket with a key in the header.
func dialAs(t *testing.T, url, secret string) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(url, "http"), http.Header{"Authorization": {"Bearer " + secret}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetReadDeadline(time.Now().Add(2 * time.Minute)); err != nil {
		t.Fatal(err)
	}
	return c
}

// closedByPolicy reads until the connection ends, and checks that it was ended
// because of a change of rights.
func closedByPolicy(t *testing.T, c *websocket.Conn, why string) {
	t.Helper()
	for {
		_, raw, err := c.ReadMessage()
		if err == nil {
			t.Logf("%s: %s", why, raw)
			continue
		}
		if !websocket.IsCloseError(err, websocket.ClosePolicyViolation) {
			t.Errorf("%s: %v", why, err)
		}
		return
	}
}

// An open WebSocket loses its rights with its key, at once, and all others go on.
func TestOpenWebSocketLosesItsRights(t *testing.T) {
	access, secrets := keyed()
	url := ""
	begin := func(t *testing.T) (*harness, *websocket.Conn, *websocket.Conn) {
		h := newHarness(t, Options{Access: access})
		url = listening(t, h).URL
		both, other := dialAs(t, url, secrets["read,submit"]), dialAs(t, url, secrets["read"])
		for _, c := range []*websocket.Conn{both, other} {
			say(t, c, request("ledger_status"))
			if a := readAnswer(t, hear(t, c)); a.Error != nil {
				t.Fatal(a.Error)
			}
		}
		say(t, both, request("ledger_waitReceipt", "0x"+strings.Repeat("ab", 32), 20_000)) // it has something to wait for
		eventually(t, "it waits", func() bool { return h.waiting.used() == 1 })
		return h, both, other
	}
	lessened := without(access, "read,submit")
	lessened.Keys = append(lessened.Keys, apikey.Key{Name: "read,submit", Scopes: apikey.Read, Hash: apikey.HashOf(secrets["read,submit"])})
	for name, after := range map[string]Access{"revoked": without(access, "read,submit"), "fewer scopes": lessened} {
		t.Run(name, func(t *testing.T) {
			h, both, other := begin(t)
			h.SetAccess(after)
			closedByPolicy(t, both, name)
			eventually(t, "it waits no more", func() bool { return h.waiting.used() == 0 })
			say(t, other, request("ledger_status"))
			if a := readAnswer(t, hear(t, other)); a.Error != nil {
				t.Errorf("another key: %+v", a.Error)
			}
		})
	}
	t.Run("keys asked for now", func(t *testing.T) {
		h := newHarness(t, Options{})
		c := dial(t, h)
		say(t, c, request("ledger_status"))
		hear(t, c)
		h.SetAccess(access)
		closedByPolicy(t, c, "without a key")
	})
	t.Run("origin no longer allowed", func(t *testing.T) {
		h := newHarness(t, Options{Access: Access{AllowedOrigins: []string{"https://app.example"}}})
		c, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(listening(t, h).URL, "http"), http.Header{"Origin": {"https://app.example"}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		h.SetAccess(Access{})
		closedByPolicy(t, c, "origin")
	})
	t.Run("more scopes, other keys", func(t *testing.T) {
		h, both, _ := begin(t)
		more := without(without(access, "read,submit"), "admin")
		more.Keys = append(more.Keys, apikey.Key{Name: "new name", Scopes: apikey.All, Hash: apikey.HashOf(secrets["read,submit"])})
		h.SetAccess(more)
		say(t, both, strings.Replace(request("ledger_status"), `"id":1`, `"id":2`, 1))
		if a := readAnswer(t, hear(t, both)); a.Error != nil || string(a.ID) != "2" {
			t.Errorf("%s %+v", a.ID, a.Error)
		}
	})
}

// Even what a WebSocket says between the change and its end is judged anew.
func TestMessageAfterRevocation(t *testing.T) {
	access, secrets := keyed()
	h := newHarness(t, Options{Access: access})
	id := identity{hash: apikey.HashOf(secrets["read"]), given: true}
	if _, problem := h.access.Load().admit(id); problem != nil {
		t.Fatal(problem)
	}
	h.SetAccess(without(access, "read"))
	if _, problem := h.access.Load().admit(id); problem == nil || problem.data.Name != "keyUnknown" {
		t.Errorf("%v", problem)
	}
}

func TestHandshakeRefused(t *testing.T) {
	access, secrets := keyed()
	access.Rate, access.Burst = 1, 2
	h, _ := limited(t, access) // whose clock stands
	server := listening(t, h).URL
	url := "ws" + strings.TrimPrefix(server, "http")
	for name, header := range map[string]http.Header{"no key": nil, "unknown": {"Authorization": {"Bearer " + apikey.NewSecret()}}} {
		if _, response, err := websocket.DefaultDialer.Dial(url, header); err == nil || response == nil || response.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %v", name, err)
		}
	}
	for range 2 {
		dialAs(t, server, secrets["read"])
	}
	_, response, err := websocket.DefaultDialer.Dial(url+"/key/"+secrets["read"], nil)
	if err == nil || response == nil || response.StatusCode != http.StatusTooManyRequests || response.Header.Get("Retry-After") != "1" {
		t.Errorf("too many handshakes: %v %+v", err, response)
	}
}

// A browser asks first, without a key, and is told what it may send.
func TestPreflight(t *testing.T) {
	access, secrets := keyed()
	access.AllowedOrigins = []string{"https://app.example"}
	h := newHarness(t, Options{Access: access})
	ask := func(origin string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodOptions, "/", nil)
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", "POST")
		r.Header.Set("Access-Control-Request-Headers", "authorization,content-type")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	if w := ask("https://app.example"); w.Code != http.StatusNoContent || w.Header().Get("Access-Control-Allow-Origin") != "https://app.example" ||
		!strings.Contains(w.Header().Get("Access-Control-Allow-Headers"), "authorization") {
		t.Errorf("HTTP %d %v", w.Code, w.Header())
	}
	for _, origin := range []string{"https://evil.example", "https://app.example.evil.example", "http://app.example", "https://app.example:8443", "null"} {
		if w := ask(origin); w.Code != http.StatusBadRequest || w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: HTTP %d %v", origin, w.Code, w.Header())
		}
	}
	// A key does not make a page welcome, and a page can read why it is refused.
	body := request("ledger_status")
	if w := h.send("/", body, map[string]string{"Origin": "https://evil.example", "Authorization": "Bearer " + secrets["read"]}, "192.0.2.1:1"); w.Code != http.StatusBadRequest {
		t.Errorf("a strange page with a key: HTTP %d", w.Code)
	}
	if w := h.send("/", body, map[string]string{"Origin": "https://app.example"}, "192.0.2.1:1"); w.Code != http.StatusUnauthorized || w.Header().Get("Access-Control-Allow-Origin") == "" {
		t.Errorf("an allowed page without a key: HTTP %d %v", w.Code, w.Header())
	}
	h.SetAccess(Access{AllowedOrigins: []string{"https://other.example"}})
	if w := ask("https://app.example"); w.Code != http.StatusBadRequest {
		t.Errorf("after the change: HTTP %d", w.Code)
	}
}

// Access may change while calls come.
func TestAccessChangesUnderLoad(t *testing.T) {
	access, secrets := keyed()
	access.Rate = 1_000_000
	h := newHarness(t, Options{Access: access})
	url := listening(t, h).URL
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if w := h.as(secrets["read"], request("ledger_status")); w.Code != http.StatusOK {
					t.Errorf("HTTP %d", w.Code)
				}
				c, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(url, "http")+"/key/"+secrets["submit"], nil)
				if err == nil {
					c.Close()
				}
			}
		})
	}
	for i := range 50 {
		if i%2 == 0 {
			h.SetAccess(without(access, "submit"))
		} else {
			h.SetAccess(access)
		}
	}
	close(stop)
	callers.Wait()
}

// late is a body during which something happens.
type late struct {
	io.Reader
	happens func()
}

// Read implements io.Reader.
func (l *late) Read(p []byte) (int, error) {
	l.happens()
	return l.Reader.Read(p)
}

// Who loses its key while its body is on the way may not call with it any more.
func TestKeyIsLostDuringTheBody(t *testing.T) {
	access, secrets := keyed()
	lessened := without(access, "read,submit")
	lessened.Keys = append(lessened.Keys, apikey.Key{Name: "read,submit", Scopes: apikey.Read, Hash: apikey.HashOf(secrets["read,submit"])})
	for name, c := range map[string]struct {
		after  Access
		status int
		want   string
	}{
		"revoked":      {without(access, "read,submit"), http.StatusUnauthorized, "keyUnknown"},
		"fewer scopes": {lessened, http.StatusOK, "scopeMissing"},
	} {
		h := newHarness(t, Options{Access: access})
		body := &late{strings.NewReader(request("ledger_sendRawTransaction", "0x00")), func() { h.SetAccess(c.after) }}
		r := httptest.NewRequest(http.MethodPost, "/", body)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+secrets["read,submit"])
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}
