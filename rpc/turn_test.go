package rpc

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// slow is a node that takes its time to admit, and notes what it admits in which
// order, and how many at the same time.
type slow struct {
	*memory
	open      chan struct{} // closed: it begins to admit
	now, most atomic.Int64

	mu    sync.Mutex // guards order
	order []string
}

func (s *slow) Submit(ctx context.Context, raw []byte) (Verdict, error) {
	now := s.now.Add(1)
	defer s.now.Add(-1)
	for most := s.most.Load(); now > most && !s.most.CompareAndSwap(most, now); {
		most = s.most.Load()
	}
	s.mu.Lock()
	s.order = append(s.order, fmt.Sprintf("0x%x", raw))
	s.mu.Unlock()
	<-s.open
	time.Sleep(20 * time.Millisecond)
	return s.memory.Submit(ctx, raw)
}

// However many transactions come, and over however many ways, few are admitted
// at a time; and one connection's many do not keep another's one waiting.
func TestFewAreAdmittedAtATime(t *testing.T) {
	h := newHarness(t, Options{})
	node := &slow{memory: h.node, open: make(chan struct{})}
	h.backend = node
	const calls = 100
	flood, other := dial(t, h), dial(t, h)
	var many []string
	for i := range calls {
		_, raw := h.rawTx(t, uint64(i), 1)
		many = append(many, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"ledger_sendRawTransaction","params":[%q]}`, i, raw))
	}
	_, raw := h.rawTx(t, calls, 1)
	_, posted := h.rawTx(t, calls+1, 1)
	for _, one := range many {
		say(t, flood, one)
	}
	say(t, other, request("ledger_sendRawTransaction", raw))
	close(node.open)
	h.post(request("ledger_sendRawTransaction", posted))
	for range calls {
		if a := readAnswer(t, hear(t, flood)); a.Error != nil {
			t.Fatalf("%+v", a.Error)
		}
	}
	if a := readAnswer(t, hear(t, other)); a.Error != nil {
		t.Fatalf("%+v", a.Error)
	}
	for _, quick := range []string{raw, posted} {
		if at := slices.Index(node.order, quick); at > calls/2 {
			t.Errorf("a transaction of somebody else was number %d behind %d of a flood", at, calls)
		}
	}
	if most := node.most.Load(); most > int64(admittedAtOnce()) {
		t.Errorf("%d were admitted at a time, want %d", most, admittedAtOnce())
	}
	if used := h.admitting.used(); used != 0 {
		t.Errorf("%d turns were not given back", used)
	}
}

// A turn comes back whatever becomes of the call.
func TestTurnsComeBack(t *testing.T) {
	h := newHarness(t, Options{MaxWaiting: 1})
	c := dial(t, h)
	for range 5 {
		for _, call := range []string{
			request("ledger_sendRawTransaction", "0xzz"), request("ledger_sendRawTransaction"), request("ledger_sendRawTransactionSync", "0x", -1),
			request("ledger_sendRawTransaction", "0x54"),
		} {
			say(t, c, call)
			if a := readAnswer(t, hear(t, c)); a.Error == nil {
				t.Errorf("%s: no error", call)
			}
		}
	}
	eventually(t, "the turns are back", func() bool { return h.admitting.used() == 0 })

	// Whoever goes away while it waits for a turn takes none.
	for range admittedAtOnce() {
		if h.awaitTurn(t.Context()) == nil {
			t.Fatal("no turn")
		}
	}
	_, raw := h.rawTx(t, 0, 1)
	say(t, c, request("ledger_sendRawTransaction", raw))
	c.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if h.awaitTurn(ctx) != nil {
		t.Error("a turn though ctx has ended and none is free")
	}
	for range admittedAtOnce() {
		h.admitting.leave()
	}
	eventually(t, "nobody has a turn", func() bool { return h.admitting.used() == 0 })
}

// crashing is a node that panics when it is to admit.
type crashing struct{ *memory }

func (crashing) Submit(context.Context, []byte) (Verdict, error) { panic("no verdict") }

// A call that crashes is answered, and its turn comes back: there may be but one.
func TestTurnComesBackFromACrash(t *testing.T) {
	h := newHarness(t, Options{})
	h.backend = crashing{h.node}
	_, raw := h.rawTx(t, 0, 1)
	h.post(request("ledger_sendRawTransaction", raw))
	if used := h.admitting.used(); used != 0 {
		t.Errorf("%d turns were not given back", used)
	}
}

// Whoever has a turn waits for no place among the calls: those that have the places
// may all be waiting for a turn.
func TestTurnWaitsForNoPlace(t *testing.T) {
	h := newHarness(t, Options{MaxConcurrent: 1})
	c := dial(t, h)
	for range admittedAtOnce() {
		h.awaitTurn(t.Context())
	}
	if !h.concurrent.try() { // as a call by HTTP has it that waits for a turn
		t.Fatal("no place")
	}
	_, raw := h.rawTx(t, 0, 1)
	say(t, c, request("ledger_sendRawTransaction", raw))
	for range admittedAtOnce() {
		h.admitting.leave()
	}
	if a := readAnswer(t, hear(t, c)); a.Error != nil {
		t.Errorf("%+v", a.Error)
	}
	h.concurrent.leave()
}
