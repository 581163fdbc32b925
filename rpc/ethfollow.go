package rpc

import (
	"context"
	"encoding/json"
	"math"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/eth"
	"github.com/tallystick/tallystick/rpc/feed"
	"github.com/tallystick/tallystick/rpc/wire"
)

// What eth_subscribe follows.
const (
	followHeads   = "newHeads"
	followLogs    = "logs"
	followPending = "newPendingTransactions"
)

var (
	formEthFollow  = form{`"newHeads", "logs" or "newPendingTransactions"`, named("EthSubscriptionKind")}
	formEthChoice  = form{"for logs a filter {address, topics, fromBlock}; for newPendingTransactions true or false", named("EthSubscriptionChoice")}
	formEthID      = form{"an id, as it was returned", named("EthID")}
	resultEthID    = result{"id", "", named("EthID")}
	resultEthEnded = result{"ended", "", named("Flag")}
)

// ethFollowMethods are the rows of Ethereum's subscriptions and filters.
var ethFollowMethods = []*method{
	{
		name: "eth_subscribe", summary: "Follow new blocks, logs or transactions over this WebSocket.",
		description: "Returns the subscription's id. Notifications eth_subscription follow. Logs are those of blocks to come, within fromBlock and toBlock: some clients send fromBlock 0x0 and do not mean the past. Who falls far behind is cut off with the status 1013; only ledger_subscribe goes on without a gap.",
		params: []param{
			{"kind", true, formEthFollow, "What to follow."},
			{"choice", false, formEthChoice, "Which logs, or whether transactions come whole (true) or as hashes."},
		},
		result: resultEthID, single: true,
	}, {
		name: "eth_unsubscribe", summary: "End a subscription of this WebSocket.",
		params: []param{{"id", true, formEthID, "The subscription's id."}}, result: resultEthEnded, single: true,
	}, {
		name: "eth_newFilter", summary: "Watch logs by polling.",
		description: "eth_getFilterChanges tells of new ones. A filter that nobody asks for five minutes ends.",
		params:      []param{{"filter", true, formFilter, "Which logs; blockHash is not taken."}}, result: resultEthID,
	}, {
		name: "eth_newBlockFilter", summary: "Watch new blocks' hashes by polling.", result: resultEthID,
	}, {
		name: "eth_newPendingTransactionFilter", summary: "Watch the hashes of transactions that come to wait on this node by polling.",
		params: []param{{"full", false, formFlag, "true for whole transactions."}}, result: resultEthID,
	}, {
		name: "eth_getFilterChanges", summary: "What is new since the last call, or since the filter was made.",
		description: "Of at most 1000 blocks or transactions at a time, and some 10,000 logs; the next call goes on from there.",
		params:      []param{{"id", true, formEthID, "The filter's id."}}, result: result{"changes", "", named("EthChanges")}, heavy: true,
	}, {
		name: "eth_getFilterLogs", summary: "All logs that a filter asks for, as eth_getLogs would answer.",
		params: []param{{"id", true, formEthID, "The id of a filter of logs."}}, result: result{"logs", "", listOf[eth.Log]},
		errors: []errorComponent{errorNotFound}, heavy: true,
	}, {
		name: "eth_uninstallFilter", summary: "End a filter.",
		description: "Returns whether there was one.",
		params:      []param{{"id", true, formEthID, "The filter's id."}}, result: resultEthEnded,
	},
}

// Subscribe is eth_subscribe.
func (a *ethAPI) Subscribe(ctx context.Context, kind, choice arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_subscribe", []arg{kind, choice}, func(ctx context.Context, p *params) (any, error) {
		kind := p.oneOf(followHeads, followLogs, followPending)
		what := following{kind: kind, method: "eth_subscription"}
		var filter *eth.Filter
		switch kind {
		case followLogs:
			if filter = p.filter(); filter == nil {
				filter = &eth.Filter{From: eth.Latest, To: eth.Latest}
			}
			p.liveFilter(filter)
			what.pick = func(b *feed.Block, after int64) ([]feed.Item, error) { return a.s.pickLogs(b, filter, after) }
		case followHeads:
			what.pick = a.s.pickHead
		case followPending:
			full := p.flag()
			// Before the answer: whoever has it is told of what comes after.
			_, newest := a.s.backend.Admitted(math.MaxUint64, 1)
			what.run = func(ctx context.Context, send func([]byte, bool) error) error {
				return a.s.tellPending(ctx, newest, full, send)
			}
		}
		if p.err != nil {
			return nil, p.err
		}
		if _, err := followCallOf(ctx); err != nil {
			return nil, err
		}
		var err error
		if what.behind, err = a.s.begin(ctx, nil); err != nil {
			return nil, err
		}
		if filter != nil {
			if what.release, err = a.s.ethFilters.lend(filter.Words()); err != nil {
				return nil, err
			}
		}
		return a.s.subscribe(ctx, what)
	})
}

// liveFilter refuses what a filter of logs to come cannot mean.
func (p *params) liveFilter(f *eth.Filter) {
	if f == nil || p.err != nil {
		return
	}
	if f.Block != nil {
		p.fail("has a blockHash: one block's logs do not change, eth_getLogs has them")
	}
}

