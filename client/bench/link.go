package bench

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/tallystick/tallystick/client"
)

// job is one transaction on its way.
type job struct {
	index    uint64
	raw      []byte
	due      time.Time // when it should have been sent
	home     int       // the link that it goes to first
	strikes  int       // how many nodes have not taken or answered it
	timeouts int       // of waits for its receipt
	sendings int
	doubt    bool // a sending may have been taken although it was not answered
}

// Limits and times of a link.
const (
	// windowSize bounds the calls that wait for their answer on one link. It
	// stays well below what a node lets wait at once.
	windowSize = 2000
	// callWait is how long a node is asked to wait for a receipt.
	callWait = 10 * time.Second
	// pingEvery and silence: a node that has said nothing for so long, not even
	// to a ping, is taken for dead. One that was killed shows at once; this is
	// for one that hangs, and must be longer than an overloaded one takes.
	pingEvery = 5 * time.Second
	silence   = 30 * time.Second
	// handshake bounds the opening of a connection.
	handshake = 10 * time.Second
	// firstRedial is the pause before a lost node is dialled again; it doubles
	// up to lastRedial.
	firstRedial = 100 * time.Millisecond
	lastRedial  = 2 * time.Second
	maxAnswer   = 32 << 20
)

// link is the way to one node: a queue, and one WebSocket with many calls.
type link struct {
	url      string
	header   http.Header // with the API key, if there is one
	secure   *tls.Config
	answered func(*job, answer)  // one job is answered
	broken   func(*link, []*job) // the connection is gone, and these were on it or queued for it
	opened   func(*link)         // there is a connection
	note     func(*link, error)  // why there is none

	mu      sync.Mutex // guards what follows
	ready   *sync.Cond // signals a change of what follows
	up      bool
	queue   []*job
	waiting map[uint64]*job
}

// newLink turns a node's address into a link; it does not connect.
func newLink(address string, o client.Options) (*link, error) {
	address, key := client.SplitKey(address)
	if key == "" {
		key = o.APIKey
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("node address %q: %w", address, err)
	}
	switch u.Scheme {
	case "http":
		u.Scheme = "ws"
	case "https":
		u.Scheme = "wss"
	}
	l := &link{url: u.String(), header: client.Header(key), secure: o.TLS(), waiting: make(map[uint64]*job)}
	l.ready = sync.NewCond(&l.mu)
	return l, nil
}

// push queues a job if there is a connection.
func (l *link) push(j *job) (ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.up {
		l.queue = append(l.queue, j)
		l.ready.Signal()
	}
	return l.up
}

// park queues a job whether there is a connection or not.
func (l *link) park(j *job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = append(l.queue, j)
	l.ready.Signal()
}

// drain takes what is queued on a link that is down.
func (l *link) drain() []*job {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.up {
		return nil
	}
	jobs := l.queue
	l.queue = nil
	return jobs
}

// run keeps the link connected until ctx ends.
func (l *link) run(ctx context.Context) {
	pause := firstRedial
	for ctx.Err() == nil {
		dialer := websocket.Dialer{HandshakeTimeout: handshake, ReadBufferSize: 64 << 10, WriteBufferSize: 16 << 10, TLSClientConfig: l.secure}
		conn, _, err := dialer.DialContext(ctx, l.url, l.header)
		if err == nil {
			pause = firstRedial
			err = l.serve(ctx, conn)
		}
		if ctx.Err() != nil {
			return
		}
		l.note(l, err)
		select {
		case <-time.After(pause):
			pause = min(2*pause, lastRedial)
		case <-ctx.Done():
		}
	}
}

// serve uses one connection until it breaks or ctx ends.
func (l *link) serve(ctx context.Context, conn *websocket.Conn) error {
	l.mu.Lock()
	l.up = true
	l.mu.Unlock()
	l.opened(l)
	closeConn := func() {
		l.mu.Lock()
		l.up = false
		l.mu.Unlock()
		conn.Close()
		l.ready.Broadcast()
	}
	stop := context.AfterFunc(ctx, closeConn)
	defer stop()
	var reading error
	var reader sync.WaitGroup
	reader.Go(func() {
		reading = l.read(conn)
		closeConn()
	})
	quit := make(chan struct{})
	reader.Go(func() { keepAlive(conn, quit) })
	writing := l.write(conn)
	closeConn()
	close(quit)
	reader.Wait()
	l.broken(l, l.clear())
	if writing != nil {
		return writing
	}
	return reading
}

// clear takes all jobs off a link that is down, in the order of their numbers.
func (l *link) clear() []*job {
	l.mu.Lock()
	defer l.mu.Unlock()
	jobs := l.queue
	l.queue = nil
	for _, j := range l.waiting {
		j.doubt = true
		jobs = append(jobs, j)
	}
	clear(l.waiting)
	slices.SortFunc(jobs, func(a, b *job) int { return a.due.Compare(b.due) })
	return jobs
}

// next takes the first job of the queue when the window has room for it, or
// answers nil when the connection is gone.
func (l *link) next() *job {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.up && (len(l.queue) == 0 || len(l.waiting) >= windowSize) {
		l.ready.Wait()
	}
	if !l.up {
		return nil
	}
	j := l.queue[0]
	l.queue[0] = nil
	l.queue = l.queue[1:]
	j.sendings++
	l.waiting[j.index] = j
	return j
}

// write sends queued jobs until the connection is gone.
func (l *link) write(conn *websocket.Conn) error {
	var buffer []byte
	for {
		j := l.next()
		if j == nil {
			return nil
		}
		buffer = appendRequest(buffer[:0], j.index, j.raw, callWait.Milliseconds())
		if err := conn.SetWriteDeadline(time.Now().Add(silence)); err != nil {
			return err
		}
		if err := conn.WriteMessage(websocket.TextMessage, buffer); err != nil {
			return err
		}
	}
}

// read hands on answers until the connection is gone.
func (l *link) read(conn *websocket.Conn) error {
	alive := func(string) error { return conn.SetReadDeadline(time.Now().Add(silence)) }
	conn.SetPongHandler(alive)
	conn.SetReadLimit(maxAnswer)
	var buffer []byte
	for {
		if err := alive(""); err != nil {
			return err
		}
		_, r, err := conn.NextReader()
		if err != nil {
			return err
		}
		if buffer, err = appendAll(buffer[:0], r); err != nil {
			return err
		}
		a, err := parseAnswer(buffer)
		if err != nil {
			return err
		}
		if j := l.take(a.id); j != nil {
			l.answered(j, a)
		}
	}
}

// take ends the wait of a call.
func (l *link) take(id uint64) *job {
	l.mu.Lock()
	j := l.waiting[id]
	delete(l.waiting, id)
	l.mu.Unlock()
	l.ready.Signal()
	return j
}

// keepAlive pings until quit.
func keepAlive(conn *websocket.Conn, quit <-chan struct{}) {
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-quit:
			return
		case <-tick.C:
			if conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(silence)) != nil {
				return
			}
		}
	}
}

// appendAll reads r to its end.
func appendAll(dst []byte, r io.Reader) ([]byte, error) {
	for {
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, max(512, len(dst)))
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
	}
}
