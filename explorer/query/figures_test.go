package query

import (
	"errors"
	"math"
	"testing"

	"github.com/tallystick/tallystick/ledger"
)

// periodsOf are the figures of a chain in periods, added up by a plain walk.
func (b *book) periodsOf(seconds uint64) (list []Statistic) {
	var intervals, sum uint64
	for h := ledger.Height(1); h <= b.chain.Top(); h++ {
		block := b.chain.At(h)
		start := uint64(block.Time) / seconds * seconds
		if len(list) == 0 || list[len(list)-1].Start != start {
			list = append(list, Statistic{Start: start, Seconds: seconds})
			intervals, sum = 0, 0
		}
		s := &list[len(list)-1]
		s.Blocks++
		s.SizeBytes += block.SizeBytes
		s.MaxSizeBytes = max(s.MaxSizeBytes, block.SizeBytes)
		s.Transactions += uint64(len(block.Txs))
		for _, r := range block.Results {
			if r.Code != ledger.Applied {
				s.Refused++
			}
		}
		if h > 1 { // the first has none before it
			before := b.chain.At(h - 1)
			ms := uint64(block.Time-before.Time)*1000 + uint64(block.Millis) - uint64(before.Millis)
			intervals, sum = intervals+1, sum+ms
			s.MaxIntervalMs = max(s.MaxIntervalMs, ms)
			s.IntervalMs = float64(sum) / float64(intervals)
		}
		s.MeanSizeBytes, s.TxsPerSecond = float64(s.SizeBytes)/float64(s.Blocks), float64(s.Transactions)/float64(seconds)
	}
	for i := range b.moved {
		m := &b.moved[i]
		moves := m.Type == ledger.EventTransfer || m.Type == ledger.EventClawback || m.Type == ledger.EventHoldCaptured
		for j := range list {
			if moves && m.height > 0 && list[j].Start == uint64(m.time)/seconds*seconds {
				list[j].Transfers++
			}
		}
	}
	return list
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-6*(1+math.Abs(b)) }

// The network's figures of each period are what its blocks come to; periods without
// a block have none, and the bounds are both included.
func TestStatistics(t *testing.T) {
	eachBook(t, 71, func(t *testing.T, r *Reader, b *book) {
		for period, seconds := range map[string]uint64{Minute: 60, Hour: 3600, Day: 86400} {
			all := b.periodsOf(seconds)
			if gap := all[len(all)-1].Start - all[0].Start; period != Day && gap/seconds <= uint64(len(all)) {
				t.Fatal("the chain has no period without a block")
			}
			mid := ledger.UnixTime(all[len(all)/2].Start)
			after, zero, greatest := mid+1, ledger.UnixTime(0), ^ledger.UnixTime(0)
			for _, bounds := range [][2]*ledger.UnixTime{{nil, nil}, {&mid, nil}, {nil, &mid}, {&mid, &mid}, {&after, nil}, {&after, &mid}, {&zero, &greatest}, {&greatest, nil}, {nil, &zero}} {
				want := []Statistic{}
				for _, s := range all {
					if within := func(at ledger.UnixTime) bool {
						return (bounds[0] == nil || at >= *bounds[0]) && (bounds[1] == nil || at <= *bounds[1])
					}; within(ledger.UnixTime(s.Start)) {
						want = append(want, s)
					}
				}
				got, err := r.Statistics(t.Context(), StatisticsFilter{Period: period, From: bounds[0], To: bounds[1]})
				if err != nil || len(got) != len(want) || got == nil {
					t.Fatalf("%s: %d periods (%v), want %d", period, len(got), err, len(want))
				}
				for i, g := range got {
					w := want[i]
					if !near(g.IntervalMs, w.IntervalMs) || !near(g.MeanSizeBytes, w.MeanSizeBytes) || !near(g.TxsPerSecond, w.TxsPerSecond) {
						t.Fatalf("%s %d is %+v, want %+v", period, i, g, w)
					}
					g.IntervalMs, g.MeanSizeBytes, g.TxsPerSecond = w.IntervalMs, w.MeanSizeBytes, w.TxsPerSecond
					if g != w {
						t.Fatalf("%s %d is %+v, want %+v", period, i, g, w)
					}
				}
			}
		}
		var invalid *InvalidError
		for _, period := range []string{"", "week", "minute'", "\x00"} {
			if _, err := r.Statistics(t.Context(), StatisticsFilter{Period: period}); !errors.As(err, &invalid) {
				t.Errorf("the period %q: %v", period, err)
			}
		}
		b.compareTotals(t, r)
	})
}

// compareTotals adds the figures of all periods up.
func (b *book) compareTotals(t *testing.T, r *Reader) {
	t.Helper()
	got, err := r.Totals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := Statistic{}
	for _, s := range b.periodsOf(3600) {
		want.Blocks, want.Transactions, want.Refused = want.Blocks+s.Blocks, want.Transactions+s.Transactions, want.Refused+s.Refused
		want.Transfers, want.SizeBytes = want.Transfers+s.Transfers, want.SizeBytes+s.SizeBytes
	}
	if got.Blocks != want.Blocks || got.Transactions != want.Transactions || got.Refused != want.Refused || got.Transfers != want.Transfers || got.SizeBytes != want.SizeBytes {
		t.Fatalf("totals %+v, want %+v", got, want)
	}
}
