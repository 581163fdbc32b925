package bench

import (
	"context"
	"sync"
	"time"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// engine drives a plan through the links.
type engine struct {
	cfg   *Config
	plan  *plan
	book  *book
	links []*link
	slots chan struct{} // in flight; nil at a fixed rate
	lost  []crypto.Hash // set by settle

	start time.Time
	cpu   time.Duration // of the process: at the start, then while driving
	drove time.Duration // how long drive took
	late  uint64        // signed while driving; owned by feed

	routing sync.Mutex // held while a job is parked, or parked jobs are moved

	mu    sync.Mutex      // guards what follows
	open  map[uint64]*job // not answered
	doubt []*job          // refused, after a sending that may have been taken
	unfed bool            // feed has ended
	done  chan struct{}   // closed when feed has ended and open is empty
}

// Pauses before a job that a node would not take is sent again: the first, and
// the longest; each is twice the one before.
const (
	firstPause = 20 * time.Millisecond
	lastPause  = time.Second
	// interrupted is the longest grace after the user has ended the run.
	interrupted = 3 * time.Second
	// maxLost bounds how many lost transactions are named.
	maxLost = 10
	// company is how long a transaction that is due waits for the next ones: at
	// a high rate one timer serves many. It counts as latency.
	company = 2 * time.Millisecond
)

func newEngine(cfg *Config, p *plan) *engine {
	e := &engine{cfg: cfg, plan: p, book: newBook(p), open: make(map[uint64]*job), done: make(chan struct{})}
	if cfg.Rate == 0 {
		e.slots = make(chan struct{}, cfg.Inflight)
	}
	return e
}

// drive sends the plan's transactions when they are due, and returns when all
// are answered, or when the grace after the last is over.
func (e *engine) drive(ctx context.Context) {
	linked, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	for _, u := range e.cfg.URLs {
		// The address has been dialled before, so it is well formed.
		l, err := newLink(u, e.cfg.Client)
		if err != nil {
			continue
		}
		l.answered, l.broken, l.opened, l.note = e.answered, e.reroute, e.rebalance, func(*link, error) {}
		e.links = append(e.links, l)
	}
	for _, l := range e.links {
		running.Go(func() { l.run(linked) })
	}
	e.start, e.cpu = time.Now(), processTime()
	reporting, stopReports := context.WithCancel(linked)
	running.Go(func() { e.report(reporting) })
	e.feed(ctx)
	grace := e.cfg.Grace
	if ctx.Err() != nil {
		grace = min(grace, interrupted)
	}
	select {
	case <-e.done:
	case <-time.After(grace):
	}
	stopReports()
	cancel()
	running.Wait()
	e.cpu, e.drove = processTime()-e.cpu, time.Since(e.start)
}

// feed hands out jobs until the duration is over. At a fixed rate that is when
// the last is due, and then it goes out even if the feeder is late.
func (e *engine) feed(ctx context.Context) {
	if e.cfg.Rate == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, e.start.Add(e.cfg.Duration))
		defer cancel()
	}
	for i := uint64(0); e.cfg.Rate == 0 || i < e.plan.total; i++ {
		due, ok := e.turn(ctx, i)
		if !ok {
			break
		}
		raw, ready := e.plan.raw(i)
		if !ready {
			e.late++
		}
		j := &job{index: i, raw: raw, due: due, home: e.plan.sender(i) % len(e.links)}
		e.mu.Lock()
		e.open[i] = j
		e.mu.Unlock()
		e.book.sent()
		e.push(j, j.home)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.unfed = true
	if len(e.open) == 0 {
		close(e.done)
	}
}

// turn waits until transaction i is due. At a fixed rate that is a time laid
// down before the run; otherwise it is when an earlier one makes room.
func (e *engine) turn(ctx context.Context, i uint64) (due time.Time, ok bool) {
	if e.cfg.Rate == 0 {
		select {
		case e.slots <- struct{}{}:
			return time.Now(), ctx.Err() == nil
		case <-ctx.Done():
			return time.Time{}, false
		}
	}
	due = e.start.Add(time.Duration(float64(i) / e.cfg.Rate * float64(time.Second)))
	if early := time.Until(due); early > 0 {
		select {
		case <-time.After(early + company):
		case <-ctx.Done():
			return time.Time{}, false
		}
	}
	return due, ctx.Err() == nil
}

// push queues a job on the link at index from, or the next that is up. When
// none is, it waits on the link at from for any to come up: rebalance runs
// after a link has come up, and not between the look and the wait.
func (e *engine) push(j *job, from int) {
	if e.tryPush(j, from) {
		return
	}
	e.routing.Lock()
	defer e.routing.Unlock()
	if !e.tryPush(j, from) {
		e.links[from%len(e.links)].park(j)
	}
}

func (e *engine) tryPush(j *job, from int) bool {
	for i := range e.links {
		if e.links[(from+i)%len(e.links)].push(j) {
			return true
		}
	}
	return false
}

