package rpc

import (
	"context"
	"encoding/json"
	"iter"
	"slices"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/eth"
)

// How much one eth_getLogs covers.
const (
	maxLogs        = 10_000  // in an answer
	maxLogReceipts = 100_000 // looked through
	maxLogBlocks   = 10_000  // looked through
	maxLogSubjects = 16      // assets or holders that are looked up
	maxLogPlaces   = 10_000  // of one subject
	placesAtOnce   = 1_000   // of these asked for together
)

// GetLogs is eth_getLogs.
func (a *ethAPI) GetLogs(ctx context.Context, filter arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_getLogs", []arg{filter}, func(ctx context.Context, p *params) (any, error) {
		f := p.filter()
		if p.err != nil {
			return nil, p.err
		}
		return a.s.ethLogs(ctx, f)
	})
}

// ethLogs finds the logs that a filter asks for, in the order of the chain.
func (s *Server) ethLogs(ctx context.Context, f *eth.Filter) ([]*eth.Log, error) {
	from, to, err := s.logRange(f)
	if err != nil || from > to || f.Never() {
		return []*eth.Log{}, err
	}
	search := &logSearch{s: s, f: f, from: from, to: to, found: []*eth.Log{}}
	heights, indexed, err := search.candidates()
	switch {
	case err != nil:
	case indexed:
		err = search.lookAt(ctx, slices.Values(heights))
	default:
		err = search.lookAt(ctx, search.every)
	}
	return search.found, err
}

// logRange is the range of heights that a filter means. One that ends above the
// newest block ends there.
func (s *Server) logRange(f *eth.Filter) (from, to ledger.Height, err error) {
	if f.Block != nil {
		from, err = s.needHeight(eth.BlockID{Hash: f.Block})
		return from, from, err
	}
	top := s.backend.Height()
	place := func(id eth.BlockID) ledger.Height {
		if id.Latest {
			return top
		}
		return id.Height
	}
	from, to = place(f.From), place(f.To)
	if from > to && !f.From.Latest && !f.To.Latest {
		return 0, 0, kindParams.with("invalid block range params: fromBlock %#x lies above toBlock %#x", from, to)
	}
	return from, min(to, top), nil
}

// logSearch is one search for logs.
type logSearch struct {
	s        *Server
	f        *eth.Filter
	from, to ledger.Height
	found    []*eth.Log
	receipts int // looked through
}

// every calls look with each height of the range, in order.
func (l *logSearch) every(look func(ledger.Height) bool) {
	for h := l.from; h <= l.to; h++ {
		if !look(h) {
			return
		}
	}
}

// candidates are the heights in which something concerns the assets or the holders
// that the filter names, ascending. ok is false when it names none, or too many, or
// means a single block: then every block of the range must be looked at.
func (l *logSearch) candidates() (heights []ledger.Height, ok bool, err error) {
	if l.from == l.to {
		return nil, false, nil
	}
	var queries []PlaceQuery
	if parties, named := l.f.Parties(); named && len(parties) <= maxLogSubjects {
		for i := range parties {
			queries = append(queries, PlaceQuery{Account: &parties[i]})
		}
	} else if n := len(l.f.Addresses); n > 0 && n <= maxLogSubjects {
		for _, a := range l.f.Addresses {
			queries = append(queries, PlaceQuery{Asset: (*crypto.Address)(&a)})
		}
	} else {
		return nil, false, nil
	}
	for _, q := range queries {
		q.From, q.To, q.Limit = FirstPlace(l.from), LastPlace(l.to), placesAtOnce
		found, err := l.heightsOf(q)
		if err != nil {
			return nil, false, err
		}
		heights = append(heights, found...)
	}
	slices.Sort(heights)
	return slices.Compact(heights), true, nil
}

// heightsOf are the heights of a query's places, in order. More than one answer
// covers are an error.
func (l *logSearch) heightsOf(q PlaceQuery) (heights []ledger.Height, err error) {
	for range maxLogPlaces / placesAtOnce {
		places, err := l.s.backend.Places(q)
		if err != nil {
			return nil, err
		}
		for _, p := range places {
			if n := len(heights); n == 0 || heights[n-1] != p.Height {
				heights = append(heights, p.Height)
			}
		}
		if len(places) < q.Limit {
			return heights, nil
		}
		q.From = places[len(places)-1].next()
	}
	return nil, l.tooMany(heights[len(heights)-1])
}

// next is the place that follows p.
func (p Place) next() Place {
	if p == LastPlace(p.Height) {
		return FirstPlace(p.Height + 1)
	}
	return Place{p.Height, p.Index + 1} // OwnEvents + 1 is 0
}

// lookAt adds what the filter asks for of blocks at ascending heights.
func (l *logSearch) lookAt(ctx context.Context, heights iter.Seq[ledger.Height]) error {
	blocks := 0
	for height := range heights {
		if err := ctx.Err(); err != nil {
			return err
		}
		done, err := l.s.backend.Done(height)
		if err != nil || done == nil {
			return err
		}
		blocks, l.receipts = blocks+1, l.receipts+len(done.Receipts)
		for _, log := range eth.NewLogs(&eth.Content{Height: height, Hash: done.Hash, Time: done.Time, Events: done.Events, Receipts: done.Receipts}) {
			if l.f.Matches(log) {
				l.found = append(l.found, log)
			}
		}
		// A single block is answered for however much it holds: nothing smaller
		// could be asked for.
		if l.from < l.to && (len(l.found) > maxLogs || height < l.to && (blocks >= maxLogBlocks || l.receipts >= maxLogReceipts)) {
			if len(l.found) <= maxLogs {
				height++ // this one still fitted
			}
			return l.tooMany(height)
		}
	}
	return nil
}

// tooMany says which range can be asked for, where the one that was asked for could
// be answered up to before first.
func (l *logSearch) tooMany(first ledger.Height) *callError {
	last := max(first-1, l.from)
	return kindManyLogs.with("query returned more than %d results, or looks through more blocks than one answer covers. Try with this block range [%#x, %#x].", maxLogs, uint64(l.from), uint64(last))
}
