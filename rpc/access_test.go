package rpc

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

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
	address := "ws" + strings.TrimPrefix(listening(t, h).URL, "http")
	for name, secret := range secrets {
		c, _, err := websocket.DefaultDialer.Dial(address+"/key/"+secret, nil)
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
