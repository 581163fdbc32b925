package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	cometconfig "github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/consensus"
	cometjson "github.com/cometbft/cometbft/libs/json"
	cometnode "github.com/cometbft/cometbft/node"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/rpc/core"
	"github.com/cometbft/cometbft/types"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tallystick/tallystick/app"
	"github.com/tallystick/tallystick/config"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/store"
	"github.com/tallystick/tallystick/node/gossip"
	"github.com/tallystick/tallystick/node/index"
	"github.com/tallystick/tallystick/node/webhook"
	"github.com/tallystick/tallystick/rpc"
)

// Options are what a node may be given besides its configuration. The zero
// value works.
type Options struct {
	// Logger gets the node's log. nil: standard error, as the configuration says.
	Logger *slog.Logger
	// Version is the program's, shown to clients and peers. "": "dev".
	Version string
	// Application is passed on to the application, but for what the node
	// itself sets (logger, metrics, version, sizes and Committed). Tests use
	// it to make a node dishonest.
	Application app.Options
	// Reload says when to read the configuration again. The zero value: never.
	Reload Reload
}

// Node is a running, or about to be running, member of a network. Its methods
// may be called from any goroutine.
type Node struct {
	config  config.Config
	comet   *cometconfig.Config
	home    Home
	options Options
	log     *slog.Logger
	genesis *genesis
	key     *p2p.NodeKey

	// From the bottom up; each is nil until build has made it.
	registry  *prometheus.Registry
	store     *store.Store
	app       *app.Application
	databases *databases
	chain     *cometnode.Node
	env       *core.Environment // CometBFT's parts, by the one door that hands them out
	consensus *consensus.State
	signal    *signal
	index     *index.Index
	backend   *backend
	rpc       *rpc.Server
	webhooks  *webhook.Sender // nil for none
	servers   servers
	explorer  string // where it listens; empty for none

	certificate certificate // of JSON-RPC; none is plain HTTP
	reload      reloading

	quiet      atomic.Bool                 // the node is stopping: nothing that ends is a failure
	panicked   atomic.Pointer[string]      // why consensus ended, once it did
	follower   atomic.Pointer[index.Index] // to be told of commits
	gate       *peerGate                   // who may be connected
	members    chan struct{}               // capacity 1: some member has changed
	commits    chan ledger.Height          // capacity 1: the latest, for the clock's watch
	born       time.Time
	lastCommit atomic.Int64 // nanoseconds after born
	// settled is the height up to which commits are over: the application holds
	// none of their transactions as pending any more. The index goes no further,
	// so what is pending is never indexed.
	settled atomic.Uint64

	cancel  context.CancelFunc // ends what Start began; nil before
	routine sync.WaitGroup     // the index's follower and the clock's watch

	failOnce sync.Once
	failed   chan struct{} // closed once failure is set
	failure  error         // why the node must not go on; read after failed is closed
	stopOnce sync.Once
	stopped  chan struct{} // closed when Stop has ended
	stopErr  error         // read after stopped is closed
}

