package rpc

import (
	"bytes"
	"errors"
	"net"
	"testing"
)

// writes is a connection that remembers each write.
type writes struct {
	net.Conn
	all [][]byte
	err error
}

func (w *writes) Write(b []byte) (int, error) {
	w.all = append(w.all, bytes.Clone(b))
	return len(b), w.err
}

// What is held goes out with what follows, in order, and nothing stays behind.
func TestHeldConn(t *testing.T) {
	w := &writes{}
	c := &heldConn{Conn: w}
	write := func(s string, hold bool) {
		t.Helper()
		c.setHold(hold)
		if n, err := c.Write([]byte(s)); n != len(s) || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	write("a", false)
	write("b", true)
	write("c", true)
	write("d", false)
	write("e", false)
	large := string(make([]byte, maxHeld))
	write("f", true)
	write(large, true) // too much to hold
	write("g", false)
	want := []string{"a", "bcd", "e", "f" + large, "g"}
	if len(w.all) != len(want) {
		t.Fatalf("%d writes", len(w.all))
	}
	for i := range want {
		if string(w.all[i]) != want[i] {
			t.Errorf("write %d is %.10q", i, w.all[i])
		}
	}
	write("h", true)
	write(string(make([]byte, 8<<20)), false)
	if cap(c.held) > 2*maxHeld {
		t.Errorf("%d bytes are kept after a large message", cap(c.held))
	}
	w.err = errors.New("gone")
	write("h", true)
	c.setHold(false)
	if _, err := c.Write([]byte("i")); !errors.Is(err, w.err) {
		t.Errorf("a failed write: %v", err)
	}
}
