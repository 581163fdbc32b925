package rpc

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/feed"
	"github.com/tallystick/tallystick/rpc/wire"
)

// A subscription is a goroutine with a cursor that takes block after block from
// the feed at its peer's pace. Nothing is queued for it: what it holds is the few
// messages that it writes, and no block. A peer that does not take a message in time is cut off,
// and a subscription that was at the newest block and has fallen too far behind
// is ended with its cursor. What is behind because it began far back is neither.

// slowness is how slow a subscription may be.
type slowness struct {
	write    time.Duration // for one message to be taken
	behind   uint64        // blocks, of a subscription that was at the newest one
	progress time.Duration // without a message, until the cursor is told
	each     time.Duration // of rest after a round, for each subscription on the node
}

// usualSlowness: a message costs the node some 12 µs, nearly all of it the system
// call, and as much where it is read on the same machine. With fifty times as much
// rest, however many follow, consensus is slowed by less than a twentieth
// (BenchmarkFollowers in internal/network). A thousand are told after 0.3 s on
// average, and of several blocks at once; ten after 3 ms.
var usualSlowness = slowness{write: 10 * time.Second, behind: 512, progress: 10 * time.Second, each: 600 * time.Microsecond}

const (
	longestRest = time.Second
	roundItems  = 64 // of several blocks at once
	roundBlocks = 16
	roundBytes  = 64 << 10 // rendered, unless a single message is larger
)

// feedSource is a Backend as the feed reads it.
type feedSource struct{ Backend }

// Done implements feed.Source.
func (s feedSource) Done(height ledger.Height) (*feed.Done, error) {
	done, err := s.Backend.Done(height)
	return (*feed.Done)(done), err
}

// Member implements feed.Source.
func (s feedSource) Member(height ledger.Height, account crypto.Address) (crypto.Address, error) {
	view, err := s.View(height)
	if err != nil {
		return crypto.Address{}, err
	}
	return view.Member(account)
}

// Seek implements feed.Source by the most selective of the conditions that the
// history knows.
func (s feedSource) Seek(f *feed.Filter, from ledger.Height) (ledger.Height, error) {
	top := s.Height()
	q := PlaceQuery{From: FirstPlace(from), To: LastPlace(top), Limit: 1}
	switch {
	case f.Reference != nil:
		q.Reference = *f.Reference
	case f.Account != nil:
		q.Account = f.Account
	case f.Asset != nil:
		q.Asset = f.Asset
	default:
		return from, nil
	}
	places, err := s.Places(q)
	if err != nil || len(places) == 0 {
		return top + 1, err
	}
	return places[0].Height, nil
}

// following is a subscription to be: what a method makes of its parameters.
type following struct {
	kind     string // for metrics
	method   string // of the notifications
	pick     feed.Pick
	filter   *feed.Filter // in place of pick: notices
	behind   wire.Cursor
	progress bool // tell the cursor first, and when nothing else was told for long; and end with a notice

	release func() // called when the subscription has ended, or could not begin; may be nil

	// run is in place of pick where what is followed is not the chain.
	run func(ctx context.Context, send func(message []byte, more bool) error) error
}

func (f *following) leave() {
	if f.release != nil {
		f.release()
	}
}

// subscription is one that runs.
type subscription struct {
	following
	id     string
	conn   *wsConn
	ctx    context.Context
	cancel context.CancelFunc
	begin  chan struct{} // closed when the peer has been told the id
	ended  chan struct{} // closed when nothing more will be sent
}

// follows are the subscriptions of one connection.
type follows struct {
	mu   sync.Mutex // guards byID
	byID map[string]*subscription
}

func (f *follows) add(s *subscription, most int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.byID) >= most {
		return false
	}
	if f.byID == nil {
		f.byID = map[string]*subscription{}
	}
	f.byID[s.id] = s
	return true
}

func (f *follows) named(id string) *subscription {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.byID[id]
}

func (f *follows) remove(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.byID, id)
}

// followCall is what a call that subscribes or unsubscribes has to know.
type followCall struct {
	conn  *wsConn
	made  *subscription // by the call
	ended *subscription // by the call
}

type followKey struct{}

// followCallOf finds the WebSocket of a call about subscriptions.
func followCallOf(ctx context.Context) (*followCall, error) {
	call, ok := ctx.Value(followKey{}).(*followCall)
	if !ok {
		return nil, kindWebSocketOnly.plain()
	}
	return call, nil
}

// answerFollow answers a call about subscriptions. Notifications begin after the
// answer to the one that begins them, and have ended before that to the one that
// ends them.
func (c *wsConn) answerFollow(asked call) {
	f := &followCall{conn: c}
	answer := c.server.reply(context.WithValue(c.ctx, followKey{}, f), asked)
	if f.ended != nil {
		<-f.ended.ended // not within the call, whose place others need
	}
	c.Write(answer)
	if f.made != nil {
		close(f.made.begin)
	}
}

