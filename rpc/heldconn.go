package rpc

import (
	"bufio"
	"net"
	"net/http"
	"sync"
)

// heldConn sends what is written to it at once, or, while hold is on, together
// with what is written next. A block gives receipts to hundreds of calls of one
// WebSocket at the same moment, and each would be a system call.
type heldConn struct {
	net.Conn

	mu   sync.Mutex
	hold bool   // somebody is about to write; mu
	held []byte // written and not sent; mu
}

// maxHeld is how much is held at most.
const maxHeld = 32 << 10

// setHold says whether more is about to be written. After the last true must
// come a false, and a write behind it.
func (c *heldConn) setHold(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hold = on
}

// Write implements net.Conn.
func (c *heldConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hold && len(c.held)+len(b) <= maxHeld {
		c.held = append(c.held, b...)
		return len(b), nil
	}
	if len(c.held) == 0 {
		return c.Conn.Write(b)
	}
	all := append(c.held, b...)
	if c.held = all[:0]; cap(all) > 2*maxHeld {
		c.held = nil // or a connection would keep the room that its largest message took
	}
	if _, err := c.Conn.Write(all); err != nil {
		return 0, err
	}
	return len(b), nil
}

// hijacker gives the connection under a WebSocket's handshake out as a heldConn.
type hijacker struct {
	http.ResponseWriter
	conn *heldConn // set by Hijack
}

// Hijack implements http.Hijacker.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffers, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.conn = &heldConn{Conn: conn}
	return h.conn, buffers, nil
}
