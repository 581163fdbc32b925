package app

import (
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/store"
)

// defaultCacheBytes bounds the remembered transactions where Options do not.
const defaultCacheBytes = 256 << 20

// Options are what an Application may be given. The zero value works.
type Options struct {
	// Logger gets what an operator should know. nil: slog.Default.
	Logger *slog.Logger
	// Metrics gets the metrics tallystick_app_…; nil: none are registered.
	Metrics prometheus.Registerer
	// Workers bounds the goroutines that recover signers: so many for
	// admission, and as many for blocks. 0: GOMAXPROCS.
	Workers int
	// SignerCacheBytes bounds the decoded transactions that are remembered
	// with their signers, in bytes of memory (estimated). 0: 256 MiB.
	SignerCacheBytes int64
	// Version is the software's version, for Info.
	Version string
	// Committed is called after each commit is durable and visible to reads,
	// in order of height. It must not block: consensus waits for it.
	Committed func(ledger.Height)
	// Protocols are the versions of the rules that are known. nil: ledger.Protocol.
	Protocols []uint64
	// CatchingUp reports whether blocks are being fetched and not agreed upon.
	// nil: never.
	CatchingUp func() bool
	// Propose replaces PrepareProposal, for tests that need a dishonest
	// proposer: ProcessProposal then accepts this node's own blocks unseen.
	// nil: honest.
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
	recent   recentTable
	recovery chan struct{} // one slot for each recovery that admission may run

	latest atomic.Pointer[committed] // never nil

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
	upgrade *ledger.Upgrade // scheduled; nil for none
	memo    *memoReader     // over reader, for rechecks
}

// New connects an application with an open store. It reads the network's
// identity, if the store has one, and changes nothing. Close it before the
// store.
func New(s *store.Store, o Options) (*Application, error) {
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
	a := &Application{
		store: s, options: o, log: o.Logger,
		cache: newTxCache(o.SignerCacheBytes), pending: newPendingTable(),
		recovery: make(chan struct{}, o.Workers), failed: make(chan struct{}), released: make(chan struct{}),
	}
	a.metrics = newMetrics(o.Metrics, a)
	if err := a.publish(); err != nil {
		return nil, fmt.Errorf("open application: %w", err)
	}
	if err := a.checkProtocol(); err != nil {
		return nil, fmt.Errorf("open application: %w", err)
	}
	return a, nil
}

// publish makes the store's last commit the state that reads are answered from.
func (a *Application) publish() error {
	c := &committed{height: a.store.Height(), time: a.store.Time(), root: a.store.Root()}
	if c.height > 0 {
		view := a.store.Latest()
		net, err := ledger.ReadNetwork(view)
		if err != nil {
			return err
		}
		if old := a.Network(); old != nil && old.ID == net.ID {
			net = old
		}
		if err := c.read(net, view); err != nil {
			return err
		}
	}
	a.latest.Store(c)
	return nil
}

// read sets what c answers reads from.
func (c *committed) read(net *ledger.Network, r ledger.Reader) error {
	params, err := r.Get([]byte(ledger.KeyParams))
	if err != nil {
		return fmt.Errorf("read params: %w", err)
	}
	c.net, c.reader = net, paramsReader{r, params}
	next, scheduled, err := ledger.ReadUpgrade(r)
	if err != nil {
		return fmt.Errorf("read upgrade: %w", err)
	}
	if scheduled {
		c.upgrade = &next
	}
	c.memo = newMemoReader(c.reader)
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

// Pending returns the bytes of a transaction that waits on this node.
func (a *Application) Pending(hash crypto.Hash) ([]byte, bool) {
	if tx := a.pending.get(hash); tx != nil {
		return tx.Raw, true
	}
	return nil, false
}

// PendingByNonce returns the transaction that waits on this node for a
// sender's nonce.
func (a *Application) PendingByNonce(sender crypto.Address, nonce ledger.Nonce) (*ledger.Tx, bool) {
	tx := a.pending.byNonce(sender, nonce)
	return tx, tx != nil
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
