package client

import (
	"context"
	"iter"

	"github.com/tallystick/tallystick/rpc/wire"
)

// History reads a page of what concerns a subject, the newest first. A page may
// have fewer items than its limit; the last one has no Next.
func (c *Client) History(ctx context.Context, of wire.Subject, page wire.Page) (*wire.HistoryPage, error) {
	var p wire.HistoryPage
	if err := c.read(ctx, &p, "ledger_getHistory", of, page); err != nil {
		return nil, err
	}
	return &p, nil
}

// WholeHistory reads everything that concerns a subject, the newest first, a page
// at a time as it is asked for. After an error there is nothing more.
func (c *Client) WholeHistory(ctx context.Context, of wire.Subject) iter.Seq2[*wire.HistoryItem, error] {
	return func(yield func(*wire.HistoryItem, error) bool) {
		var page wire.Page
		for {
			p, err := c.History(ctx, of, page)
			if err == nil && p.Next != nil && *p.Next == page.Cursor {
				err = errEndless
			}
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range p.Items {
				if !yield(&p.Items[i], nil) {
					return
				}
			}
			if p.Next == nil {
				return
			}
			page.Cursor = *p.Next
		}
	}
}

// Pending reads a page of what waits for a block on the node that answers, in the
// order in which it came there. Other nodes may have other transactions waiting.
func (c *Client) Pending(ctx context.Context, of wire.PendingFilter, page wire.Page) (*wire.PendingPage, error) {
	var p wire.PendingPage
	if err := c.read(ctx, &p, "ledger_pending", of, page); err != nil {
		return nil, err
	}
	return &p, nil
}

// Peers lists the nodes that the node which answers is connected with.
func (c *Client) Peers(ctx context.Context) (*wire.Peers, error) {
	var p wire.Peers
	if err := c.read(ctx, &p, "ledger_peers"); err != nil {
		return nil, err
	}
	return &p, nil
}
