package gossip

import (
	"bytes"
	"encoding/binary"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/p2p/mock"
	"github.com/cosmos/gogoproto/proto"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tallystick/tallystick/app"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// listPool is a pool that takes everything it has room for.
type listPool struct {
	arrivals chan struct{}
	judging  sync.RWMutex // held for writing: judgements wait

	mu    sync.Mutex
	list  []app.Waiting       // mu
	known map[crypto.Hash]int // places in list; mu
	room  int                 // mu

	behind  atomic.Uint32 // the code that peers' transactions have while the state is old; 0 for none
	quota   int           // of all that comes from peers; mu
	reliefs uint64        // mu
	refused int           // for the quota; mu
}

func newListPool() *listPool {
	return &listPool{arrivals: make(chan struct{}, 1), known: map[crypto.Hash]int{}, room: 1 << 30, quota: 1 << 30}
}

func (p *listPool) add(raw []byte, peer string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	hash := crypto.Keccak256(raw)
	if _, known := p.known[hash]; known {
		return nil
	}
	if len(p.list) >= p.room {
		return app.ErrPoolFull
	}
	if peer != "" && len(p.list) >= p.quota {
		p.refused++
		return app.ErrMemberQuota
	}
	p.known[hash] = len(p.list)
	p.list = append(p.list, app.Waiting{
		Tx: &ledger.Tx{Raw: raw, Hash: hash}, Seq: uint64(len(p.list) + 1), Member: p.Member(raw), Peer: peer, Since: time.Now(),
	})
	return nil
}

// submit takes transactions from clients, numbered.
func (p *listPool) submit(from, count int) {
	for i := range count {
		_ = p.add(binary.BigEndian.AppendUint64(nil, uint64(from+i)), "")
	}
	select {
	case p.arrivals <- struct{}{}:
	default:
	}
}

func (p *listPool) Offer(raw []byte, peer string) (app.Admission, error) {
	p.judging.RLock()
	defer p.judging.RUnlock()
	if code := ledger.Code(p.behind.Load()); code != ledger.Applied {
		return app.Admission{Code: code}, nil
	}
	return app.Admission{}, p.add(raw, peer)
}

func (p *listPool) Pending(hash crypto.Hash) ([]byte, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at, known := p.known[hash]; known {
		return p.list[at].Tx.Raw, true
	}
	return nil, false
}

func (p *listPool) WaitingAfter(seq uint64, f func(app.Waiting) bool) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	for ; seq < uint64(len(p.list)); seq++ {
		if !f(p.list[seq]) {
			return seq
		}
	}
	return uint64(len(p.list))
}

func (p *listPool) Arrivals() <-chan struct{} { return p.arrivals }

func (p *listPool) Room() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return 2*len(p.list) <= p.room
}

// Member takes the first byte for a member.
func (p *listPool) Member(raw []byte) crypto.Address { return crypto.Address{raw[0]} }

func (p *listPool) Reliefs() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reliefs
}

// setQuota sets the quota of what comes from peers, and counts a relief.
func (p *listPool) setQuota(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.quota, p.reliefs = n, p.reliefs+1
}

func (p *listPool) setRoom(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.room = n
}

func (p *listPool) len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.list)
}

// member is a node of a test's network.
type member struct {
	*Reactor
	pool    *listPool
	syncing atomic.Bool
}

func newMember(t *testing.T) *member { return newPatientMember(t, relayAfter) }

// newPatientMember tells hashes after another time than the usual.
func newPatientMember(t *testing.T, relay time.Duration) *member {
	m := &member{pool: newListPool()}
	m.Reactor = New(m.pool, m.syncing.Load, prometheus.NewRegistry())
	m.relayAfter = relay
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Stop() })
	return m
}

// link is one end of a connection: what is sent on it arrives at the other end.
type link struct {
	*mock.Peer
	to   *member
	back *link
	busy atomic.Bool
	room atomic.Int64 // messages that it takes before it is busy; 0: any number
	txs  atomic.Int64 // that were sent on it
	asks atomic.Int64 // messages about hashes that were sent on it
}

// TrySend implements p2p.Peer.
func (l *link) TrySend(e p2p.Envelope) bool {
	if l.busy.Load() {
		return false
	}
	raw, err := proto.Marshal(e.Message)
	if err != nil {
		panic(err)
	}
	m, err := read(raw)
	if err != nil {
		panic(err)
	}
	l.txs.Add(int64(len(m.txs)))
	if len(m.hashes) > 0 {
		l.asks.Add(1)
	}
	l.to.Receive(p2p.Envelope{Src: l.back, ChannelID: e.ChannelID, Message: m})
	if l.room.Load() > 0 && l.room.Add(-1) == 0 {
		l.busy.Store(true)
	}
	return true
}

