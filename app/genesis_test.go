package app

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"

	"github.com/tallystick/tallystick/ledger"
)

// InitChain writes nothing, answers the same every time, and after a crash
// before block 1 the chain begins as if nothing had happened.
func TestInitChainIsIdempotentAndPersistsNothing(t *testing.T) {
	doc := genesisDoc(everybody, nil)
	c := openChain(t, t.TempDir(), Options{})
	first := c.initChain(doc)
	if second := c.initChain(doc); !bytes.Equal(first.AppHash, second.AppHash) {
		t.Fatalf("genesis roots %x and %x", first.AppHash, second.AppHash)
	}
	if len(first.AppHash) != 32 || bytes.Equal(first.AppHash, make([]byte, 32)) {
		t.Fatalf("genesis root %x", first.AppHash)
	}
	p := c.proposal(c.pay("alice", 0, "bob", 7))
	if !c.accepts(p) {
		t.Fatal("block 1 is rejected")
	}
	want := c.finalize(p) // and crash before Commit

	c = c.reopen()
	info, err := c.Info(ctx, &abci.RequestInfo{})
	if err != nil || info.LastBlockHeight != 0 || len(info.LastBlockAppHash) != 0 || info.AppVersion != ledger.Protocol {
		t.Fatalf("after the crash: %+v, %v", info, err)
	}
	if again := c.initChain(doc); !bytes.Equal(first.AppHash, again.AppHash) {
		t.Fatalf("after the crash the genesis root is %x, not %x", again.AppHash, first.AppHash)
	}
	same(t, "block 1 after the crash", want, c.finalize(p))
	c.commit()
	if got := c.balance("bob"); got != funds+7 {
		t.Errorf("bob has %d", got)
	}
	if got := c.balance("carol"); got != funds {
		t.Errorf("carol, whom block 1 did not touch, has %d", got)
	}

	c = c.reopen()
	info, err = c.Info(ctx, &abci.RequestInfo{})
	if err != nil || info.LastBlockHeight != 1 || !bytes.Equal(info.LastBlockAppHash, want.AppHash) {
		t.Fatalf("after block 1: %+v, %v", info, err)
	}
	if _, err := c.InitChain(ctx, initRequest(doc)); err == nil || !strings.Contains(err.Error(), "height 1") {
		t.Errorf("InitChain on a chain that has begun: %v", err)
	}
	if c.Err() != nil {
		t.Errorf("a refused InitChain stopped the application: %v", c.Err())
	}
}

// What block 1 takes to zero is in neither the table nor the root.
func TestBlockOneDeletesWhatGenesisMade(t *testing.T) {
	c := newChain(t, Options{}, nil)
	c.block(c.pay("alice", 0, "bob", funds))
	raw, err := c.store.Latest().Get(ledger.KeyBalance(address("alice"), c.Network().Settlement))
	if raw != nil || err != nil {
		t.Errorf("alice's balance is %x, %v", raw, err)
	}
	if c.balance("bob") != 2*funds {
		t.Errorf("bob has %d", c.balance("bob"))
	}
}

// An empty block after the first does not change the root.
func TestEmptyBlocksKeepTheRoot(t *testing.T) {
	c := newChain(t, Options{}, nil)
	genesis := c.latest.Load().root
	for range 3 {
		if res := c.block(); !bytes.Equal(res.AppHash, genesis[:]) {
			t.Fatalf("root %x, want %x", res.AppHash, genesis)
		}
	}
}

func TestInitChainRefuses(t *testing.T) {
	cases := []struct {
		name, want string
		change     func(*abci.RequestInitChain)
	}{
		{"chain ID differs", "chain_id", func(r *abci.RequestInitChain) { r.ChainId = "another" }},
		{"block bytes limited", "max_bytes", func(r *abci.RequestInitChain) { r.ConsensusParams.Block.MaxBytes = 1 << 20 }},
		{"gas limited", "max_gas", func(r *abci.RequestInitChain) { r.ConsensusParams.Block.MaxGas = 1 }},
		{"vote extensions", "vote_extensions", func(r *abci.RequestInitChain) { r.ConsensusParams.Abci.VoteExtensionsEnableHeight = 5 }},
		{"version of the future", "version.app", func(r *abci.RequestInitChain) { r.ConsensusParams.Version.App = ledger.Protocol + 1 }},
		{"first height", "initial_height", func(r *abci.RequestInitChain) { r.InitialHeight = 10 }},
		{"no time", "genesis_time", func(r *abci.RequestInitChain) { r.Time = time.Time{} }},
		{"no parameters", "consensus_params", func(r *abci.RequestInitChain) { r.ConsensusParams = nil }},
		{"no block parameters", "consensus_params", func(r *abci.RequestInitChain) { r.ConsensusParams.Block = nil }},
		{"app state empty", "app_state", func(r *abci.RequestInitChain) { r.AppStateBytes = nil }},
		{"app state unknown field", "app_state", func(r *abci.RequestInitChain) { r.AppStateBytes = []byte(`{"networkID2":1}`) }},
		{"app state without assets", "app_state", func(r *abci.RequestInitChain) {
			r.AppStateBytes = genesisDoc(everybody, func(g *ledger.Genesis) { g.Assets = nil })
		}},
	}
	c := openChain(t, t.TempDir(), Options{})
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			req := initRequest(genesisDoc(everybody, nil))
			tc.change(req)
			_, err := c.InitChain(ctx, req)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one that names %q", err, tc.want)
			}
		})
	}
	if c.Err() != nil || c.Network() != nil {
		t.Fatalf("refusals left a mark: %v, %v", c.Err(), c.Network())
	}
	c.initChain(genesisDoc(everybody, nil))
}

// Where the document leaves the version out, the application sets it.
func TestInitChainSetsTheVersion(t *testing.T) {
	for _, version := range []*cmtproto.VersionParams{nil, {}} {
		c := openChain(t, t.TempDir(), Options{})
		req := initRequest(genesisDoc(everybody, nil))
		req.ConsensusParams.Version = version
		res, err := c.InitChain(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		if p := res.ConsensusParams; p == nil || p.Version == nil || p.Version.App != ledger.Protocol || p.Block != nil {
			t.Errorf("version %v: answered with %v", version, p)
		}
	}
}

// Before InitChain nothing can be judged, and nothing fails.
func TestBeforeGenesis(t *testing.T) {
	c := openChain(t, t.TempDir(), Options{})
	if _, err := c.Admit([]byte{0x54}); !errors.Is(err, ErrNotReady) {
		t.Errorf("Admit: %v", err)
	}
	if c.accepts(&abci.RequestProcessProposal{Height: 1, Time: time.Unix(genesisTime, 0), Hash: []byte{1}}) {
		t.Error("a proposal is accepted")
	}
	if res, err := c.PrepareProposal(ctx, &abci.RequestPrepareProposal{Height: 1, Time: time.Unix(genesisTime, 0), Txs: [][]byte{{1}}}); err != nil || len(res.Txs) != 0 {
		t.Errorf("PrepareProposal: %v, %v", res, err)
	}
	if res, err := c.Query(ctx, &abci.RequestQuery{Path: "/network"}); err != nil || res.Code != CodeNotReady {
		t.Errorf("Query: %v, %v", res, err)
	}
	if c.Err() != nil {
		t.Errorf("the application stopped: %v", c.Err())
	}
}
