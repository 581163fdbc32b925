package node

import (
	"context"
	"regexp"
	"testing"

	"github.com/tallystick/tallystick/ledger"
)

// Four validators commit a transfer that was handed to one of them, hold the
// same state at every height, go on after all have stopped, and go on while one
// is away, which then catches up.
func TestNetworkCommitsAndGoesOn(t *testing.T) {
	t.Parallel()
	net := newTestnet(t, 4)
	net.startAll()
	height := net.commit(0, 0)
	net.agree(height + 1)
	for i := range net.nodes {
		if got := net.balance(i); got != "100000001" {
			t.Errorf("validator %d: balance %s after one cent", i, got)
		}
	}

	net.stop()
	net.startAll()
	if again := net.commit(2, 1); again <= height {
		t.Errorf("after a restart the chain is at height %d, before it was at %d", again, height)
	}

	net.stop(3)
	var last ledger.Height
	for nonce := ledger.Nonce(2); nonce < 6; nonce++ {
		last = net.commit(int(nonce)%3, nonce)
	}
	net.start(3)
	net.reach(3, last)
	net.agree(last)
	if got := net.balance(3); got != "100000006" {
		t.Errorf("the validator that was away has balance %s after six cents", got)
	}
}

// An idle network makes no more than one block a heartbeat, and a transaction
// costs one further block, which carries its root.
func TestIdleNetworkBeatsSlowly(t *testing.T) {
	t.Parallel()
	net := newTestnet(t, 1)
	net.startAll()
	n := net.nodes[0]
	busy := net.commit(0, 0)
	last := busy + 4
	net.reach(0, last)
	at := func(h ledger.Height) *int64 {
		meta := n.env.BlockStore.LoadBlockMeta(int64(h))
		if meta == nil {
			t.Fatalf("no block %d", h)
		}
		if empty := meta.NumTxs == 0; empty != (h != busy) {
			t.Errorf("block %d has %d transactions", h, meta.NumTxs)
		}
		ms := meta.Header.Time.UnixMilli()
		return &ms
	}
	// A block's time is when the block before it was signed. So the time that
	// passed between the signing of h and of h+1 is that between the headers
	// of h+1 and h+2. Block busy+1 follows at once, busy+2 and on by heartbeat.
	heartbeat := n.config.Consensus.HeartbeatInterval.Milliseconds()
	for h := busy + 2; h+1 <= last; h++ {
		if gap := *at(h + 1) - *at(h); gap < heartbeat*9/10 {
			t.Errorf("blocks %d and %d are %d ms apart, and the heartbeat is %d ms", h-1, h, gap, heartbeat)
		}
	}
}

// A node whose machinery fails ends, says why, and can still be stopped.
func TestFailureEndsTheNode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		damage func(*Node) error
		want   string // a regular expression
	}{
		// Consensus or the receipt index misses it first.
		{"block store", func(n *Node) error { return n.databases.Close() }, "consensus stopped|not in the block store"},
		{"ledger", func(n *Node) error { return n.store.Close() }, "application failed"},
		{"rpc port", func(n *Node) error { return n.servers.listeners[rpcServer].Close() }, "JSON-RPC server"},
		{"metrics port", func(n *Node) error { return n.servers.listeners[metricsServer].Close() }, "metrics server"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			net := newTestnet(t, 1)
			net.startAll()
			n := net.nodes[0]
			if err := c.damage(n); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- n.Wait() }()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			select {
			case err := <-ended:
				if err == nil || !regexp.MustCompile(c.want).MatchString(err.Error()) {
					t.Errorf("ended with %v, want something about %q", err, c.want)
				}
			case <-ctx.Done():
				t.Fatal("the node runs on")
			}
			if reasons := n.unhealthy(); len(reasons) == 0 {
				t.Error("the node calls itself healthy")
			}
		})
	}
}
