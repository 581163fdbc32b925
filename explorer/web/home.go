package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/explorer/words"
	"github.com/tallystick/tallystick/ledger"
)

const (
	homeRows    = 13 // newest blocks
	homeTxs     = 8  // newest transactions, which need two lines each
	homeMinutes = 60 // of throughput

	// Younger and shorter chains than these are drawn by their blocks.
	youngMinutes = 15
	youngBlocks  = 1000
	homeBlocks   = 60 // of times between blocks
)

// homeData is the first page.
type homeData struct {
	Blocks       []query.Block
	Transactions []query.Transaction
	Totals       *query.Totals
	Validators   *query.Validators
	Throughput   *Chart
	Intervals    *Chart
	Health       health
}

// health is how the network is, in one sentence.
type health struct {
	Class string // good, fair or bad
	Says  string
}

func (s *site) home(r *http.Request) (*view, error) {
	ctx := r.Context()
	status, err := s.q.Status(ctx)
	if err != nil {
		return nil, err
	}
	blocks, err := s.q.Blocks(ctx, query.BlockFilter{}, query.Page{Limit: homeBlocks})
	if err != nil {
		return nil, err
	}
	transactions, err := s.q.Transactions(ctx, query.TransactionFilter{}, query.Page{Limit: homeTxs})
	if err != nil {
		return nil, err
	}
	d := &homeData{Blocks: blocks.Items[:min(homeRows, len(blocks.Items))], Transactions: transactions.Items}
	if d.Totals, err = s.q.Totals(ctx); err != nil {
		return nil, err
	}
	if d.Validators, err = s.q.Validators(ctx); err != nil {
		return nil, err
	}
	if d.Throughput, err = s.throughput(ctx, status); err != nil {
		return nil, err
	}
	d.Intervals = intervalChart(blocks.Items)
	d.Health = healthOf(status, blocks.Items, d.Validators, time.Now())
	return &view{name: "home", Title: "Ledger of " + status.NetworkID, Nav: "home", Live: true, Data: d}, nil
}

// throughput draws the transactions of each of the last minutes, those without any
// too. On a chain that is younger than a few minutes they would be two or three bars;
// there the blocks themselves are counted, ten seconds together.
func (s *site) throughput(ctx context.Context, status *query.Status) (*Chart, error) {
	const minute = 60
	newest := status.BlockTime
	begun, err := s.begun(ctx)
	if err != nil {
		return nil, err
	}
	if newest-min(newest, begun) < youngMinutes*minute && status.Height <= youngBlocks {
		return s.youngThroughput(ctx, begun)
	}
	end := newest / minute * minute
	from := ledger.UnixTime(max(end-min(end, (homeMinutes-1)*minute), begun/minute*minute))
	list, err := s.q.Statistics(ctx, query.StatisticsFilter{Period: query.Minute, From: &from})
	if err != nil {
		return nil, err
	}
	by := map[uint64]query.Statistic{}
	for _, m := range list {
		by[m.Start] = m
	}
	var values []value
	var sum uint64
	top, whole := 0.0, by[end].Transactions // of the newest minute that is over
	if end >= uint64(from)+minute {
		whole = by[end-minute].Transactions
	}
	for at := uint64(from); at <= end; at += minute {
		m := by[at]
		sum += m.Transactions
		top = max(top, float64(m.Transactions))
		values = append(values, value{float64(m.Transactions), fmt.Sprintf("%s: %s in %s", words.UTC(at), words.Count(m.Transactions, "transaction", "transactions"), words.Count(m.Blocks, "block", "blocks"))})
	}
	return &Chart{
		SVG: bars(values), Title: "Transactions a minute", Top: count(uint64(top)), Left: fmt.Sprint(uint64(from)), Right: fmt.Sprint(end), Times: true,
		Now:  count(whole),
		Says: fmt.Sprintf("%s in the last %d minutes, at most %s in one minute", words.Count(sum, "transaction", "transactions"), len(values), count(uint64(top))),
	}, nil
}

