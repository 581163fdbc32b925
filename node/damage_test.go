package node

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cometbft/cometbft/types"
	cosmosdb "github.com/cosmos/cosmos-db"

	"github.com/tallystick/tallystick/app"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/node/index"
)

// The index reads the same block from the application's memory and from
// CometBFT's stores.
func TestBothRoadsOfTheSourceAgree(t *testing.T) {
	t.Parallel()
	net := newTestnet(t, 1)
	net.calm() // eight blocks are remembered
	net.startAll()
	var last ledger.Height
	for nonce := range ledger.Nonce(3) {
		last = net.commit(0, nonce)
	}
	src := net.nodes[0].source()
	for h := last; h > last-3; h-- {
		if _, ok := src.executed(h); !ok {
			t.Fatalf("block %d is not remembered", h)
		}
		fast, err := src.Block(h)
		if err != nil {
			t.Fatal(err)
		}
		stored, err := src.stored(h)
		if err != nil {
			t.Fatal(err)
		}
		if !sameBlock(fast, stored) {
			t.Errorf("block %d: %+v executed, %+v stored", h, fast, stored)
		}
	}
	src.executed = func(ledger.Height) (app.ExecutedBlock, bool) { return app.ExecutedBlock{}, false }
	if b, err := src.Block(1); err != nil || b == nil || b.Height != 1 {
		t.Errorf("block 1 from the stores: %+v, %v", b, err)
	}
}

// sameBlock compares what the index reads of two blocks.
func sameBlock(a, b *index.Block) bool {
	if a.Height != b.Height || a.Hash != b.Hash || a.Time != b.Time || a.Root != b.Root || len(a.Txs) != len(b.Txs) || len(a.Results) != len(b.Results) {
		return false
	}
	for i := range a.Txs {
		x, y, r, s := a.Txs[i], b.Txs[i], &a.Results[i], &b.Results[i]
		if x.Hash != y.Hash || !reflect.DeepEqual(x.Body, y.Body) || r.Code != s.Code || r.BodyHash != s.BodyHash || len(r.Events) != len(s.Events) {
			return false
		}
		for j := range r.Events {
			if r.Events[j] != s.Events[j] {
				return false
			}
		}
	}
	return true
}

// Stores that have lost blocks which others still have are refused with advice.
func TestChainThatDoesNotFitTogetherIsRefusedWithAdvice(t *testing.T) {
	t.Parallel()
	net := newTestnet(t, 1)
	net.startAll()
	net.commit(0, 0)
	net.stop()
	home := net.files.home(0)
	old := filepath.Join(t.TempDir(), "old")
	if err := os.CopyFS(old, os.DirFS(home.DataDir())); err != nil {
		t.Fatal(err)
	}
	net.startAll()
	last := ledger.Height(0)
	for nonce := ledger.Nonce(1); nonce < 5; nonce++ {
		last = net.commit(0, nonce)
	}
	net.stop()
	for _, c := range []struct {
		want string
		back []string
	}{
		{"StateBlockHeight + 1", []string{"state.db"}},
		{"is higher than core", []string{"state.db", "blockstore.db"}},
	} {
		for _, name := range c.back {
			path := filepath.Join(home.DataDir(), name)
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
			if err := os.CopyFS(path, os.DirFS(filepath.Join(old, name))); err != nil {
				t.Fatal(err)
			}
		}
		n, err := New(net.o.configuration(0, net.files.identities), string(home), Options{Logger: net.o.Log})
		if err == nil {
			n.Stop(context.Background())
			t.Fatalf("it starts at height %d, having lost %v", last, c.back)
		}
		for _, want := range []string{c.want, "from a backup", "except priv_validator_state.json", home.DataDir()} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v lost: %v: want something with %q", c.back, err, want)
			}
		}
	}
}

// What cannot be read at run time ends the node with the reason, and is not
// answered with an error for ever. A block that is no longer kept ends nothing.
func TestFailedReadEndsTheNode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, want string
		store      unreadable
	}{
		{"a block that cannot be read", "checksum", unreadable{base: 1, panics: true}},
		{"a block that is lost", "not in the block store, which has 1 to", unreadable{base: 1}},
		{"a block that is not kept", "", unreadable{base: 1 << 40}},
	} {
		var failed error
		b := &backend{blocks: c.store, failed: func(err error) { failed = err }}
		if _, _, err := b.load(1); err == nil {
			t.Errorf("%s: no error", c.name)
		}
		if (failed == nil) != (c.want == "") || failed != nil && !strings.Contains(failed.Error(), c.want) {
			t.Errorf("%s: the node failed with %v, want %q", c.name, failed, c.want)
		}
	}
	net := newTestnet(t, 1)
	net.startAll()
	height := net.commit(0, 0)
	net.stop()
	db, err := cosmosdb.NewPebbleDB("index", net.files.home(0).IndexDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	spoilt := binary.BigEndian.AppendUint64([]byte{'b'}, uint64(height))
	if err := errors.Join(db.SetSync(spoilt, []byte{0xff}), db.Close()); err != nil {
		t.Fatal(err)
	}
	net.startAll()
	n := net.nodes[0]
	if _, err := n.Backend().Receipt(net.transfer(n.Network(), 0).Hash); err == nil {
		t.Fatal("the receipt was read")
	}
	select {
	case <-n.Failed():
		if err := n.Wait(); !strings.Contains(err.Error(), "delete that directory") {
			t.Errorf("the node failed with %v", err)
		}
	default:
		t.Error("the node has not failed")
	}
}

// unreadable is a block store that gives no block.
type unreadable struct {
	base   int64
	panics bool
}

func (u unreadable) Base() int64   { return u.base }
func (u unreadable) Height() int64 { return u.base + 1 }

func (u unreadable) LoadBlock(int64) *types.Block { return nil }

func (u unreadable) LoadBlockMeta(int64) *types.BlockMeta {
	if u.panics {
		panic("checksum mismatch")
	}
	return nil
}
