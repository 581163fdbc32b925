package query

import (
	"context"
	"math"
	"slices"

	"github.com/tallystick/tallystick/explorer/store"
)

var periods = map[string]int64{Minute: 60, Hour: 3600, Day: 86400}

const statisticColumns = "start, seconds, blocks, transactions, refused, transfers, size_bytes, max_size_bytes, interval_ms, max_interval_ms"

// Statistics implements Queries.
func (r *Reader) Statistics(ctx context.Context, f StatisticsFilter) ([]Statistic, error) {
	seconds, ok := periods[f.Period]
	if !ok {
		return nil, &InvalidError{"period", "it is minute, hour or day"}
	}
	from, to := int64(0), int64(math.MaxInt64)
	if f.From != nil {
		from = int64(min(uint64(*f.From), math.MaxInt64))
	}
	if f.To != nil {
		to = int64(min(uint64(*f.To), math.MaxInt64))
	}
	most := MaxBuckets
	if f.Newest > 0 {
		most = min(most, f.Newest)
	}
	return view(ctx, r, func(v store.Read) ([]Statistic, error) {
		var first int64 // the period of block 1, which no interval lies before
		err := row(ctx, v, "the first statistics", "SELECT start FROM statistics WHERE seconds = ? ORDER BY start LIMIT 1", []any{seconds}, &first)
		if err != nil {
			return []Statistic{}, ignore(err)
		}
		out := []Statistic{}
		err = each(ctx, v, "statistics", func(scan func(...any) error) error {
			s, err := scanStatistic(scan, uint64(first))
			out = append(out, s)
			return err
		}, "SELECT "+statisticColumns+" FROM statistics WHERE seconds = ? AND start >= ? AND start <= ? ORDER BY start DESC LIMIT ?", seconds, from, to, most)
		slices.Reverse(out)
		return out, err
	})
}

func scanStatistic(scan func(...any) error, first uint64) (s Statistic, err error) {
	var interval int64
	err = scan(&s.Start, &s.Seconds, &s.Blocks, &s.Transactions, &s.Refused, &s.Transfers, &s.SizeBytes, &s.MaxSizeBytes, &interval, &s.MaxIntervalMs)
	intervals := s.Blocks
	if s.Start == first {
		intervals--
	}
	s.IntervalMs = float64(interval) / float64(max(intervals, 1))
	s.MeanSizeBytes = float64(s.SizeBytes) / float64(max(s.Blocks, 1))
	s.TxsPerSecond = float64(s.Transactions) / float64(max(s.Seconds, 1))
	return s, err
}

// Totals implements Queries. Cost: a row for each day of the chain.
func (r *Reader) Totals(ctx context.Context) (*Totals, error) {
	return view(ctx, r, func(v store.Read) (*Totals, error) {
		t := &Totals{}
		err := row(ctx, v, "totals", "SELECT CAST(coalesce(sum(blocks), 0) AS BIGINT), CAST(coalesce(sum(transactions), 0) AS BIGINT), CAST(coalesce(sum(refused), 0) AS BIGINT), CAST(coalesce(sum(transfers), 0) AS BIGINT), CAST(coalesce(sum(size_bytes), 0) AS BIGINT) FROM statistics WHERE seconds = 86400",
			nil, &t.Blocks, &t.Transactions, &t.Refused, &t.Transfers, &t.SizeBytes)
		if err != nil {
			return nil, err
		}
		at := map[string]*uint64{"accounts": &t.Accounts, "assets": &t.Assets, "members": &t.Members, "proposals": &t.Proposals, "holds": &t.Holds}
		return t, each(ctx, v, "counts", func(scan func(...any) error) error {
			var name string
			var value uint64
			err := scan(&name, &value)
			if into := at[name]; into != nil {
				*into = value
			}
			return err
		}, "SELECT name, value FROM counts")
	})
}

// Differences implements Queries.
func (r *Reader) Differences(ctx context.Context, p Page) (*List[Difference], error) {
	limit, err := p.limit()
	if err != nil {
		return nil, err
	}
	c := parseCursor('d', p.Cursor)
	from := c.number()
	if err := c.end(); err != nil {
		return nil, err
	}
	if c.begin {
		from = math.MaxInt64
	}
	out := &List[Difference]{Items: []Difference{}}
	err = each(ctx, r.db, "differences", func(scan func(...any) error) error {
		var d Difference
		var key []byte
		var resolved int64
		err := scan(&d.ID, &d.Time, &d.Height, &d.Subject, &key, &d.Index, &d.Proven, &resolved)
		d.Key, d.Resolved = keyText(key), resolved != 0
		out.Items = append(out.Items, d)
		return err
	}, "SELECT id, time, height, subject, key, indexed, proven, resolved FROM differences WHERE id < ? ORDER BY id DESC LIMIT ?", from, limit+1)
	if err != nil {
		return nil, err
	}
	if len(out.Items) > limit {
		out.Items = out.Items[:limit]
		out.Next = next(newCursor('d').number(out.Items[limit-1].ID))
	}
	return out, nil
}
