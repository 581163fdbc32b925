package bench

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/tallystick/tallystick/ledger"
)

// The histogram's range, in microseconds, and precision.
const (
	shortest    = 1
	longest     = int64(time.Hour / time.Microsecond)
	significant = 3
)

// book keeps the account of a run: what became of each transaction, how long
// it took, and what every balance must be by the receipts.
type book struct {
	mu        sync.Mutex // guards what follows
	plan      *plan
	submitted uint64
	committed uint64
	refused   uint64
	lost      uint64
	late      uint64            // committed ones that were found only when the run was over
	reasons   map[string]uint64 // of refusals
	retries   map[string]uint64 // sendings beyond the first, by their reason
	latency   *hdrhistogram.Histogram
	interval  *hdrhistogram.Histogram // since the last call of live
	change    []int64                 // by account, in smallest units
	last      time.Time               // of the last receipt
	height    ledger.Height           // the highest of a receipt
	before    uint64                  // committed at the last call of live
}

func newBook(p *plan) *book {
	return &book{
		plan: p, reasons: make(map[string]uint64), retries: make(map[string]uint64), change: make([]int64, len(p.accounts)),
		latency: newHistogram(), interval: newHistogram(),
	}
}

func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(shortest, longest, significant) }

// sent counts a transaction that is handed to a link for the first time.
func (b *book) sent() {
	b.mu.Lock()
	b.submitted++
	b.mu.Unlock()
}

// receipt enters a committed transaction. now is when the receipt was seen.
func (b *book) receipt(j *job, code ledger.Code, height ledger.Height, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.height = max(b.height, height)
	if now.After(b.last) {
		b.last = now
	}
	if !b.count(code) {
		return
	}
	b.move(j)
	took := min(max(now.Sub(j.due).Microseconds(), shortest), longest)
	// Within the histogram's range recording cannot fail.
	_ = b.latency.RecordValue(took)
	_ = b.interval.RecordValue(took)
}

// found enters a committed transaction that was found when the run was over.
// It has no latency that means anything. moved says whether balances that will
// be compared have it.
func (b *book) found(j *job, code ledger.Code, height ledger.Height, moved bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if moved {
		b.height = max(b.height, height)
	}
	if !b.count(code) {
		return
	}
	b.late++
	if moved {
		b.move(j)
	}
}

// count enters a receipt's code and reports whether it is that of success.
func (b *book) count(code ledger.Code) (applied bool) {
	if code == ledger.Applied {
		b.committed++
		return true
	}
	b.refused++
	b.reasons[code.String()]++
	return false
}

// move enters what an applied transaction did to the balances.
func (b *book) move(j *job) {
	b.plan.eachLeg(j.index, func(from, to int, units uint64) {
		b.change[from] -= int64(units)
		b.change[to] += int64(units)
	})
}

// refusal enters a transaction that a node refused.
func (b *book) refusal(reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refused++
	b.reasons[reason]++
}

// retry enters that a transaction is sent again, and why.
func (b *book) retry(reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.retries[reason]++
}

// setLost says how many transactions have no definite answer.
func (b *book) setLost(count int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lost = uint64(count)
}

// Live is how a run goes.
type Live struct {
	Elapsed            time.Duration
	Submitted          uint64
	Committed          uint64
	Refused            uint64
	Waiting            uint64    // sent and not answered
	TransfersPerSecond float64   // since the call before
	LatencyMs          LatencyMs // since the call before
}

// live sums up, and begins a new interval, which lasted for since.
func (b *book) live(elapsed, since time.Duration) Live {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := Live{
		Elapsed: elapsed, Submitted: b.submitted, Committed: b.committed, Refused: b.refused,
		Waiting:            b.submitted - b.committed - b.refused - b.lost,
		TransfersPerSecond: perSecond((b.committed-b.before)*uint64(b.plan.legs), since),
		LatencyMs:          percentiles(b.interval),
	}
	b.before = b.committed
	b.interval.Reset()
	return out
}

func perSecond(count uint64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(count) / d.Seconds()
}

func percentiles(h *hdrhistogram.Histogram) LatencyMs {
	if h.TotalCount() == 0 {
		return LatencyMs{}
	}
	ms := func(microseconds int64) float64 { return float64(microseconds) / 1000 }
	return LatencyMs{
		P50: ms(h.ValueAtQuantile(50)), P90: ms(h.ValueAtQuantile(90)), P99: ms(h.ValueAtQuantile(99)),
		Max: ms(h.Max()),
	}
}
