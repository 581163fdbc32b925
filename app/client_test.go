package app

import (
	"fmt"
	"sync"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/config"
	"github.com/cometbft/cometbft/mempool"
	"github.com/cometbft/cometbft/proxy"
	"github.com/cometbft/cometbft/types"

	"github.com/tallystick/tallystick/ledger"
)

// pooled is a chain with CometBFT's own mempool in front, which holds the
// token.
type pooled struct {
	*chain
	pool  *mempool.CListMempool
	conns proxy.AppConns
	wg    sync.WaitGroup
}

func newPooled(t testing.TB, o Options, people ...string) *pooled {
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
	settings.Recheck, settings.CacheSize = false, 0
	p := &pooled{chain: c, pool: mempool.NewCListMempool(settings, conns.Mempool(), 0), conns: conns}
	c.SetSignal(p)
	t.Cleanup(p.wg.Wait)
	return p
}

// Raise implements Signal.
func (p *pooled) Raise() {
	p.wg.Go(func() {
		if err := p.pool.CheckTx(Token, nil, mempool.TxInfo{}); err != nil {
			p.t.Errorf("offer the token: %v", err)
		}
	})
}

// Lower implements Signal.
func (p *pooled) Lower() { _ = p.pool.RemoveTxByKey(types.Tx(Token).Key()) }

// next makes, decides and commits a block as CometBFT's executor does.
func (p *pooled) next() *abci.ResponseFinalizeBlock {
	p.t.Helper()
	offered := p.pool.ReapMaxBytesMaxGas(-1, -1).ToSliceOfBytes()
	if len(offered) > 1 {
		p.t.Fatalf("%d entries in CometBFT's mempool", len(offered))
	}
	proposed := p.proposal(p.prepare()...)
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

// rests waits until CometBFT's mempool is empty, or holds the token.
func (p *pooled) rests(empty bool) {
	p.t.Helper()
	for end := time.Now().Add(10 * time.Second); (p.pool.Size() == 0) != empty; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("CometBFT's mempool has %d entries", p.pool.Size())
		}
	}
}

// A dead transaction must leave by itself: while one waits, CometBFT makes
// blocks, and an idle network would spin.
func TestDeadTransactionLeavesTheMempool(t *testing.T) {
	p := newPooled(t, Options{})
	p.next()
	body := p.transfer("alice", 0, "bob", 1)
	body.ValidUntil = ledger.UnixTime(p.time) // dead in the next block
	wantCode(t, "new", p.check(p.sign(body, ledger.SchemeBodyHash, "alice")), ledger.Applied)
	p.rests(false)
	if res := p.next(); len(res.TxResults) != 0 {
		t.Errorf("an expired transaction was proposed: %v", codesOf(res))
	}
	if p.rests(true); p.pending.len() != 0 {
		t.Errorf("%d pending", p.pending.len())
	}
	again := p.pay("alice", 0, "bob", 1)
	wantCode(t, "its nonce again", p.check(again), ledger.Applied)
	p.rests(false)
	wantTxs(t, "proposed", p.prepare(), again)
	p.next()
	p.rests(true)
}

// Nothing but the token gets into CometBFT's mempool, and that only while
// something waits.
func TestOnlyTheTokenStandsInTheMempool(t *testing.T) {
	p := newPooled(t, Options{})
	p.next()
	offer := func(raw []byte, want bool) {
		t.Helper()
		if err := p.pool.CheckTx(raw, nil, mempool.TxInfo{}); err != nil || (p.pool.Size() > 0) != want {
			t.Errorf("%q: %v, %d entries", raw, err, p.pool.Size())
		}
	}
	offer(Token, false)
	raw := p.pay("alice", 0, "bob", 1)
	offer(raw, false)
	wantCode(t, "new", p.check(raw), ledger.Applied)
	p.rests(false)
	offer(Token, true)
	p.next()
	p.rests(true)
}

// Transactions come in on many goroutines while blocks are made. Every one is
// applied exactly once, and CometBFT goes on until none waits.
func TestMempoolInParallel(t *testing.T) {
	senders, each := 6, 30
	if testing.Short() {
		senders, each = 3, 8
	}
	var people []string
	for i := range senders {
		people = append(people, fmt.Sprint("sender ", i))
	}
	p := newPooled(t, Options{}, people...)
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
				wantCode(t, "new", p.check(raw), ledger.Applied)
			}
		})
	}
	for applied := 0; applied < senders*each && !t.Failed(); {
		p.rests(false) // as CometBFT waits for the token
		for _, code := range codesOf(p.next()) {
			if code != ledger.Applied {
				t.Errorf("a transfer: %s", code)
			}
			applied++
		}
	}
	wg.Wait()
	p.rests(true)
	if got := p.balance("alice"); got != uint64(funds+senders*each) || p.pending.len() != 0 {
		t.Errorf("alice has %d; %d pending", got, p.pending.len())
	}
}

// The other calls of a connection, and the roads not taken.
func TestClientRemainder(t *testing.T) {
	p := newPooled(t, Options{Version: "v1.2.3"})
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