// New opens a node's home and everything in it, and brings the application up
// to the last block that is stored, which takes as long as those blocks took to
// run. It listens on no port yet. Errors name the file or setting that is
// wrong. Call Stop, even if Start is never called.
func New(c config.Config, home string, o Options) (*Node, error) {
	if o.Logger == nil {
		o.Logger = NewLogger(os.Stderr, c.Log)
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	home, err := filepath.Abs(home) // CometBFT joins relative paths to its own root
	if err != nil {
		return nil, fmt.Errorf("home: %w", err)
	}
	n := &Node{
		config: c, home: Home(home), options: o, log: o.Logger, born: time.Now(),
		commits: make(chan ledger.Height, 1), members: make(chan struct{}, 1), failed: make(chan struct{}), stopped: make(chan struct{}),
	}
	if err := n.build(); err != nil {
		n.quiet.Store(true)
		return nil, errors.Join(err, n.release())
	}
	return n, nil
}

// build makes the node's parts, from the bottom up.
func (n *Node) build() error {
	for _, step := range []func() error{n.prepare, n.openLedger, n.openChain, n.openIndex, n.openRPC, n.openWebhooks} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// prepare reads what the node starts from, and writes nothing.
func (n *Node) prepare() error {
	if err := n.config.Validate(); err != nil {
		return fmt.Errorf("configuration:\n%w", err)
	}
	var err error
	if n.comet, err = cometConfig(n.config, n.home); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	if n.genesis, err = readGenesis(n.home.GenesisFile()); err != nil {
		return err
	}
	if n.key, err = readNodeKey(n.home); err != nil {
		return err
	}
	pair, err := readCertificate(n.config.RPC, n.home, n.log)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	n.certificate.current.Store(pair)
	if n.reload.access, err = readAccess(n.config.RPC, n.home, n.log); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	n.reload.now = n.config
	warnOfAccess(n.config, n.log)
	n.registry = newRegistry(n.options.Version)
	return os.MkdirAll(n.home.DataDir(), 0o700)
}

// openLedger opens the committed state, whose lock also keeps a second process
// out of the home, and the application over it.
func (n *Node) openLedger() error {
	var err error
	n.store, err = store.Open(n.home.LedgerDir(), store.Options{
		CacheBytes:      n.config.State.CacheBytes,
		ProvableHeights: n.config.State.ProvableHeights,
		ProvablePeriod:  n.config.State.ProvablePeriod,
	})
	if err != nil {
		return err
	}
	o := n.options.Application
	o.Logger, o.Metrics, o.Version = n.log.With("module", "app"), n.registry, n.options.Version
	o.Workers, o.SignerCacheBytes = n.config.Admission.Workers, n.config.Admission.SignerCacheBytes
	pool := &n.config.Mempool
	o.PendingTxs, o.PendingBytes, o.MaxTxBytes = pool.MaxTxs, pool.MaxBytes, pool.MaxTxBytes
	o.AccountTxs, o.AccountBytes, o.MemberTxs, o.MemberBytes = pool.AccountTxs, pool.AccountBytes, pool.MemberTxs, pool.MemberBytes
	o.Pace = pool.Pace
	o.Committed, o.MembersChanged = n.committed, n.membersChanged
	o.CatchingUp = func() bool { return n.env != nil && n.CatchingUp() }
	n.settled.Store(uint64(n.store.Height()))
	n.app, err = app.New(n.store, o)
	return err
}

// openChain builds CometBFT's node over the application, which replays what the
// application has not seen.
func (n *Node) openChain() (err error) {
	validator, err := loadValidator(n.home)
	if err != nil {
		return err
	}
	defer func() { // a damaged store makes CometBFT panic
		if r := recover(); r != nil {
			err = n.chainDamaged(fmt.Errorf("%v", r))
		}
	}()
	n.gate = newPeerGate(n.app.ClientCreator(), n.config.P2P.Peers, n.app.Nodes, n.mayBeBehind, n.log)
	n.databases = &databases{dir: n.home.DataDir()}
	document := func() (*types.GenesisDoc, error) { return n.genesis.doc, nil }
	n.chain, err = cometnode.NewNode(n.comet, validator, n.key,
		n.gate,
		document, n.databases.provide, cometMetrics(n.registry),
		newCometLogger(n.log, &n.quiet, n.consensusPanicked))
	if err != nil && strings.Contains(err.Error(), "is higher than core") { // the state has blocks that the block store has not
		return n.chainDamaged(err)
	}
	if err != nil {
		return fmt.Errorf("open the chain in %s: %w", n.home.DataDir(), err)
	}
	if err := n.checkChain(); err != nil {
		return err
	}
	if err := n.installGossip(); err != nil {
		return err
	}
	if n.env, err = n.chain.ConfigureRPC(); err != nil {
		return fmt.Errorf("open the chain: %w", err)
	}
	state, ok := n.env.ConsensusState.(*consensus.State)
	if !ok {
		panic("node: CometBFT's consensus state is not what v0.40 has")
	}
	n.consensus = state
	n.signal = newSignal(n.env.Mempool)
	n.app.SetSignal(n.signal)
	return nil
}

// installGossip puts ours in the place of CometBFT's mempool reactor, before
// the node starts.
func (n *Node) installGossip() error {
	s, ok := n.chain.Switch().(*p2p.Switch)
	if !ok {
		return fmt.Errorf("open the chain: the switch is a %T, not CometBFT's", n.chain.Switch())
	}
	s.RemoveReactor("MEMPOOL", n.chain.MempoolReactor())
	g := gossip.New(n.app, n.CatchingUp, n.registry)
	g.SetLogger(newCometLogger(n.log, &n.quiet, n.consensusPanicked))
	s.AddReactor("MEMPOOL", g)
	return nil
}

// chainDamaged says what to do about stores that cannot be read or have lost
// what others still have.
func (n *Node) chainDamaged(why error) error {
	return fmt.Errorf("open the chain in %s: %w: what is stored is damaged or does not fit together; restore the directory "+
		"from a backup, or move it away except %s and start again, and the node fetches the chain from its peers",
		n.home.DataDir(), why, filepath.Base(n.home.ValidatorStateFile()))
}

// checkChain refuses a genesis document that is not the one this chain began
// with, which CometBFT remembers and would use without a word.
func (n *Node) checkChain() error {
	began, err := cometjson.Marshal(n.chain.GenesisDoc())
	if err != nil {
		return fmt.Errorf("genesis document: %w", err)
	}
	given, err := cometjson.Marshal(n.genesis.doc)
	if err != nil {
		return fmt.Errorf("genesis document: %w", err)
	}
	if string(began) != string(given) {
		return fmt.Errorf("genesis document %s: it is not the one that the chain in %s began with; "+
			"put that one back, or start with an empty data directory",
			n.home.GenesisFile(), n.home.DataDir())
	}
	if n.app.Network() == nil {
		return errors.New("the application knows no network after the chain was opened")
	}
	return nil
}

// openIndex opens the receipt index.
func (n *Node) openIndex() error {
	x, err := index.Open(n.home.IndexDir(), index.Options{
		Network: n.app.Network(), Genesis: n.genesis.events, Logger: n.log.With("module", "index"),
		Base: ledger.Height(n.env.BlockStore.Base()), Failed: n.fail,
	})
	if err != nil {
		return err
	}
	n.index = x
	n.follower.Store(x)
	n.registerMetrics()
	return nil
}

// openRPC makes the wallets' server, over everything below.
func (n *Node) openRPC() error {
	validator := n.env.PubKey.Address()
	n.backend = &backend{
		net: n.app.Network(), genesis: n.genesis.done(n.app.Network()), params: n.genesis.params, app: n.app, store: n.store, index: n.index,
		blocks: n.env.BlockStore, commits: n.env.BlockStore, validators: n.env.StateStore, results: n.env.StateStore, failed: n.fail, catchingUp: n.CatchingUp,
		committed: n.lastBlock, peers: n.peers,
		version: n.options.Version, nodeID: string(n.key.ID()), validator: validator,
	}
	var err error
	n.rpc, err = rpc.NewServer(n.backend, rpc.Options{
		Access:       n.reload.access,
		MaxBodyBytes: n.config.RPC.MaxBodyBytes, MaxBatch: n.config.RPC.MaxBatch,
		MaxWaiting: n.config.RPC.MaxWaiting, MaxConcurrent: n.config.RPC.MaxConcurrent,
		MaxConnections:   n.config.RPC.MaxConnections,
		MaxSubscriptions: n.config.RPC.MaxSubscriptions, MaxConnectionSubscriptions: n.config.RPC.MaxConnectionSubscriptions,
		WaitTimeout: n.config.RPC.WaitTimeout, ReadTimeout: n.config.RPC.ReadTimeout,
		Logger: n.log.With("module", "rpc"), Metrics: n.registry, Version: n.options.Version,
	})
	return err
}

// committed hears of every commit, within it, and must not block.
func (n *Node) committed(height ledger.Height) {
	n.lastCommit.Store(int64(time.Since(n.born)))
	n.settled.Store(uint64(height))
	if x := n.follower.Load(); x != nil {
		x.Notify()
	}
	select {
	case n.commits <- height:
	default: // the watch is busy with an earlier one, which tells as much
	}
}

// lastBlock is when this node committed its last block; when it was made where it
// has committed none since.
func (n *Node) lastBlock() time.Time { return n.born.Add(time.Duration(n.lastCommit.Load())) }

// membersChanged hears of it when a block changed a member, and must not block.
func (n *Node) membersChanged() {
	select {
	case n.members <- struct{}{}:
	default: // the review is still to come
	}
}

// mayBeBehind reports whether the state may be older than the network's: the node
// is fetching blocks, or has none yet.
func (n *Node) mayBeBehind() bool {
	return n.store.Height() == 0 || n.env != nil && n.CatchingUp()
}

// source is the chain as the receipt index reads it.
func (n *Node) source() *source {
	return &source{
		executed: n.app.Executed, blocks: n.env.BlockStore, results: n.env.StateStore,
		committed: func() ledger.Height { return ledger.Height(n.settled.Load()) }, decode: n.app.Decode,
	}
}

// ID returns the node's ID: 40 hexadecimal digits.
func (n *Node) ID() string { return string(n.key.ID()) }

// Height returns the highest height that the node answers for: committed, and
// indexed.
func (n *Node) Height() ledger.Height { return n.index.Height() }

// CatchingUp reports whether the node is still fetching blocks that the network
// has agreed on without it.
func (n *Node) CatchingUp() bool { return n.env.ConsensusReactor.WaitSync() }

// Network returns the identity of the node's network.
func (n *Node) Network() *ledger.Network { return n.app.Network() }

// Backend returns the node as its RPC sees it, for programs in the same process.
func (n *Node) Backend() rpc.Backend { return n.backend }
