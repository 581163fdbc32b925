package rpc

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/tallystick/tallystick/rpc/apikey"
	"github.com/tallystick/tallystick/rpc/wire"
)

// keyed is an access that asks for a key, and the keys' secrets by name: one for
// each set of scopes.
func keyed() (Access, map[string]string) {
	a, secrets := Access{KeysRequired: true}, map[string]string{}
	for s := apikey.Scopes(1); s <= apikey.All; s++ {
		secret := apikey.NewSecret()
		secrets[s.String()] = secret
		a.Keys = append(a.Keys, apikey.Key{Name: s.String(), Scopes: s, Hash: apikey.HashOf(secret)})
	}
	return a, secrets
}

// without is a without the key of a name.
func without(a Access, name string) Access {
	a.Keys = slices.DeleteFunc(slices.Clone(a.Keys), func(k apikey.Key) bool { return k.Name == name })
	return a
}

// as sends a body with a key in the header, or without one.
func (h *harness) as(secret, body string) *httptest.ResponseRecorder {
	header := map[string]string{}
	if secret != "" {
		header["Authorization"] = "Bearer " + secret
	}
	return h.send("/", body, header, "192.0.2.1:1")
}

func (h *harness) send(path, body string, header map[string]string, from string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.RemoteAddr = from
	for k, v := range header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// outcome is the name of an answer's error, or "" for a result.
func outcome(t testing.TB, w *httptest.ResponseRecorder) string {
	t.Helper()
	a := readAnswer(t, w.Body.Bytes())
	if a.Error == nil {
		return ""
	}
	return a.Error.Data.Name
}

// A request without a key that is known gets nowhere, and is told why with a
// status that no client takes for a reason to try again.
func TestKeysRefused(t *testing.T) {
	access, secrets := keyed()
	good := secrets["read"]
	h := newHarness(t, Options{Access: access})
	body := request("ledger_status")
	for _, c := range []struct{ name, path, authorization, want string }{
		{"no key", "/", "", "keyMissing"},
		{"an empty header", "/", "Bearer ", "keyMissing"},
		{"blanks", "/", "Bearer    ", "keyMissing"},
		{"no scheme", "/", good, "keyMissing"},
		{"another scheme", "/", "Basic " + good, "keyMissing"},
		{"a scheme run together", "/", "Bearer" + good, "keyMissing"},
		{"another key", "/", "Bearer " + apikey.NewSecret(), "keyUnknown"},
		{"a key cut off", "/", "Bearer " + good[:len(good)-1], "keyUnknown"},
		{"a key with more behind", "/", "Bearer " + good + "x", "keyUnknown"},
		{"a key with much behind", "/", "Bearer " + good + strings.Repeat("x", 5000), "keyUnknown"},
		{"a key in capitals", "/", "Bearer " + strings.ToUpper(good), "keyUnknown"},
		{"two keys", "/", "Bearer " + good + " " + good, "keyUnknown"},
		{"the hash of the key", "/", "Bearer " + apikey.HashOf(good).String(), "keyUnknown"},
		{"the name of the key", "/", "Bearer read", "keyUnknown"},
		{"another key in the path", "/key/" + apikey.NewSecret(), "", "keyUnknown"},
		{"an unknown key over a good one", "/key/" + good, "Bearer " + apikey.NewSecret(), "keyUnknown"},
		{"the key as a query", "/?key=" + good, "", "keyMissing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			header := map[string]string{}
			if c.authorization != "" {
				header["Authorization"] = c.authorization
			}
			w := h.send(c.path, body, header, "192.0.2.1:1")
			a := readAnswer(t, w.Body.Bytes())
			if w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") != "Bearer" || a.Error == nil ||
				a.Error.Data.Name != c.want || a.Error.Code != wire.CodeInvalidInput || a.Error.Data.Hint == "" {
				t.Errorf("HTTP %d %s", w.Code, w.Body)
			}
			if strings.Contains(w.Body.String(), good[:20]) {
				t.Errorf("the answer repeats the key: %s", w.Body)
			}
			h.contract.checkError(t, "", a)
		})
	}
	for _, path := range []string{"/key/", "/key", "/key/" + good + "/", "/key/" + good + "/x", "/keys/" + good} {
		if w := h.send(path, body, nil, "192.0.2.1:1"); w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), good) {
			t.Errorf("%s: HTTP %d %s", path, w.Code, w.Body)
		}
	}
	h.SetAccess(Access{KeysRequired: true}) // a file without keys: nobody
	if w := h.as(good, body); w.Code != http.StatusUnauthorized {
		t.Errorf("without any key: HTTP %d", w.Code)
	}
}

