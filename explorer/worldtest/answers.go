package worldtest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// page cuts a page out of a list, whose cursors are places in it.
func page[T any](w *World, items []T, p query.Page) (*query.List[T], error) {
	if w.Err != nil {
		return nil, w.Err
	}
	if p.Limit < 0 || p.Limit > query.MaxLimit {
		return nil, &query.InvalidError{Field: "limit", Reason: "is not 1 to 1000"}
	}
	at := 0
	if p.Cursor != "" {
		var err error
		if at, err = strconv.Atoi(p.Cursor); err != nil || at < 0 || at > len(items) {
			return nil, &query.InvalidError{Field: "cursor", Reason: "is none that this list gave"}
		}
	}
	limit := p.Limit
	if limit == 0 {
		limit = query.DefaultLimit
	}
	end := min(at+limit, len(items))
	l := &query.List[T]{Items: items[at:end]}
	if end < len(items) {
		next := strconv.Itoa(end)
		l.Next = &next
	}
	return l, nil
}

// find is the first item that is meant.
func find[T any](w *World, items []T, is func(*T) bool) (*T, error) {
	if w.Err != nil {
		return nil, w.Err
	}
	for i := range items {
		if is(&items[i]) {
			item := items[i]
			return &item, nil
		}
	}
	return nil, query.ErrNotFound
}

// keep are the items that are meant, the newest first unless ascending.
func keep[T any](items []T, ascending bool, is func(*T) bool) (kept []T) {
	for i := range items {
		if is(&items[i]) {
			kept = append(kept, items[i])
		}
	}
	if !ascending {
		slices.Reverse(kept)
	}
	return kept
}

func within(at uint64, from, to *ledger.UnixTime) bool {
	return (from == nil || at >= uint64(*from)) && (to == nil || at <= uint64(*to))
}

func (w *World) Status(context.Context) (*query.Status, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.status
	return &s, w.Err
}