// subscribe begins a subscription of the connection that the call came by.
func (s *Server) subscribe(ctx context.Context, what following) (id string, err error) {
	defer func() {
		if err != nil {
			what.leave()
		}
	}()
	call, err := followCallOf(ctx)
	if err != nil {
		return "", err
	}
	if !s.subscribed.try() {
		return "", kindSubscriptions.with("the node has as many subscriptions as it may, %d", s.options.MaxSubscriptions)
	}
	sub := &subscription{
		following: what, id: newFollowID(), conn: call.conn, begin: make(chan struct{}), ended: make(chan struct{}),
	}
	if !call.conn.follows.add(sub, s.options.MaxConnectionSubscriptions) {
		s.subscribed.leave()
		return "", kindSubscriptions.with("this WebSocket has as many subscriptions as one may, %d", s.options.MaxConnectionSubscriptions)
	}
	sub.ctx, sub.cancel = context.WithCancel(call.conn.ctx)
	call.made = sub
	call.conn.running.Add(1)
	go sub.live()
	return sub.id, nil
}

// newFollowID is random, so that no message for one subscription can be taken
// for another's. As Ethereum has it, it is a quantity: without leading zeros.
func newFollowID() string {
	var id [16]byte
	rand.Read(id[:])
	id[0] = id[0]&0x7f | 0x10
	return "0x" + hex.EncodeToString(id[:])
}

// unsubscribe ends a subscription; false when the connection has none of this id.
func (s *Server) unsubscribe(ctx context.Context, id string) (bool, error) {
	call, err := followCallOf(ctx)
	if err != nil {
		return false, err
	}
	sub := call.conn.follows.named(id)
	if sub == nil {
		return false, nil
	}
	sub.cancel()
	call.ended = sub
	return true, nil
}

// live is the subscription's goroutine.
func (s *subscription) live() {
	server := s.conn.server
	defer s.conn.running.Done()
	defer server.subscribed.leave()
	defer s.leave()
	defer close(s.ended)
	defer s.conn.follows.remove(s.id)
	defer s.cancel()
	select {
	case <-s.begin:
	case <-s.ctx.Done():
		return
	}
	run := s.run
	if run == nil {
		run = s.follow
	}
	err := s.guarded(run)
	server.metrics.ended.WithLabelValues(s.why(err)).Inc()
}

// guarded runs what is followed. A crash ends the subscription, not the node.
func (s *subscription) guarded(run func(context.Context, func([]byte, bool) error) error) (err error) {
	defer func() {
		if crash := recover(); crash != nil {
			s.conn.server.options.Logger.Error("subscription crashed", "kind", s.kind, "panic", crash, "stack", string(debug.Stack()))
			s.conn.farewell(websocket.CloseInternalServerErr, "the subscription failed inside the node")
			err = kindInternal.plain()
		}
	}()
	return run(s.ctx, s.send)
}

// why names the reason that a subscription ended with.
func (s *subscription) why(err error) string {
	var e *callError
	var slow net.Error
	switch {
	case errors.As(err, &slow) && slow.Timeout():
		return "blocked"
	case errors.As(err, &e):
		return e.data.Name
	}
	return "closed"
}

// follow tells what the chain has, until the end.
func (s *subscription) follow(ctx context.Context, _ func([]byte, bool) error) error {
	server := s.conn.server
	reader := server.feed.Read(s.pick, s.behind)
	if s.filter != nil {
		reader = server.feed.ReadNotices(s.filter, s.behind)
	}
	told := s.behind
	if s.progress {
		if err := s.send(feed.Progress(told), false); err != nil {
			return err
		}
	}
	live, last := false, time.Now()
	for {
		items, end, err := s.read(ctx, reader, live)
		if err != nil {
			return s.end(told, err)
		}
		live = live || reader.Behind() == 0
		whole := true
		for len(items) > 0 {
			var texts [][]byte
			if texts, items, told, err = s.render(items, told); err != nil {
				return s.end(told, err)
			}
			if len(items) > 0 && s.progress {
				// The rest is read again: a peer that takes its time keeps no block.
				reader.Return(told)
				items, end, whole = nil, told, false
			}
			if err := s.sendAll(texts, len(items) > 0); err != nil {
				return err
			}
			last = time.Now()
		}
		if s.progress && end != told && time.Since(last) >= server.slow.progress {
			if err := s.send(feed.Progress(end), false); err != nil {
				return err
			}
			last = time.Now()
		}
		told = end // without a word, where there was nothing to tell
		if live && whole {
			s.rest(reader)
		}
	}
}

// read takes what comes next. Of the subscriptions of one connection that are far
// behind one at a time does, or else a peer with many would have most of the node's
// places for it.
func (s *subscription) read(ctx context.Context, reader *feed.Reader, live bool) ([]feed.Item, wire.Cursor, error) {
	if reader.FarBehind() {
		select {
		case s.conn.past <- struct{}{}:
			defer func() { <-s.conn.past }()
		case <-ctx.Done():
			return nil, wire.Cursor{}, ctx.Err()
		}
	}
	server := s.conn.server
	items, end, err := reader.Next(ctx)
	switch {
	case server.stopping.Err() != nil:
		return nil, end, kindShuttingDown.plain()
	case err != nil:
		return nil, end, err
	case live && reader.Behind() > server.slow.behind:
		return nil, end, kindLagging.with("the subscription fell %d blocks behind", reader.Behind())
	}
	return more(ctx, reader, items, end)
}