func TestKeysTaken(t *testing.T) {
	access, secrets := keyed()
	good, body := secrets["read"], request("ledger_status")
	h := newHarness(t, Options{Access: access})
	for name, w := range map[string]*httptest.ResponseRecorder{
		"header":             h.as(good, body),
		"scheme in lower":    h.send("/", body, map[string]string{"Authorization": "bearer " + good}, "192.0.2.1:1"),
		"path":               h.send("/key/"+good, body, nil, "192.0.2.1:1"),
		"header over path":   h.send("/key/x", body, map[string]string{"Authorization": "Bearer " + good}, "192.0.2.1:1"),
		"path, other header": h.send("/key/"+good, body, map[string]string{"Authorization": "Basic cHJveHk6eA=="}, "192.0.2.1:1"),
	} {
		if w.Code != http.StatusOK || outcome(t, w) != "" {
			t.Errorf("%s: HTTP %d %s", name, w.Code, w.Body)
		}
	}
	open := newHarness(t, Options{}) // asks for none, and takes any
	for name, w := range map[string]*httptest.ResponseRecorder{
		"header": open.as("x", body), "path": open.send("/key/x", body, nil, "192.0.2.1:1"), "none": open.as("", body),
	} {
		if w.Code != http.StatusOK || outcome(t, w) != "" {
			t.Errorf("open node, %s: HTTP %d %s", name, w.Code, w.Body)
		}
	}
	// What tells a person, and a browser, how to call needs no key.
	for _, method := range []string{http.MethodGet, http.MethodOptions} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/", nil))
		if w.Code >= 300 {
			t.Errorf("%s: HTTP %d", method, w.Code)
		}
	}
}

