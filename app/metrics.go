package app

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/tallystick/tallystick/ledger"
)

// metrics are the application's measurements. Without a registerer they are
// kept all the same and seen by nobody.
type metrics struct {
	admissions *prometheus.CounterVec // by ledger code name
	rechecks   *prometheus.CounterVec // by ledger code name
	recovered  prometheus.Counter
	admitted   prometheus.Counter     // of admissions, those that wait from then on
	dropped    *prometheus.CounterVec // by why they can stand in no block any more
	refused    *prometheus.CounterVec // by what has no room for them
	paced      prometheus.Counter
	rejected   prometheus.Counter
	executions *prometheus.CounterVec // by how FinalizeBlock came to them
	results    *prometheus.CounterVec // by ledger code name
	seconds    *prometheus.HistogramVec
}

// blockBuckets suit a block's steps: 0.5 ms to about 8 s.
var blockBuckets = prometheus.ExponentialBuckets(0.0005, 2, 15)

func newMetrics(r prometheus.Registerer, a *Application) *metrics {
	f := promauto.With(r)
	name := func(n string) string { return "tallystick_app_" + n }
	counter := func(n, help string) prometheus.CounterOpts { return prometheus.CounterOpts{Name: name(n), Help: help} }
	gauge := func(n, help string, value func() float64) {
		f.NewGaugeFunc(prometheus.GaugeOpts{Name: name(n), Help: help}, value)
	}
	gauge("pending_transactions", "Transactions that wait on this node.", func() float64 { return float64(a.pending.len()) })
	gauge("pending_bytes", "Memory that transactions count for that wait on this node: four times their bytes, and 1,280 each.", func() float64 { return float64(a.pending.size()) })
	gauge("pending_largest_member", "Transactions that wait on this node of the member of which the most do; accounts of no member count together.", func() float64 { return float64(a.pending.largest()) })
	gauge("pace_bytes", "What a block may weigh that is kept short for a member of which little waits: a payment weighs some 256 bytes.", func() float64 { return float64(a.pace.now().limit) })
	gauge("usual_wait_seconds", "Time that transactions usually wait on this node until they are committed, smoothed.", func() float64 { return a.pace.now().usual.Seconds() })
	gauge("signer_cache_bytes", "Estimated memory of remembered transactions.", func() float64 { return float64(a.cache.bytes()) })
	gauge("height", "Height of the last committed block.", func() float64 { return float64(a.latest.Load().height) })
	admissions := f.NewCounterVec(counter("admissions_total", "Transactions offered to this node, by verdict."), []string{"code"})
	return &metrics{
		admissions: admissions, admitted: admissions.WithLabelValues(ledger.Applied.String()),
		rechecks:   f.NewCounterVec(counter("rechecks_total", "Waiting transactions judged again because a block changed what they depend on, by verdict."), []string{"code"}),
		recovered:  f.NewCounter(counter("recovered_signatures_total", "Signatures whose signers were recovered, each some 30 to 120 microseconds of work.")),
		dropped:    f.NewCounterVec(counter("pending_dropped_total", "Waiting transactions that were dropped because no block can hold them any more, by reason."), []string{"reason"}),
		refused:    f.NewCounterVec(counter("pending_refused_total", "Transactions that were not let wait because an account or a member is above its quota, or the pool is full."), []string{"bound"}),
		paced:      f.NewCounter(counter("paced_proposals_total", "Blocks proposed by this node that were kept short for a member of which little waits.")),
		rejected:   f.NewCounter(counter("proposals_rejected_total", "Proposed blocks that this node voted against.")),
		executions: f.NewCounterVec(counter("executions_total", "Executions of blocks: early ones that were joined or dropped, and late ones."), []string{"kind"}),
		results:    f.NewCounterVec(counter("results_total", "Results of transactions in committed blocks, by code."), []string{"code"}),
		seconds: f.NewHistogramVec(prometheus.HistogramOpts{
			Name: name("step_seconds"), Help: "Time that a step of a block took.", Buckets: blockBuckets,
		}, []string{"step"}),
	}
}
