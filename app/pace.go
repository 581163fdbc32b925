package app

import (
	"math"
	"sync"
	"time"

	"github.com/tallystick/tallystick/crypto"
)

// The measures of blocks. Weight is that of weights.of, in bytes; a payment has
// some 256.
const (
	// smallWeight is what a small block weighs at most: 32 payments.
	smallWeight = 32 * 256
	// leastPace and mostPace bound what a paced block may weigh, and firstPace is
	// what it may before anything is known: 64, 4,096 and 256 payments.
	leastPace = 64 * 256
	mostPace  = 4096 * 256
	firstPace = 256 * 256
	// lightPart is the part of a paced block up to which what waits of a member is
	// little.
	lightPart = 4
	// paceMemory is how long blocks stay paced after something came of a member of
	// which little waits.
	paceMemory = 10 * time.Second
)

// pace keeps blocks short while one member sends more than fits and another
// little: then the other's transactions wait not much longer than usual. Blocks
// that are as large as they may be take the most transactions a second, and are
// best for all where nobody else waits.
//
// It measures how long transactions wait on this node until they are committed,
// and makes blocks smaller or larger until those of members of which little waits
// do so for as long as they may: on any machine, network and load. It decides
// what this node proposes, and nothing else.
type pace struct {
	percent int // that they may wait, of the usual time; 0: no block is paced

	mu sync.Mutex // guards the rest
	measured
	light crypto.Address // the member of which little waited when something of it came last
	at    time.Time      // when that was; zero: never
}

// measured is what pace has learned.
type measured struct {
	usual time.Duration // how long transactions wait, smoothed; 0: unknown
	limit uint64        // what a paced block may weigh
}

// waited says for how long the transactions of a block waited.
type waited struct {
	weight uint64 // of the block
	all    waits
	light  waits // those of members of which little waited
}

type waits struct {
	sum   time.Duration
	count int
}

func (w *waits) add(d time.Duration) { w.sum, w.count = w.sum+d, w.count+1 }

// mean is 0 of none.
func (w *waits) mean() time.Duration { return w.sum / time.Duration(max(w.count, 1)) }

func newPace(percent int) *pace {
	return &pace{percent: percent, measured: measured{limit: firstPace}}
}

func (p *pace) now() measured {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.measured
}

// little is the most that waits of a member of which little does.
func (p *pace) little() uint64 { return p.now().limit / lightPart }

// committed follows what a block shows.
func (p *pace) committed(w waited) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if mean := w.all.mean(); mean > 0 {
		p.learn(mean, w.weight)
	}
	if w.light.count > 0 && w.light.count < w.all.count && p.usual > 0 {
		p.yield(w.light.mean(), w.weight)
		p.follow(float64(p.usual)*float64(p.percent)/100/float64(w.light.mean()), w.weight)
	}
}

// learn takes the mean wait of a block into what is usual, if it was shorter; and if
// it was longer, of small blocks alone, because while somebody sends too much all
// wait longer. Needs mu.
func (p *pace) learn(mean time.Duration, weight uint64) {
	switch {
	case p.usual == 0:
		p.usual = mean
	case mean < p.usual:
		p.usual -= (p.usual - mean) / 16
	case weight <= smallWeight:
		p.usual += (mean - p.usual) / 16
	}
}

// yield takes it for usual, little by little, that transactions of members of which
// little waits do so for longer where blocks are as short as they get: no size of
// blocks is the reason then. Or else, once a network has become slower, a flood
// would keep its blocks that short for as long as it lasts, and all who do not fit
// waiting. What is usual takes some 200 such blocks to double. Needs mu.
func (p *pace) yield(light time.Duration, weight uint64) {
	if p.limit == leastPace && weight <= 2*leastPace && light > p.usual {
		p.usual += min(light-p.usual, p.usual) / 256
	}
}

// follow moves the limit by the ratio of the wait that is wanted to the one that
// was. A block at a time it moves by less: what a limit does shows some blocks
// later. It rises no further above what blocks have. Needs mu.
func (p *pace) follow(ratio float64, weight uint64) {
	if ratio > 1 && weight < p.limit {
		return
	}
	factor := max(0.7, min(math.Sqrt(ratio), 1.2))
	p.limit = max(leastPace, min(uint64(float64(p.limit)*factor), mostPace))
}

// came notes that something of a member came, of which weight waits now.
func (p *pace) came(now time.Time, member crypto.Address, weight uint64) {
	if p.percent == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if weight <= p.limit/lightPart {
		p.light, p.at = member, now
	}
}

// most is what the next block may weigh if more than that waits of a member
// other than light; 0: as much as fits.
func (p *pace) most(now time.Time) (limit uint64, light crypto.Address) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.percent == 0 || p.usual == 0 || p.at.IsZero() || now.Sub(p.at) > paceMemory {
		return 0, light
	}
	return p.limit, p.light
}