// Every method, with every set of scopes, singly, in a batch and over WebSocket:
// it is answered exactly where its scope is among them.
func TestScopes(t *testing.T) {
	access, secrets := keyed()
	h := newHarness(t, Options{Access: access})
	url := "ws" + strings.TrimPrefix(listening(t, h).URL, "http")
	for name, secret := range secrets {
		c, _, err := websocket.DefaultDialer.Dial(url+"/key/"+secret, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		scopes, err := apikey.ParseScopes(strings.Split(name, ","))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range methodTable {
			body := request(m.name, "x") // for most a wrong parameter, which is found out after the scope
			say(t, c, body)
			var batch []json.RawMessage
			if err := json.Unmarshal(h.as(secret, "["+body+"]").Body.Bytes(), &batch); err != nil {
				t.Fatal(err)
			}
			for way, raw := range map[string][]byte{"single": h.as(secret, body).Body.Bytes(), "batch": batch[0], "WebSocket": hear(t, c)} {
				a := readAnswer(t, raw)
				refused := a.Error != nil && a.Error.Data.Name == "scopeMissing"
				if refused == scopes.Has(m.needs()) {
					t.Errorf("%s with %s by %s: %s", m.name, name, way, raw)
				}
				if refused {
					if string(a.ID) != "1" || a.Error.Code != wire.CodeInvalidInput || !strings.Contains(a.Error.Message, m.needs().String()) {
						t.Errorf("%s with %s by %s: %s", m.name, name, way, raw)
					}
					h.contract.checkError(t, m.name, a)
				}
			}
		}
	}
}

// No method that a key without the scope submit may call brings the node a
// transaction, whatever its row in the table says.
func TestOnlySubmitSubmits(t *testing.T) {
	access, secrets := keyed()
	h := newHarness(t, Options{Access: access})
	before := h.node.Height()
	nonce := uint64(0)
	for _, m := range methodTable {
		for _, secret := range []string{"read,admin", "read", "admin"} {
			tx, raw := h.rawTx(t, nonce, 1)
			nonce++
			signed := map[string]any{"tx": tx.Body, "signatures": []any{map[string]any{"scheme": 0, "signature": hexOf(tx.Signatures[0].Signature[:])}}}
			for _, param := range []any{raw, signed} {
				h.as(secrets[secret], request(m.name, param))
				h.as(secrets[secret], "["+request(m.name, param, 1)+"]")
				h.as(secrets[secret], strings.Replace(request(m.name, param), `"id":1,`, "", 1)) // a notification
			}
		}
		if h.node.Height() != before {
			t.Fatalf("%s submitted a transaction without the scope submit", m.name)
		}
	}
	_, raw := h.rawTx(t, nonce, 1)
	if w := h.as(secrets["submit"], request("ledger_sendRawTransaction", raw)); outcome(t, w) != "" || h.node.Height() == before {
		t.Errorf("with it: %s", w.Body)
	}
}

// privateNames are what a method that touches keys, or the node's own machine,
// might be called: none is served, and no parameter asks for a secret.
var privateNames = regexp.MustCompile(`(?i)^(personal|admin|debug|miner|txpool|engine|account|clef|keystore|wallet|dev|hardhat|anvil|evm)_|` +
	`(?i)_(sign|signTransaction|signTypedData.*|unlock.*|lock.*|import.*|export.*|newAccount|ecRecover|sendTransactionAs|start.*|stop.*|add(Peer|Key).*|remove(Peer|Key).*|(set|add|new|list|revoke)(Key|Scope|Access).*|modules)$`)

// Nothing private is served: no method manages keys, of signing or of calling, and
// go-ethereum's server has none that the table has not.
func TestNothingPrivateIsServed(t *testing.T) {
	h := newHarness(t, Options{})
	for _, m := range methodTable {
		if privateNames.MatchString(m.name) {
			t.Errorf("%s is served", m.name)
		}
		for _, p := range m.params {
			if regexp.MustCompile(`(?i)private|secret|passw|passphrase|mnemonic|apikey`).MatchString(p.name + p.form.expects) {
				t.Errorf("%s asks for %s", m.name, p.name)
			}
		}
	}
	for namespace, api := range map[string]any{"ledger": &ledgerAPI{}, "rpc": &rpcAPI{}} {
		of := reflect.TypeOf(api)
		for i := range of.NumMethod() {
			name := of.Method(i).Name
			method := namespace + "_" + strings.ToLower(name[:1]) + name[1:]
			if methodNamed(method) == nil && method != refuseMethod {
				t.Errorf("go-ethereum's server has %s, which is not in the table", method)
			}
		}
	}
	for _, method := range []string{
		"rpc_modules", "rpc_refuse", "personal_newAccount", "personal_importRawKey", "personal_unlockAccount", "personal_sign",
		"eth_sign", "eth_signTransaction", "eth_sendTransaction", "eth_signTypedData_v4", "admin_addPeer", "admin_nodeInfo", "admin_datadir",
		"debug_setHead", "txpool_content", "miner_start", "ledger_addKey", "ledger_setAccess", "account_new",
	} {
		for _, body := range []string{request(method), "[" + request(method) + "]"} {
			if w := h.post(body); !strings.Contains(w.Body.String(), `"methodNotFound"`) {
				t.Errorf("%s: %s", method, w.Body)
			}
		}
	}
}

// dialAs opens a WebSocket with a key in the header.
func dialAs(t *testing.T, url, secret string) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(url, "http"), http.Header{"Authorization": {"Bearer " + secret}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
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
	h := newHarness(t, Options{Access: access})
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

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// limited is a server with a clock of its own.
func limited(t testing.TB, a Access) (*harness, *clock) {
	h := newHarness(t, Options{})
	c := &clock{at: time.Unix(1_800_000_000, 0)}
	h.now = c.now
	h.SetAccess(a)
	return h, c
}

func TestRateOfAddress(t *testing.T) {
	h, clock := limited(t, Access{Rate: 2, Burst: 3})
	body := request("ledger_status")
	from := func(address string) string { return outcome(t, h.send("/", body, nil, address)) }
	const late = "rateLimited"
	for i, want := range []string{"", "", "", late, late} {
		if got := from("192.0.2.1:" + fmt.Sprint(1000+i)); got != want { // another port each time
			t.Errorf("call %d: %q", i+1, got)
		}
	}
	w := h.send("/", body, nil, "[::ffff:192.0.2.1]:9")
	a := readAnswer(t, w.Body.Bytes())
	if w.Code != http.StatusOK || a.Error == nil || a.Error.Code != wire.CodeUnavailable || a.Error.Data.RetryAfterMs != 500 || string(a.ID) != "1" {
		t.Errorf("the same address as IPv6: HTTP %d %s", w.Code, w.Body)
	}
	h.contract.checkError(t, "ledger_status", a)
	if got := from("192.0.2.2:1"); got != "" {
		t.Errorf("another address: %q", got)
	}
	clock.pass(499 * time.Millisecond)
	if got := from("192.0.2.1:1"); got != late {
		t.Errorf("a millisecond too early: %q", got)
	}
	clock.pass(time.Millisecond)
	if first, second := from("192.0.2.1:1"), from("192.0.2.1:1"); first != "" || second != late {
		t.Errorf("after what it was told to wait: %q, then %q", first, second)
	}
	clock.pass(time.Hour)
	for i, want := range []string{"", "", "", late} {
		if got := from("192.0.2.1:1"); got != want {
			t.Errorf("an hour later, call %d: %q", i+1, got)
		}
	}
	// Of IPv6 a /64 is one client, and the next /64 another.
	for i, c := range []struct{ address, want string }{
		{"[2001:db8:0:1::1]:1", ""}, {"[2001:db8:0:1::2]:1", ""}, {"[2001:db8:0:1:ffff::3]:1", ""},
		{"[2001:db8:0:1:aaaa:bbbb:cccc:dddd]:1", late}, {"[2001:db8:0:2::1]:1", ""},
	} {
		if got := from(c.address); got != c.want {
			t.Errorf("IPv6 call %d: %q", i+1, got)
		}
	}
}

// Each call counts, however it comes: in a batch, over WebSocket, wrong, or
// waiting, and a message that is no call counts as one.
func TestWhatCounts(t *testing.T) {
	good := request("ledger_status")
	for _, c := range []struct {
		name, body string
		cost       int
	}{
		{"a call", good, 1}, {"a batch of three", "[" + good + "," + good + "," + good + "]", 3},
		{"a batch with rubbish", "[" + good + ",7]", 2}, {"an unknown method", request("nope"), 1},
		{"a wrong parameter", request("ledger_getReceipt", "x"), 1}, {"no JSON", "{", 1}, {"nothing", "", 1}, {"not UTF-8", "\xff", 1},
		{"an empty batch", "[]", 1}, {"a batch too long", "[" + strings.Repeat(good+",", 100) + good + "]", 1},
		{"a notification", strings.Replace(good, `"id":1,`, "", 1), 1},
		{"a waiting call", request("ledger_waitReceipt", "0x"+strings.Repeat("ab", 32), 1), 1},
	} {
		h, _ := limited(t, Access{Rate: 1, Burst: 5})
		h.post(c.body)
		left := 0
		for outcome(t, h.post(good)) == "" {
			left++
		}
		if left != 5-c.cost {
			t.Errorf("%s: %d of 5 left", c.name, left)
		}
		if c.body == "{" {
			if got := outcome(t, h.post(c.body)); got != "rateLimited" {
				t.Errorf("%s, above the limit: %s", c.name, got)
			}
		}
	}
	h, _ := limited(t, Access{Rate: 1, Burst: 3})
	ws := dial(t, h) // one
	for i, want := range []string{"", "", "rateLimited"} {
		say(t, ws, good)
		a := readAnswer(t, hear(t, ws))
		if (a.Error == nil) != (want == "") || a.Error != nil && (a.Error.Data.Name != want || string(a.ID) != "1") {
			t.Errorf("message %d over WebSocket: %+v", i+1, a.Error)
		}
	}
	// In a batch those that come too late are refused, each by itself.
	h, _ = limited(t, Access{Rate: 1, Burst: 2})
	var answers []answer
	if err := json.Unmarshal(h.post("["+good+","+good+","+good+"]").Body.Bytes(), &answers); err != nil || len(answers) != 3 {
		t.Fatal(err, answers)
	}
	if answers[0].Error != nil || answers[1].Error != nil || answers[2].Error == nil || answers[2].Error.Code != wire.CodeUnavailable {
		t.Errorf("%+v", answers)
	}
	// A notification above the limit does nothing.
	_, raw := h.rawTx(t, 0, 1)
	before := h.node.Height()
	h.post(strings.Replace(request("ledger_sendRawTransaction", raw), `"id":1,`, "", 1))
	if h.node.Height() != before {
		t.Error("a notification above the limit was heeded")
	}
}

// A key with a rate of its own is bound by that, from wherever it calls; one
// without counts for its address; the operator's own is bound by neither.
func TestRateOfKey(t *testing.T) {
	access, secrets := keyed()
	access.Rate, access.Burst = 1, 1
	for i := range access.Keys {
		if access.Keys[i].Name == "read,submit" {
			access.Keys[i].Rate, access.Keys[i].Burst = 10, 3
		}
	}
	h, clock := limited(t, access)
	body := request("ledger_status")
	call := func(key, from string) string {
		return outcome(t, h.send("/", body, map[string]string{"Authorization": "Bearer " + secrets[key]}, from))
	}
	for i, want := range []string{"", "", "", "rateLimited"} {
		if got := call("read,submit", fmt.Sprintf("192.0.2.%d:1", i)); got != want {
			t.Errorf("call %d with a rate of its own: %q", i+1, got)
		}
	}
	if first, second := call("read", "192.0.2.0:1"), call("read", "192.0.2.0:1"); first != "" || second != "rateLimited" {
		t.Errorf("without one: %q, then %q", first, second)
	}
	for range 20 {
		if got := call("read,admin", "192.0.2.0:1"); got != "" {
			t.Errorf("admin: %q", got)
		}
	}
	// What is spent stays spent over a change of something else, and does not over
	// a change of the limit.
	h.SetAccess(without(access, "admin"))
	if own, shared := call("read,submit", "192.0.2.9:1"), call("read", "192.0.2.0:1"); own != "rateLimited" || shared != "rateLimited" {
		t.Errorf("after a change of something else: %q, %q", own, shared)
	}
	clock.pass(100 * time.Millisecond)
	if got := call("read,submit", "192.0.2.9:1"); got != "" {
		t.Errorf("recovered: %q", got)
	}
	access.Rate, access.Burst = 0, 0
	h.SetAccess(access)
	for range 20 {
		if got := call("read", "192.0.2.0:1"); got != "" {
			t.Errorf("without any limit for addresses: %q", got)
		}
	}
}

// Who calls is what the connection says, unless it is of a trusted proxy.
func TestAddressOf(t *testing.T) {
	networks := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		name, peer string
		forwarded  []string
		proxies    []netip.Prefix
		want       string
	}{
		{"no proxy", "192.0.2.1:5", nil, nil, "192.0.2.1"},
		{"spoofed, nobody trusted", "192.0.2.1:5", []string{"198.51.100.1"}, nil, "192.0.2.1"},
		{"spoofed by a stranger", "192.0.2.1:5", []string{"198.51.100.1"}, networks, "192.0.2.1"},
		{"through the proxy", "10.1.1.1:5", []string{"198.51.100.1"}, networks, "198.51.100.1"},
		{"with a port", "10.1.1.1:5", []string{"198.51.100.1:777"}, networks, "198.51.100.1"},
		{"spoofed through the proxy", "10.1.1.1:5", []string{"203.0.113.9, 198.51.100.1"}, networks, "198.51.100.1"},
		{"spoofed as a proxy", "10.1.1.1:5", []string{"203.0.113.9, 10.9.9.9, 198.51.100.1"}, networks, "198.51.100.1"},
		{"two proxies", "10.1.1.1:5", []string{"203.0.113.9, 198.51.100.1, 10.2.2.2"}, networks, "198.51.100.1"},
		{"two headers", "10.1.1.1:5", []string{"203.0.113.9", "198.51.100.1"}, networks, "198.51.100.1"},
		{"rubbish", "10.1.1.1:5", []string{"unknown"}, networks, "10.1.1.1"},
		{"rubbish at the end", "10.1.1.1:5", []string{"198.51.100.1, "}, networks, "10.1.1.1"},
		{"rubbish before", "10.1.1.1:5", []string{"<script>, 198.51.100.1"}, networks, "198.51.100.1"},
		{"rubbish behind a second proxy", "10.1.1.1:5", []string{"unknown, 10.2.2.2"}, networks, "10.2.2.2"},
		{"nothing", "10.1.1.1:5", nil, networks, "10.1.1.1"},
		{"proxies alone", "10.1.1.1:5", []string{"10.3.3.3, 10.2.2.2"}, networks, "10.3.3.3"},
		{"very many", "10.1.1.1:5", []string{"198.51.100.1" + strings.Repeat(", 10.2.2.2", 1000)}, networks, "10.2.2.2"},
		{"IPv6", "[2001:db8:1:2:3::4]:5", nil, nil, "2001:db8:1:2::"},
		{"IPv6 with a zone", "[fe80::1%eth0]:5", nil, nil, "fe80::"},
		{"IPv6 proxy", "[fd00::1]:5", []string{"2001:db8:1:2:3::4"}, networks, "2001:db8:1:2::"},
		{"IPv4 in IPv6", "[::ffff:10.1.1.1]:5", []string{"::ffff:198.51.100.1"}, networks, "198.51.100.1"},
		{"no address", "@", nil, networks, "invalid IP"},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{"X-Forwarded-For": c.forwarded}}
		if got := addressOf(r, c.proxies); got.String() != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// The limits of addresses take a bounded memory, and of those remembered none
// begins anew.
func TestAddressesAreBounded(t *testing.T) {
	limits := newAddressLimits(1, 1)
	now := time.Unix(1_800_000_000, 0)
	address := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }
	for i := range maxAddresses {
		if take(limits.of(address(i), now), now) != 0 {
			t.Fatal(i)
		}
	}
	for i := range maxAddresses {
		if take(limits.of(address(i), now), now) == 0 {
			t.Fatalf("%d began anew", i)
		}
	}
	for i := maxAddresses; i < 2*maxAddresses; i++ {
		limits.of(address(i), now)
	}
	if n := limits.table.Len(); n != maxAddresses {
		t.Errorf("%d addresses are remembered", n)
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

// BenchmarkCharge is what a limit adds to a call.
func BenchmarkCharge(b *testing.B) {
	access, secrets := keyed()
	access.Rate = 1_000_000
	for i := range access.Keys {
		if access.Keys[i].Name == "read,submit" {
			access.Keys[i].Rate, access.Keys[i].Burst = 1_000_000, 1_000_000
		}
	}
	for name, a := range map[string]Access{"open": {}, "address": {Rate: 1_000_000}, "key": access} {
		b.Run(name, func(b *testing.B) {
			h := newHarness(b, Options{Access: a})
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.Header.Set("Authorization", "Bearer "+secrets["read,submit"])
			b.ReportAllocs()
			for b.Loop() {
				access := h.access.Load()
				who, problem := access.admit(access.identify(r))
				if problem == nil {
					problem = who.charge()
				}
				_ = problem
			}
		})
	}
}
