package app

import (
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/store"
)

// The bounds where Options have none.
const (
	defaultCacheBytes   = 256 << 20
	defaultPendingTxs   = 50_000
	defaultPendingBytes = 256 << 20
)

// Options are what an Application may be given. The zero value works.
type Options struct {
	// Logger gets what an operator should know. nil: slog.Default.
	Logger *slog.Logger
	// Metrics gets the metrics tallystick_app_…; nil: none are registered.
	Metrics prometheus.Registerer
	// Workers bounds the goroutines that recover signers: so many for
	// admission, and as many for blocks. 0: GOMAXPROCS.
	Workers int
	// SignerCacheBytes bounds the decoded transactions of blocks that are
	// remembered with their signers, in bytes of memory (estimated). What waits
	// on this node is not among them. 0: 256 MiB.
	SignerCacheBytes int64
	// PendingTxs and PendingBytes bound what waits for a block, in number and in
	// memory, as the function PendingBytes counts it. 0: 50,000 and 256 MiB.
	PendingTxs   int
	PendingBytes int64
	// AccountTxs and AccountBytes bound what waits of one sender, MemberTxs and
	// MemberBytes what waits of all accounts of one member, and, on a network with
	// members, of all accounts of none. 0: an eighth and a half of the pool, but no
	// less than 64 transactions and 4 MiB.
	AccountTxs   int
	AccountBytes int64
	MemberTxs    int
	MemberBytes  int64
	// Pace is how long the transactions of a member that sends little may wait while
	// another sends more than fits, in percent of the usual. The blocks that this node
	// proposes are small enough then. 0: as large as they may be.
	Pace int
	// MaxTxBytes bounds one transaction. 0: the ledger's bound.
	MaxTxBytes int
	// Version is the software's version, for Info.
	Version string
	// Committed is called after each commit is durable and visible to reads,
	// in order of height. It must not block: consensus waits for it.
	Committed func(ledger.Height)
	// MembersChanged is called after a commit that changed a member's record. It
	// must not block. nil: nobody wants to know.
	MembersChanged func()
	// Protocols are the versions of the rules that are known. nil: ledger.Protocol.
	Protocols []uint64
	// CatchingUp reports whether blocks are being fetched and not agreed upon.
	// nil: never.
	CatchingUp func() bool
	// Propose replaces PrepareProposal, for tests that need a dishonest
	// proposer: ProcessProposal then accepts this node's own blocks unseen. The
	// request's Txs are all that waits. nil: honest.
	Propose func(*abci.RequestPrepareProposal) [][]byte
}

// Application is the ABCI application over one store. Make it with New.
type Application struct {
	abci.BaseApplication // vote extensions: off

	store    *store.Store
	options  Options
	log      *slog.Logger
	metrics  *metrics
	cache    *txCache
	pending  *pendingTable
	pace     *pace
	recent   recentTable
	recovery chan struct{} // one slot for each recovery that admission may run

	latest atomic.Pointer[committed] // never nil
	signal atomic.Pointer[Signal]    // nil until SetSignal

	outdatedOnce sync.Once
	releaseOnce  sync.Once
	released     chan struct{} // closed by Release

	failOnce sync.Once
	failed   chan struct{} // closed once failure is set
	failure  error         // what stopped the application; read after failed is closed

	mu       sync.Mutex
	genesis  *genesis   // what InitChain was given, until block 1 is committed; mu
	running  *execution // of the block that may be decided next; mu
	decided  *execution // what FinalizeBlock answered with, until Commit; mu
	proposer []byte     // this node's address, known when Options.Propose is set; mu
	closed   bool       // mu
}

// committed is a state that reads are answered from. It never changes.
type committed struct {
	net     *ledger.Network // nil before genesis
	height  ledger.Height   // 0: the genesis state, not yet durable
	time    ledger.UnixTime // of the block that made it; of genesis at height 0
	root    [32]byte
	reader  ledger.Reader
	founded bool            // the network has members
	weights weights         // of a transaction in the next block
	upgrade *ledger.Upgrade // scheduled; nil for none
}