// connect connects two members, and returns both ends.
func connect(t *testing.T, a, b *member) (ab, ba *link) {
	end := func(to *member) *link { return &link{Peer: mock.NewPeer(net.IPv4(127, 0, 0, 1)), to: to} }
	ab, ba = end(b), end(a)
	ab.back, ba.back = ba, ab
	a.InitPeer(ab)
	b.InitPeer(ba)
	a.AddPeer(ab)
	b.AddPeer(ba)
	t.Cleanup(func() {
		a.RemovePeer(ab, nil)
		b.RemovePeer(ba, nil)
	})
	return ab, ba
}

// holds waits until a member has so many transactions.
func (m *member) holds(t *testing.T, what string, want int) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); m.pool.len() != want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: %d transactions arrived of %d", what, m.pool.len(), want)
		}
	}
}

// established waits until both ends have greeted each other.
func (m *member) established(t *testing.T, peers int) {
	t.Helper()
	ready := func() (n int) {
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, p := range m.peers {
			if !p.missed.Load() && !p.greeted.Load() {
				n++
			}
		}
		return n
	}
	for end := time.Now().Add(30 * time.Second); ready() != peers; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the peers do not greet each other")
		}
	}
	time.Sleep(2 * tick) // the round that saw the greeting is over
}

// In a full mesh every transaction crosses each link from its node once, and no
// other link.
func TestFullMesh(t *testing.T) {
	t.Parallel()
	const nodes, each = 4, 1000
	var members []*member
	for range nodes { // no hash is told before all is over, however slow the machine
		members = append(members, newPatientMember(t, time.Hour))
	}
	var links []*link
	for i, a := range members {
		for _, b := range members[:i] {
			ab, ba := connect(t, a, b)
			links = append(links, ab, ba)
		}
	}
	for _, m := range members {
		m.established(t, nodes-1)
	}
	for i, m := range members {
		m.pool.submit(i*each, each)
	}
	for _, m := range members {
		m.holds(t, "full mesh", nodes*each)
	}
	for _, l := range links {
		if n := l.txs.Load(); n != each || l.asks.Load() != 0 {
			t.Errorf("%d transactions and %d messages about hashes crossed a link, want %d and none", n, l.asks.Load(), each)
		}
	}
}

// Hashes that are told in a full mesh lead to no transaction being sent again.
func TestToldInVain(t *testing.T) {
	t.Parallel()
	a, b, c := newMember(t), newMember(t), newMember(t)
	connect(t, a, b)
	connect(t, a, c)
	bc, cb := connect(t, b, c)
	for _, m := range []*member{a, b, c} {
		m.established(t, 2)
	}
	for _, m := range []*member{a, b, c} { // as if it had come from a fourth
		_ = m.pool.add([]byte("a transaction"), "a fourth")
	}
	for end := time.Now().Add(30 * time.Second); bc.asks.Load() == 0 || cb.asks.Load() == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nobody was told the hash")
		}
	}
	time.Sleep(2 * tick)
	if n := bc.txs.Load() + cb.txs.Load(); n != 0 {
		t.Errorf("%d transactions were sent", n)
	}
}

// Where not everybody is connected, transactions get everywhere all the same.
func TestLine(t *testing.T) {
	t.Parallel()
	var members []*member
	for i := range 4 {
		members = append(members, newMember(t))
		if i > 0 {
			connect(t, members[i-1], members[i])
		}
	}
	members[0].pool.submit(0, 300)
	members[3].pool.submit(1000, 300)
	for _, m := range members {
		m.holds(t, "line", 600)
	}
}

// Who comes late, or has been catching up, gets what waits, and who lost the
// connection gets what it missed.
func TestLateComers(t *testing.T) {
	t.Parallel()
	early, late, behind := newMember(t), newMember(t), newMember(t)
	early.pool.submit(0, 2*maxHashes+5)
	behind.syncing.Store(true)
	connect(t, early, behind)
	_, back := connect(t, early, late)
	late.holds(t, "late", 2*maxHashes+5)
	early.pool.submit(1_000_000, 10)
	late.holds(t, "after that", 2*maxHashes+15)
	if behind.pool.len() != 0 {
		t.Error("a node took transactions while it was catching up")
	}
	behind.syncing.Store(false)
	behind.holds(t, "caught up", 2*maxHashes+15)

	late.RemovePeer(back, nil)
	early.RemovePeer(back.back, nil)
	early.pool.submit(2_000_000, 10)
	late.pool.submit(3_000_000, 10)
	connect(t, early, late)
	late.holds(t, "connected again", 2*maxHashes+35)
	early.holds(t, "connected again", 2*maxHashes+35)
}

