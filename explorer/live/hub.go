package live

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/ledger"
)

const (
	// shown is how many transactions an event has at most, and all events together of
	// blocks that go out at once: the newest ones.
	shown = 10
	// maxReplay is how many blocks a stream that resumes is given; past that, a
	// reset says that blocks were left out.
	maxReplay = 1000
	// maxJump is how far the hub may be behind the index before it leaves blocks
	// out: while an index catches up nobody wants to see each.
	maxJump = 100
	// waitWithin bounds one wait for a block, after which the status is looked at.
	waitWithin = 3 * time.Second
	// each is how long the hub rests after it has sent something, for each viewer, and
	// longest the most. What came meanwhile goes out at once, in one message for all: so
	// the blocks of a busy network cost a thousand viewers' machine a few writes a second
	// and not tens of thousands, which would slow consensus beside them. Ten viewers do
	// not notice.
	each    = time.Millisecond
	longest = 2 * time.Second
	// replaying is how many blocks are read at the same time for viewers that come
	// back: pages and API keep the other connections to the database.
	replaying = 2
	// again is the pause after the index did not answer.
	again = time.Second
)

// Options are what a hub needs.
type Options struct {
	Queries query.Queries
	// MaxStreams bounds the viewers at the same time; MaxPerAddress those of one
	// address, as Address tells it.
	MaxStreams, MaxPerAddress int
	Address                   func(*http.Request) string
	// Refuse answers who cannot be served.
	Refuse func(w http.ResponseWriter, status int, detail string)
	Log    *slog.Logger
}

// Hub sends what is new. It is an http.Handler.
type Hub struct {
	o      Options
	ended  chan struct{} // closed when Run has ended
	viewed atomic.Int64  // how many viewers there are
	reads  chan struct{} // has something for each block that is read for a replay

	mu        sync.Mutex // guards what follows
	tail      *link
	addresses map[string]int
}

// link is a message, made once for all viewers, and what comes after it.
type link struct {
	text  []byte // as it goes out, an event or several; nil in the first link
	block uint64 // the last block that was sent when this was
	after uint64 // it has the blocks after this one
	moves bool   // it is about the blocks up to block, and not about none
	made  time.Time
	next  *link         // set before ready is closed
	ready chan struct{} // closed when there is a next
}

// New makes a hub, which sends nothing before Run.
func New(o Options) *Hub {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Hub{o: o, ended: make(chan struct{}), tail: &link{ready: make(chan struct{})}, addresses: map[string]int{}, reads: make(chan struct{}, replaying)}
}

// Event is the data of an event `block`.
type Event struct {
	Block        *query.Block        `json:"block"`
	Transactions []query.Transaction `json:"transactions"` // the first ten, or fewer where several blocks come at once
	More         uint64              `json:"more"`         // how many others it has
}

// Reset is the data of an event `reset`: the blocks between were left out.
type Reset struct {
	After uint64 `json:"after"` // the last that was sent
	Next  uint64 `json:"next"`  // the next that is
}

// Run follows the index until ctx ends. It must run once.
func (h *Hub) Run(ctx context.Context) {
	defer close(h.ended)
	var told string
	for ctx.Err() == nil {
		h.step(ctx, &told)
	}
}

// step sends what is new, and waits for more. A panic is an error: the hub is part of
// a node's process where there is one, and must never end that.
func (h *Hub) step(ctx context.Context, told *string) {
	defer func() {
		if crash := recover(); crash != nil {
			h.failed(ctx, "a fault of the explorer, please report it", fmt.Errorf("%v\n%s", crash, debug.Stack()))
		}
	}()
	status, err := h.o.Queries.Status(ctx)
	if err != nil {
		h.failed(ctx, "status", err)
		return
	}
	if now := standing(status); now != *told {
		if *told != "" {
			h.send("status", 0, status)
		}
		*told = now
	}
	if h.advance(ctx, status.Height) {
		h.rest(ctx)
	}
	wait, cancel := context.WithTimeout(ctx, waitWithin)
	defer cancel()
	if err := h.o.Queries.WaitHeight(wait, ledger.Height(h.position()+1)); err != nil && wait.Err() == nil {
		h.failed(ctx, "wait", err)
	}
}

// standing is what of a status readers are told when it changes.
func standing(s *query.Status) string {
	return fmt.Sprint(s.Behind, s.Differences, s.Error != "")
}

// failed waits a moment after the index did not answer.
func (h *Hub) failed(ctx context.Context, what string, err error) {
	if ctx.Err() != nil {
		return
	}
	h.o.Log.Warn("explorer: live updates wait for the index", "what", what, "err", err)
	select {
	case <-ctx.Done():
	case <-time.After(again):
	}
}

// position is the last block that was sent or passed over.
func (h *Hub) position() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.tail.block
}

// rest leaves the processors to others, where there are many viewers.
func (h *Hub) rest(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(h.pause()):
	}
}

// pause is how long a rest is, for the viewers that there are.
func (h *Hub) pause() time.Duration { return min(time.Duration(h.viewed.Load())*each, longest) }

// advance sends the blocks up to height, all of them at once. It is false where there
// was nothing to send, or nobody to send it to.
func (h *Hub) advance(ctx context.Context, height uint64) bool {
	from := h.position()
	if height <= from {
		return false
	}
	if h.viewed.Load() == 0 {
		h.add(nil, height)
		return false
	}
	var text []byte
	after := from
	if height-from > maxJump {
		text, after = encode("reset", 0, Reset{from, height}), height-1
	}
	texts, left := make([][]byte, height-after), shown
	for i := range slices.Backward(texts) {
		one, has, err := h.message(ctx, after+1+uint64(i), left)
		if err != nil {
			h.failed(ctx, "block", err)
			return false
		}
		texts[i], left = one, left-has
	}
	h.add(slices.Concat(append([][]byte{text}, texts...)...), height)
	return true
}

// message is the event of a block, with its first transactions, so many at most.
func (h *Hub) message(ctx context.Context, height uint64, most int) (text []byte, has int, err error) {
	b, err := h.o.Queries.Block(ctx, ledger.Height(height))
	if err != nil {
		return nil, 0, err
	}
	e := Event{Block: b, Transactions: []query.Transaction{}}
	if b.Transactions > 0 && most > 0 {
		at := ledger.Height(height)
		list, err := h.o.Queries.Transactions(ctx, query.TransactionFilter{Height: &at}, query.Page{Limit: most, Ascending: true})
		if err != nil {
			return nil, 0, err
		}
		e.Transactions = append(e.Transactions, list.Items...)
	}
	has = len(e.Transactions)
	e.More = b.Transactions - min(b.Transactions, uint64(has))
	return encode("block", height, e), has, nil
}

// send adds a message. block 0 leaves the position where it is.
func (h *Hub) send(event string, block uint64, data any) { h.add(encode(event, 0, data), block) }

// add makes a message the next link. Without a text it only moves the position.
func (h *Hub) add(text []byte, block uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	next := &link{text: text, block: max(block, h.tail.block), after: h.tail.block, moves: block > 0, made: time.Now(), ready: make(chan struct{})}
	h.tail.next = next
	close(h.tail.ready)
	h.tail = next
}

// encode writes a message. The id of a block's is its height; others have none, and
// leave the browser's last one as it is.
func encode(event string, id uint64, data any) []byte {
	b, err := json.Marshal(data)
	if err != nil {
		panic("live: an event does not marshal: " + err.Error())
	}
	if id == 0 {
		return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", event, b)
	}
	return fmt.Appendf(nil, "id: %d\nevent: %s\ndata: %s\n\n", id, event, b)
}
