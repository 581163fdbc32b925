package query

import (
	"context"
	"math"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

var proposalStatuses = []ledger.ProposalStatus{ledger.ProposalOpen, ledger.ProposalWaiting, ledger.ProposalExecuted, ledger.ProposalFailed,
	ledger.ProposalRejected, ledger.ProposalExpired, ledger.ProposalVetoed, ledger.ProposalWithdrawn}

// Proposals implements Queries.
func (r *Reader) Proposals(ctx context.Context, f ProposalFilter, p Page) (*List[Proposal], error) {
	limit, err := p.limit()
	if err != nil {
		return nil, err
	}
	c := parseCursor('p', p.Cursor)
	from := c.number()
	if err := c.end(); err != nil {
		return nil, err
	}
	op, window := "<", int64(limit)
	filter, filters := "", []any{}
	if c.begin && !p.Ascending {
		from = math.MaxInt64
	}
	if p.Ascending {
		op = ">"
	}
	if f.Status != "" {
		s, err := status(f.Status, proposalStatuses)
		if err != nil {
			return nil, err
		}
		filter, filters, window = filter+" AND d.status = ?", append(filters, int64(s)), scanned
	}
	if f.Proposer != nil {
		filter, filters, window = filter+" AND d.proposer = ?", append(filters, f.Proposer[:]), scanned
	}
	inner := "SELECT proposal, proposer, status, record FROM proposals WHERE proposal " + op + " ? ORDER BY proposal" + p.order() + " LIMIT ?"
	return view(ctx, r, func(v store.Read) (*List[Proposal], error) {
		items, err := r.proposals(ctx, v, "SELECT d.proposal, d.record FROM ("+inner+") d WHERE 1 = 1"+filter+" ORDER BY d.proposal"+p.order()+" LIMIT ?",
			append(append([]any{from, window + 1}, filters...), limit+1)...)
		if err != nil {
			return nil, err
		}
		out := &List[Proposal]{Items: items}
		if len(items) > limit {
			out.Items = items[:limit]
			out.Next = next(newCursor('p').number(int64(out.Items[limit-1].Proposal)))
			return out, nil
		}
		var count, edge int64
		last := "min"
		if p.Ascending {
			last = "max"
		}
		err = row(ctx, v, "proposals", "SELECT count(*), coalesce("+last+"(proposal), 0) FROM ("+inner+") d", []any{from, window + 1}, &count, &edge)
		if err == nil && count > window {
			out.Next = next(newCursor('p').number(edge))
		}
		return out, err
	})
}

// Proposal implements Queries.
func (r *Reader) Proposal(ctx context.Context, id ledger.ProposalID) (*Proposal, error) {
	if uint64(id) > ledger.MaxJSONInteger {
		return nil, ErrNotFound
	}
	return view(ctx, r, func(v store.Read) (*Proposal, error) {
		list, err := r.proposals(ctx, v, "SELECT proposal, record FROM proposals WHERE proposal = ?", int64(id))
		if err == nil && len(list) == 0 {
			err = ErrNotFound
		}
		if err != nil {
			return nil, err
		}
		return &list[0], nil
	})
}

// proposals shows the proposals of a query, with the votes as they count now.
func (r *Reader) proposals(ctx context.Context, v store.Read, query string, args ...any) ([]Proposal, error) {
	out := []Proposal{}
	var records []*store.ProposalRecord
	err := each(ctx, v, "proposals", func(scan func(...any) error) error {
		var p Proposal
		var text string
		if err := scan(&p.Proposal, &text); err != nil {
			return err
		}
		record, err := decode[store.ProposalRecord](text)
		out, records = append(out, p), append(records, record)
		return err
	}, query, args...)
	if err != nil || len(out) == 0 {
		return out, err
	}
	members := map[crypto.Address]*store.MemberRecord{}
	active := uint64(0)
	err = each(ctx, v, "members", func(scan func(...any) error) error {
		var a crypto.Address
		var text string
		if err := scan(fixed(a[:]), &text); err != nil {
			return err
		}
		m, err := decode[store.MemberRecord](text)
		members[a] = m
		if m.Status == ledger.MemberActive {
			active++
		}
		return err
	}, "SELECT member, record FROM members")
	if err != nil {
		return nil, err
	}
	params, _, err := versionBefore[store.ParametersRecord](ctx, v, store.KindParameters, parametersKey, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	times, err := timesOf(ctx, v, heightsOf(records))
	if err != nil {
		return nil, err
	}
	for i, record := range records {
		out[i].show(record, members, times)
		out[i].count(record, members, active, &params.Params)
	}
	return out, nil
}

func heightsOf(records []*store.ProposalRecord) map[int64]bool {
	heights := map[int64]bool{}
	for _, p := range records {
		heights[int64(p.Created.Height())] = true
		for _, vote := range p.Votes {
			heights[int64(vote.Cast.Height())] = true
		}
	}
	return heights
}

func (p *Proposal) show(r *store.ProposalRecord, members map[crypto.Address]*store.MemberRecord, times map[int64]int64) {
	name := func(a crypto.Address) string {
		if m := members[a]; m != nil {
			return m.Name
		}
		return ""
	}
	p.Proposer, p.ProposerName, p.Status, p.Actions, p.Due, p.Delay = r.Proposer, name(r.Proposer), r.Status.String(), r.Actions, uint64(r.Due), r.Delay
	p.Created = placeOf(int64(r.Created), times[int64(r.Created.Height())])
	p.Code, p.FailedAction = uint32(r.Code), r.Failed
	if r.Code != ledger.Applied {
		p.Message = r.Code.Info().Meaning
	}
	p.Votes = []Vote{}
	for _, vote := range r.Votes {
		p.Votes = append(p.Votes, Vote{vote.Member, name(vote.Member), choiceName(vote.Choice), placeOf(int64(vote.Cast), times[int64(vote.Cast.Height())])})
	}
}

func choiceName(c ledger.Choice) string {
	return [...]string{"unknown", "yes", "no", "veto"}[c%4]
}

// count counts the votes of those who are active members now.
func (p *Proposal) count(r *store.ProposalRecord, members map[crypto.Address]*store.MemberRecord, active uint64, params *ledger.Params) {
	p.Tally.Active = active
	for _, vote := range r.Votes {
		if m := members[vote.Member]; m == nil || m.Status != ledger.MemberActive {
			continue
		}
		switch vote.Choice {
		case ledger.ChoiceYes:
			p.Tally.Yes++
		case ledger.ChoiceNo:
			p.Tally.No++
		case ledger.ChoiceVeto:
			p.Tally.Veto++
		}
	}
	need := params.Threshold(r.Actions)
	p.Threshold = wire.ProposalThreshold(need)
	p.Tally.Needed = need.Numerator*active/need.Denominator + 1
}

// parametersKey is the key of the one record of its kind.
var parametersKey = []byte{0}

// Parameters implements Queries.
func (r *Reader) Parameters(ctx context.Context, at Moment) (*Parameters, error) {
	return view(ctx, r, func(v store.Read) (*Parameters, error) {
		end, err := before(ctx, v, at)
		if err != nil {
			return nil, err
		}
		record, height, err := versionBefore[store.ParametersRecord](ctx, v, store.KindParameters, parametersKey, end)
		if err != nil {
			return nil, err
		}
		out := &Parameters{Protocol: record.Protocol, Changed: uint64(height)}
		for _, n := range record.Params.List() {
			out.Parameters = append(out.Parameters, wire.Parameter(n))
		}
		for _, kind := range ledger.ActionKinds() {
			t := record.Params.Thresholds[kind-1]
			out.Thresholds = append(out.Thresholds, wire.ParameterThreshold{Action: kind.String(), Numerator: t.Numerator, Denominator: t.Denominator})
		}
		if u := record.Upgrade; u != nil {
			out.Upgrade = &wire.Upgrade{Version: u.Version, Height: u.Height, Name: u.Name}
		}
		return out, nil
	})
}
