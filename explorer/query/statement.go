package query

import (
	"context"
	"math"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
)

// sideNames are the sides of entries, by their numbers.
var sideNames = [...]string{"out", "in", "hold", "unhold", "heldOut"}

// Statement implements Queries.
func (r *Reader) Statement(ctx context.Context, f StatementFilter, p Page) (*Statement, error) {
	return view(ctx, r, func(v store.Read) (*Statement, error) {
		ref, err := r.known(ctx, v, f.Asset)
		if err != nil {
			return nil, err
		}
		s := &Statement{Account: f.Account, AssetRef: ref, Items: []StatementLine{}}
		period, err := s.period(ctx, v, f)
		if err != nil {
			return nil, err
		}
		l := &placed{list: 's', what: "a statement", from: "entries", where: "account = ? AND asset = ?", args: []any{f.Account[:], f.Asset[:]},
			keyed: true, span: period, columns: "d.side, d.available, d.held, " + movementColumns,
			joins: "JOIN movements m ON m.position = d.position AND m.n = d.n " + movementJoins}
		l.sided = true
		s.Next, err = l.read(ctx, v, p, func(scan func(...any) error) (int64, int64, error) {
			line, at, n, err := scanLine(scan)
			s.Items = append(s.Items, line)
			return at, n, err
		})
		return s, err
	})
}

// period finds the positions of a period, and what was at its ends.
func (s *Statement) period(ctx context.Context, v store.Read, f StatementFilter) (span, error) {
	period := everything
	var err error
	if f.From != nil {
		s.From = uint64(*f.From)
		if period.low, err = firstAt(ctx, v, *f.From); err != nil {
			return period, err
		}
	}
	end := int64(math.MaxInt64)
	if f.To != nil {
		s.To = uint64(*f.To)
		if end, err = firstAt(ctx, v, *f.To); err != nil {
			return period, err
		}
		period.high = end - 1
	}
	if f.From != nil && f.To != nil && *f.To < *f.From {
		return period, &InvalidError{"to", "the period ends before it begins"}
	}
	if s.Opening, _, err = entryBefore(ctx, v, f.Account, f.Asset, period.low); err != nil {
		return period, err
	}
	s.Closing, _, err = entryBefore(ctx, v, f.Account, f.Asset, end)
	s.Opening.Time, s.Closing.Time = s.From, s.To
	return period, err
}

func scanLine(scan func(...any) error) (line StatementLine, at, n int64, err error) {
	var side int64
	m, at, n, err := scanMovement(func(into ...any) error {
		return scan(append([]any{&side, amount{&line.Available}, amount{&line.Held}}, into...)...)
	})
	if err != nil {
		return line, 0, 0, err
	}
	if side < 0 || int(side) >= len(sideNames) {
		return line, 0, 0, errDamaged
	}
	line.Place, line.Order, line.Hash, line.Type, line.Amount, line.Reference = m.Place, m.Order, m.Hash, m.Type, m.Amount, m.Reference
	line.Side, line.Counterparty = sideNames[side], m.To
	if sideNames[side] == "in" {
		line.Counterparty = m.From
	}
	return line, at, n*sides + side, nil
}

// sides is more than there are sides: of the two entries that a payment to oneself
// has, each is a line, and a cursor tells them apart.
const sides = 8

// BalanceSeries implements Queries.
func (r *Reader) BalanceSeries(ctx context.Context, account, asset crypto.Address, s Span) ([]BalancePoint, error) {
	return view(ctx, r, func(v store.Read) ([]BalancePoint, error) {
		if _, err := r.known(ctx, v, asset); err != nil {
			return nil, err
		}
		times, ends, err := samples(ctx, v, s)
		if err != nil {
			return nil, err
		}
		had, err := balancesBefore(ctx, v, account, asset, ends)
		points := make([]BalancePoint, len(times))
		for i, end := range ends {
			points[i] = had[end]
			points[i].Time = times[i]
		}
		return points, err
	})
}

// samples are the times of a series, ascending, and the first position after each.
func samples(ctx context.Context, v store.Read, s Span) (times []uint64, ends []int64, err error) {
	points := s.Points
	switch {
	case points == 0:
		points = 100
	case points < 1 || points > MaxPoints:
		return nil, nil, &InvalidError{"points", "it is from 1 to 400"}
	}
	var begin, now int64
	err = row(ctx, v, "the chain's times", "SELECT (SELECT time_ms FROM blocks ORDER BY height LIMIT 1), (SELECT time_ms FROM blocks ORDER BY height DESC LIMIT 1) FROM progress WHERE id = 1", nil, &begin, &now)
	if err != nil {
		return nil, nil, ignore(err)
	}
	from, to := max(s.From, ledger.UnixTime(begin/1000)), s.To
	if to == 0 || to > ledger.UnixTime(now/1000) {
		to = ledger.UnixTime(now / 1000)
	}
	if from > to {
		return nil, nil, nil
	}
	points = int(min(uint64(points), uint64(to-from)+1))
	after := make([]ledger.UnixTime, 0, points)
	for i := range points {
		t := to
		if points > 1 {
			t = from + ledger.UnixTime(uint64(to-from)*uint64(i)/uint64(points-1))
		}
		times, after = append(times, uint64(t)), append(after, t+1)
	}
	ends, err = firstsAt(ctx, v, after)
	return times, ends, err
}

// SupplySeries implements Queries.
func (r *Reader) SupplySeries(ctx context.Context, asset crypto.Address, s Span) ([]SupplyPoint, error) {
	return view(ctx, r, func(v store.Read) ([]SupplyPoint, error) {
		if _, err := r.known(ctx, v, asset); err != nil {
			return nil, err
		}
		times, ends, err := samples(ctx, v, s)
		if err != nil {
			return nil, err
		}
		was, err := suppliesBefore(ctx, v, asset, ends)
		points := make([]SupplyPoint, len(times))
		for i, end := range ends {
			points[i] = SupplyPoint{times[i], was[end]}
		}
		return points, err
	})
}
