package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/feed"
	"github.com/tallystick/tallystick/rpc/wire"
)

// What ledger_subscribe follows.
const (
	followBlocks   = "newBlocks"
	followReceipts = "receipts"
)

var (
	formFollow  = form{`"newBlocks" or "receipts"`, named("SubscriptionKind")}
	formOptions = form{"an object {account, asset, member, reference, cursor:{height, index}}, of which each may be left out; newBlocks takes the cursor alone", refTo[wire.SubscribeOptions]}
	formID      = form{"the id of a subscription, as it was returned", named("SubscriptionID")}
)

// subscriptionMethods are the rows about following the ledger.
var subscriptionMethods = []*method{
	{
		name: "ledger_subscribe", summary: "Follow the ledger over this WebSocket.",
		description: "Returns the subscription's id. Notifications ledger_subscription follow, each with a Notice: see Subscriptions. Without a cursor they begin after the newest block; from one, with what stands behind it, however far back.",
		params: []param{
			{"kind", true, formFollow, "What to follow: every block, or the receipts and blocks' own events that the options choose."},
			{"options", false, formOptions, "What to choose, and where to begin."},
		},
		result: result{"subscription", "", named("SubscriptionID")}, errors: []errorComponent{errorNotFound}, single: true,
	}, {
		name: "ledger_unsubscribe", summary: "End a subscription of this WebSocket.",
		description: "Returns whether there was one. After the answer no notification of it comes.",
		params:      []param{{"subscription", true, formID, "The id."}},
		result:      result{"ended", "", func(*schemas) schema { return schema{{"type", "boolean"}} }}, single: true,
	},
}

// followMethods need to know the WebSocket they came by. They never reach
// go-ethereum's server, which has subscriptions of its own kind.
var followMethods = map[string]directMethod{
	"ledger_subscribe": func(a *ledgerAPI, ctx context.Context, p []arg) (json.RawMessage, error) {
		return a.Subscribe(ctx, p[0], p[1])
	},
	"ledger_unsubscribe": func(a *ledgerAPI, ctx context.Context, p []arg) (json.RawMessage, error) {
		return a.Unsubscribe(ctx, p[0])
	},
	"eth_subscribe": func(a *ledgerAPI, ctx context.Context, p []arg) (json.RawMessage, error) {
		return a.eth().Subscribe(ctx, p[0], p[1])
	},
	"eth_unsubscribe": func(a *ledgerAPI, ctx context.Context, p []arg) (json.RawMessage, error) {
		return a.eth().Unsubscribe(ctx, p[0])
	},
}

// follows reports whether the call is about subscriptions.
func (c call) follows() bool { return followMethods[c.name] != nil }

// maxAhead is how far a cursor may be ahead of the node: the reader has seen
// blocks on another node that this one is about to have. Beyond, it is behind the
// network.
const maxAhead = 1024

// Subscribe is ledger_subscribe.
func (a *ledgerAPI) Subscribe(ctx context.Context, kind, options arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "ledger_subscribe", []arg{kind, options}, func(ctx context.Context, p *params) (any, error) {
		kind := p.oneOf(followBlocks, followReceipts)
		filter, cursor := p.subscribeOptions(kind)
		if p.err != nil {
			return nil, p.err
		}
		if _, err := followCallOf(ctx); err != nil {
			return nil, err
		}
		behind, err := a.s.begin(ctx, cursor)
		if err != nil {
			return nil, err
		}
		what := following{kind: kind, method: "ledger_subscription", behind: behind, progress: true, pick: (*feed.Block).Whole}
		if kind == followReceipts {
			what.filter = &filter
		}
		return a.s.subscribe(ctx, what)
	})
}

// Unsubscribe is ledger_unsubscribe.
func (a *ledgerAPI) Unsubscribe(ctx context.Context, subscription arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "ledger_unsubscribe", []arg{subscription}, func(ctx context.Context, p *params) (any, error) {
		id, _ := p.text()
		if p.err != nil {
			return nil, p.err
		}
		return a.s.unsubscribe(ctx, id)
	})
}