// reroute sends the jobs of a broken link elsewhere.
func (e *engine) reroute(_ *link, jobs []*job) {
	for _, j := range jobs {
		if j.sendings > 0 {
			e.book.retry("connection lost")
		}
		e.push(j, j.home+j.strikes)
	}
}

// rebalance moves what is queued on links that are down, now that one is up.
func (e *engine) rebalance(*link) {
	var jobs []*job
	e.routing.Lock()
	for _, l := range e.links {
		jobs = append(jobs, l.drain()...)
	}
	e.routing.Unlock()
	for _, j := range jobs {
		e.push(j, j.home)
	}
}

// answered takes a node's answer to a job.
func (e *engine) answered(j *job, a answer) {
	switch {
	case !a.failed:
		if e.finish(j) {
			e.book.receipt(j, a.code, a.height, time.Now())
		}
	case a.temporary() || a.code == ledger.CodeNonceTooHigh:
		e.again(j, a)
	case j.doubt:
		// It may be committed or pending elsewhere: settle finds out.
		if e.finish(j) {
			e.mu.Lock()
			e.doubt = append(e.doubt, j)
			e.mu.Unlock()
		}
	default:
		if e.finish(j) {
			e.book.refusal(reason(a))
		}
	}
}

// reason names a refusal.
func reason(a answer) string {
	if a.name != "" {
		return a.name
	}
	return a.text
}

// again sends a job once more, after a pause that grows. Where the wait for
// the receipt has timed out, the node has the transaction and is asked again
// once: another node would have to admit it anew, which helps nobody under
// load. Otherwise, and after that, it goes to the next node.
func (e *engine) again(j *job, a answer) {
	e.book.retry(reason(a))
	switch a.name {
	case "busy", "poolFull", "accountQuota", "memberQuota", "catchingUp", "rateLimited":
		j.strikes++
	case client.NameTimeout:
		j.doubt, j.timeouts = true, j.timeouts+1
		if j.timeouts%2 == 0 {
			j.strikes++
		}
	default:
		j.doubt = j.doubt || a.temporary()
		j.strikes++
	}
	pause := min(firstPause<<min(j.sendings-1, 10), lastPause)
	time.AfterFunc(pause, func() { e.push(j, j.home+j.strikes) })
}

// finish closes a job. ok is false when it was closed before.
func (e *engine) finish(j *job) (ok bool) {
	e.mu.Lock()
	_, ok = e.open[j.index]
	delete(e.open, j.index)
	if e.unfed && ok && len(e.open) == 0 {
		close(e.done)
	}
	e.mu.Unlock()
	if ok {
		e.release()
	}
	return ok
}

// release makes room for another job.
func (e *engine) release() {
	if e.slots != nil {
		<-e.slots
	}
}

// report calls Live once a second.
func (e *engine) report(ctx context.Context) {
	if e.cfg.Live == nil {
		return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	before := e.start
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			e.cfg.Live(e.book.live(now.Sub(e.start), now.Sub(before)))
			before = now
		}
	}
}

// settle looks up what got no definite answer, on every node. It may be called
// again; what was lost before may be found then. Receipts above height, if it
// is not 0, count, but not for the balances.
func (e *engine) settle(ctx context.Context, c *client.Client, height ledger.Height) {
	for _, j := range e.open {
		e.doubt = append(e.doubt, j)
	}
	clear(e.open)
	left := e.doubt[:0]
	for i, j := range e.doubt {
		e.cfg.Stage("look up unanswered", i, len(e.doubt))
		code, at, found := e.lookup(ctx, c, j)
		if !found {
			left = append(left, j)
			continue
		}
		e.book.found(j, code, at, height == 0 || at <= height)
	}
	e.doubt, e.lost = left, nil
	for _, j := range left[:min(len(left), maxLost)] {
		e.lost = append(e.lost, crypto.Keccak256(j.raw))
	}
	e.book.setLost(len(left))
}

func (e *engine) lookup(ctx context.Context, c *client.Client, j *job) (ledger.Code, ledger.Height, bool) {
	hash := crypto.Keccak256(j.raw)
	for i := range c.URLs() {
		receipt, err := c.At(i).Receipt(ctx, hash)
		if err == nil && receipt != nil {
			return ledger.Code(receipt.Code), ledger.Height(receipt.Height), true
		}
	}
	return 0, 0, false
}

// result sums the run up.
func (e *engine) result() *Result {
	b := e.book
	b.mu.Lock()
	defer b.mu.Unlock()
	elapsed := max(b.last.Sub(e.start), 0)
	if b.late > 0 {
		elapsed = e.drove
	}
	cores := 0.0
	if e.drove > 0 {
		cores = e.cpu.Seconds() / e.drove.Seconds()
	}
	return &Result{
		Submitted: b.submitted, Committed: b.committed, Refused: b.refused, Lost: b.lost,
		TransfersPerSecond: perSecond(b.committed*uint64(e.plan.legs), elapsed),
		LatencyMs:          percentiles(b.latency),
		Elapsed:            elapsed, Late: b.late, Cores: cores, SignedLate: e.late, Retries: b.retries, Reasons: b.reasons, LostHashes: e.lost,
	}
}