// render makes the messages of the first items, as many as one subscription may hold
// while its peer takes them, and at least one. It returns the rest of the items and
// the cursor of the last that it has rendered, or told.
func (s *subscription) render(items []feed.Item, told wire.Cursor) ([][]byte, []feed.Item, wire.Cursor, error) {
	var texts [][]byte
	for size := 0; len(items) > 0 && size < roundBytes; items = items[1:] {
		text, err := items[0].JSON()
		if err != nil && len(texts) == 0 {
			return nil, nil, told, err
		}
		if err != nil {
			break // the next round meets it first
		}
		texts, told, size = append(texts, text), items[0].Cursor, size+len(text)
	}
	return texts, items, told, nil
}

// sendAll sends messages. With more, others come at once.
func (s *subscription) sendAll(texts [][]byte, more bool) error {
	for i, text := range texts {
		if err := s.send(text, more || i < len(texts)-1); err != nil {
			return err
		}
		texts[i] = nil
	}
	return nil
}

// more adds to what the reader is to see of a block that of the next ones, as far as
// they are there already and have little.
func more(ctx context.Context, reader *feed.Reader, items []feed.Item, end wire.Cursor) ([]feed.Item, wire.Cursor, error) {
	for blocks := 1; blocks < roundBlocks && len(items) < roundItems && reader.Behind() > 0; blocks++ {
		next, upTo, err := reader.Next(ctx)
		if err != nil {
			return nil, end, err
		}
		items, end = append(items, next...), upTo
	}
	return items, end, nil
}

// fairRest is how long a subscription rests after a round, so that all of them
// together leave most of a processor to others.
func (s *Server) fairRest() time.Duration {
	return min(time.Duration(s.subscribed.used())*s.slow.each, longestRest)
}

// rest leaves the processors to others, as long as there are many subscriptions.
// Who is behind by several blocks has had his rest.
func (s *subscription) rest(reader *feed.Reader) {
	server := s.conn.server
	rest := server.fairRest()
	if rest < time.Millisecond || reader.Behind() > roundBlocks {
		return
	}
	timer := time.NewTimer(rest)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.ctx.Done():
	case <-server.stopping.Done():
	}
}

// end tells why the subscription ends, and where to go on. It returns err.
func (s *subscription) end(told wire.Cursor, err error) error {
	if s.ctx.Err() != nil {
		return err
	}
	e, ok := known(err)
	switch {
	case errors.Is(err, feed.ErrNotKept):
		e = kindNotKept.plain()
	case !ok:
		s.conn.server.options.Logger.Error("subscription failed", "kind", s.kind, "err", err)
		e = kindInternal.plain()
	}
	if !s.progress { // the protocol has no word for it but the end of the connection
		if s.conn.server.stopping.Err() == nil { // which ends it anyway
			s.conn.farewell(websocket.CloseTryAgainLater, e.message)
		}
		return e
	}
	text, failed := json.Marshal(wire.Notice{Cursor: told, Error: &wire.NoticeError{Code: e.code, Message: e.message, Data: e.data}})
	if failed != nil {
		return failed
	}
	if failed := s.send(text, false); failed != nil {
		return failed
	}
	return e
}

// send writes one notification. With more, another comes at once.
func (s *subscription) send(result []byte, more bool) error {
	message := make([]byte, 0, 128+len(result))
	message = append(append(append(message, `{"jsonrpc":"2.0","method":"`...), s.method...), `","params":{"subscription":"`...)
	message = append(append(append(message, s.id...), `","result":`...), result...)
	message = append(message, '}', '}')
	if s.ctx.Err() != nil {
		return s.ctx.Err()
	}
	if err := s.conn.notify(message, more); err != nil {
		return err
	}
	s.conn.server.metrics.notices.WithLabelValues(s.kind).Inc()
	return nil
}

// notify writes a message that answers no call. With more, another one comes at
// once, and what the connection holds may go out with that.
func (c *wsConn) notify(message []byte, more bool) error {
	c.writers.Add(1)
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	c.under.setHold(c.writers.Add(-1) > 0 || more)
	err := c.socket.SetWriteDeadline(time.Now().Add(c.server.slow.write))
	if err == nil {
		err = c.socket.WriteMessage(websocket.TextMessage, message)
	}
	if err != nil {
		c.cut()
	}
	return err
}

// farewell ends the connection with a status that says why.
func (c *wsConn) farewell(status int, why string) {
	const most = 120 // of the 125 bytes that a control frame has
	if len(why) > most {
		why = why[:most]
	}
	c.under.setHold(false) // of a message that was to come, and does not
	// The peer may be gone already.
	_ = c.socket.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(status, why), time.Now().Add(time.Second))
	c.cut()
}