// New connects an application with an open store. It reads the network's
// identity, if the store has one, and changes nothing. Close it before the
// store.
func New(s *store.Store, o Options) (*Application, error) {
	o = o.withDefaults()
	a := &Application{
		store: s, options: o, log: o.Logger,
		cache: newTxCache(o.SignerCacheBytes), pace: newPace(o.Pace),
		recovery: make(chan struct{}, o.Workers), failed: make(chan struct{}), released: make(chan struct{}),
	}
	a.pending = newPendingTable(o.limits(), a.pace)
	a.metrics = newMetrics(o.Metrics, a)
	c, err := a.load()
	if err != nil {
		return nil, fmt.Errorf("open application: %w", err)
	}
	a.latest.Store(c)
	a.pending.follow(c)
	if err := a.checkProtocol(); err != nil {
		return nil, fmt.Errorf("open application: %w", err)
	}
	return a, nil
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if len(o.Protocols) == 0 {
		o.Protocols = []uint64{ledger.Protocol}
	}
	if o.SignerCacheBytes <= 0 {
		o.SignerCacheBytes = defaultCacheBytes
	}
	if o.PendingTxs <= 0 {
		o.PendingTxs = defaultPendingTxs
	}
	if o.PendingBytes <= 0 {
		o.PendingBytes = defaultPendingBytes
	}
	if o.MaxTxBytes <= 0 {
		o.MaxTxBytes = ledger.MaxTxBytes
	}
	return o
}

// load reads the store's last commit.
func (a *Application) load() (*committed, error) {
	c := &committed{height: a.store.Height(), time: a.store.Time(), root: a.store.Root()}
	if c.height > 0 {
		view := a.store.Latest()
		net, err := ledger.ReadNetwork(view)
		if err != nil {
			return nil, err
		}
		if old := a.Network(); old != nil && old.ID == net.ID {
			net = old
		}
		if err := c.read(net, view); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// read sets what c answers reads from.
func (c *committed) read(net *ledger.Network, r ledger.Reader) error {
	params, err := r.Get([]byte(ledger.KeyParams))
	if err != nil {
		return fmt.Errorf("read params: %w", err)
	}
	c.net, c.reader = net, paramsReader{r, params}
	p, err := ledger.ReadParams(c.reader)
	if err != nil {
		return fmt.Errorf("read params: %w", err)
	}
	c.weights = weightsOf(&p)
	members, err := ledger.ReadMembers(r)
	if err != nil {
		return fmt.Errorf("read members: %w", err)
	}
	c.founded = len(members) > 0
	next, scheduled, err := ledger.ReadUpgrade(r)
	if err != nil {
		return fmt.Errorf("read upgrade: %w", err)
	}
	if scheduled {
		c.upgrade = &next
	}
	return nil
}

// next is the height of the block that may follow c.
func (c *committed) next() int64 { return int64(c.height) + 1 }

// Network returns the network's identity, or nil before genesis.
func (a *Application) Network() *ledger.Network {
	if c := a.latest.Load(); c != nil {
		return c.net
	}
	return nil
}

// Decode returns a transaction decoded and with its signers recovered, faulty
// or not: RecoverSigners of the result says which, at no cost. What was seen
// before and was includable comes from the cache. It must not be called before genesis. The
// result may be shared and must not be changed; it keeps raw.
func (a *Application) Decode(raw []byte) *ledger.Tx {
	return a.decode(a.Network(), raw)
}

// Err returns the failure of the machine that stopped the application, or nil.
func (a *Application) Err() error {
	select {
	case <-a.failed:
		return a.failure
	default:
		return nil
	}
}

// Failed is closed when Err has something to say.
func (a *Application) Failed() <-chan struct{} { return a.failed }

// fail keeps the first failure and returns err.
func (a *Application) fail(err error) error {
	a.failOnce.Do(func() {
		a.failure = err
		close(a.failed)
		a.log.Error("application stopped: the machine beneath failed", "err", err)
	})
	return err
}

// enter begins a consensus method: it takes mu, which leave gives back. The
// error says why nothing may be done any more.
func (a *Application) enter() error {
	a.mu.Lock()
	if err := a.Err(); err != nil {
		return fmt.Errorf("application stopped earlier: %w", err)
	}
	if a.closed {
		return errClosed
	}
	return nil
}

func (a *Application) leave() { a.mu.Unlock() }

// Close ends the background execution, if any, and waits for it. After it the
// consensus methods answer with an error and the store may be closed.
func (a *Application) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	a.drop()
}