// What does not fit the queue is dropped, keeps nobody waiting, and comes again.
func TestQueueOverflows(t *testing.T) {
	t.Parallel()
	a, b := newMember(t), newMember(t)
	_, ba := connect(t, a, b)
	a.established(t, 1)
	b.established(t, 1)
	b.pool.judging.Lock()
	const count = 2*peerJobs + 100
	for i := range count {
		raw := binary.BigEndian.AppendUint64(nil, uint64(i))
		_ = a.pool.add(raw, "")
		b.Receive(p2p.Envelope{Src: ba, Message: newTxs([][]byte{raw})})
	}
	known := ba.Get(peerKey).(*peer)
	if n := known.held.Load(); n > peerJobs {
		t.Errorf("%d messages of one peer wait, more than %d", n, peerJobs)
	}
	if !known.missed.Load() {
		t.Error("nobody knows that something was dropped")
	}
	b.pool.judging.Unlock()
	b.holds(t, "overflow", count)
	for end := time.Now().Add(time.Minute); known.held.Load() != 0 || known.bytes.Load() != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d messages, %d bytes are counted of an empty queue", known.held.Load(), known.bytes.Load())
		}
	}
}

// A peer's share of the queue is bounded in bytes too.
func TestQueueIsBoundedInBytes(t *testing.T) {
	t.Parallel()
	a, b := newMember(t), newMember(t)
	_, ba := connect(t, a, b)
	b.pool.judging.Lock()
	defer b.pool.judging.Unlock()
	for i := range 2 * peerBytes / batchBytes {
		raw := make([]byte, batchBytes)
		binary.BigEndian.PutUint64(raw, uint64(i))
		b.Receive(p2p.Envelope{Src: ba, Message: newTxs([][]byte{raw})})
	}
	if n := ba.Get(peerKey).(*peer).bytes.Load(); n > peerBytes {
		t.Errorf("%d bytes of one peer wait, more than %d", n, peerBytes)
	}
}

// A connection that takes nothing for a while loses nothing, and does not keep
// the others waiting.
func TestBusyConnection(t *testing.T) {
	t.Parallel()
	a, slow, quick := newMember(t), newMember(t), newMember(t)
	ab, _ := connect(t, a, slow)
	connect(t, a, quick)
	a.established(t, 2)
	ab.busy.Store(true)
	a.pool.submit(0, 500)
	quick.holds(t, "quick", 500)
	a.pool.submit(500, 500)
	quick.holds(t, "quick", 1000)
	if slow.pool.len() != 0 {
		t.Error("a busy connection took something")
	}
	ab.busy.Store(false)
	slow.holds(t, "slow", 1000)
	if n := ab.txs.Load(); n != 1000 {
		t.Errorf("%d transactions were sent", n)
	}
}

// What a full pool refuses comes again when there is room.
func TestFullPool(t *testing.T) {
	t.Parallel()
	a, b := newMember(t), newMember(t)
	connect(t, a, b)
	a.established(t, 1)
	b.pool.setRoom(10)
	a.pool.submit(0, 100)
	b.holds(t, "full", 10)
	b.pool.setRoom(1000)
	b.holds(t, "room", 100)
}

// What a node refuses because it is a block behind comes again: otherwise it would
// be lost where only two are connected.
func TestOldState(t *testing.T) {
	t.Parallel()
	for _, code := range []ledger.Code{ledger.CodeUnknownSender, ledger.CodeSenderInactive, ledger.CodeUnauthorized} {
		a, b := newMember(t), newMember(t)
		connect(t, a, b)
		a.established(t, 1)
		b.established(t, 1)
		b.pool.behind.Store(uint32(code))
		a.pool.submit(0, 10)
		time.Sleep(3 * tick)
		b.pool.behind.Store(0)
		b.holds(t, code.String(), 10)
	}
}

