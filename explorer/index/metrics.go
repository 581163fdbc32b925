package index

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tallystick/tallystick/ledger"
)

// metrics are the index's figures for operators.
type metrics struct {
	height, lag, differences prometheus.Gauge
	blocks, txs, errors      prometheus.Counter
	compared, found          prometheus.Counter
	commit                   prometheus.Histogram
}

func newMetrics(r prometheus.Registerer) *metrics {
	const space = "tally_explorer"
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: space, Name: name, Help: help})
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: space, Name: name, Help: help})
	}
	m := &metrics{
		height:      gauge("height", "The last block in the explorer's index."),
		lag:         gauge("lag_blocks", "By how many blocks the explorer's index is behind its node."),
		differences: gauge("differences", "Where the index does not agree with the node's proven state now. Anything above 0 is an alarm."),
		blocks:      counter("blocks_total", "Blocks indexed."),
		txs:         counter("transactions_total", "Transactions indexed."),
		errors:      counter("errors_total", "How often the index has stopped and begun again."),
		compared:    counter("compared_total", "Records compared with proofs of the node's state."),
		found:       counter("differences_total", "Differences found."),
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: space, Name: "commit_seconds", Help: "How long one transaction of the database took.", Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
		}),
	}
	if r != nil {
		r.MustRegister(m.height, m.lag, m.differences, m.blocks, m.txs, m.errors, m.compared, m.found, m.commit)
	}
	return m
}

func (m *metrics) committed(height, head ledger.Height, blocks, txs int, took time.Duration) {
	m.height.Set(float64(height))
	m.lag.Set(max(0, float64(head)-float64(height)))
	m.blocks.Add(float64(blocks))
	m.txs.Add(float64(txs))
	m.commit.Observe(took.Seconds())
}
