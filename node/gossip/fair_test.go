package gossip

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/p2p/mock"

	"github.com/tallystick/tallystick/app"
	"github.com/tallystick/tallystick/crypto"
)

// memberTx is transaction n of a member, of a size. No member has the number 0.
func memberTx(member byte, n, size int) []byte {
	raw := make([]byte, size)
	raw[0] = member
	binary.BigEndian.PutUint32(raw[1:], uint32(n))
	return raw
}

// flood has clients submit so many transactions of a member.
func (p *listPool) flood(member byte, count, size int) {
	for n := range count {
		_ = p.add(memberTx(member, n, size), "")
	}
	p.submit(0, 0) // says that they are there
}

// order is the members of what waits, in order of arrival.
func (p *listPool) order() (members []byte) {
	p.WaitingAfter(0, func(w app.Waiting) bool {
		members = append(members, w.Tx.Raw[0])
		return true
	})
	return members
}

// A connection that takes little carries something of every member in each
// message, whatever came before it, in the end everything, and nothing twice.
func TestFloodDoesNotDelayOthersAtTheSender(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"small": 1000, "a message each": batchBytes + 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := newMember(t), newMember(t)
			ab, _ := connect(t, a, b)
			a.established(t, 1)
			b.established(t, 1)
			ab.busy.Store(true)
			count := 30 * batchBytes / size
			a.pool.flood(1, count, size)
			time.Sleep(2 * tick) // it is tried, and the connection is busy
			_ = a.pool.add(memberTx(2, 0, 100), "")
			_ = a.pool.add(memberTx(3, 0, 100), "")
			ab.room.Store(3)
			ab.busy.Store(false)
			for end := time.Now().Add(time.Minute); !ab.busy.Load() || b.pool.len() < 3; time.Sleep(5 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("%d have arrived", b.pool.len())
				}
			}
			time.Sleep(2 * tick) // they are judged
			of := map[byte]int{}
			for _, m := range b.pool.order() {
				of[m]++
			}
			if of[1] == 0 || of[1] == count || of[2] != 1 || of[3] != 1 {
				t.Errorf("after three messages there are of each member %v", of)
			}
			ab.busy.Store(false)
			b.holds(t, "all", count+2)
			a.pool.flood(4, 10, 100)
			b.holds(t, "after that", count+12)
			if n := ab.txs.Load(); n != int64(count+12) {
				t.Errorf("%d transactions were sent", n)
			}
		})
	}
}

// What a peer asks for and what is new to it are sent in turn.
func TestAnswersAndNewsTakeTurns(t *testing.T) {
	pool := newListPool()
	l := &takes{Peer: mock.NewPeer(net.IPv4(127, 0, 0, 1))}
	p := newPeer(l)
	p.ready = true
	var hashes []crypto.Hash
	for n := range 40 {
		raw := memberTx(1, n, batchBytes/2)
		_ = pool.add(raw, "another peer")
		hashes = append(hashes, crypto.Keccak256(raw))
	}
	pool.flood(2, 40, batchBytes/2)
	p.want(hashes)
	b := batcher{pool: pool, relayAfter: time.Hour}
	for range 6 {
		l.room = 1
		b.serve(p, time.Now())
	}
	of := map[byte]int{}
	for _, m := range l.taken {
		of[m.txs[0][0]]++
	}
	if of[1] != 3 || of[2] != 3 {
		t.Errorf("messages of what was asked for and of what is new: %v", of)
	}
}

// takes is a connection that takes so many messages.
type takes struct {
	*mock.Peer
	room  int
	taken []*Message
}

// TrySend implements p2p.Peer.
func (l *takes) TrySend(e p2p.Envelope) bool {
	if l.room == 0 {
		return false
	}
	l.room--
	l.taken = append(l.taken, e.Message.(*Message))
	return true
}

// Whatever comes and goes, and however often the connection is busy, what waits is
// sent once, and what is remembered of it is bounded.
func TestBehindSendsEverythingOnce(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pool := newListPool()
	l := &takes{Peer: mock.NewPeer(net.IPv4(127, 0, 0, 1))}
	p := newPeer(l)
	p.ready = true
	total := 0
	for round := range 400 {
		if round < 300 {
			for range random.IntN(200) {
				member, from := byte(1+random.IntN(5)*random.IntN(2)), ""
				if random.IntN(5) == 0 {
					from = "another peer"
				} else {
					total++
				}
				_ = pool.add(memberTx(member, len(pool.list), 10+random.IntN(4000)), from)
			}
		}
		l.room = random.IntN(3)
		b := batcher{pool: pool, relayAfter: time.Hour}
		b.serve(p, time.Now())
		if p.behind != nil && len(p.behind.ahead) > 3*window {
			t.Fatalf("%d are remembered as sent ahead", len(p.behind.ahead))
		}
	}
	l.room = 1 << 20
	(&batcher{pool: pool, relayAfter: time.Hour}).serve(p, time.Now())
	seen := map[crypto.Hash]bool{}
	for _, m := range l.taken {
		size := 0
		for _, raw := range m.txs {
			if hash := crypto.Keccak256(raw); seen[hash] {
				t.Fatal("something is sent twice")
			} else {
				seen[hash] = true
			}
			size += txSize(raw)
		}
		if size > batchBytes {
			t.Errorf("a message has %d bytes", size)
		}
	}
	if len(seen) != total || p.behind != nil {
		t.Errorf("%d are sent of %d; behind: %v", len(seen), total, p.behind != nil)
	}
}

