package node

import (
	"context"
	"encoding/json"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/explorer/index"
	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// An explorer in the node's process and one apart from it are told the same of every
// block, and what the index makes of it agrees with the node's proofs.
func TestExplorerSource(t *testing.T) {
	net := newTestnet(t, 2)
	net.startAll()
	for nonce := range ledger.Nonce(5) {
		net.commit(0, nonce)
	}
	src := net.nodes[0].ExplorerSource()
	top, err := src.Height(t.Context())
	if err != nil || top < 3 {
		t.Fatalf("height %d (%v)", top, err)
	}
	signed := 0
	for h := ledger.Height(0); h <= top; h++ {
		near, err := src.Block(t.Context(), h)
		if err != nil || near == nil {
			t.Fatalf("block %d: %v", h, err)
		}
		far := apart(t, net, h)
		sameContents(t, near, far)
		for _, v := range near.LastCommit {
			if v.Vote == explorer.VoteSigned {
				signed++
			}
		}
	}
	if signed < int(top) {
		t.Fatalf("%d votes are signed in %d blocks", signed, top)
	}
	if b, err := src.Block(t.Context(), top+1000); b != nil || err != nil {
		t.Fatalf("a block that does not exist: %v, %v", b, err)
	}
	checkExplorer(t, src, top)
}

// apart is a block as a program elsewhere reads it, in parts.
func apart(t *testing.T, net *testnet, h ledger.Height) *explorer.Block {
	t.Helper()
	whole := &wire.BlockContents{}
	for from := uint64(0); ; {
		var raw json.RawMessage
		net.ask(0, &raw, "ledger_getBlockContents", uint64(h), from)
		var part wire.BlockContents
		if err := json.Unmarshal(raw, &part); err != nil {
			t.Fatal(err)
		}
		events, txs := append(whole.Events, part.Events...), append(whole.Transactions, part.Transactions...)
		*whole = part
		whole.Events, whole.Transactions = events, txs
		if part.Next == nil {
			break
		}
		from = *part.Next
	}
	b, err := explorer.FromContents(net.nodes[0].backend.net, whole)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sameContents(t *testing.T, near, far *explorer.Block) {
	t.Helper()
	a, b := *near, *far
	if len(a.Txs) != len(b.Txs) || len(a.Results) != len(b.Results) || len(a.Events) != len(b.Events) {
		t.Fatalf("block %d: %d and %d transactions, %d and %d events", a.Height, len(a.Txs), len(b.Txs), len(a.Events), len(b.Events))
	}
	for i := range a.Txs {
		if string(a.Txs[i].Raw) != string(b.Txs[i].Raw) || !reflect.DeepEqual(a.Txs[i].Signers, b.Txs[i].Signers) || a.Txs[i].Sender != b.Txs[i].Sender {
			t.Fatalf("block %d: transaction %d differs", a.Height, i)
		}
		if x, y := a.Results[i], b.Results[i]; x.Code != y.Code || x.BodyHash != y.BodyHash || len(x.Events) != len(y.Events) || len(x.Events) > 0 && !reflect.DeepEqual(x.Events, y.Events) {
			t.Fatalf("block %d: result %d is %+v and %+v", a.Height, i, x, y)
		}
	}
	for i := range a.Events {
		if a.Events[i] != b.Events[i] {
			t.Fatalf("block %d: event %d differs", a.Height, i)
		}
	}
	a.Txs, b.Txs, a.Results, b.Results, a.Events, b.Events = nil, nil, nil, nil, nil, nil
	if !reflect.DeepEqual(a, b) {
		t.Fatalf("block %d is %+v and %+v", a.Height, a, b)
	}
}

// checkExplorer follows the node until its state has been compared with proofs.
func checkExplorer(t *testing.T, src explorer.Source, top ledger.Height) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	db, err := store.Open(ctx, filepath.Join(t.TempDir(), "explorer.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	x := index.New(db, src, index.Options{Reconcile: 50 * time.Millisecond, Fatal: true})
	ended := make(chan error, 1)
	running, stop := context.WithCancel(ctx)
	go func() { ended <- x.Run(running) }()
	q := query.New(db, x)
	for height := top; ; height++ { // heartbeats go on
		if err := db.Wait(ctx, height); err != nil {
			t.Fatal(err, x.Err())
		}
		status, err := q.Status(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if status.Differences > 0 {
			t.Fatalf("the index differs from the node's state: %+v", status)
		}
		if status.Checked != nil && status.Checked.Compared > 3 {
			break
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}
