package client

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Client talks to the nodes of one network.
type Client struct {
	nodes   []*node
	network *ledger.Network
	current atomic.Int32 // index of the node that reads go to first
}

// patience bounds one attempt to read from one node, so that a node that
// accepts connections and never answers does not hold up a client that has
// others to ask.
const patience = 10 * time.Second

// Dial connects to the nodes at urls (http, https, ws or wss). At least one
// must answer, and all that answer must be of the same network; those that do
// not are tried again when they are needed, and asked for their network before
// anything else is believed of them. The error is an *Error.
func Dial(ctx context.Context, urls ...string) (*Client, error) {
	return DialWith(ctx, Options{}, urls...)
}

// DialWith is Dial with options.
func DialWith(ctx context.Context, o Options, urls ...string) (*Client, error) {
	if len(urls) == 0 {
		return nil, &Error{Name: NameUnreachable, Message: "no node's address was given"}
	}
	c := &Client{}
	for _, u := range urls {
		n, err := newNode(u, o)
		if err != nil {
			return nil, err
		}
		c.nodes = append(c.nodes, n)
	}
	if err := c.identify(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// identify asks every node which network it is of.
func (c *Client) identify(ctx context.Context) error {
	type answer struct {
		status wire.Status
		err    error
	}
	answers := make([]chan answer, len(c.nodes))
	for i, n := range c.nodes {
		answers[i] = make(chan answer, 1)
		go func() {
			var a answer
			a.err = n.attempt(ctx, patience, &a.status, "ledger_status")
			answers[i] <- a
		}()
	}
	var first *wire.Status
	var failure error
	for i, n := range c.nodes {
		a := <-answers[i]
		switch {
		case a.err != nil:
			if failure == nil {
				failure = a.err
			}
		case first == nil:
			first = &a.status
			c.current.Store(int32(i))
			n.identified.Store(true)
		case first.NetworkID != a.status.NetworkID || first.ChainID != a.status.ChainID:
			return &Error{Name: NameNetwork, Node: n.url, Message: fmt.Sprintf(
				"node %s is of the network %q (chain %d), but node %s is of %q (chain %d)", n.url, a.status.NetworkID,
				a.status.ChainID, c.nodes[c.current.Load()].url, first.NetworkID, first.ChainID),
				Hint: "name only nodes of one network"}
		default:
			n.identified.Store(true)
		}
	}
	if first == nil {
		return failure
	}
	return c.setNetwork(ctx, first)
}

// setNetwork derives the network's identity from a status.
func (c *Client) setNetwork(ctx context.Context, s *wire.Status) error {
	var decimals uint8
	if !s.SettlementAsset.IsZero() {
		asset, err := c.At(int(c.current.Load())).Asset(ctx, s.SettlementAsset.String())
		if err != nil {
			return err
		}
		decimals = asset.Decimals
	}
	network, err := ledger.NewNetwork(s.NetworkID, s.ChainID, s.SettlementAsset, decimals)
	if err != nil {
		return &Error{Name: NameNetwork, Message: fmt.Sprintf("node %s: %v", c.nodes[c.current.Load()].url, err), cause: err}
	}
	c.network = network
	return nil
}

// Network is the identity of the network, which every signature is bound to.
func (c *Client) Network() *ledger.Network { return c.network }

// URLs returns the addresses of the nodes, as Dial was given them, but without
// the keys that they had.
func (c *Client) URLs() []string {
	urls := make([]string, len(c.nodes))
	for i, n := range c.nodes {
		urls[i] = n.url
	}
	return urls
}

// At returns a client of the node at index i of URLs alone. It shares c's
// connections: closing either closes them for both.
func (c *Client) At(i int) *Client {
	return &Client{nodes: c.nodes[i : i+1], network: c.network}
}

// Close closes the connections. Calls under way fail.
func (c *Client) Close() {
	for _, n := range c.nodes {
		n.close()
	}
}

// attempt calls a method of one node, once it is known to be of this network: a
// node that was away when the client was made may be of any.
func (c *Client) attempt(ctx context.Context, at int, limit time.Duration, result any, method string, args ...any) error {
	n := c.nodes[at]
	if c.network != nil && !n.identified.Load() {
		var s wire.Status
		if err := n.attempt(ctx, limit, &s, "ledger_status"); err != nil {
			if e, is := errors.AsType[*Error](err); is {
				e.unsent = true
			}
			return err
		}
		if s.NetworkID != c.network.ID || s.ChainID != c.network.ChainID {
			return &Error{Name: NameNetwork, Node: n.url, Message: fmt.Sprintf("node %s is of the network %q (chain %d), not of %q (chain %d)",
				n.url, s.NetworkID, s.ChainID, c.network.ID, c.network.ChainID), Hint: "name only nodes of one network"}
		}
		n.identified.Store(true)
	}
	return n.attempt(ctx, limit, result, method, args...)
}

// read calls a method that changes nothing on one node after the other until
// one gives a definite answer.
// It waits, a few times, for nodes that say that it has called too often.
func (c *Client) read(ctx context.Context, result any, method string, args ...any) error {
	for round := 1; ; round++ {
		err := c.readRound(ctx, result, method, args...)
		if err == nil || round > rateRounds || !rested(ctx, err) {
			return err
		}
	}
}

// readRound asks each node once.
func (c *Client) readRound(ctx context.Context, result any, method string, args ...any) error {
	start := int(c.current.Load())
	var failure error
	for i := range c.nodes {
		next := (start + i) % len(c.nodes)
		err := c.attempt(ctx, next, patience, result, method, args...)
		if err == nil {
			c.current.Store(int32(next))
			return nil
		}
		var e *Error
		if !errors.As(err, &e) || e.final() {
			return err
		}
		if failure == nil {
			failure = err
		}
	}
	return failure
}

// NextNonce returns a nonce that sender has not spent: one above the highest
// that it has. A sender with transactions still pending counts on from there
// itself; up to 1024 nonces may be in use ahead of it, in any order.
func (c *Client) NextNonce(ctx context.Context, sender crypto.Address) (ledger.Nonce, error) {
	account, err := c.Account(ctx, sender, nil)
	if err != nil {
		return 0, err
	}
	return ledger.Nonce(account.NextNonce), nil
}