// begin is the cursor that a subscription begins behind: the newest block's, or
// the one given, if this node can go on from there.
func (s *Server) begin(ctx context.Context, given *wire.Cursor) (wire.Cursor, error) {
	top := s.backend.Height()
	if given == nil {
		block, err := s.feed.Block(ctx, top)
		if err != nil {
			return wire.Cursor{}, kept(err)
		}
		return block.End(), nil
	}
	if given.Height > uint64(top)+maxAhead {
		return wire.Cursor{}, kindCatchingUp.with("the cursor is at height %d and this node only at %d: it is behind the network, or the cursor is another network's", given.Height, top)
	}
	first := ledger.Height(given.Height)
	if given.Index >= wire.IndexBlockEnd {
		first++
	}
	if first <= top {
		if _, err := s.feed.Block(ctx, first); err != nil {
			return wire.Cursor{}, kept(err)
		}
	}
	return *given, nil
}

// kept words the error of a block that is not kept any more.
func kept(err error) error {
	if errors.Is(err, feed.ErrNotKept) {
		return kindNotKept.plain()
	}
	return err
}

// oneOf takes one of some words.
func (p *params) oneOf(words ...string) string {
	s, ok := p.text()
	if ok && !slices.Contains(words, s) {
		p.fail("is %s", shorten(s))
	}
	return s
}

// sentOptions is wire.SubscribeOptions as it is read.
type sentOptions struct {
	Account   *crypto.Address `json:"account"`
	Asset     *crypto.Address `json:"asset"`
	Member    *crypto.Address `json:"member"`
	Reference *string         `json:"reference"`
	Cursor    *sentCursor     `json:"cursor"`
}

type sentCursor struct {
	Height *json.RawMessage `json:"height"`
	Index  *json.RawMessage `json:"index"`
}

var optionKeys = jsonNames(reflect.TypeFor[sentOptions](), reflect.TypeFor[sentCursor]())

// subscribeOptions takes the options of a kind of subscription.
func (p *params) subscribeOptions(kind string) (filter feed.Filter, cursor *wire.Cursor) {
	raw := p.take()
	var given sentOptions
	if raw == nil || !p.object(raw, &given, optionKeys) {
		return filter, nil
	}
	filter = feed.Filter{Account: given.Account, Asset: given.Asset, Member: given.Member, Reference: given.Reference}
	if kind == followBlocks && filter != (feed.Filter{}) {
		p.fail("has conditions, which newBlocks does not take")
	}
	if r := given.Reference; r != nil && (*r == "" || len(*r) > ledger.MaxReferenceBytes) {
		p.fail("has a reference of %d bytes; one has 1 to %d", len(*r), ledger.MaxReferenceBytes)
	}
	if given.Cursor == nil {
		return filter, nil
	}
	if given.Cursor.Height == nil {
		p.fail("has a cursor without height")
		return filter, nil
	}
	height, _ := p.numberOf(*given.Cursor.Height)
	return filter, &wire.Cursor{Height: height, Index: p.cursorIndex(given.Cursor.Index)}
}

// cursorIndex takes the index of a cursor: the whole block where it is left out.
func (p *params) cursorIndex(raw *json.RawMessage) int64 {
	switch {
	case raw == nil:
		return wire.IndexBlockEnd
	case bytes.Equal(*raw, []byte("-1")):
		return wire.IndexOwnEvents
	case bytes.Equal(*raw, []byte("-2")):
		return wire.IndexBlockBegin
	}
	n, ok := p.numberOf(*raw)
	if ok && n > wire.IndexBlockEnd {
		p.fail("has the cursor's index %d, which no block has", n)
	}
	return int64(min(n, wire.IndexBlockEnd))
}
