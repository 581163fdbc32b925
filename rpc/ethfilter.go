package rpc

import (
	"context"
	"encoding/json"
	"math"
	"sync"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/eth"
)

// Limits of filters. A filter holds what it asks for and how far it was told, and
// nothing of what it tells.
const (
	maxFilters      = 10_000
	maxFilterWords  = 200_000         // addresses and topics of all filters and subscriptions together
	filterPatience  = 5 * time.Minute // without being asked
	filterBlocks    = 1000            // looked through in one answer
	filterSweepRest = 10 * time.Second
)

// ethFilter is a filter that eth_getFilterChanges asks.
type ethFilter struct {
	logs    *eth.Filter // nil: not of logs
	pending bool        // of transactions that wait; otherwise of blocks
	full    bool        // whole transactions
	words   int

	mu     sync.Mutex    // held while it is asked; guards what follows
	height ledger.Height // of the block to be told next
	number uint64        // of the admission told last

	asked time.Time // guarded by ethFilters.mu
}

// ethFilters are all filters, whoever made them.
type ethFilters struct {
	mu    sync.Mutex // guards what follows
	byID  map[string]*ethFilter
	words int
	swept time.Time
	now   func() time.Time // tests have their own
}

func newEthFilters() *ethFilters {
	return &ethFilters{byID: map[string]*ethFilter{}, now: time.Now}
}

// add keeps a filter and returns its id.
func (f *ethFilters) add(filter *ethFilter) (id string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sweep()
	if len(f.byID) >= maxFilters || f.words+filter.words > maxFilterWords {
		return "", kindFilters.plain()
	}
	id = newFollowID()
	filter.asked = f.now()
	f.byID[id] = filter
	f.words += filter.words
	return id, nil
}

// lend sets aside what a subscription's filter takes; call what it returns at the end.
func (f *ethFilters) lend(words int) (giveBack func(), err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sweep()
	if words > 0 && f.words+words > maxFilterWords {
		return nil, kindFilters.plain()
	}
	f.words += words
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.words -= words
	}, nil
}

// sweep ends those that nobody has asked for long. Needs mu.
func (f *ethFilters) sweep() {
	now := f.now()
	if now.Sub(f.swept) < filterSweepRest {
		return
	}
	f.swept = now
	for id, filter := range f.byID {
		if now.Sub(filter.asked) > filterPatience {
			f.drop(id)
		}
	}
}

// drop ends a filter; false where there is none. Needs mu.
func (f *ethFilters) drop(id string) bool {
	filter := f.byID[id]
	if filter == nil {
		return false
	}
	delete(f.byID, id)
	f.words -= filter.words
	return true
}

// ask finds a filter that is to be asked.
func (f *ethFilters) ask(id string) (*ethFilter, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	filter, now := f.byID[id], f.now()
	if filter != nil && now.Sub(filter.asked) > filterPatience {
		f.drop(id)
		filter = nil
	}
	if filter == nil {
		return nil, kindNoFilter.plain()
	}
	filter.asked = now
	return filter, nil
}

func (f *ethFilters) remove(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.drop(id)
}

// NewFilter is eth_newFilter.
func (a *ethAPI) NewFilter(ctx context.Context, filter arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_newFilter", []arg{filter}, func(_ context.Context, p *params) (any, error) {
		f := p.filter()
		p.liveFilter(f)
		if p.err != nil {
			return nil, p.err
		}
		made := &ethFilter{logs: f, height: a.s.backend.Height() + 1, words: f.Words()}
		if f.FromGiven && !f.From.Latest {
			made.height = max(made.height, f.From.Height)
		}
		return a.s.ethFilters.add(made)
	})
}

// NewBlockFilter is eth_newBlockFilter.
func (a *ethAPI) NewBlockFilter(ctx context.Context) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_newBlockFilter", nil, func(context.Context, *params) (any, error) {
		return a.s.ethFilters.add(&ethFilter{height: a.s.backend.Height() + 1})
	})
}

// NewPendingTransactionFilter is eth_newPendingTransactionFilter.
func (a *ethAPI) NewPendingTransactionFilter(ctx context.Context, full arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_newPendingTransactionFilter", []arg{full}, func(_ context.Context, p *params) (any, error) {
		full := p.flag()
		if p.err != nil {
			return nil, p.err
		}
		_, newest := a.s.backend.Admitted(math.MaxUint64, 1)
		return a.s.ethFilters.add(&ethFilter{pending: true, full: full, number: newest})
	})
}

// GetFilterChanges is eth_getFilterChanges.
func (a *ethAPI) GetFilterChanges(ctx context.Context, id arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_getFilterChanges", []arg{id}, func(ctx context.Context, p *params) (any, error) {
		id, _ := p.text()
		if p.err != nil {
			return nil, p.err
		}
		filter, err := a.s.ethFilters.ask(id)
		if err != nil {
			return nil, err
		}
		return a.s.changes(ctx, filter)
	})
}

// changes are what is new to a filter, which counts as told then.
func (s *Server) changes(ctx context.Context, f *ethFilter) (any, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pending {
		hashes, upTo := s.backend.Admitted(f.number, pendingBunch)
		texts, err := s.pendingTexts(hashes, f.full)
		if err == nil {
			f.number = upTo
		}
		return texts, err
	}
	hashes, logs, height := []crypto.Hash{}, []*eth.Log{}, f.height
	for top, first := s.backend.Height(), height; height <= top && height < first+filterBlocks && len(logs) <= maxLogs; height++ {
		if f.logs != nil && (f.logs.Never() || above(f.logs, height)) {
			height = top + 1
			break
		}
		block, err := s.feed.Block(ctx, height)
		if err != nil {
			return nil, kept(err)
		}
		if f.logs == nil {
			hashes = append(hashes, block.Hash)
			continue
		}
		all, err := logsOfBlock(block)
		if err != nil {
			return nil, err
		}
		for _, i := range all.matching(f.logs) {
			logs = append(logs, all.logs[i])
		}
	}
	f.height = height
	if f.logs == nil {
		return hashes, nil
	}
	return logs, nil
}

// GetFilterLogs is eth_getFilterLogs.
func (a *ethAPI) GetFilterLogs(ctx context.Context, id arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_getFilterLogs", []arg{id}, func(ctx context.Context, p *params) (any, error) {
		id, _ := p.text()
		if p.err != nil {
			return nil, p.err
		}
		filter, err := a.s.ethFilters.ask(id)
		if err == nil && filter.logs == nil {
			err = kindNoFilter.with("filter not found: this one is not of logs")
		}
		if err != nil {
			return nil, err
		}
		return a.s.ethLogs(ctx, filter.logs)
	})
}

// UninstallFilter is eth_uninstallFilter.
func (a *ethAPI) UninstallFilter(ctx context.Context, id arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_uninstallFilter", []arg{id}, func(_ context.Context, p *params) (any, error) {
		id, _ := p.text()
		if p.err != nil {
			return nil, p.err
		}
		return a.s.ethFilters.remove(id), nil
	})
}
