package gossip

import (
	"bytes"
	"slices"
	"sync"

	"github.com/tallystick/tallystick/crypto"
)

const (
	// queueJobs bounds the jobs that wait to be done; peerJobs and peerBytes those
	// of one peer. A member's may be as much of these bytes as is free: half, where
	// one floods.
	queueJobs = 8192
	peerJobs  = 512
	peerBytes = 16 << 20
	// calmBytes is how much of a peer may wait as it came, some tens of
	// milliseconds' work. Of what comes when more waits, members take turns.
	calmBytes = 256 << 10
)

// job is something to be worked on: a message as it came, or transactions of one
// member out of messages, copied, so that what is left of a message keeps no more
// of it in memory.
type job struct {
	from    *peer
	message *Message // nil: txs
	txs     [][]byte
	size    int64
}

// whole is the job of a message as it came.
func whole(from *peer, m *Message) job { return job{from: from, message: m, size: int64(len(m.bytes))} }

// line is a peer's jobs of one kind, in order.
type line struct {
	of    lineID
	jobs  []job
	bytes int64 // of those
}

// lineID says what stands in a line: messages as they came, or a member's
// transactions.
type lineID struct {
	sorted bool
	member crypto.Address
}

// queue holds the jobs of all peers. They take turns, and so do the lines of each:
// a peer that floods keeps no other's messages waiting behind its own, and a member
// that floods through a peer no other member's.
type queue struct {
	jobs chan struct{} // one for each job that is held

	mu   sync.Mutex
	ring []*peer // that have lines, each once, the next in turn first; mu
}

func newQueue() *queue { return &queue{jobs: make(chan struct{}, queueJobs)} }

// put adds the job of a message as it came. ok is false where the queue, or the
// peer's share of it, is full.
func (q *queue) put(j job) (ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.add(j, lineID{})
}

// putSorted adds a member's transactions, which nobody else keeps, to its line.
func (q *queue) putSorted(from *peer, p part) (ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	of := lineID{true, p.member}
	if l := from.line(of); l != nil {
		if l.bytes+p.size > peerBytes-from.bytes.Load()-p.size {
			return false
		}
		if last := &l.jobs[len(l.jobs)-1]; last.size+p.size <= batchBytes && len(last.txs)+len(p.txs) <= maxTxs {
			last.txs, last.size = append(last.txs, p.txs...), last.size+p.size
			l.bytes += p.size
			from.bytes.Add(p.size)
			return true
		}
	}
	return q.add(job{from: from, txs: p.txs, size: p.size}, of)
}

// add adds a job to a line. Needs mu.
func (q *queue) add(j job, of lineID) (ok bool) {
	p := j.from
	if p.held.Load() >= peerJobs || p.bytes.Load()+j.size > peerBytes || len(q.jobs) == queueJobs {
		return false
	}
	p.held.Add(1)
	p.bytes.Add(j.size)
	l := p.line(of)
	if l == nil {
		l = &line{of: of}
		if p.lines = append(p.lines, l); len(p.lines) == 1 {
			q.ring = append(q.ring, p)
		}
	}
	l.jobs, l.bytes = append(l.jobs, j), l.bytes+j.size
	q.jobs <- struct{}{} // has room: all who write to it hold mu
	return true
}

// line finds a line that has jobs, or nil. There are no more than members, and
// two. Needs the queue's mu.
func (p *peer) line(of lineID) *line {
	if i := slices.IndexFunc(p.lines, func(l *line) bool { return l.of == of }); i >= 0 {
		return p.lines[i]
	}
	return nil
}

// take takes the next job out, for who has read from jobs. The job must be
// released when it is done.
func (q *queue) take() job {
	q.mu.Lock()
	defer q.mu.Unlock()
	p := q.ring[0]
	q.ring = q.ring[1:]
	l := p.lines[0]
	p.lines = p.lines[1:]
	j := l.jobs[0]
	l.bytes -= j.size
	if l.jobs = l.jobs[1:]; len(l.jobs) > 0 {
		p.lines = append(p.lines, l)
	}
	if len(p.lines) > 0 {
		q.ring = append(q.ring, p)
	}
	return j
}

// release gives the job's place in the queue back to its peer.
func (*queue) release(j job) {
	j.from.held.Add(-1)
	j.from.bytes.Add(-j.size)
}

// part is what a message has of one member.
type part struct {
	member crypto.Address
	txs    [][]byte
	size   int64
}

// sorted copies the transactions of a message, apart by members, which are a
// guess: it decides on nothing but whose turn it is.
func sorted(m *Message, member func(raw []byte) crypto.Address) (parts []part) {
	for _, raw := range m.txs {
		of := member(raw)
		i := slices.IndexFunc(parts, func(p part) bool { return p.member == of })
		if i < 0 {
			i, parts = len(parts), append(parts, part{member: of})
		}
		parts[i].txs = append(parts[i].txs, bytes.Clone(raw))
		parts[i].size += int64(txSize(raw))
	}
	return parts
}
