package index

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
)

// Limits of one transaction of the database while the index is behind.
const (
	batchBlocks = 1000
	batchTxs    = 20_000 // the more, the more of their rows lie together in the tables
	batchBytes  = 16 << 20
)

// ErrOtherNetwork: the database has the blocks of another chain. Trying again does
// not cure it.
var ErrOtherNetwork = errors.New("the database is of another network")

// Options are what the index may be given. The zero value works.
type Options struct {
	Logger   *slog.Logger          // nil: none
	Registry prometheus.Registerer // nil: no metrics
	// From is a height to go on from: what the database has above is taken back
	// first and indexed again. nil: from where it stands. 0: everything, genesis too.
	From *ledger.Height
	// AtOnce is how many blocks the source is asked for at once, at most, while the index
	// is behind and they are small; 0: one. From a distance each takes a round trip.
	AtOnce int
	// Reconcile is the time between two comparisons with the node's state; 0 is a
	// minute, less than 0 never.
	Reconcile time.Duration
	// Retry is how long to wait after an error; 0 is a second. It grows to 30 times
	// that.
	Retry time.Duration
	// Room says, before each transaction, why nothing may be written now, such as that
	// a disk is nearly full which others need more; nil: it always may.
	Room func() error
	// Fatal ends Run with any error, and not only with what no retry cures.
	Fatal bool
}

// Index follows a chain. Run is for one goroutine, the rest for many.
type Index struct {
	db      *store.Store
	src     explorer.Source
	o       Options
	log     *slog.Logger
	metrics *metrics

	head atomic.Uint64 // of the source, as far as is known
	from *ledger.Height

	wrote bool // it has been the writer; of Run's goroutine

	mu      sync.Mutex
	problem error // why it does not go on, while it does not; owned by mu
}

// New makes the index of a chain in a database.
func New(db *store.Store, src explorer.Source, o Options) *Index {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Reconcile == 0 {
		o.Reconcile = time.Minute
	}
	if o.AtOnce <= 0 {
		o.AtOnce = 1
	}
	if o.Retry == 0 {
		o.Retry = time.Second
	}
	return &Index{db: db, src: src, o: o, log: o.Logger, metrics: newMetrics(o.Registry), from: o.From}
}

// Head is the highest block that the source is known to have.
func (x *Index) Head() ledger.Height { return ledger.Height(x.head.Load()) }

// Err is why the index does not go on, while it does not; else nil.
func (x *Index) Err() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.problem
}

func (x *Index) setErr(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.problem = err
}

// slowest is how many times Options.Retry the longest wait is.
const slowest = 30

// Run follows the chain until ctx ends (nil), or an error that no retry cures:
// store.ErrBusy, ErrOtherNetwork or explorer.ErrPruned. Once it has written itself it
// waits for whoever else does: that may be its own connection, broken, which
// PostgreSQL has not yet noticed. After any other error it
// begins again from the cursor, a little later each time that it has got nowhere.
func (x *Index) Run(ctx context.Context) error {
	wait := x.o.Retry
	for {
		before, _ := x.db.Height()
		err := caught(func() error { return x.follow(ctx) })
		if ctx.Err() != nil {
			return nil
		}
		x.setErr(err)
		if x.o.Fatal || fatal(err) && !(x.wrote && errors.Is(err, store.ErrBusy)) {
			return err
		}
		x.log.Error("the explorer's index has stopped and tries again", "error", err, "in", wait)
		x.metrics.errors.Inc()
		if after, _ := x.db.Height(); after > before {
			wait = x.o.Retry
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		wait = min(2*wait, slowest*x.o.Retry)
	}
}

// caught makes an error of a panic. The index is part of a node's process where there is
// one: a fault here, or a row of a damaged database, must never end that.
func caught(do func() error) (err error) {
	defer func() {
		if crash := recover(); crash != nil {
			err = &problem{"a fault of the explorer", fmt.Errorf("a fault of the explorer, please report it: %v\n%s", crash, debug.Stack())}
		}
	}()
	return do()
}

func fatal(err error) bool {
	for _, one := range []error{store.ErrBusy, ErrOtherNetwork, explorer.ErrPruned} {
		if errors.Is(err, one) {
			return true
		}
	}
	return false
}

// follow indexes blocks until an error or ctx.
func (x *Index) follow(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := x.db.Writer(ctx)
	if err != nil {
		return err
	}
	x.wrote = true
	defer func() { err = errors.Join(err, w.Close()) }()
	state, next, err := x.begin(ctx, w)
	if err != nil {
		return err
	}
	if x.Head() < next {
		x.setErr(nil) // there is nothing to index by which it could be seen that all is well
	}
	feed := x.newFeed(ctx, next)
	defer feed.wait()
	defer cancel()
	checks := make(chan *comparison)
	if x.o.Reconcile > 0 {
		done := make(chan struct{})
		defer func() { cancel(); <-done }()
		go func() { defer close(done); x.compareFrom(ctx, checks) }()
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case c := <-checks:
			if err := x.record(ctx, w, c); err != nil {
				return err
			}
		case f, ok := <-feed.blocks:
			if !ok {
				return feed.err
			}
			if err := x.batch(ctx, state, feed, f); err != nil {
				return err
			}
		}
	}
}

