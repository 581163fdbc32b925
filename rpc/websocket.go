package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	gethrpc "github.com/ethereum/go-ethereum/rpc"
	"github.com/gorilla/websocket"

	"github.com/tallystick/tallystick/rpc/apikey"
)

// A WebSocket is kept alive by pings: a peer that has answered nothing for
// wsSilence is gone.
const (
	wsPing    = 30 * time.Second
	wsSilence = 75 * time.Second
)

// wsConn is one WebSocket, shown to go-ethereum's server as a stream of
// screened single calls. (Its own WebSocket codec lets nobody look at a
// message before it is dispatched.) Batches take the way of HTTP, and direct
// calls their own.
//
// As many calls run at the same time as the server's limits allow; beyond
// them the connection is not read until answers have gone out.
type wsConn struct {
	server *Server
	socket *websocket.Conn
	under  *heldConn       // what socket writes to
	id     string          // the peer's address and a number, unique in the process
	ctx    context.Context // ends when the peer is gone or the connection is cut
	cancel context.CancelFunc
	peer   identity      // who opened it
	scopes apikey.Scopes // what that may, when it was opened

	unread   []byte         // of the screened message being read; owned by Read
	inFlight chan struct{}  // a place for each call that has no answer yet
	running  sync.WaitGroup // batches and direct calls that are running

	readMu   sync.Mutex // guards finished and the read deadline
	finished bool
	writers  atomic.Int32  // that have a message to write
	writeMu  sync.Mutex    // held while a message is written
	once     sync.Once     // Close
	follows  follows       // the peer's subscriptions
	past     chan struct{} // a place for that of them which looks at a block far back
}

var wsCount atomic.Uint64

