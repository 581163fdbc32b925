package node

import (
	"errors"
	"fmt"
	"testing"

	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/store"
	"github.com/tallystick/tallystick/rpc"
)

// What is committed may be sent again, even to a node that can take nothing.
func TestSubmitAgainToAFullPool(t *testing.T) {
	t.Parallel()
	testSubmitAgain(t, rpc.ErrPoolFull, func(c *config.Config) { c.Mempool.MaxTxs = 1 })
}

// And even by an account that has as much waiting as it may.
func TestSubmitAgainAboveAQuota(t *testing.T) {
	t.Parallel()
	testSubmitAgain(t, rpc.ErrAccountQuota, func(c *config.Config) { c.Mempool.AccountTxs = 1 })
}

func testSubmitAgain(t *testing.T, refusal error, bound func(*config.Config)) {
	net := newTestnet(t, 2)
	configure := net.o.Configure
	net.o.Configure = func(i int, c *config.Config) {
		configure(i, c)
		bound(c)
	}
	net.startAll()
	net.commit(0, 0)
	net.stop(1) // no more blocks: what waits goes on waiting
	node := *net.nodes[0].backend
	old, waits, fresh := net.transfer(node.net, 0), net.transfer(node.net, 1), net.transfer(node.net, 2)
	if v, err := node.Submit(t.Context(), waits.Raw); err != nil || v.Code != 0 {
		t.Fatal(v, err)
	}
	for name, catchingUp := range map[string]bool{"no room": false, "catching up": true} {
		node.catchingUp = func() bool { return catchingUp }
		if v, err := node.Submit(t.Context(), old.Raw); err != nil || v.Hash != old.Hash || v.Code != 0 {
			t.Errorf("%s: a committed transaction again: %v, %v", name, v, err)
		}
		if v, err := node.Submit(t.Context(), waits.Raw); err != nil || v.Hash != waits.Hash || v.Code != 0 {
			t.Errorf("%s: a waiting transaction again: %v, %v", name, v, err)
		}
		want := refusal
		if catchingUp {
			want = rpc.ErrCatchingUp
		}
		if _, err := node.Submit(t.Context(), fresh.Raw); !errors.Is(err, want) {
			t.Errorf("%s: a new transaction: %v, want %v", name, err, want)
		}
	}
}

// Before block 1 there is no committed state, and a client is told to wait.
func TestNoStateBeforeTheFirstBlock(t *testing.T) {
	t.Parallel()
	net := newTestnet(t, 2) // of which one alone makes no block
	node := net.start(0)
	if r, err := node.backend.State(); !errors.Is(err, rpc.ErrCatchingUp) {
		t.Errorf("State is %v, %v, want %v", r, err, rpc.ErrCatchingUp)
	}
	if r, _, err := node.backend.StateAt(0); !errors.Is(err, rpc.ErrCatchingUp) {
		t.Errorf("StateAt is %v, %v, want %v", r, err, rpc.ErrCatchingUp)
	}
	net.stop(0)
}

// From its admission on a transaction is always known, and its nonce taken: there
// is no moment between what waits and the chain.
func TestNothingIsLostBetweenThePoolAndTheIndex(t *testing.T) {
	t.Parallel()
	net := newTestnet(t, 1)
	net.startAll()
	net.commit(0, 0)
	b := net.nodes[0].backend
	sender := net.keys[0].Address()
	follow := func() { // which gives up after a second
		for top := b.store.Height(); b.Height() < top && t.Context().Err() == nil; {
			b.Follow(t.Context())
		}
	}
	for nonce := ledger.Nonce(1); nonce <= 12; nonce++ {
		tx := net.transfer(b.net, nonce)
		if v, err := b.Submit(t.Context(), tx.Raw); err != nil || v.Code != ledger.Applied {
			t.Fatal(v, err)
		}
		for committed := false; !committed; {
			found, err := b.Transaction(tx.Hash)
			if err == nil && found == nil {
				follow()
				found, err = b.Transaction(tx.Hash)
			}
			if err != nil || found == nil {
				t.Fatalf("nonce %d: a transaction that was admitted is not known: %v", nonce, err)
			}
			waiting, err := b.Pending(rpc.PendingQuery{Sender: &sender, Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			if committed = len(waiting.Items) == 0; !committed {
				continue
			}
			follow()
			if r, err := b.Receipt(tx.Hash); err != nil || r == nil {
				t.Fatalf("nonce %d: it waits no more, and has no receipt: %v", nonce, err)
			}
		}
	}
}

// left is a state that has left the history, or whose disk fails.
type left struct{ err error }

func (l left) Get([]byte) ([]byte, error)                              { return nil, l.err }
func (l left) Scan([]byte, []byte, func(key, value []byte) bool) error { return l.err }

// A state that leaves the history while a call reads it is an unknown height, and
// not a failure of the node.
func TestAStateThatLeavesIsUnknown(t *testing.T) {
	disk := errors.New("the disk")
	for _, c := range []struct{ err, want error }{
		{fmt.Errorf("store: %w", store.ErrUnknownHeight), rpc.ErrUnknownHeight}, {disk, disk}, {nil, nil},
	} {
		r := leaving{left{c.err}}
		if _, err := r.Get(nil); !errors.Is(err, c.want) {
			t.Errorf("Get: %v, want %v", err, c.want)
		}
		if err := r.Scan(nil, nil, nil); !errors.Is(err, c.want) {
			t.Errorf("Scan: %v, want %v", err, c.want)
		}
	}
}