// What a peer sends of a member that floods does not delay what it sends of
// others, once there is so much that it delays anything.
func TestFloodDoesNotDelayOthersAtTheReceiver(t *testing.T) {
	t.Parallel()
	const size, messages = 1000, 40
	a, b := newMember(t), newMember(t)
	_, ba := connect(t, a, b)
	a.established(t, 1)
	b.established(t, 1)
	b.pool.judging.Lock()
	n := 0
	for i := range messages {
		var txs [][]byte
		for range 100 {
			txs, n = append(txs, memberTx(1, n, size)), n+1
		}
		if i == messages-1 {
			txs = append(txs, memberTx(2, 0, size))
		}
		b.Receive(p2p.Envelope{Src: ba, Message: newTxs(txs)})
	}
	known := ba.Get(peerKey).(*peer)
	if held, bytes := known.held.Load(), known.bytes.Load(); bytes < messages*100*size || held > messages+1 {
		t.Errorf("%d jobs, %d bytes are held", held, bytes)
	}
	b.pool.judging.Unlock()
	b.holds(t, "all", n+1)
	place := 0
	for i, m := range b.pool.order() {
		if m == 2 {
			place = i
		}
	}
	// What had come before it was sorted, and a turn of the other's for each worker.
	if most := (calmBytes + (runtime.GOMAXPROCS(0)+2)*batchBytes) / size; place > most {
		t.Errorf("it is judged after %d of %d, want %d at most", place, n, most)
	}
	for end := time.Now().Add(time.Minute); known.held.Load() != 0 || known.bytes.Load() != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d jobs, %d bytes are counted of an empty queue", known.held.Load(), known.bytes.Load())
		}
	}
}

// A peer's share holds for what is sorted too, and members that flood leave room
// in it for others.
func TestSortedQueueIsBounded(t *testing.T) {
	q := newQueue()
	p := newPeer(mock.NewPeer(net.IPv4(127, 0, 0, 1)))
	fill := func(member byte) (bytes int64) {
		for n := range 2 * peerBytes / batchBytes {
			raw := memberTx(member, n, batchBytes/2)
			one := part{crypto.Address{member}, [][]byte{raw}, int64(txSize(raw))}
			if q.putSorted(p, one) {
				bytes += one.size
			}
		}
		return bytes
	}
	for member, least := range []int64{peerBytes * 45 / 100, peerBytes * 20 / 100, peerBytes * 10 / 100} {
		if got := fill(byte(member + 1)); got < least || got > peerBytes/2 {
			t.Errorf("member %d has %d bytes of %d", member+1, got, peerBytes)
		}
	}
	if bytes := p.bytes.Load(); bytes > peerBytes {
		t.Errorf("%d bytes of one peer wait", bytes)
	}
	if raw := memberTx(9, 0, 1000); !q.putSorted(p, part{crypto.Address{9}, [][]byte{raw}, int64(txSize(raw))}) {
		t.Error("there is no room for one more")
	}
	q, p = newQueue(), newPeer(mock.NewPeer(net.IPv4(127, 0, 0, 1)))
	for n := range 2 * peerJobs {
		raw := memberTx(byte(n), n>>8, 100)
		q.putSorted(p, part{member: crypto.Address{byte(n), byte(n >> 8)}, txs: [][]byte{raw}, size: int64(txSize(raw))})
	}
	if held := p.held.Load(); held != peerJobs || len(q.jobs) != peerJobs || len(p.lines) != peerJobs {
		t.Errorf("%d jobs of one peer wait, in %d lines", held, len(p.lines))
	}
	for len(q.jobs) > 0 {
		<-q.jobs
		q.release(q.take())
	}
	if p.held.Load() != 0 || p.bytes.Load() != 0 || len(p.lines) != 0 || len(q.ring) != 0 {
		t.Error("something is left")
	}
}