// Unsubscribe is eth_unsubscribe.
func (a *ethAPI) Unsubscribe(ctx context.Context, id arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_unsubscribe", []arg{id}, func(ctx context.Context, p *params) (any, error) {
		id, _ := p.text()
		if p.err != nil {
			return nil, p.err
		}
		ended, err := a.s.unsubscribe(ctx, id)
		if err == nil && !ended {
			err = kindNoSubscription.plain()
		}
		return ended, err
	})
}

// pickHead is a block's header.
func (s *Server) pickHead(b *feed.Block, after int64) ([]feed.Item, error) {
	if b.Height == 0 || after >= b.End().Index {
		return nil, nil
	}
	return []feed.Item{{Cursor: b.End(), JSON: func() ([]byte, error) {
		head, err := b.Memo("newHeads", func() (any, error) { return s.headJSON(b.Height) })
		if err != nil {
			return nil, err
		}
		return head.([]byte), nil
	}}}, nil
}

func (s *Server) headJSON(height ledger.Height) ([]byte, error) {
	block, err := s.ethBlock(height)
	if err == nil && block == nil {
		err = feed.ErrNotKept
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(block.Header)
}

// blockLogs are a block's logs with what makes them quick to choose from.
type blockLogs struct {
	logs  []*eth.Log
	texts []feed.Fragment
	of    map[common.Address]bool // the assets that have some
}

// logsOfBlock are made once a block.
func logsOfBlock(b *feed.Block) (*blockLogs, error) {
	made, err := b.Memo("logs", func() (any, error) {
		l := &blockLogs{of: map[common.Address]bool{}}
		l.logs = eth.NewLogs(&eth.Content{Height: b.Height, Hash: b.Hash, Time: b.Time, Events: b.Events, Receipts: b.Receipts})
		l.texts = make([]feed.Fragment, len(l.logs))
		for _, log := range l.logs {
			l.of[log.Address] = true
		}
		return l, nil
	})
	if err != nil {
		return nil, err
	}
	return made.(*blockLogs), nil
}

// matching are the indexes of the logs that a filter asks for.
func (l *blockLogs) matching(f *eth.Filter) (out []int) {
	if len(f.Addresses) > 0 {
		some := false
		for _, a := range f.Addresses {
			some = some || l.of[a]
		}
		if !some {
			return nil
		}
	}
	for i, log := range l.logs {
		if f.Matches(log) {
			out = append(out, i)
		}
	}
	return out
}

// pickLogs are a block's logs that a filter asks for.
func (s *Server) pickLogs(b *feed.Block, f *eth.Filter, after int64) ([]feed.Item, error) {
	if f.Never() || outside(f, b.Height) || after >= b.End().Index && after != wire.IndexBlockBegin {
		return nil, nil
	}
	l, err := logsOfBlock(b)
	if err != nil {
		return nil, err
	}
	var items []feed.Item
	for _, i := range l.matching(f) {
		items = append(items, feed.Item{Cursor: b.End(), JSON: func() ([]byte, error) {
			return l.texts[i].Get(func() ([]byte, error) { return json.Marshal(l.logs[i]) })
		}})
	}
	return items, nil
}

// outside reports whether a height is not within the ends of a filter.
func outside(f *eth.Filter, height ledger.Height) bool {
	return f.FromGiven && !f.From.Latest && height < f.From.Height || above(f, height)
}

// above reports whether a height is behind the end of a filter.
func above(f *eth.Filter, height ledger.Height) bool {
	return f.ToGiven && !f.To.Latest && height > f.To.Height
}

// What comes to wait is told in bunches, so that a thousand who follow it are not
// woken for each.
const (
	pendingPause = 50 * time.Millisecond
	pendingBunch = 1000
)

// tellPending tells of the transactions that come to wait on this node after number.
func (s *Server) tellPending(ctx context.Context, number uint64, full bool, send func([]byte, bool) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)()
	for {
		if err := s.backend.AwaitAdmission(ctx, number); err != nil {
			return err
		}
		var hashes []crypto.Hash
		hashes, number = s.backend.Admitted(number, pendingBunch)
		texts, err := s.pendingTexts(hashes, full)
		if err != nil {
			return err
		}
		for i, text := range texts {
			if err := send(text, i < len(texts)-1); err != nil {
				return err
			}
		}
		pause := max(pendingPause, s.fairRest())
		if len(hashes) == pendingBunch { // or more would come than is told
			pause = pendingPause
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// pendingTexts are hashes as JSON, or the transactions where full.
func (s *Server) pendingTexts(hashes []crypto.Hash, full bool) ([]json.RawMessage, error) {
	out := make([]json.RawMessage, 0, len(hashes))
	for _, hash := range hashes {
		var what any = hash
		if full {
			found, err := s.backend.Transaction(hash)
			if err != nil {
				return nil, err
			}
			if found == nil {
				continue // it came and will never be included
			}
			what = eth.NewTransaction(s.backend.Network(), found.Raw, hash, nil)
		}
		text, err := json.Marshal(what)
		if err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, nil
}