// begin reads, or makes, what the next block is joined to.
func (x *Index) begin(ctx context.Context, w *store.Writer) (*state, ledger.Height, error) {
	height, ok, err := w.Cursor(ctx)
	if err != nil {
		return nil, 0, err
	}
	if ok {
		if err := checkNetwork(ctx, w, x.src.Network()); err != nil {
			return nil, 0, err
		}
	}
	if from := x.from; from != nil {
		if ok && *from == 0 {
			if err := empty(ctx, w); err != nil {
				return nil, 0, err
			}
			ok = false
		} else if ok && *from <= height {
			if err := rollBack(ctx, w, *from-1); err != nil {
				return nil, 0, err
			}
			height = *from - 1
		}
		x.from = nil // once
	}
	if err := look(ctx, x.src, &x.head); err != nil {
		return nil, 0, err
	}
	s := newState(w)
	if !ok {
		return s, 0, nil
	}
	if err := s.load(ctx, height); err != nil {
		return nil, 0, err
	}
	if err := x.checkHead(ctx, s, height); err != nil {
		return nil, 0, err
	}
	x.metrics.height.Set(float64(height))
	return s, height + 1, nil
}

// checkHead refuses a source that does not have the last block, or another.
func (x *Index) checkHead(ctx context.Context, s *state, height ledger.Height) error {
	if x.Head() < height {
		return nil // it may be catching up itself
	}
	b, err := x.src.Block(ctx, height)
	if err != nil {
		return ofSource(fmt.Errorf("ask the node for block %d: %w", height, err))
	}
	if b != nil && b.Hash != s.prevHash {
		return fmt.Errorf("%w: its block %d is %s and the node's is %s: use another database, or index again with --from 0", ErrOtherNetwork, height, s.prevHash, b.Hash)
	}
	return nil
}

func checkNetwork(ctx context.Context, w *store.Writer, net *ledger.Network) error {
	var hash []byte
	var id string
	if err := w.QueryRow(ctx, "SELECT network_hash, network_id FROM progress WHERE id = 1").Scan(&hash, &id); err != nil {
		return fmt.Errorf("read the network: %w", err)
	}
	if string(hash) != string(net.Hash[:]) {
		return fmt.Errorf("%w: it has the blocks of %q and the node those of %q: use another database", ErrOtherNetwork, id, net.ID)
	}
	return nil
}

// batch indexes f and whatever follows without waiting, in one transaction.
func (x *Index) batch(ctx context.Context, s *state, feed *feed, f *fetched) error {
	started := time.Now()
	if x.o.Room != nil {
		if err := x.o.Room(); err != nil {
			return &problem{"its disk is nearly full", err}
		}
	}
	if err := s.w.Begin(ctx); err != nil {
		return err
	}
	blocks, txs, size := 0, 0, uint64(0)
	var last ledger.Height
	for f != nil {
		group, events := feed.more(f)
		if err := s.prefetch(ctx, events); err != nil {
			return err
		}
		for _, f := range group {
			b := f.block
			if err := x.write(ctx, s, b); err != nil {
				return err
			}
			feed.release(f)
			blocks, txs, size, last = blocks+1, txs+len(b.Txs), size+b.SizeBytes, b.Height
		}
		f = nil
		if blocks < batchBlocks && txs < batchTxs && size < batchBytes {
			f = feed.ready()
		}
	}
	if err := s.commit(ctx, last); err != nil {
		return err
	}
	x.setErr(nil)
	x.metrics.committed(last, x.Head(), blocks, txs, time.Since(started))
	if blocks == batchBlocks || txs >= batchTxs {
		x.log.Info("indexing", "height", last, "of", x.Head(), "transactions", txs)
	}
	return nil
}

func (x *Index) write(ctx context.Context, s *state, b *explorer.Block) error {
	if b.Height == 0 {
		net := x.src.Network()
		s.w.Add(store.Progress, int64(1), net.ID, net.Hash[:], int64(net.ChainID), net.Settlement[:], int64(0))
	}
	if err := s.block(ctx, b); err != nil {
		return fmt.Errorf("block %d: %w", b.Height, err)
	}
	return nil
}
