package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/tallystick/tallystick/rpc/wire"
)

// What Follow can follow.
const (
	NewBlocks = "newBlocks" // every block
	Receipts  = "receipts"  // receipts, and the events of blocks themselves
)

// Times of Follow.
const (
	// firstRest is how long to wait after all nodes failed once; it doubles up to
	// lastRest.
	firstRest = 100 * time.Millisecond
	lastRest  = 10 * time.Second
)

// Follow follows the ledger from options.Cursor, or from the newest block, for as
// long as ctx lives and the caller asks on. It yields every notice once, in order,
// whatever connections and nodes are lost on the way: it goes on from the cursor
// of what it has yielded last, on the same node or the next. A program that keeps
// that cursor with what it makes of the notice can end at any point and go on
// there later, on any node.
//
// kind is NewBlocks or Receipts; only Receipts takes conditions. Notices with
// nothing but a cursor are yielded too: the first, which says where it begins, and
// later ones that say up to where there was nothing that fits.
//
// The caller may take its time with a notice: nothing more is read meanwhile, and
// a node that gives up waiting is asked again. Errors are *Error and end the
// sequence: ctx has ended, no node takes the options, or none keeps blocks that old.
func (c *Client) Follow(ctx context.Context, kind string, options wire.SubscribeOptions) iter.Seq2[wire.Notice, error] {
	return func(yield func(wire.Notice, error) bool) {
		f := &follower{client: c, kind: kind, options: options, yield: yield}
		if options.Cursor != nil {
			f.seen = *options.Cursor
		}
		if err := f.run(ctx); err != nil && !f.done {
			yield(wire.Notice{}, err)
		}
	}
}

// follower is one Follow.
type follower struct {
	client  *Client
	kind    string
	options wire.SubscribeOptions // with the cursor of what was yielded last
	seen    wire.Cursor           // that cursor, once there is one
	yield   func(wire.Notice, error) bool
	began   bool // something was yielded
	done    bool // yield wants no more
}

// run goes from node to node until the end. It returns nil when yield wants no more.
func (f *follower) run(ctx context.Context) error {
	nodes := f.client.nodes
	next, rest := int(f.client.current.Load()), firstRest
	tried, refused := 0, 0 // nodes in this round, and those of them that would say the same again
	for {
		before, began := f.seen, f.began
		err := f.on(ctx, nodes[next])
		if f.done {
			return nil
		}
		if ctx.Err() != nil {
			return &Error{Name: NameTimeout, Message: "following has ended", cause: ctx.Err()}
		}
		if f.seen != before || f.began != began {
			tried, refused, rest = 0, 0, firstRest
			continue // the same node: others may be behind it
		}
		if e, is := errors.AsType[*Error](err); is && !e.Temporary() {
			if !e.elsewhere() {
				return err
			}
			refused++
		}
		next = (next + 1) % len(nodes)
		if tried++; tried < len(nodes) {
			continue
		}
		if refused == len(nodes) {
			return err
		}
		select {
		case <-time.After(rest/2 + rand.N(rest)):
			tried, refused, rest = 0, 0, min(2*rest, lastRest)
		case <-ctx.Done():
		}
	}
}

// elsewhere reports whether another node may well say something else.
func (e *Error) elsewhere() bool {
	return e.Code == wire.CodeNotFound || e.Name == NameAnswer || e.Name == NameNetwork
}

// on follows by one connection to a node, until that is lost.
func (f *follower) on(ctx context.Context, n *node) error {
	socket, err := n.openSocket(ctx)
	if err != nil {
		return asError(ctx, n.url, err)
	}
	defer socket.Close()
	defer context.AfterFunc(ctx, socket.Close)()
	if err := f.begin(socket); err != nil {
		return asError(ctx, n.url, err)
	}
	for {
		message, err := socket.read()
		if err != nil {
			return asError(ctx, n.url, err)
		}
		if message.Method != "ledger_subscription" {
			continue
		}
		var notice wire.Notice
		if err := json.Unmarshal(message.Params.Result, &notice); err != nil {
			return badAnswer(n.url, err)
		}
		if e := notice.Error; e != nil {
			return &Error{Code: e.Code, Name: e.Data.Name, Message: e.Message, Hint: e.Data.Hint, Node: n.url}
		}
		f.take(notice)
		if f.done {
			return nil
		}
	}
}

// begin makes sure of the network and subscribes.
func (f *follower) begin(w *socket) error {
	var status wire.Status
	if err := w.call(&status, "ledger_status"); err != nil {
		return err
	}
	if own := f.client.network; own != nil && (status.NetworkID != own.ID || status.ChainID != own.ChainID) {
		return &Error{Name: NameNetwork, Node: w.node, Message: fmt.Sprintf("node %s is of the network %q (chain %d), not of %q (chain %d)",
			w.node, status.NetworkID, status.ChainID, own.ID, own.ChainID), Hint: "name only nodes of one network"}
	}
	var id string
	return w.call(&id, "ledger_subscribe", f.kind, f.options)
}

// take yields a notice, unless it tells nothing that was not yielded before: each
// connection begins with a notice of where it does, of which only the first is news.
func (f *follower) take(n wire.Notice) {
	if f.began && n.Cursor.Compare(f.seen) <= 0 {
		return
	}
	f.began, f.seen = true, n.Cursor
	f.options.Cursor = &n.Cursor
	f.done = !f.yield(n, nil)
}