func (s *Server) serveWebSocket(w http.ResponseWriter, r *http.Request, access *access) {
	peer := access.identify(r)
	who, problem := access.admit(peer)
	if problem != nil {
		s.refuseKey(w, r, problem)
		return
	}
	if late := who.charge(); late != nil {
		w.Header().Set("Retry-After", strconv.FormatUint((late.data.RetryAfterMs+999)/1000, 10))
		s.refuseHTTP(w, r, http.StatusTooManyRequests, late)
		return
	}
	if !s.sockets.try() {
		s.refuseHTTP(w, r, http.StatusServiceUnavailable, kindBusy.with("the node has as many WebSockets open as it may"))
		return
	}
	defer s.sockets.leave()
	if !s.opened.begin() {
		s.refuseHTTP(w, r, http.StatusServiceUnavailable, kindShuttingDown.plain())
		return
	}
	defer s.opened.end()
	h := &hijacker{ResponseWriter: w}
	socket, err := s.upgrader.Upgrade(h, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	c := s.newConn(socket, h.conn, peer, who.scopes)
	defer c.Close()
	if !c.entitled(s.access.Load()) { // which may be another one by now
		c.dismiss()
	}
	s.geth.ServeCodec(gethrpc.NewCodec(c), 0)
}

func (s *Server) newConn(socket *websocket.Conn, under *heldConn, peer identity, scopes apikey.Scopes) *wsConn {
	c := &wsConn{
		server: s, socket: socket, under: under, peer: peer, scopes: scopes,
		id:       fmt.Sprintf("%s#%d", socket.RemoteAddr(), wsCount.Add(1)),
		inFlight: make(chan struct{}, s.options.MaxWaiting+s.options.MaxConcurrent), past: make(chan struct{}, 1),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	// Somewhat too long a message is answered with an error; one that is
	// longer yet ends the connection (status 1009).
	socket.SetReadLimit(drainFactor * int64(s.options.MaxBodyBytes))
	socket.SetPongHandler(func(string) error { return c.expectMore() })
	s.mu.Lock()
	s.conns[c.id] = c
	s.mu.Unlock()
	go c.ping()
	return c
}

// connOf finds the WebSocket that a call came by; nil for HTTP.
func (s *Server) connOf(ctx context.Context) *wsConn {
	id := gethrpc.PeerInfoFromContext(ctx).RemoteAddr
	if id == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns[id]
}

// Read implements io.Reader for go-ethereum's codec: screened single calls,
// one after another. The end of the connection, or of the server, is io.EOF.
func (c *wsConn) Read(p []byte) (int, error) {
	for len(c.unread) == 0 {
		raw, err := c.next()
		if err != nil {
			return 0, err
		}
		c.take(raw)
	}
	n := copy(p, c.unread)
	c.unread = c.unread[n:]
	return n, nil
}

// take hands a message on: a batch or a direct call at once, another single call
// through unread.
func (c *wsConn) take(raw []byte) {
	var message screened
	who, problem := c.server.access.Load().admit(c.peer)
	switch {
	case problem != nil:
		message = refusal(problem)
	case raw == nil:
		message = who.refusal(kindTooLarge.with("the message is longer than the %d bytes that this node takes", c.server.options.MaxBodyBytes))
	default:
		message = c.server.screen(raw, who)
	}
	if !message.silent && !c.hold() {
		return
	}
	if !message.batch && !message.direct && message.answer == nil {
		c.unread = append(message.message, '\n')
		return
	}
	var t *turn
	if message.direct && message.call.admits() {
		if t = c.server.awaitTurn(c.ctx); t == nil {
			return
		}
	}
	c.running.Add(1)
	c.server.workers.run(func() {
		defer c.running.Done()
		c.answer(message, t)
	})
}

// answer does what go-ethereum's server does not see of this connection. t is
// the turn of what admits.
func (c *wsConn) answer(message screened, t *turn) {
	if message.direct && message.call.follows() {
		c.answerFollow(message.call)
		return
	}
	if message.direct {
		reply := c.server.reply(t.in(c.ctx), message.call)
		t.leave() // where the call was refused before it was to be admitted
		c.Write(reply)
		return
	}
	ctx, release := c.server.holding(c.ctx)
	defer release()
	answer := c.server.exchange(ctx, message)
	if len(answer) == 0 {
		c.release()
		return
	}
	c.Write(answer)
}

// next reads a message; nil for one that is too long. Its error is io.EOF
// whatever ended the connection, because there is nobody left to tell.
func (c *wsConn) next() ([]byte, error) {
	if err := c.expectMore(); err != nil {
		return nil, c.gone()
	}
	_, reader, err := c.socket.NextReader()
	if err != nil {
		return nil, c.gone()
	}
	limit := int64(c.server.options.MaxBodyBytes)
	raw, err := io.ReadAll(io.LimitReader(reader, limit+1))
	if err != nil {
		return nil, c.gone()
	}
	if int64(len(raw)) <= limit {
		return raw, nil
	}
	if _, err := io.Copy(io.Discard, reader); err != nil {
		return nil, c.gone()
	}
	return nil, nil
}

// gone is called when nothing more is read. Unless the server is ending, which
// lets running calls answer, nobody waits for them any more.
func (c *wsConn) gone() error {
	c.readMu.Lock()
	finished := c.finished
	c.readMu.Unlock()
	if !finished {
		c.cancel()
	}
	c.running.Wait()
	return io.EOF
}

var errHeld = errors.New("too many answers wait to be taken")

var errFinished = errors.New("the connection is ending")

// expectMore gives the peer another wsSilence to say something.
func (c *wsConn) expectMore() error {
	c.readMu.Lock()
	defer c.readMu.Unlock()
	if c.finished {
		return errFinished
	}
	return c.socket.SetReadDeadline(time.Now().Add(wsSilence))
}

// finish stops the reading; the answers that are due still go out.
func (c *wsConn) finish() {
	c.readMu.Lock()
	defer c.readMu.Unlock()
	c.finished = true
	_ = c.socket.SetReadDeadline(time.Unix(1, 0)) // a closed socket needs none
}

// entitled reports whether the peer has all the rights that it had when the
// connection was opened.
func (c *wsConn) entitled(a *access) bool {
	who, problem := a.admit(c.peer)
	return problem == nil && who.scopes.Has(c.scopes) && a.origins.allow(c.peer.origin)
}

// dismiss ends the connection of a peer that has lost a right: what was begun with
// it must not go on.
func (c *wsConn) dismiss() {
	c.cancel()
	// The peer may be gone already, or take nothing.
	_ = c.socket.WriteControl(websocket.CloseMessage,
		websocket.FormatCloseMessage(websocket.ClosePolicyViolation, "what you may do on this node has changed"), time.Now().Add(time.Second))
	c.cut()
}

// cut ends the connection at once.
func (c *wsConn) cut() {
	c.cancel()
	_ = c.socket.Close() // there is nothing to do about a socket that fails to close
}

// hold takes a place for a call; false when the connection is gone. While the
// places are taken nothing more is read from the peer.
func (c *wsConn) hold() bool {
	select {
	case c.inFlight <- struct{}{}:
		return true
	case <-c.ctx.Done():
		return false
	}
}

// release gives a call's place back. Messages that answer no call hold none.
func (c *wsConn) release() {
	select {
	case <-c.inFlight:
	default:
	}
}

// Write sends one message: go-ethereum's codec writes each in one piece. A
// peer that does not take it in time is cut off.
func (c *wsConn) Write(message []byte) (int, error) {
	defer c.release()
	defer c.server.held.Add(-int64(len(message)))
	if c.server.held.Add(int64(len(message))) > maxHeldBytes && len(message) > neverHeld {
		c.cut() // many answers wait, here or elsewhere, and this one cannot wait with them
		return 0, errHeld
	}
	c.writers.Add(1)
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	// Whoever is counted and waits for writeMu sends this message with its own.
	c.under.setHold(c.writers.Add(-1) > 0)
	if err := c.socket.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	if err := c.socket.WriteMessage(websocket.TextMessage, bytes.TrimSuffix(message, []byte{'\n'})); err != nil {
		c.cut()
		return 0, err
	}
	return len(message), nil
}

// ping asks now and then whether the peer is there.
func (c *wsConn) ping() {
	ticker := time.NewTicker(wsPing)
	defer ticker.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-ticker.C:
			if err := c.socket.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeTimeout)); err != nil {
				c.cut()
				return
			}
		}
	}
}

// Close says goodbye and ends the connection.
func (c *wsConn) Close() error {
	c.once.Do(func() {
		status := websocket.CloseNormalClosure
		if c.server.stopping.Err() != nil {
			status = websocket.CloseGoingAway
		}
		// The peer may be gone already.
		_ = c.socket.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(status, ""), time.Now().Add(time.Second))
		c.cut()
		c.server.mu.Lock()
		delete(c.server.conns, c.id)
		c.server.mu.Unlock()
	})
	return nil
}

// SetWriteDeadline is part of what go-ethereum's codec asks of a connection;
// Write sets its own.
func (c *wsConn) SetWriteDeadline(time.Time) error { return nil }

// RemoteAddr names the connection to go-ethereum's server, and so to connOf.
func (c *wsConn) RemoteAddr() string { return c.id }
