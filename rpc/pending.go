package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/apikey"
	"github.com/tallystick/tallystick/rpc/wire"
)

// PendingQuery asks for a part of what waits on the node, in the order in which
// it came.
type PendingQuery struct {
	Sender *crypto.Address // whose transactions; nil: everybody's
	After  uint64          // the Seq of the last that is known already; 0: none
	Limit  int             // at least 1
}

// Pending is what waits on the node.
type Pending struct {
	Total int // of all senders
	Items []PendingTx
}

// PendingTx is a transaction that waits.
type PendingTx struct {
	Tx     *ledger.Tx // shared: not to be changed
	Seq    uint64     // its place in the order of arrival, from 1
	Since  time.Time  // when it came to this node
	Reason string     // why it is in no block yet: one of wire.PendingReasons
}

// nodeMethods are the rows about this node alone.
var nodeMethods = []*method{
	{
		name: "ledger_pending", summary: "What waits on this node for a block, page by page, in the order in which it came, with the reason why it waits.",
		description: "Another node may have other transactions waiting, and give them their turns in another order: reasons are what this node knows. " +
			"A transaction that is not listed here and has no receipt is not known to this node, or can stand in no block any more.",
		params: []param{
			{"filter", false, formPendingFilter, "Whose transactions; everybody's where it is left out."},
			{"page", false, formPage, "Which part of the list; the first 100 where it is left out."},
		},
		result: result{"page", "", refTo[wire.PendingPage]},
	}, {
		name: "ledger_peers", summary: "The nodes that this one is connected with now.",
		description: "Of a network with members only nodes that members list may be connected.",
		result:      result{"peers", "", refTo[wire.Peers]}, scope: apikey.Admin,
	},
}

var (
	formPendingFilter = form{"an object {account}: the address of the sender", refTo[wire.PendingFilter]}
	filterKeys        = jsonNames(reflect.TypeFor[wire.PendingFilter]())
)

// Pending is ledger_pending.
func (a *ledgerAPI) Pending(ctx context.Context, filter, page arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "ledger_pending", []arg{filter, page}, func(ctx context.Context, p *params) (any, error) {
		sender := p.pendingFilter()
		limit, after := p.numberPage()
		if p.err != nil {
			return nil, p.err
		}
		page, err := a.s.pendingPage(PendingQuery{Sender: sender, After: after, Limit: limit + 1})
		if err != nil {
			return nil, err
		}
		a.s.backend.Follow(ctx)
		status, err := a.s.backend.Status(ctx) // after the list: what has left it is in the chain up to here
		if err != nil {
			return nil, err
		}
		page.Height, page.BlockTime = status.Height, status.BlockTime
		return page, nil
	})
}

// pendingPage asks for one more than the page has, to know whether it is the last.
func (s *Server) pendingPage(q PendingQuery) (*wire.PendingPage, error) {
	found, err := s.backend.Pending(q)
	if err != nil {
		return nil, err
	}
	page := &wire.PendingPage{Total: found.Total, Items: []wire.PendingItem{}}
	for i := range found.Items {
		if len(page.Items) == q.Limit-1 {
			next := strconv.FormatUint(found.Items[i-1].Seq, 10)
			page.Next = &next
			break
		}
		page.Items = append(page.Items, pendingItem(&found.Items[i]))
	}
	return page, nil
}

func pendingItem(w *PendingTx) wire.PendingItem {
	item := wire.PendingItem{
		Hash: w.Tx.Hash, BodyHash: w.Tx.BodyHash, Sender: w.Tx.Sender, Nonce: uint64(w.Tx.Nonce), Kind: w.Tx.Op.Kind().String(),
		ValidUntil: uint64(w.Tx.ValidUntil), SizeBytes: uint64(len(w.Tx.Raw)),
		WaitingMs: uint64(max(time.Since(w.Since), 0).Milliseconds()), Reason: w.Reason,
	}
	for _, r := range wire.PendingReasons {
		if r.Name == w.Reason {
			item.Message = r.Meaning
		}
	}
	return item
}

// Peers is ledger_peers.
func (a *ledgerAPI) Peers(ctx context.Context) (json.RawMessage, error) {
	return a.s.answer(ctx, "ledger_peers", nil, func(ctx context.Context, _ *params) (any, error) {
		status, err := a.s.backend.Status(ctx)
		if err != nil {
			return nil, err
		}
		peers, err := a.s.backend.Peers()
		if err != nil {
			return nil, err
		}
		r, err := a.s.backend.State()
		if err == nil {
			err = nameMembers(r, peers)
		} else if errors.Is(err, ErrCatchingUp) { // who is connected matters most then
			err = nil
		}
		return &wire.Peers{NodeID: status.NodeID, Items: peers}, err
	})
}

// nameMembers says of each peer whose node it is.
func nameMembers(r ledger.Reader, peers []wire.Peer) error {
	members, err := ledger.ReadMembers(r)
	if err != nil {
		return err
	}
	for _, address := range members {
		m, _, err := ledger.ReadMember(r, address)
		if err != nil {
			return err
		}
		for i := range peers {
			listed := slices.ContainsFunc(m.Nodes, func(id ledger.NodeID) bool { return id.String() == peers[i].NodeID })
			if listed && (peers[i].Member == nil || m.Status == ledger.MemberActive) {
				peers[i].Member, peers[i].MemberName = &address, m.Name
			}
		}
	}
	return nil
}