// What is above a quota is not asked for again and again while the quota is
// used up, and comes when there is room in it.
func TestAboveQuota(t *testing.T) {
	t.Parallel()
	a, b := newMember(t), newMember(t)
	ab, _ := connect(t, a, b)
	a.established(t, 1)
	b.established(t, 1)
	b.pool.setQuota(10)
	a.pool.submit(0, 100)
	b.holds(t, "quota", 10)
	time.Sleep(greetAgain + 3*tick) // it would greet in this time
	if n := ab.txs.Load(); n != 100 {
		t.Errorf("%d transactions were sent, some of them again", n)
	}
	b.pool.setQuota(60)
	b.holds(t, "a relief", 60)
	b.pool.setQuota(1000)
	b.holds(t, "another", 100)
}

// A relief that comes while something is refused is not missed.
func TestReliefMeanwhile(t *testing.T) {
	p := newPeer(mock.NewPeer(net.IPv4(127, 0, 0, 1)))
	if p.relieved(7) {
		t.Error("relieved of nothing")
	}
	p.await(7) // counted before the judgement; since then to 8
	p.await(8) // another, later
	if !p.relieved(8) || p.relieved(9) {
		t.Error("the relief is missed, or counts twice")
	}
	p.await(9)
	if p.relieved(9) || !p.relieved(10) {
		t.Error("relieved before a relief, or not after it")
	}
}

// Peers take turns: a message stands behind one of each other's at most.
func TestPeersTakeTurns(t *testing.T) {
	q := newQueue()
	var peers []*peer
	for range 3 {
		peers = append(peers, newPeer(mock.NewPeer(net.IPv4(127, 0, 0, 1))))
	}
	put := func(peer, n int) bool {
		return q.put(whole(peers[peer], newHashes(kindHave, []crypto.Hash{{byte(peer), byte(n)}})))
	}
	for n := range peerJobs {
		if !put(0, n) {
			t.Fatalf("message %d finds no place", n)
		}
	}
	if put(0, 0) {
		t.Error("a peer has more than its share")
	}
	for n := range 2 {
		put(1, n)
		put(2, n)
	}
	var got []byte
	for range 7 {
		<-q.jobs
		j := q.take()
		q.release(j)
		got = append(got, j.message.hashes[0][:2]...)
	}
	if want := []byte{0, 0, 1, 0, 2, 0, 0, 1, 1, 1, 2, 1, 0, 2}; !bytes.Equal(got, want) {
		t.Errorf("the order is %v, want %v", got, want)
	}
	for len(q.jobs) > 0 {
		<-q.jobs
		q.release(q.take())
	}
	if len(q.ring) != 0 || peers[0].held.Load() != 0 || peers[0].bytes.Load() != 0 {
		t.Error("something is left")
	}
}

// A peer that asks for more than is kept for it is told everything again, and
// its asking takes no more memory.
func TestWantedIsBounded(t *testing.T) {
	t.Parallel()
	p := newPeer(mock.NewPeer(net.IPv4(127, 0, 0, 1)))
	for range 20 {
		p.want(make([]crypto.Hash, maxHashes))
	}
	if len(p.wanted) > maxWanted || !p.greeted.Load() {
		t.Errorf("%d hashes are kept; told again: %v", len(p.wanted), p.greeted.Load())
	}
	pool := newListPool()
	pool.submit(0, 3)
	p.wanted = nil
	have := pool.list
	p.want([]crypto.Hash{{1}, have[2].Tx.Hash, have[0].Tx.Hash})
	txs, taken := p.takeWanted(pool)
	if len(txs) != 2 || len(taken) != 3 || len(p.wanted) != 0 {
		t.Errorf("%d transactions for %d hashes, %d left", len(txs), len(taken), len(p.wanted))
	}
	p.want([]crypto.Hash{{2}})
	p.putBack(taken)
	if len(p.wanted) != 4 || p.wanted[1] != have[2].Tx.Hash {
		t.Errorf("put back: %v", p.wanted)
	}
}

// Messages that are none of ours, or from a connection that was never
// introduced, do nothing.
func TestStrayMessages(t *testing.T) {
	t.Parallel()
	a, b := newMember(t), newMember(t)
	_, ba := connect(t, a, b)
	b.Receive(p2p.Envelope{Src: mock.NewPeer(net.IPv4(127, 0, 0, 1)), Message: newGreeting()})
	b.Receive(p2p.Envelope{Src: ba, Message: nil})
	b.AddPeer(mock.NewPeer(net.IPv4(127, 0, 0, 1)))
	b.RemovePeer(mock.NewPeer(net.IPv4(127, 0, 0, 1)), nil)
	if len(b.peers) != 1 {
		t.Errorf("%d peers", len(b.peers))
	}
}
