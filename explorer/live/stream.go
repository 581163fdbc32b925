package live

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

const (
	// beat is the pause after which a silent stream says that it is alive.
	beat = 15 * time.Second
	// writeWithin bounds how long a client may take for a message.
	writeWithin = 10 * time.Second
	// notice is a pause that is worth a wait.
	notice = 20 * time.Millisecond
	// maxBehind is how old the next message of a viewer may be: one that is further
	// behind is cut off, and comes back.
	maxBehind = 30 * time.Second
)

// stream is one viewer's connection.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// ServeHTTP sends events until either side ends.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	after, resumes, ok := lastSeen(r)
	if !ok {
		h.o.Refuse(w, http.StatusUnprocessableEntity, "Last-Event-ID (or after) is not a height: send the id of the last event, or nothing")
		return
	}
	address := h.o.Address(r)
	if !h.enter(address) {
		w.Header().Set("Retry-After", "30")
		h.o.Refuse(w, http.StatusTooManyRequests, "there are too many live streams, of this address or in all: close some, or come again later")
		return
	}
	defer h.leave(address)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold events back
	// The end of the connection is the end of the stream. In chunks, each message would
	// be three writes to the system, and three wakings of its reader, in place of one.
	w.Header().Set("Transfer-Encoding", "identity")
	if r.Method == http.MethodHead {
		return
	}
	s := stream{w, http.NewResponseController(w)}
	at := h.join()
	if !resumes {
		after = at.block
	}
	if s.write([]byte("retry: 2000\n\n")) && h.replay(r.Context(), s, after, at.block) {
		h.follow(r.Context(), s, at, max(after, at.block))
	}
}

// lastSeen is the last block that the viewer has seen, by the browser's header, or
// by a parameter for those who cannot set it.
func lastSeen(r *http.Request) (height uint64, resumes, ok bool) {
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		text = r.URL.Query().Get("after")
	}
	if text == "" {
		return 0, false, true
	}
	const bits = 53
	height, err := strconv.ParseUint(text, 10, bits)
	return height, true, err == nil
}

func (h *Hub) enter(address string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if int(h.viewed.Load()) >= h.o.MaxStreams || h.addresses[address] >= h.o.MaxPerAddress {
		return false
	}
	h.addresses[address]++
	h.viewed.Add(1)
	return true
}

func (h *Hub) leave(address string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.viewed.Add(-1)
	if h.addresses[address]--; h.addresses[address] == 0 {
		delete(h.addresses, address)
	}
}

// join is the link from which a new viewer goes on.
func (h *Hub) join() *link {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.tail
}

// replay sends the blocks after one, up to another, or says that there are too many.
// A viewer that takes longer than maxBehind is cut off, as one that does not keep up:
// until it is over, it keeps all later messages in memory.
func (h *Hub) replay(ctx context.Context, s stream, after, to uint64) bool {
	if to > after && to-after > maxReplay {
		if !s.write(encode("reset", 0, Reset{after, to})) {
			return false
		}
		after = to - 1
	}
	ctx, cancel := context.WithTimeout(ctx, maxBehind)
	defer cancel()
	for next := after + 1; next <= to; next++ {
		text, err := h.old(ctx, next)
		if err != nil {
			return false // the viewer comes back
		}
		if !s.write(text) {
			return false
		}
	}
	return true
}

// old is the event of a block of a replay. Viewers take turns: as many may come back
// at once as there are streams, each for a thousand blocks.
func (h *Hub) old(ctx context.Context, height uint64) ([]byte, error) {
	select {
	case h.reads <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-h.reads }()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	text, _, err := h.message(ctx, height, shown)
	return text, err
}

// follow sends what comes after a link to a viewer that has seen the blocks up to
// seen.
func (h *Hub) follow(ctx context.Context, s stream, at *link, seen uint64) {
	alive := time.NewTicker(beat)
	defer alive.Stop()
	for {
		select {
		case <-at.ready:
			if !h.turn(ctx) {
				return
			}
			at = at.next
			if time.Since(at.made) > maxBehind || !h.pass(ctx, s, at, seen) {
				return
			}
			seen = max(seen, at.block)
		case <-alive.C:
			if !s.write([]byte(": alive\n\n")) {
				return
			}
		case <-ctx.Done():
			return
		case <-h.ended:
			return
		}
	}
}

// turn waits for the viewer's turn, somewhere within the hub's rest: where all of many
// were told at the same moment, the processors would do nothing else for that long. It
// is false at the end.
func (h *Hub) turn(ctx context.Context) bool {
	wait := h.pause()
	if wait < notice {
		return true
	}
	timer := time.NewTimer(rand.N(wait))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-h.ended:
	}
	return false
}

// pass sends a link to a viewer, if there is anything in it that is new.
func (h *Hub) pass(ctx context.Context, s stream, at *link, seen uint64) bool {
	switch {
	case at.text == nil: // the hub thought that nobody was looking
		return h.replay(ctx, s, seen, at.block)
	case at.moves && at.block <= seen:
		return true
	case at.moves && at.after < seen: // it has seen the first of them
		return h.replay(ctx, s, seen, at.block)
	}
	return s.write(at.text)
}

// write sends bytes at once. It is false when the viewer is gone or too slow.
func (s stream) write(text []byte) bool {
	s.control.SetWriteDeadline(time.Now().Add(writeWithin)) // not every writer has one
	if _, err := s.w.Write(text); err != nil {
		return false
	}
	return s.control.Flush() == nil
}
