package query

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
)

// atOnce is how many moments one query looks at.
const atOnce = 100

// looked asks the same of many numbers, ascending, in few queries. Columns are
// subqueries of one value, in which v.column1 stands for the number; args are theirs.
// A number that stands twice is asked for once. Visit gets each number with its
// values, of which one that is not there is nil.
func looked(ctx context.Context, r store.Read, what string, numbers []int64, columns []string, args []any, visit func(number int64, values []any) error) error {
	values, into := make([]any, len(columns)), make([]any, 1+len(columns))
	var number int64
	into[0] = &number
	for i := range values {
		into[1+i] = &values[i]
	}
	for part := range slices.Chunk(slices.Compact(slices.Clone(numbers)), atOnce) {
		all := slices.Clone(args)
		for _, n := range part {
			all = append(all, n)
		}
		marks := strings.TrimSuffix(strings.Repeat("(CAST(? AS BIGINT)), ", len(part)), ", ")
		err := each(ctx, r, what, func(scan func(...any) error) error {
			if err := scan(into...); err != nil {
				return err
			}
			return visit(number, values)
		}, "SELECT v.column1, ("+strings.Join(columns, "), (")+") FROM (VALUES "+marks+") v", all...)
		if err != nil {
			return err
		}
	}
	return nil
}

// firstsAt is firstAt for times that ascend.
func firstsAt(ctx context.Context, r store.Read, times []ledger.UnixTime) ([]int64, error) {
	asked := make([]int64, len(times))
	for i, t := range times {
		asked[i] = int64(min(t, math.MaxInt64/1000)) * 1000
	}
	first := map[int64]int64{}
	err := looked(ctx, r, "blocks by their times", asked, []string{"SELECT height FROM blocks WHERE time_ms >= v.column1 ORDER BY time_ms, height LIMIT 1"}, nil,
		func(ms int64, values []any) error {
			if height, ok := values[0].(int64); ok {
				first[ms] = int64(store.OwnAt(ledger.Height(height)))
			}
			return nil
		})
	out := make([]int64, len(times))
	for i, ms := range asked {
		var ok bool
		if out[i], ok = first[ms]; !ok {
			out[i] = math.MaxInt64 // none is that late
		}
	}
	return out, err
}

// lastOf is a subquery of a column of the last row before a position, in the order
// that is given.
func lastOf(column, table, where, order string) string {
	return "SELECT " + column + " FROM " + table + " WHERE " + where + " AND position < v.column1 ORDER BY " + order + " LIMIT 1"
}

// balancesBefore are what an account had of an asset before positions that ascend.
func balancesBefore(ctx context.Context, v store.Read, account, asset crypto.Address, ends []int64) (map[int64]BalancePoint, error) {
	out := map[int64]BalancePoint{}
	const where, order = "account = ? AND asset = ?", "position DESC, n DESC, side DESC"
	columns := []string{lastOf("available", "entries", where, order), lastOf("held", "entries", where, order)}
	err := looked(ctx, v, "balances", ends, columns, []any{account[:], asset[:], account[:], asset[:]}, func(end int64, values []any) error {
		var b BalancePoint
		if values[0] == nil {
			return nil // nothing yet
		}
		if err := first(amount{&b.Available}.Scan(values[0]), amount{&b.Held}.Scan(values[1])); err != nil {
			return err
		}
		b.Total, _ = b.Available.Add(b.Held)
		out[end] = b
		return nil
	})
	return out, err
}

// suppliesBefore are an asset's supplies before positions that ascend.
func suppliesBefore(ctx context.Context, v store.Read, asset crypto.Address, ends []int64) (map[int64]ledger.Amount, error) {
	out := map[int64]ledger.Amount{}
	columns := []string{lastOf("supply", "supplies", "asset = ?", "position DESC, n DESC")}
	err := looked(ctx, v, "supplies", ends, columns, []any{asset[:]}, func(end int64, values []any) error {
		var s ledger.Amount
		if values[0] == nil {
			return nil
		}
		err := amount{&s}.Scan(values[0])
		out[end] = s
		return err
	})
	return out, err
}
