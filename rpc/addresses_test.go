package rpc

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/rpc/pace"
	"github.com/tallystick/tallystick/rpc/wire"
)

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

// FuzzSender reads any headers, path and addresses: whoever is not a trusted proxy
// counts for its own address, and no text but the key itself is the key.
func FuzzSender(f *testing.F) {
	access, secrets := keyed()
	access.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	h := newHarness(f, Options{Access: access})
	good := secrets["read"]
	f.Add("192.0.2.1:1", "198.51.100.1", "Bearer "+good[:9], "/")
	f.Add("10.0.0.1:1", "198.51.100.1, [::1]:9,10.2.3.4", "bearer  x", "/key/x")
	f.Add("[fe80::1%0]:1", ",,,", "Basic eDp5", "/key//")
	f.Fuzz(func(t *testing.T, peer, forwarded, authorization, path string) {
		r := &http.Request{RemoteAddr: peer, URL: &url.URL{Path: path}, Header: http.Header{
			"X-Forwarded-For": {forwarded}, "Authorization": {authorization},
		}}
		a := h.access.Load()
		id := a.identify(r)
		if from, err := netip.ParseAddrPort(peer); err == nil && !access.TrustedProxies[0].Contains(from.Addr().Unmap()) {
			if want := pace.AddressOf(&http.Request{RemoteAddr: peer}, nil); id.address != want {
				t.Errorf("%s counts for %s", peer, id.address)
			}
		}
		if id.address.Zone() != "" || id.address.Is4In6() {
			t.Errorf("%s has another form", id.address)
		}
		if _, problem := a.admit(id); problem == nil && !strings.Contains(authorization+path, "tally_") {
			t.Errorf("%q %q was admitted", authorization, path)
		}
		_ = served(path)
	})
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
