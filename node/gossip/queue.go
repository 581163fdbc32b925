package gossip

import "sync"

const (
	// queueMessages bounds the messages that wait to be judged; peerMessages
	// and peerBytes those of one peer.
	queueMessages = 8192
	peerMessages  = 512
	peerBytes     = 8 << 20
)

// job is a message to be worked on.
type job struct {
	from    *peer
	message *Message
}

// queue holds the jobs of all peers. They take turns, so that a peer that
// floods keeps no other's messages waiting behind its own.
type queue struct {
	jobs chan struct{} // one for each job that is held

	mu   sync.Mutex
	ring []*peer // that have jobs, each once, the next in turn first; mu
}

func newQueue() *queue { return &queue{jobs: make(chan struct{}, queueMessages)} }

// put adds a job. ok is false where the queue, or the peer's share of it, is full.
func (q *queue) put(j job) (ok bool) {
	size := int64(len(j.message.bytes))
	messages, held := j.from.messages.Add(1), j.from.bytes.Add(size)
	q.mu.Lock()
	defer q.mu.Unlock()
	if messages > peerMessages || held > peerBytes || len(q.jobs) == queueMessages {
		q.release(j)
		return false
	}
	if j.from.jobs = append(j.from.jobs, j); len(j.from.jobs) == 1 {
		q.ring = append(q.ring, j.from)
	}
	q.jobs <- struct{}{} // has room: all who write to it hold mu
	return true
}

// take takes the next job out, for who has read from jobs. The job must be
// released when it is done.
func (q *queue) take() job {
	q.mu.Lock()
	defer q.mu.Unlock()
	p := q.ring[0]
	q.ring = q.ring[1:]
	j := p.jobs[0]
	if p.jobs = p.jobs[1:]; len(p.jobs) > 0 {
		q.ring = append(q.ring, p)
	}
	return j
}

// release gives the job's place in the queue back to its peer.
func (*queue) release(j job) {
	j.from.messages.Add(-1)
	j.from.bytes.Add(-int64(len(j.message.bytes)))
}
