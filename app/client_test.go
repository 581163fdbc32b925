package app

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/mempool"
	"github.com/cometbft/cometbft/proxy"
	"github.com/cometbft/cometbft/types"

	"github.com/tallystick/tallystick/ledger"
)

// pooled is a chain with CometBFT's own mempool in front.
type pooled struct {
	*chain
	pool  *mempool.CListMempool
	conns proxy.AppConns
}

func newPooled(t testing.TB, size int, o Options, people ...string) *pooled {
	t.Helper()
	c := openChain(t, t.TempDir(), o)
	conns := proxy.NewAppConns(c.ClientCreator(), proxy.NopMetrics())
	if err := conns.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conns.Stop() })
	if _, err := conns.Consensus().InitChain(ctx, initRequest(genesisDoc(append(people, everybody...), nil))); err != nil {
		t.Fatal(err)
	}
	settings := config.DefaultMempoolConfig()
	settings.Size = size
	return &pooled{c, mempool.NewCListMempool(settings, conns.Mempool(), 0), conns}
}

func (p *pooled) offer(raw []byte) (code ledger.Code, err error) {
	err = p.pool.CheckTx(raw, func(r *abci.ResponseCheckTx) { code = ledger.Code(r.Code) }, mempool.TxInfo{})
	return code, err
}

// next makes, decides and commits a block as CometBFT's executor does.
func (p *pooled) next() *abci.ResponseFinalizeBlock {
	p.t.Helper()
	proposed := p.proposal(p.propose(1<<24, p.pool.ReapMaxBytesMaxGas(-1, -1).ToSliceOfBytes()...)...)
	if !p.accepts(proposed) {
		p.t.Fatal("its own block is rejected")
	}
	res := p.finalize(proposed)
	p.pool.Lock()
	defer p.pool.Unlock()
	p.commit()
	if err := p.pool.Update(proposed.Height, types.ToTxs(proposed.Txs), res.TxResults, nil, nil); err != nil {
		p.t.Fatal(err)
	}
	return res
}

// A dead transaction in the pool must leave it by itself: while the pool holds
// any, CometBFT makes blocks, and an idle network would spin.
func TestDeadTransactionLeavesTheMempool(t *testing.T) {
	p := newPooled(t, 100, Options{})
	p.next()
	body := p.transfer("alice", 0, "bob", 1)
	body.ValidUntil = ledger.UnixTime(p.time) // dead in the next block
	if code, err := p.offer(p.sign(body, ledger.SchemeBodyHash, "alice")); code != ledger.Applied || err != nil {
		t.Fatal(code, err)
	}
	if res := p.next(); len(res.TxResults) != 0 {
		t.Errorf("an expired transaction was proposed: %v", codesOf(res))
	}
	if p.pool.Size() != 0 || p.pending.len() != 0 {
		t.Errorf("%d in the pool, %d pending", p.pool.Size(), p.pending.len())
	}
}

// Transactions come in on many goroutines, through CometBFT's mempool, while
// blocks are made. Every one is applied exactly once.
func TestMempoolInParallel(t *testing.T) {
	senders, each := 6, 30
	if testing.Short() {
		senders, each = 3, 8
	}
	var people []string
	for i := range senders {
		people = append(people, fmt.Sprint("sender ", i))
	}
	p := newPooled(t, 100_000, Options{}, people...)
	p.next()
	raws := make([][][]byte, senders)
	for i, from := range people {
		for n := range each {
			raws[i] = append(raws[i], p.pay(from, uint64(n), "alice", 1))
		}
	}
	var wg sync.WaitGroup
	for i := range people {
		wg.Go(func() {
			for _, raw := range raws[i] {
				for {
					code, err := p.offer(raw)
					if errors.Is(err, mempool.ErrRecheckFull) {
						continue // a block is being committed
					}
					if code != ledger.Applied || err != nil {
						t.Errorf("%s, %v", code, err)
					}
					break
				}
			}
		})
	}
	applied := 0
	for applied < senders*each && !t.Failed() {
		for _, code := range codesOf(p.next()) {
			if code != ledger.Applied {
				t.Errorf("a transfer: %s", code)
			}
			applied++
		}
	}
	wg.Wait()
	p.next()
	if got := p.balance("alice"); got != uint64(funds+senders*each) || p.pool.Size() != 0 || p.pending.len() != 0 {
		t.Errorf("alice has %d; %d in the pool, %d pending", got, p.pool.Size(), p.pending.len())
	}
}

// What the full mempool threw away after the application had admitted it does
// not block its nonce for long.
func TestMempoolDropsSilently(t *testing.T) {
	p := newPooled(t, 100, Options{})
	p.next()
	raw := p.pay("alice", 0, "bob", 1)
	if code, err := p.offer(raw); code != ledger.Applied || err != nil {
		t.Fatal(code, err)
	}
	p.pool.Flush()
	rival := p.pay("alice", 0, "carol", 1)
	if code, _ := p.offer(rival); code != ledger.CodeDuplicateNonce {
		t.Errorf("at once: %s", code)
	}
	p.next()
	p.next()
	if code, err := p.offer(rival); code != ledger.Applied || err != nil {
		t.Errorf("two blocks later: %s, %v", code, err)
	}
}

// The other calls of a connection, and the roads not taken.
func TestClientRemainder(t *testing.T) {
	p := newPooled(t, 100, Options{Version: "v1.2.3"})
	if res, err := p.conns.Query().Echo(ctx, "hello"); err != nil || res.Message != "hello" {
		t.Errorf("echo %v, %v", res, err)
	}
	if res, err := p.conns.Query().Info(ctx, proxy.RequestInfo); err != nil || res.Version != "v1.2.3" || res.AppVersion != ledger.Protocol {
		t.Errorf("info %v, %v", res, err)
	}
	if err := p.conns.Mempool().Flush(ctx); err != nil || p.conns.Mempool().Error() != nil {
		t.Error(err)
	}
	if res, err := p.conns.Mempool().InsertTx(ctx, &abci.RequestInsertTx{Tx: []byte{1}}); err != nil || res.Code == abci.CodeTypeOK {
		t.Errorf("InsertTx would lose a transaction: %v, %v", res, err)
	}
	if res, err := p.conns.Mempool().ReapTxs(ctx, &abci.RequestReapTxs{}); err != nil || len(res.Txs) != 0 {
		t.Errorf("ReapTxs %v, %v", res, err)
	}
	s := p.conns.Snapshot()
	if res, err := s.ListSnapshots(ctx, &abci.RequestListSnapshots{}); err != nil || len(res.Snapshots) != 0 {
		t.Errorf("snapshots %v, %v", res, err)
	}
	if res, err := s.OfferSnapshot(ctx, &abci.RequestOfferSnapshot{Snapshot: &abci.Snapshot{Height: 5}}); err != nil || res.Result != abci.ResponseOfferSnapshot_ABORT {
		t.Errorf("offer %v, %v", res, err)
	}
	if res, err := s.LoadSnapshotChunk(ctx, &abci.RequestLoadSnapshotChunk{}); err != nil || len(res.Chunk) != 0 {
		t.Errorf("chunk %v, %v", res, err)
	}
	if res, err := s.ApplySnapshotChunk(ctx, &abci.RequestApplySnapshotChunk{}); err != nil || res.Result != abci.ResponseApplySnapshotChunk_ABORT {
		t.Errorf("apply %v, %v", res, err)
	}
	if res, err := p.conns.Consensus().ExtendVote(ctx, &abci.RequestExtendVote{}); err != nil || len(res.VoteExtension) != 0 {
		t.Errorf("vote extension %v, %v", res, err)
	}
}
