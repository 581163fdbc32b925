package door

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/explorer/worldtest"
	"github.com/tallystick/tallystick/ledger"
)

// loopback is who is trusted to say who asks.
func loopback() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("192.0.2.1/32")}
}

func textLog(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// opened serves a door until the test ends.
func opened(t *testing.T, d *Door) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

// deaf asks for much more than the buffers between hold, and reads nothing of it.
func deaf(t *testing.T, address, path, from string) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.(*net.TCPConn).SetReadBuffer(4096)
	ask := fmt.Sprintf("GET %s HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: %s\r\n\r\n", path, from)
	if _, err := io.WriteString(c, strings.Repeat(ask, 60)); err != nil {
		t.Fatal(err)
	}
}

const bigPath = "/api/v1/blocks?limit=1000"

// Clients that do not read what they asked for do not keep the door from others: not
// all of its turns are one address's, and none is kept for ever.
func TestDeafClients(t *testing.T) {
	d := New(Options{Queries: worldtest.New(1200), TrustedProxies: loopback, Limits: Limits{Rate: -1, Concurrent: 4, AddressConcurrent: 2}})
	d.sendWithin = 500 * time.Millisecond
	address := opened(t, d)
	for range 6 {
		deaf(t, address, bigPath, "198.51.100.1")
	}
	ask := func(from string) error {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/api/v1/status", nil)
		if err != nil {
			return err
		}
		r.Header.Set("X-Forwarded-For", from)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		return response.Body.Close()
	}
	meanwhile := func(from string) { // until they have their turns, and then some
		t.Helper()
		for began := time.Now(); time.Since(began) < 3*time.Second; {
			if err := ask(from); err != nil {
				t.Fatal("others are kept waiting: ", err)
			}
		}
	}
	meanwhile("198.51.100.2")
	for range 6 { // of many addresses: more than there are turns
		deaf(t, address, bigPath, "203.0.113.1")
		deaf(t, address, bigPath, "203.0.113.2")
	}
	meanwhile("198.51.100.3")
}

// One address does not take all exports, and no export waits for a deaf client.
func TestExportsAreBounded(t *testing.T) {
	d := New(Options{Queries: worldtest.New(5), TrustedProxies: loopback})
	var leaves []func()
	for {
		leave, ok := d.exporter(request("198.51.100.1"))
		if !ok {
			break
		}
		leaves = append(leaves, leave)
		if len(leaves) > 100 {
			t.Fatal("one address has a hundred exports")
		}
	}
	path := "/api/v1/accounts/0x00000000000000000000000000000000000000a1/statement.csv?asset=USD"
	if w := ask(d, http.MethodGet, path, "X-Forwarded-For", "198.51.100.1"); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
		t.Errorf("one more: %d %v", w.Code, w.Header())
	}
	if w := ask(d, http.MethodGet, path, "X-Forwarded-For", "198.51.100.2"); w.Code == http.StatusTooManyRequests {
		t.Errorf("another address: %d", w.Code)
	}
	for _, leave := range leaves {
		leave()
	}
	if len(d.exporters.lines) != 0 || len(d.exports) != 0 {
		t.Error("something is kept of those that have ended")
	}
	if w := ask(d, http.MethodGet, path, "X-Forwarded-For", "198.51.100.1"); w.Code == http.StatusTooManyRequests {
		t.Errorf("after they ended: %d", w.Code)
	}
}

func request(from string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "192.0.2.1:1234"
	r.Header.Set("X-Forwarded-For", from)
	return r
}

// faulty panics where blocks are asked for.
type faulty struct{ *worldtest.World }

func (faulty) Block(context.Context, ledger.Height) (*query.Block, error) {
	panic("nobody thought of this")
}

// A panic is answered and logged, and gives its turn back.
func TestPanicIsAnswered(t *testing.T) {
	var log strings.Builder
	d := New(Options{Queries: faulty{worldtest.New(5)}, Limits: Limits{Concurrent: 1, AddressConcurrent: 1}, Log: textLog(&log)})
	for range 3 {
		if w := ask(d, http.MethodGet, "/api/v1/blocks/3"); w.Code != http.StatusInternalServerError || !strings.Contains(w.Header().Get("Content-Type"), "problem") {
			t.Errorf("%d %v", w.Code, w.Header())
		}
	}
	if !strings.Contains(log.String(), "nobody thought of this") {
		t.Error("it is not logged")
	}
}