func (w *World) WaitHeight(ctx context.Context, height ledger.Height) error {
	for {
		w.mu.Lock()
		have, grown := w.status.Height, w.grown
		w.mu.Unlock()
		if have >= uint64(height) {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (w *World) all() []query.Block {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.blocks[:len(w.blocks):len(w.blocks)]
}

func (w *World) txs() []*query.TransactionDetail {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.details[:len(w.details):len(w.details)]
}

func (w *World) Blocks(_ context.Context, f query.BlockFilter, p query.Page) (*query.List[query.Block], error) {
	return page(w, keep(w.all(), p.Ascending, func(b *query.Block) bool {
		return within(b.Time, f.From, f.To) && (!f.NonEmpty || b.Transactions > 0) && (f.Proposer == nil || string(f.Proposer[:]) == string(b.Proposer))
	}), p)
}

func (w *World) Block(_ context.Context, height ledger.Height) (*query.Block, error) {
	return find(w, w.all(), func(b *query.Block) bool { return b.Height == uint64(height) })
}

func (w *World) BlockByHash(_ context.Context, hash crypto.Hash) (*query.Block, error) {
	return find(w, w.all(), func(b *query.Block) bool { return b.Hash == hash })
}

func (w *World) BlockAt(_ context.Context, at ledger.UnixTime) (*query.Block, error) {
	blocks := keep(w.all(), false, func(b *query.Block) bool { return b.Time <= uint64(at) })
	return find(w, blocks, func(*query.Block) bool { return true })
}

func (w *World) BlockEvents(_ context.Context, height ledger.Height, p query.Page) (*query.List[query.Event], error) {
	var list []query.Event
	if height == 0 {
		for i, a := range w.assets {
			list = append(list, query.Event{Place: query.Place{Time: Start}, Order: uint32(i), Event: wire.Event{Event: ledger.Event{
				Type: ledger.EventAssetCreated, Asset: a.Asset, Symbol: a.Symbol, Name: a.Name, Decimals: a.Decimals, Account: a.Issuer}}})
		}
	}
	return page(w, list, p)
}

func (w *World) Transactions(_ context.Context, f query.TransactionFilter, p query.Page) (*query.List[query.Transaction], error) {
	var list []query.Transaction
	for _, t := range w.txs() {
		list = append(list, t.Transaction)
	}
	return page(w, keep(list, p.Ascending, func(t *query.Transaction) bool {
		return (f.Height == nil || t.Height == uint64(*f.Height)) && (f.Sender == nil || t.Sender == *f.Sender) &&
			(f.Account == nil || t.Sender == *f.Account || t.First != nil && *t.First.To == *f.Account) &&
			(f.Kind == "" || t.Kind == f.Kind) && (f.Refused == nil || *f.Refused == (t.Code != 0)) && (f.Code == nil || t.Code == uint32(*f.Code)) && within(t.Time, f.From, f.To)
	}), p)
}

func (w *World) Transaction(_ context.Context, hash crypto.Hash) (*query.TransactionDetail, error) {
	t, err := find(w, w.txs(), func(t **query.TransactionDetail) bool { return (*t).Hash == hash })
	if err != nil {
		return nil, err
	}
	return *t, nil
}

func (w *World) TransactionEvents(ctx context.Context, hash crypto.Hash, p query.Page) (*query.List[query.Event], error) {
	t, err := w.Transaction(ctx, hash)
	if err != nil {
		return nil, err
	}
	return page(w, t.EventList, p)
}

func (w *World) Movements(_ context.Context, f query.MovementFilter, p query.Page) (*query.List[query.Movement], error) {
	var list []query.Movement
	for _, t := range w.txs() {
		if t.First != nil {
			list = append(list, *t.First)
		}
	}
	return page(w, keep(list, p.Ascending, func(m *query.Movement) bool {
		return (f.Account == nil || *m.From == *f.Account || *m.To == *f.Account) && (f.Asset == nil || m.Asset == *f.Asset) &&
			(f.Reference == "" || strings.EqualFold(m.Reference, f.Reference)) && (f.Type == "" || m.Type == f.Type) && within(m.Time, f.From, f.To)
	}), p)
}

func (w *World) Accounts(_ context.Context, f query.AccountFilter, p query.Page) (*query.List[query.Account], error) {
	return page(w, keep(w.accounts, true, func(a *query.Account) bool {
		return (f.Member == nil || a.Member != nil && *a.Member == *f.Member) && (f.Status == "" || a.Status == f.Status)
	}), p)
}

func (w *World) Account(_ context.Context, address crypto.Address, _ query.Moment) (*query.Account, error) {
	return find(w, w.accounts, func(a *query.Account) bool { return a.Address == address })
}

func (w *World) AccountHistory(ctx context.Context, address crypto.Address, p query.Page) (*query.List[query.AccountChange], error) {
	a, err := w.Account(ctx, address, query.Moment{})
	if err != nil {
		return nil, err
	}
	return page(w, []query.AccountChange{{Time: Start, Status: a.Status, Member: a.Member, Threshold: 1, Keys: a.Keys}}, p)
}

func (w *World) Balances(ctx context.Context, account crypto.Address, at query.Moment, p query.Page) (*query.List[query.Balance], error) {
	if _, err := w.Account(ctx, account, at); err != nil {
		return nil, err
	}
	var list []query.Balance
	for _, a := range w.assets[:2] {
		list = append(list, query.Balance{AssetRef: a.AssetRef, Available: ledger.NewAmount(100_000_000), Held: ledger.NewAmount(12_345), Total: ledger.NewAmount(100_012_345), Since: 3})
	}
	return page(w, list, p)
}

func (w *World) Statement(ctx context.Context, f query.StatementFilter, p query.Page) (*query.Statement, error) {
	asset, err := w.Asset(ctx, f.Asset)
	if err != nil {
		return nil, err
	}
	list, err := w.Movements(ctx, query.MovementFilter{Account: &f.Account, Asset: &f.Asset, From: f.From, To: f.To}, p)
	if err != nil {
		return nil, err
	}
	s := &query.Statement{Account: f.Account, AssetRef: asset.AssetRef, From: Start, Next: list.Next, Opening: query.BalancePoint{Time: Start}, Closing: query.BalancePoint{Time: Start, Available: ledger.NewAmount(5), Total: ledger.NewAmount(5)}}
	for _, m := range list.Items {
		line := query.StatementLine{Place: m.Place, Hash: m.Hash, Type: m.Type, Side: "in", Counterparty: m.From, Amount: m.Amount, Reference: m.Reference, Available: ledger.NewAmount(77)}
		if *m.From == f.Account {
			line.Side, line.Counterparty = "out", m.To
		}
		s.Items = append(s.Items, line)
	}
	return s, nil
}

func (w *World) BalanceSeries(_ context.Context, _, _ crypto.Address, s query.Span) (list []query.BalancePoint, err error) {
	for i := range max(s.Points, 2) {
		a := ledger.NewAmount(uint64(100_000_000 + (i*7919)%5000*1000))
		list = append(list, query.BalancePoint{Time: uint64(Start + i*60), Available: a, Total: a})
	}
	return list, w.Err
}

func (w *World) Holds(_ context.Context, f query.HoldFilter, p query.Page) (*query.List[query.Hold], error) {
	return page(w, keep(w.holds, p.Ascending, func(h *query.Hold) bool {
		return (f.Account == nil || h.From == *f.Account || h.To == *f.Account) && (f.Asset == nil || h.Asset == *f.Asset) && (f.Status == "" || h.Status == f.Status)
	}), p)
}

func (w *World) Hold(_ context.Context, hold crypto.Address) (*query.Hold, error) {
	return find(w, w.holds, func(h *query.Hold) bool { return h.Hold == hold })
}

func (w *World) Assets(_ context.Context, f query.AssetFilter, p query.Page) (*query.List[query.Asset], error) {
	return page(w, keep(w.assets, true, func(a *query.Asset) bool {
		return (f.Issuer == nil || a.Issuer == *f.Issuer) && (f.Status == "" || a.Status == f.Status)
	}), p)
}

func (w *World) Asset(_ context.Context, asset crypto.Address) (*query.Asset, error) {
	return find(w, w.assets, func(a *query.Asset) bool { return a.Asset == asset })
}

func (w *World) AssetBySymbol(_ context.Context, symbol string) (*query.Asset, error) {
	return find(w, w.assets, func(a *query.Asset) bool { return a.Symbol == symbol })
}

func (w *World) AssetEvents(_ context.Context, asset crypto.Address, p query.Page) (*query.List[query.Event], error) {
	return page(w, []query.Event{{Place: query.Place{Height: 1, Time: Start + 1}, Event: wire.Event{Event: ledger.Event{Type: ledger.EventAssetPaused, Asset: asset}}}}, p)
}

func (w *World) SupplySeries(_ context.Context, _ crypto.Address, s query.Span) (list []query.SupplyPoint, err error) {
	for i := range max(s.Points, 2) {
		list = append(list, query.SupplyPoint{Time: uint64(Start + i*60), Supply: ledger.NewAmount(uint64(1_000_000 + i*i*100))})
	}
	return list, w.Err
}

func (w *World) Holders(_ context.Context, _ crypto.Address, p query.Page) (*query.List[query.Holder], error) {
	var list []query.Holder
	for i, a := range w.accounts {
		n := ledger.NewAmount(uint64(1_000_000 / (i + 1)))
		list = append(list, query.Holder{Account: a.Address, Member: a.Member, Available: n, Total: n, Approved: true, Frozen: i == 3})
	}
	return page(w, list, p)
}

func (w *World) Members(context.Context) ([]query.Member, error) { return w.members, w.Err }

func (w *World) Member(_ context.Context, member crypto.Address) (*query.Member, error) {
	return find(w, w.members, func(m *query.Member) bool { return m.Member == member })
}

func (w *World) MemberHistory(ctx context.Context, member crypto.Address, p query.Page) (*query.List[query.MemberChange], error) {
	m, err := w.Member(ctx, member)
	if err != nil {
		return nil, err
	}
	return page(w, []query.MemberChange{{Time: Start, Status: "active", Roles: m.Roles, ConsensusKey: m.ConsensusKey, Power: 1_000_000, Target: 1_000_000, Nodes: 1}}, p)
}

func (w *World) Validators(context.Context) (*query.Validators, error) {
	return &query.Validators{Height: 100, TotalPower: 4_000_000, Window: 1000, Items: w.validator}, w.Err
}

func (w *World) HeatMap(_ context.Context, v ledger.ConsensusAddress, blocks int) (*query.HeatMap, error) {
	found, err := find(w, w.validator, func(x *query.Validator) bool { return string(x.ConsensusAddress) == string(v[:]) })
	if err != nil {
		return nil, err
	}
	votes := []byte(strings.Repeat("s", blocks))
	for i := range votes {
		votes[i] = "spsssmsssn-s"[i*i%11]
	}
	return &query.HeatMap{ConsensusAddress: found.ConsensusAddress, Member: found.Member, Name: found.Name, From: 1, Votes: string(votes)}, nil
}

func (w *World) PowerHistory(_ context.Context, _ ledger.ConsensusAddress, p query.Page) (*query.List[query.PowerPoint], error) {
	return page(w, []query.PowerPoint{{Time: Start, Power: 1_000_000, Total: 4_000_000}}, p)
}

func (w *World) Proposals(_ context.Context, f query.ProposalFilter, p query.Page) (*query.List[query.Proposal], error) {
	return page(w, keep(w.proposals, false, func(x *query.Proposal) bool {
		return (f.Status == "" || x.Status == f.Status) && (f.Proposer == nil || x.Proposer == *f.Proposer)
	}), p)
}

func (w *World) Proposal(_ context.Context, id ledger.ProposalID) (*query.Proposal, error) {
	return find(w, w.proposals, func(p *query.Proposal) bool { return p.Proposal == uint64(id) })
}

func (w *World) Parameters(context.Context, query.Moment) (*query.Parameters, error) {
	return &query.Parameters{Protocol: 1, Parameters: []wire.Parameter{{Name: "accountPolicy", Value: 2, Least: 1, Most: 2}},
		Thresholds: []wire.ParameterThreshold{{Action: "setPower", Numerator: 2, Denominator: 3}}}, w.Err
}

func (w *World) Statistics(_ context.Context, f query.StatisticsFilter) (list []query.Statistic, err error) {
	for i := range 48 {
		list = append(list, query.Statistic{Start: uint64(Start/60*60 + i*60), Seconds: 60, Blocks: 55, Transactions: uint64(200 + i*i*37%150), Refused: 3,
			Transfers: uint64(210 + i*37%150), SizeBytes: 90_000, MaxSizeBytes: 5000, MeanSizeBytes: 1600, IntervalMs: float64(900 + i*91%300), MaxIntervalMs: 2000, TxsPerSecond: float64(i*37%50) / 3})
	}
	return list, w.Err
}

func (w *World) Totals(context.Context) (*query.Totals, error) {
	return &query.Totals{Blocks: uint64(len(w.all())), Transactions: uint64(len(w.txs())), Refused: 12, Transfers: 1234, Accounts: 14, Assets: 3, Members: 4, Proposals: 5, Holds: 1, SizeBytes: 1 << 20}, w.Err
}

func (w *World) Search(_ context.Context, text string, limit int) ([]query.Hit, error) {
	if text == "" || w.Err != nil {
		return nil, w.Err
	}
	var hits []query.Hit
	if n, err := strconv.Atoi(text); err == nil && n < len(w.all()) && n >= 0 {
		hits = append(hits, query.Hit{Kind: "block", ID: text, Label: "Block " + text, Note: "height", Score: 1})
	}
	for i, a := range w.assets {
		if strings.EqualFold(a.Symbol, text) {
			hits = append(hits, query.Hit{Kind: "asset", ID: a.Asset.String(), Label: a.Symbol, Note: a.Name, Score: 0.9 - float64(i)/10})
		}
	}
	for _, t := range w.txs() {
		if t.Hash.String() == text {
			hits = append(hits, query.Hit{Kind: "transaction", ID: text, Label: text, Note: "transaction hash", Score: 1})
		} else if strings.Contains(t.Memo, text) {
			hits = append(hits, query.Hit{Kind: "memo", ID: t.Hash.String(), Label: t.Memo, Note: fmt.Sprintf("memo of a transaction in block %d", t.Height), Score: 0.5})
		}
	}
	return hits[:min(limit, len(hits))], nil
}

func (w *World) Differences(_ context.Context, p query.Page) (*query.List[query.Difference], error) {
	return page(w, []query.Difference{{ID: 1, Time: Start, Height: 5, Subject: "balance", Key: HostileName, Index: "5", Proven: "6"}}, p)
}
