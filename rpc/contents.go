package rpc

import (
	"context"
	"encoding/json"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// contentsMethods are the rows for who keeps a copy of everything: explorers.
var contentsMethods = []*method{
	{
		name: "ledger_getBlockContents", summary: "A block with all that it did, in parts of a bounded size.",
		description: "Header, the votes on the block before, the block's own events, and each transaction with its result. Height 0 is what the network began with. " +
			"A part ends before it gets long; next says where the next part begins: first the block's own events are counted, then its transactions.",
		params: []param{
			{"height", true, formWholeNumber, "The block's height."},
			{"from", false, formWholeNumber, "The next of the part before; 0 where it is left out."},
		},
		result: result{"contents", "", refTo[wire.BlockContents]}, errors: []errorComponent{errorNotFound},
	}, {
		name: "ledger_getStateProof", summary: "A value of the committed state, or its absence, with a proof.",
		description: "The state is the newest of which the root stands in a header already: that of the block after.",
		params:      []param{{"key", true, formStateKey, "The key of the state, as the formats list them, in hex."}},
		result:      result{"proof", "", refTo[wire.StateProof]},
	},
}

var formWholeNumber = form{"a whole number up to 2^53 - 1", named("Height")}

var formStateKey = form{"a key of the state: 0x and 1 to 256 bytes in hex", named("StateKey")}

// Bounds of one part of a block's contents. The largest transaction with its events
// has some 4 MiB of JSON.
const (
	contentsBytes  = 2 << 20 // from which on a part has no further transaction
	contentsEvents = 2000    // events in one part, from which on likewise
	maxStateKey    = 256
)

// Header is what an explorer needs of a block beside what it did.
type Header struct {
	Block  *wire.Block // without transactions
	Millis uint64
	Votes  []wire.CommitVote
	Params *ledger.Params // of height 0 alone
}

// GetBlockContents is ledger_getBlockContents.
func (a *ledgerAPI) GetBlockContents(ctx context.Context, height arg, from arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "ledger_getBlockContents", []arg{height, from}, func(_ context.Context, p *params) (any, error) {
		h, skip := p.wholeNumber(), p.wholeNumber()
		if p.err != nil {
			return nil, p.err
		}
		return a.s.contents(ledger.Height(h), skip)
	})
}

// wholeNumber takes a number; 0 where it is left out.
func (p *params) wholeNumber() uint64 {
	raw := p.take()
	if raw == nil {
		return 0
	}
	n, _ := p.numberOf(raw)
	return n
}

func (s *Server) contents(height ledger.Height, from uint64) (*wire.BlockContents, error) {
	header, err := s.backend.Header(height)
	if err != nil {
		return nil, err
	}
	done, err := s.backend.Done(height)
	if err != nil {
		return nil, err
	}
	if header == nil || done == nil {
		return nil, ErrUnknownHeight
	}
	out := &wire.BlockContents{Block: *header.Block, Millis: header.Millis, Votes: header.Votes, Events: []wire.Event{}, Transactions: []wire.BlockTransaction{}}
	if header.Params != nil {
		out.Params = paramsOf(header.Params)
	}
	next := from
	for next < uint64(len(done.Events)) && len(out.Events) < contentsEvents {
		out.Events = append(out.Events, wire.Event{Event: done.Events[next]})
		next++
	}
	if next >= uint64(len(done.Events)) && len(out.Events) < contentsEvents {
		raw, err := s.backend.Raw(height)
		if err != nil {
			return nil, err
		}
		next += addTransactions(out, done, raw, next-uint64(len(done.Events)))
	}
	if next < uint64(len(done.Events)+len(done.Receipts)) {
		out.Next = &next
	}
	return out, nil
}

// addTransactions adds transactions from one on, as many as a part may have, and says
// how many.
func addTransactions(out *wire.BlockContents, done *Done, raw [][]byte, from uint64) (added uint64) {
	size, events := 0, len(out.Events)
	for i := from; i < uint64(len(done.Receipts)) && i < uint64(len(raw)) && size < contentsBytes && events < contentsEvents; i++ {
		r := done.Receipts[i]
		out.Transactions = append(out.Transactions, wire.BlockTransaction{Raw: raw[i], Code: r.Code, BodyHash: r.BodyHash, Events: r.Events})
		size, events, added = size+2*len(raw[i])+400, events+len(r.Events), added+1
	}
	return added
}

// GetStateProof is ledger_getStateProof.
func (a *ledgerAPI) GetStateProof(ctx context.Context, key arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "ledger_getStateProof", []arg{key}, func(_ context.Context, p *params) (any, error) {
		raw := p.raw()
		if p.err == nil && (len(raw) == 0 || len(raw) > maxStateKey) {
			p.fail("has %d bytes: it must have 1 to %d", len(raw), maxStateKey)
		}
		if p.err != nil {
			return nil, p.err
		}
		return a.s.backend.Prove(raw)
	})
}

// paramsOf shows parameters of the first protocol version, without an upgrade.
func paramsOf(p *ledger.Params) *wire.Params {
	out := &wire.Params{Protocol: 1}
	for _, n := range p.List() {
		out.Parameters = append(out.Parameters, wire.Parameter(n))
	}
	for i, t := range p.Thresholds {
		out.Thresholds = append(out.Thresholds, wire.ParameterThreshold{
			Action: ledger.ActionKind(i + 1).String(), Numerator: t.Numerator, Denominator: t.Denominator,
		})
	}
	return out
}
