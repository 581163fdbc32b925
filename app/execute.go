package app

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"sync/atomic"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/store"
)

// proposed is a block, decoded.
type proposed struct {
	hash []byte
	ledger.Block
}

func blockOf(hash []byte, height int64, at ledger.UnixTime, txs []*ledger.Tx, caught []abci.Misbehavior) proposed {
	return proposed{bytes.Clone(hash), ledger.Block{Height: ledger.Height(height), Time: at, Txs: txs, Evidence: evidenceOf(caught)}}
}

// execution is the running of one block on the committed state. It changes
// nothing that lasts. There is at most one at a time.
type execution struct {
	block   proposed
	genesis *genesis // for block 1
	stop    atomic.Bool
	done    chan struct{} // closed once the fields below are set

	response *abci.ResponseFinalizeBlock
	events   []ledger.Event // of the block itself
	results  []ledger.TxResult
	codes    []ledger.Code
	changes  []ledger.Change
	staged   *store.Staged
	err      error
}

// is reports whether e executes the block of a hash. Nil executes none.
func (e *execution) is(hash []byte) bool {
	return e != nil && len(hash) > 0 && bytes.Equal(e.block.hash, hash)
}

// begin executes a block in the background, in place of any other. Needs mu.
func (a *Application) begin(b proposed) {
	if a.decided != nil {
		return // FinalizeBlock has answered; Commit comes next
	}
	a.drop()
	e := a.newExecution(b)
	a.running = e
	c := a.latest.Load()
	go a.run(e, c)
}

func (a *Application) newExecution(b proposed) *execution {
	return &execution{block: b, genesis: a.genesis, done: make(chan struct{})}
}

// drop cancels the execution at hand, if any, and waits for its end. Needs mu.
func (a *Application) drop() {
	e := a.running
	a.running, a.decided = nil, nil
	if e == nil {
		return
	}
	e.stop.Store(true)
	<-e.done
	if e.staged != nil {
		e.staged.Discard()
	}
	if e.err != nil && !errors.Is(e.err, errCancelled) {
		// The block did not win, but what failed is the machine.
		a.fail(fmt.Errorf("execute block %d early: %w", e.block.Height, e.err))
	}
	a.metrics.executions.WithLabelValues("dropped").Inc()
}

// run executes e on c.
func (a *Application) run(e *execution, c *committed) {
	defer close(e.done)
	applied := a.timed("apply")
	result, err := ledger.Apply(c.net, e.block.Block, stoppableReader{c.reader, &e.stop})
	applied()
	if err != nil {
		e.err = err
		return
	}
	// The answer is written while the tree is hashed.
	response := make(chan *abci.ResponseFinalizeBlock, 1)
	go func() {
		defer a.timed("respond")()
		response <- toResponse(e.block.Txs, result)
	}()
	e.staged, e.err = a.stage(e, result.Changes)
	e.response = <-response
	if e.err != nil {
		return
	}
	root := e.staged.Root()
	e.response.AppHash = root[:]
	e.response.ValidatorUpdates = validatorUpdates(result.Validators)
	announce(e.response, result.Upgrade, e.block.Height)
	e.events, e.results, e.changes = result.Events, result.Results, result.Changes
	e.codes = make([]ledger.Code, len(result.Results))
	for i := range result.Results {
		e.codes[i] = result.Results[i].Code
	}
}

// stage computes the root that e's changes lead to.
func (a *Application) stage(e *execution, changes []ledger.Change) (*store.Staged, error) {
	if e.stop.Load() {
		return nil, errCancelled
	}
	defer a.timed("stage")()
	if e.genesis != nil {
		changes = e.genesis.join(changes)
	}
	return a.store.Stage(changes)
}

// FinalizeBlock answers with what the decided block does. Most often that is
// known already, from the execution that ProcessProposal began. It may be asked
// again, and answers the same; nothing lasts before Commit.
func (a *Application) FinalizeBlock(_ context.Context, req *abci.RequestFinalizeBlock) (*abci.ResponseFinalizeBlock, error) {
	if err := a.follow(); err != nil {
		return nil, err
	}
	defer a.leave()
	if err := a.enter(); err != nil {
		return nil, err
	}
	defer a.timed("finalize")()
	c := a.latest.Load()
	if c.net == nil || req.Height != c.next() || req.Time.Unix() < 0 {
		return nil, a.fail(fmt.Errorf("finalize block %d of %s: it does not follow the committed height %d", req.Height, req.Time, c.height))
	}
	for _, m := range req.Misbehavior {
		a.log.Warn("a validator is proved to have cheated, and loses its power",
			"kind", m.Type.String(), "validator", hex.EncodeToString(m.Validator.Address), "height", m.Height)
	}
	kind := "joined"
	if !a.running.is(req.Hash) {
		kind = "late"
		a.drop()
		block := a.decodeBlock(c.net, req.Txs)
		a.recoverBlock(block, false)
		e := a.newExecution(blockOf(req.Hash, req.Height, blockTime(req.Time), block.txs, req.Misbehavior))
		a.running = e
		a.run(e, c)
	}
	e := a.running
	<-e.done
	if e.err != nil {
		return nil, a.fail(fmt.Errorf("finalize block %d: %w", req.Height, e.err))
	}
	if kind == "late" {
		a.remember(e)
	}
	a.decided = e
	a.metrics.executions.WithLabelValues(kind).Inc()
	return e.response, nil
}

// remember keeps what was includable of a block that nobody judged before.
func (a *Application) remember(e *execution) {
	for i, tx := range e.block.Txs {
		if e.codes[i].SpendsNonce() {
			a.cache.put(tx)
		}
	}
}

// Commit makes the finalized block durable: the store's synced batch is the
// only place where anything of a block is written. If it fails, whether or not
// it was written, the application stops, and Info tells the truth after a
// restart.
func (a *Application) Commit(context.Context, *abci.RequestCommit) (*abci.ResponseCommit, error) {
	defer a.leave()
	if err := a.enter(); err != nil {
		return nil, err
	}
	defer a.timed("commit")()
	e := a.decided
	if e == nil {
		return nil, a.fail(errors.New("commit: no block is finalized"))
	}
	if err := a.store.Commit(e.block.Height, e.block.Time, e.staged); err != nil {
		return nil, a.fail(fmt.Errorf("commit block %d: %w", e.block.Height, err))
	}
	a.running, a.decided, a.genesis = nil, nil, nil
	now, err := a.load()
	if err != nil {
		return nil, a.fail(fmt.Errorf("read back block %d: %w", e.block.Height, err))
	}
	before := a.latest.Load()
	if err := a.settle(e, before, now); err != nil {
		return nil, a.fail(fmt.Errorf("after block %d: %w", e.block.Height, err))
	}
	a.warnOfUpgrade(before, now)
	a.lower()
	a.countResults(e)
	a.recent.add(e.executed())
	if a.options.Committed != nil {
		a.options.Committed(e.block.Height)
	}
	if a.options.MembersChanged != nil && membersChanged(e.changes) {
		a.options.MembersChanged()
	}
	return &abci.ResponseCommit{}, nil
}

// countResults counts what became of a block's transactions.
func (a *Application) countResults(e *execution) {
	counts := make(map[ledger.Code]int)
	for _, code := range e.codes {
		counts[code]++
	}
	for code, n := range counts {
		a.metrics.results.WithLabelValues(code.String()).Add(float64(n))
	}
}
