package web

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/explorer/words"
)

type networkData struct {
	Status      *query.Status
	Totals      *query.Totals
	Parameters  *query.Parameters
	Differences []query.Difference
	Charts      []*Chart
	Period      string
}

// network is the page about the whole: figures over time, what can be voted on, and
// how sure the index is.
func (s *site) network(r *http.Request) (*view, error) {
	p := parametersOf(r)
	period := p.choice("period", query.Minute, query.Hour, query.Day)
	if p.err != nil {
		return nil, p.err
	}
	if period == "" {
		period = query.Minute
	}
	ctx := r.Context()
	d := &networkData{Period: period}
	var err error
	if d.Status, err = s.q.Status(ctx); err != nil {
		return nil, err
	}
	if d.Totals, err = s.q.Totals(ctx); err != nil {
		return nil, err
	}
	if d.Parameters, err = s.q.Parameters(ctx, query.Moment{}); err != nil {
		return nil, err
	}
	differences, err := s.q.Differences(ctx, query.Page{Limit: rows})
	if err != nil {
		return nil, err
	}
	d.Differences = differences.Items
	const most = 120 // periods in a chart
	list, err := s.q.Statistics(ctx, query.StatisticsFilter{Period: period, Newest: most})
	if err != nil {
		return nil, err
	}
	d.Charts = statisticsCharts(list[max(0, len(list)-most):])
	return &view{name: "network", Title: "Network", Nav: "network", Data: d}, nil
}

// statisticsCharts draws the figures of some periods.
func statisticsCharts(list []query.Statistic) (charts []*Chart) {
	for _, c := range []struct {
		title string
		of    func(query.Statistic) (float64, string)
	}{
		{"Transactions", func(s query.Statistic) (float64, string) {
			return float64(s.Transactions), words.Count(s.Transactions, "transaction", "transactions")
		}},
		{"Transfers", func(s query.Statistic) (float64, string) {
			return float64(s.Transfers), words.Count(s.Transfers, "transfer", "transfers")
		}},
		{"Mean time between blocks", func(s query.Statistic) (float64, string) { return s.IntervalMs, seconds(s.IntervalMs) }},
		{"Mean size of a block", func(s query.Statistic) (float64, string) { return s.MeanSizeBytes, bytesText(s.MeanSizeBytes) }},
	} {
		chart := &Chart{Title: c.title, Times: true}
		var values []value
		most := "" // the highest value with its unit
		for _, s := range list {
			y, says := c.of(s)
			values = append(values, value{y, words.UTC(s.Start) + ": " + says})
			if y >= highest(values) || chart.Top == "" {
				chart.Top, most = figure(says), says
			}
			chart.Now = says
		}
		if len(values) > 0 {
			chart.SVG = bars(values)
			chart.Left, chart.Right = fmt.Sprint(list[0].Start), fmt.Sprint(list[len(list)-1].Start)
			chart.Says = fmt.Sprintf("%s: at most %s, now %s", c.title, most, chart.Now)
		}
		charts = append(charts, chart)
	}
	return charts
}

// figure leaves out what a number counts, which the title of its chart says.
func figure(says string) string {
	number, unit, _ := strings.Cut(says, " ")
	if strings.HasPrefix(unit, "trans") {
		return number
	}
	return says
}
