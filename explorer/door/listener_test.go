package door

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/tallystick/tallystick/explorer/worldtest"
)

// dialled is a connection from an address of the loopback, and whether the door
// answers on it.
func dialled(t *testing.T, from, to string) (c net.Conn, answers bool) {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.DialContext(t.Context(), "tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(c, "GET /api/v1/status HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return c, false
	}
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return c, false
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return c, err == nil && response.StatusCode == http.StatusOK
}

// One address has so many connections, whatever it says on them, and the others have
// theirs.
func TestConnectionsOfOneAddress(t *testing.T) {
	address := opened(t, New(Options{Queries: worldtest.New(5), Limits: Limits{Connections: 4, AddressConnections: 2}}))
	first, ok := dialled(t, "127.0.0.2", address)
	if !ok {
		t.Fatal("the first is not answered")
	}
	if _, ok := dialled(t, "127.0.0.2", address); !ok {
		t.Fatal("the second is not answered")
	}
	for range 10 {
		if _, ok := dialled(t, "127.0.0.2", address); ok {
			t.Fatal("a third is answered")
		}
	}
	if _, ok := dialled(t, "127.0.0.3", address); !ok {
		t.Fatal("another address is not answered")
	}
	first.Close()
	for end := time.Now().Add(20 * time.Second); ; {
		if _, ok := dialled(t, "127.0.0.2", address); ok {
			return
		}
		if time.Now().After(end) {
			t.Fatal("a connection that has ended is still counted")
		}
	}
}
