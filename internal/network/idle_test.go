package network

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

const heartbeat = 2 * time.Second

// An idle network makes a block each heartbeat and no more, after load and
// after a transaction has died in the pool.
func TestIdle(t *testing.T) {
	t.Parallel()
	n := New(t, 4, Options{Config: func(_ int, c *config.Config) { c.Consensus.HeartbeatInterval = heartbeat }})
	n.StartAll()
	load := n.StartLoad(LoadOptions{})
	load.WaitReceipts(100)
	load.Stop()
	n.WaitCaughtUp(0)
	n.idles()

	t.Run("expired in the pool", func(t *testing.T) {
		hash := n.submitExpiring(0)
		n.WaitHeight(0, n.Height()+1)
		n.idles()
		n.neverStood(hash)
	})
	t.Run("expired while the network stood still", func(t *testing.T) {
		n.Stop(2)
		n.Stop(3)
		hash := n.submitExpiring(1)
		n.Start(2)
		n.Start(3)
		n.WaitCaughtUp(n.All()...)
		n.idles()
		n.neverStood(hash)
	})
	load.Verify(n.All()...)
	n.SameChain(n.All()...)
}

// idles watches an idle network: blocks must take at least a heartbeat each,
// by their own times.
func (n *Network) idles() {
	n.t.Helper()
	const blocks = 4
	first := n.WaitHeight(0, n.Height()+1).Height
	n.WaitHeight(0, first+blocks)
	times := make([]uint64, 0, blocks+1)
	for _, raw := range n.Blocks(0, first, first+blocks) {
		var b wire.Block
		if err := json.Unmarshal(raw, &b); err != nil {
			n.t.Fatal(err)
		}
		if len(b.Transactions) != 0 {
			n.t.Fatalf("block %d of an idle network has transactions", b.Height)
		}
		times = append(times, b.Time)
	}
	// Times are whole seconds, and that of a block is when the one before was agreed on.
	if passed, want := times[blocks]-times[1], uint64((blocks-1)*heartbeat/time.Second)-1; passed < want {
		n.t.Fatalf("%d empty blocks span %d s by their times %d, with a heartbeat of %s", blocks, passed, times, heartbeat)
	}
}

// submitExpiring submits a transfer to validator i that is still valid on the
// committed state and no longer in the next block. A block may be made in
// between, so it is tried again with the new time.
func (n *Network) submitExpiring(i int) (hash crypto.Hash) {
	n.t.Helper()
	const account, farNonce = 5, 900
	n.Until(patience, "a transaction that is about to expire is admitted", func() error {
		status, err := n.RPC(i).Status(context.Background())
		if err != nil {
			return err
		}
		nonce := ledger.Nonce(status.Height%100) + farNonce
		raw := n.Transfer(account, nonce, 1, status.BlockTime)
		hash = crypto.Keccak256(raw)
		_, err = n.RPC(i).Call(context.Background(), Ask("ledger_sendRawTransaction", wire.Bytes(raw)))
		return err
	})
	return hash
}

// neverStood checks that no validator knows a transaction any more.
func (n *Network) neverStood(hash crypto.Hash) {
	n.t.Helper()
	for _, i := range n.All() {
		for _, method := range []string{"ledger_getReceipt", "ledger_getTransaction"} {
			got, err := n.RPC(i).Call(context.Background(), Ask(method, hash))
			if err != nil || !bytes.Equal(got, []byte("null")) {
				n.t.Fatalf("%s of an expired transaction on %s: %s, %v", method, n.validators[i].name(), got, err)
			}
		}
	}
}
