package door

import (
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/explorer/web"
	"github.com/tallystick/tallystick/explorer/worldtest"
)

func ask(d http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.RemoteAddr = "192.0.2.1:1234"
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w
}

func TestHeaders(t *testing.T) {
	d := New(Options{Queries: worldtest.New(50)})
	for _, path := range []string{"/", "/blocks/5", "/nothing", "/api/v1/blocks", "/api/v1/nothing", "/static/x"} {
		h := ask(d, http.MethodGet, path).Header()
		if h.Get("Content-Security-Policy") != web.Policy || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" {
			t.Errorf("%s: %v", path, h)
		}
		if cors := h.Get("Access-Control-Allow-Origin"); (cors == "*") != strings.HasPrefix(path, "/api/v1") {
			t.Errorf("%s: CORS %q", path, cors)
		}
	}
	for _, forbidden := range []string{"unsafe-inline", "unsafe-eval", "http:", "https:", "*"} {
		if strings.Contains(web.Policy, forbidden) {
			t.Errorf("the policy has %s", forbidden)
		}
	}
	w := ask(d, http.MethodOptions, "/api/v1/blocks", "Origin", "https://a.example", "Access-Control-Request-Method", "GET")
	if w.Code != http.StatusNoContent || !strings.Contains(w.Header().Get("Access-Control-Allow-Methods"), "GET") {
		t.Errorf("preflight: %d %v", w.Code, w.Header())
	}
}

// What a client has already is not sent again, and what changed is.
func TestETag(t *testing.T) {
	world := worldtest.New(50)
	d := New(Options{Queries: world})
	for _, path := range []string{"/blocks", "/api/v1/blocks", "/api/v1/openapi.json"} {
		tag := ask(d, http.MethodGet, path).Header().Get("ETag")
		w := ask(d, http.MethodGet, path, "If-None-Match", `"other", `+tag)
		if tag == "" || w.Code != http.StatusNotModified || w.Body.Len() != 0 {
			t.Errorf("%s: %q, then %d with %d bytes", path, tag, w.Code, w.Body.Len())
		}
	}
	tag := ask(d, http.MethodGet, "/api/v1/blocks").Header().Get("ETag")
	world.Grow(1)
	if w := ask(d, http.MethodGet, "/api/v1/blocks", "If-None-Match", tag); w.Code != http.StatusOK {
		t.Errorf("after another block: %d", w.Code)
	}
	if w := ask(d, http.MethodGet, "/api/v1/nothing"); w.Header().Get("ETag") != "" {
		t.Error("an error has an ETag")
	}
}

func TestCompression(t *testing.T) {
	d := New(Options{Queries: worldtest.New(50)})
	plain := ask(d, http.MethodGet, "/blocks").Body.String()
	w := ask(d, http.MethodGet, "/blocks", "Accept-Encoding", "br;q=1, gzip")
	z, err := gzip.NewReader(w.Body)
	if err != nil || w.Header().Get("Content-Encoding") != "gzip" || !strings.Contains(strings.Join(w.Header().Values("Vary"), ","), "Accept-Encoding") {
		t.Fatal(err, w.Header())
	}
	unzipped, err := io.ReadAll(z)
	if err != nil || string(unzipped) != plain {
		t.Error("it is another page", err)
	}
	for _, refuses := range []string{"", "gzip;q=0", "identity", "br"} {
		if w := ask(d, http.MethodGet, "/blocks", "Accept-Encoding", refuses); w.Header().Get("Content-Encoding") != "" {
			t.Errorf("%q got it", refuses)
		}
	}
}

// One address that asks too often is refused, with when to come again, and no other.
func TestRate(t *testing.T) {
	d := New(Options{Queries: worldtest.New(5), Limits: Limits{Rate: 1, Burst: 5}, TrustedProxies: func() []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")} }})
	began := time.Now()
	d.now = func() time.Time { return began }
	from := func(address, path string) *httptest.ResponseRecorder {
		return ask(d, http.MethodGet, path, "X-Forwarded-For", address)
	}
	for range 5 {
		if w := from("198.51.100.1", "/api/v1/status"); w.Code != http.StatusOK {
			t.Fatal(w.Code)
		}
	}
	for path, kind := range map[string]string{"/api/v1/status": "application/problem+json", "/": "text/plain; charset=utf-8"} {
		w := from("198.51.100.1", path)
		if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" || w.Header().Get("Content-Type") != kind {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
	}
	if w := from("198.51.100.2", "/api/v1/status"); w.Code != http.StatusOK {
		t.Errorf("another address: %d", w.Code)
	}
}

// The door serves and stops, streams with it.
func TestServe(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	d := New(Options{Queries: worldtest.New(5)})
	go func() { ended <- d.Serve(ctx, listener) }()
	response, err := http.Get("http://" + listener.Addr().String() + "/api/v1/events")
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatal(err)
	}
	defer response.Body.Close()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
