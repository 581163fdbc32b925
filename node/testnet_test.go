package node

import (
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/app"
	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// patience bounds every wait of a test for something that must happen.
const patience = 60 * time.Second

// testnet is a devnet whose nodes a test can stop and start one by one.
type testnet struct {
	t     *testing.T
	o     DevnetOptions
	files *devnetFiles
	nodes []*Node // nil while stopped
	keys  []*crypto.PrivateKey
	// application is what the programs know; nil: the usual.
	application func(i int) app.Options
}

// quick makes a network lively enough for a test.
func quick(_ int, c *config.Config) {
	c.Consensus.HeartbeatInterval = time.Second
	c.State.CacheBytes = 8 << 20
	c.Admission.SignerCacheBytes = 8 << 20
}

// calm makes a network that is to start make no block without need.
func (n *testnet) calm() {
	n.o.Configure = func(i int, c *config.Config) {
		quick(i, c)
		c.Consensus.HeartbeatInterval = time.Minute
	}
}

// testLog shows the nodes' log when TEST_NODE_LOG is set.
func testLog() *slog.Logger {
	if os.Getenv("TEST_NODE_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// newTestnet makes a network of validators, and starts none of them.
func newTestnet(t *testing.T, validators int) *testnet {
	t.Helper()
	o, err := DevnetOptions{
		Validators: validators, Dir: t.TempDir(), Out: io.Discard, Log: testLog(), Configure: quick,
	}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	o.BasePort = freePorts(t, o)
	net := &testnet{t: t, o: o, nodes: make([]*Node, validators)}
	if net.files, err = openDevnet(&net.o); err != nil {
		t.Fatal(err)
	}
	if net.keys, err = devnetKeys(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		net.stop()
		net.files.unlock()
	})
	return net
}

// takenPorts are the base ports that this process's tests use, by the devnet's
// spacing: tests run in parallel.
var takenPorts sync.Map

// freePorts finds a base port for o.
func freePorts(t *testing.T, o DevnetOptions) int {
	t.Helper()
	var err error
	for range 100 {
		// Below what the kernel gives to clients, and apart from the ports of other
		// packages' tests (docs/decisions/0005); a block of 400 ports for each, of
		// which the last hundred is the explorer's.
		o.BasePort = 12_000 + 400*rand.IntN(20)
		if _, taken := takenPorts.LoadOrStore(o.BasePort, true); taken {
			continue
		}
		if err = checkPorts(o); err == nil {
			t.Cleanup(func() { takenPorts.Delete(o.BasePort) })
			return o.BasePort
		}
		takenPorts.Delete(o.BasePort)
	}
	t.Fatal("no free ports: ", err)
	return 0
}

// start starts a validator.
func (n *testnet) start(i int) *Node {
	n.t.Helper()
	options := Options{Logger: n.o.Log.With("node", i), Version: "test"}
	if n.application != nil {
		options.Application = n.application(i)
	}
	node, err := New(n.o.configuration(i, n.files.identities), string(n.files.home(i)), options)
	if err != nil {
		n.t.Fatalf("validator %d: %v", i, err)
	}
	n.nodes[i] = node
	if err := node.Start(n.t.Context()); err != nil {
		n.t.Fatalf("validator %d: %v", i, err)
	}
	return node
}

// startAll starts every validator and waits until all are ready.
func (n *testnet) startAll() {
	n.t.Helper()
	for i := range n.nodes {
		n.start(i)
	}
	for i := range n.nodes {
		n.ready(i)
	}
}

func (n *testnet) ready(i int) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	if err := n.nodes[i].waitReady(ctx); err != nil {
		n.t.Fatalf("validator %d at height %d is not ready: %v; %v", i, n.nodes[i].Height(), err, n.nodes[i].unready())
	}
}

// stop stops the validators given, or all, and checks that they do so cleanly.
func (n *testnet) stop(which ...int) {
	n.t.Helper()
	for i, node := range n.nodes {
		if node == nil || len(which) > 0 && !contains(which, i) {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		if err := node.Stop(ctx); err != nil {
			n.t.Errorf("stop validator %d: %v", i, err)
		}
		cancel()
		n.nodes[i] = nil
	}
}

func contains(list []int, i int) bool {
	for _, x := range list {
		if x == i {
			return true
		}
	}
	return false
}

// transfer signs a transfer of one cent from the first account to the second.
func (n *testnet) transfer(network *ledger.Network, nonce ledger.Nonce) *ledger.Tx {
	n.t.Helper()
	from, to := n.keys[0], n.keys[1]
	asset := network.AssetAddress(crypto.Address{}, 1)
	tx, code := ledger.Sign(network, ledger.Body{
		Sender: from.Address(), Nonce: nonce,
		Op: &ledger.Transfer{Legs: []ledger.Leg{{
			From: from.Address(), To: to.Address(), Asset: asset, Amount: ledger.NewAmount(1),
		}}},
	}, ledger.SchemeBodyHash, from)
	if code != ledger.Applied {
		n.t.Fatalf("sign: %v", code)
	}
	return tx
}

// commit submits a transfer to validator i and waits until that node has its
// receipt. It returns the block's height.
func (n *testnet) commit(i int, nonce ledger.Nonce) ledger.Height {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	b := n.nodes[i].Backend()
	tx := n.transfer(b.Network(), nonce)
	verdict, err := b.Submit(ctx, tx.Raw)
	if err != nil || verdict.Code != ledger.Applied {
		n.t.Fatalf("submit transfer %d to validator %d: %v, %v", nonce, i, verdict.Code, err)
	}
	receipt, err := b.WaitReceipt(ctx, tx.Hash)
	if err != nil {
		n.t.Fatalf("receipt of transfer %d at validator %d: %v", nonce, i, err)
	}
	if receipt.Code != 0 {
		n.t.Fatalf("transfer %d: code %d, %s", nonce, receipt.Code, receipt.Message)
	}
	return ledger.Height(receipt.Height)
}

// reach waits until validator i answers for height.
func (n *testnet) reach(i int, height ledger.Height) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	if err := n.nodes[i].index.WaitHeight(ctx, height); err != nil {
		n.t.Fatalf("validator %d is at height %d, not %d: %v", i, n.nodes[i].Height(), height, err)
	}
}

// agree checks that all running validators have the same roots up to height.
func (n *testnet) agree(height ledger.Height) {
	n.t.Helper()
	for h := ledger.Height(1); h <= height; h++ {
		var want [32]byte
		var from int
		for i, node := range n.nodes {
			if node == nil {
				continue
			}
			n.reach(i, h)
			block, err := node.source().Block(h)
			if err != nil || block == nil {
				n.t.Fatalf("validator %d: block %d: %v, %v", i, h, block, err)
			}
			if want == [32]byte{} {
				want, from = block.Root, i
			}
			if block.Root != want {
				n.t.Errorf("root at height %d: validator %d has %x, validator %d has %x", h, i, block.Root, from, want)
			}
		}
	}
}

// balance is the second account's, in cents, as validator i has it now.
func (n *testnet) balance(i int) string {
	n.t.Helper()
	b := n.nodes[i].Backend()
	view, err := b.View(b.Height())
	if err != nil {
		n.t.Fatal(err)
	}
	balance, err := view.Balance(n.keys[1].Address(), b.Network().AssetAddress(crypto.Address{}, 1))
	if err != nil {
		n.t.Fatal(err)
	}
	return balance.Available.String()
}
