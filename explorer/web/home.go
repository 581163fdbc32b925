package web

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/explorer/words"
	"github.com/tallystick/tallystick/ledger"
)

const (
	homeRows    = 8  // newest blocks and transactions
	homeMinutes = 60 // of throughput
	homeBlocks  = 60 // of times between blocks
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
	transactions, err := s.q.Transactions(ctx, query.TransactionFilter{}, query.Page{Limit: homeRows})
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
	if d.Throughput, err = s.throughput(ctx, status.BlockTime); err != nil {
		return nil, err
	}
	d.Intervals = intervalChart(blocks.Items)
	d.Health = healthOf(status, blocks.Items, d.Validators, time.Now())
	return &view{name: "home", Title: "Ledger of " + status.NetworkID, Nav: "home", Live: true, Data: d}, nil
}

// throughput draws the transactions of each of the last minutes, those without any
// too.
func (s *site) throughput(ctx context.Context, newest uint64) (*Chart, error) {
	const minute = 60
	end := newest / minute * minute
	from := ledger.UnixTime(end - min(end, (homeMinutes-1)*minute))
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
	top := 0.0
	for at := uint64(from); at <= end; at += minute {
		m := by[at]
		sum += m.Transactions
		top = max(top, float64(m.Transactions))
		values = append(values, value{float64(m.Transactions), fmt.Sprintf("%s: %s in %s", words.UTC(at), words.Count(m.Transactions, "transaction", "transactions"), words.Count(m.Blocks, "block", "blocks"))})
	}
	return &Chart{
		SVG: bars(values), Title: "Transactions a minute", Top: count(uint64(top)), Left: fmt.Sprint(uint64(from)), Right: fmt.Sprint(end), Times: true,
		Now:  count(by[end].Transactions),
		Says: fmt.Sprintf("%s in the last %d minutes, at most %s in one minute", words.Count(sum, "transaction", "transactions"), len(values), count(uint64(top))),
	}, nil
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