// begun is when the chain's first block was made, or 0 where there is none yet.
func (s *site) begun(ctx context.Context) (uint64, error) {
	first, err := s.q.Block(ctx, 1)
	if errors.Is(err, query.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return first.Time, nil
}

// youngThroughput draws the transactions of a chain's first minutes.
func (s *site) youngThroughput(ctx context.Context, begun uint64) (*Chart, error) {
	const step = 10
	list, err := s.q.Blocks(ctx, query.BlockFilter{}, query.Page{Limit: youngBlocks})
	if err != nil {
		return nil, err
	}
	chart := &Chart{Title: "Transactions in ten seconds", Times: true}
	if len(list.Items) == 0 {
		return chart, nil
	}
	from, end := begun/step*step, list.Items[0].Time/step*step
	if end < from || end-from > youngMinutes*60 {
		return chart, nil // block times that make no sense are not drawn
	}
	counts := make([]uint64, (end-from)/step+1)
	for _, b := range list.Items {
		if b.Time >= from {
			counts[(b.Time-from)/step] += b.Transactions
		}
	}
	var values []value
	var top, sum uint64
	for i, n := range counts {
		top, sum = max(top, n), sum+n
		values = append(values, value{float64(n), words.UTC(from+uint64(i)*step) + ": " + words.Count(n, "transaction", "transactions")})
	}
	chart.SVG, chart.Top = bars(values), count(top)
	chart.Left, chart.Right = fmt.Sprint(from), fmt.Sprint(end)
	chart.Now = count(counts[max(0, len(counts)-2)]) // the newest are not over
	chart.Says = fmt.Sprintf("%s since the network began, at most %s in ten seconds", words.Count(sum, "transaction", "transactions"), count(top))
	return chart, nil
}

// intervalChart draws the times between the newest blocks, which come newest first.
func intervalChart(blocks []query.Block) *Chart {
	var values []value
	top, sum := 0.0, 0.0
	for i := len(blocks) - 1; i >= 0; i-- {
		b := blocks[i]
		if b.Height < 2 {
			continue // the first block's time is the genesis'
		}
		ms := float64(b.IntervalMs)
		top, sum = max(top, ms), sum+ms
		values = append(values, value{ms, fmt.Sprintf("block %s: %s", count(b.Height), seconds(ms))})
	}
	if len(values) < 2 {
		return &Chart{Title: "Time between blocks"}
	}
	return &Chart{
		SVG: line(values, false), Title: "Time between blocks", Top: seconds(top), Now: seconds(values[len(values)-1].y),
		Left: "block " + count(blocks[0].Height-uint64(len(values))+1), Right: "block " + count(blocks[0].Height),
		Says: fmt.Sprintf("On average %s between the last %d blocks, at most %s", seconds(sum/float64(len(values))), len(values), seconds(top)),
	}
}

const (
	// recently is how many blocks ago a validator that works has signed at least.
	recently = 50
	// silence is how old the newest block of a network that works is at most; an idle
	// one makes a block every ten seconds.
	silence = 45 * time.Second
)

// healthOf says in one sentence how the network is.
func healthOf(status *query.Status, blocks []query.Block, v *query.Validators, now time.Time) health {
	signing := 0
	var power uint64
	for _, x := range v.Items {
		if x.LastSigned != nil && *x.LastSigned+recently >= v.Height {
			signing++
			power += x.Power
		}
	}
	age := now.Sub(time.Unix(int64(status.BlockTime), 0))
	switch {
	case status.Differences > 0:
		return health{"bad", "The index differs from the node's proven state: do not rely on these pages until that is cleared up."}
	case status.Error != "":
		return health{"bad", "The index has stopped: what is new on the ledger does not appear here."}
	case age > silence && !status.Behind:
		return health{"bad", "There has been no new block for " + words.Lasting(uint64(age/time.Second)) + ": the network, or the node that these pages are read from, has stopped."}
	case status.Behind:
		return health{"fair", "The index is " + words.Count(status.Lag, "block", "blocks") + " behind its node, and catching up."}
	case len(v.Items) == 0:
		return health{"good", "The network has begun; no votes are known yet."}
	}
	mean := meanInterval(blocks)
	says := fmt.Sprintf("%d of %d validators sign, and a block comes every %s.", signing, len(v.Items), mean)
	if signing == len(v.Items) {
		says = fmt.Sprintf("all %s sign, and a block comes every %s.", words.Count(uint64(signing), "validator", "validators"), mean)
	}
	switch {
	case power*3 <= v.TotalPower*2:
		return health{"bad", "The network is at risk: " + says}
	case signing < len(v.Items):
		return health{"fair", "The network works, but not everybody is there: " + says}
	}
	return health{"good", "The network is healthy: " + says}
}

func meanInterval(blocks []query.Block) string {
	var sum, n uint64
	for _, b := range blocks {
		if b.Height >= 2 {
			sum, n = sum+b.IntervalMs, n+1
		}
	}
	if n == 0 {
		return "moment"
	}
	return seconds(sum / n)
}
