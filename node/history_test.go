package node

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/rlp"

	"github.com/tallystick/tallystick/app"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/store"
	"github.com/tallystick/tallystick/ledger/store/pebbledb"
	"github.com/tallystick/tallystick/node/index"
	"github.com/tallystick/tallystick/rpc"
	"github.com/tallystick/tallystick/rpc/wire"
)

// ask calls a method of validator i's RPC.
func (n *testnet) ask(i int, into any, method string, params ...any) {
	n.t.Helper()
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		n.t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	n.nodes[i].rpc.ServeHTTP(w, r)
	var answer struct{ Result, Error json.RawMessage }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Error != nil {
		n.t.Fatalf("%s: %v, %s", method, err, w.Body)
	}
	if err := json.Unmarshal(answer.Result, into); err != nil {
		n.t.Fatalf("%s: %v in %s", method, err, answer.Result)
	}
}

// historyPage is as much of a page as these tests look at.
type historyPage struct {
	Items []struct {
		Height    uint64
		Index     *uint32
		Hash      *crypto.Hash
		BlockHash crypto.Hash
		Receipt   json.RawMessage
		Events    []json.RawMessage
	}
	Next *string
}

// A node that runs serves an account's history down to the genesis, also once it
// has made anew an index that an earlier version wrote.
func TestHistoryOnANode(t *testing.T) {
	t.Parallel()
	n := newTestnet(t, 1)
	n.startAll()
	var hashes []crypto.Hash
	for nonce := range ledger.Nonce(3) {
		n.commit(0, nonce)
		hashes = append(hashes, n.transfer(n.nodes[0].Network(), nonce).Hash)
	}
	slices.Reverse(hashes)
	asset, account := n.nodes[0].Network().AssetAddress(crypto.Address{}, 1), n.keys[0].Address()
	check := func() {
		t.Helper()
		for _, subject := range []any{account, map[string]any{"asset": asset}} {
			var page historyPage
			n.ask(0, &page, "ledger_getHistory", subject)
			if len(page.Items) != len(hashes)+1 || page.Next != nil {
				t.Fatalf("%v: %+v", subject, page)
			}
			for i, hash := range hashes {
				var receipt json.RawMessage
				n.ask(0, &receipt, "ledger_getReceipt", hash)
				if item := page.Items[i]; item.Hash == nil || *item.Hash != hash || string(item.Receipt) != string(receipt) {
					t.Errorf("item %d is %+v, want the receipt %s", i, item, receipt)
				}
			}
			genesis := page.Items[len(hashes)]
			if genesis.Height != 0 || genesis.Index != nil || len(genesis.Events) == 0 || genesis.BlockHash != n.nodes[0].backend.genesis.Hash {
				t.Errorf("%v: the genesis is %+v", subject, genesis)
			}
		}
	}
	check()
	b := n.nodes[0].Backend()
	top := b.Height()
	found := 0
	for height := ledger.Height(1); height <= top; height++ {
		done, err := b.Done(height)
		if err != nil || done.Height != height {
			t.Fatalf("block %d: %+v, %v", height, done, err)
		}
		for i, receipt := range done.Receipts {
			found++
			byHash, err := b.Receipt(receipt.Hash)
			at, bad := b.DoneAt(rpc.Place{Height: height, Index: uint32(i)})
			if err != nil || bad != nil || !reflect.DeepEqual(byHash, receipt) || at.Hash != done.Hash || !reflect.DeepEqual(at.Receipts, done.Receipts[i:i+1]) {
				t.Errorf("block %d: %+v, %+v and %+v (%v, %v)", height, receipt, byHash, at, err, bad)
			}
		}
	}
	if found != len(hashes) {
		t.Errorf("%d receipts in all blocks", found)
	}
	for _, nothing := range []rpc.Place{{Height: 1, Index: 77}, rpc.FirstPlace(1), {Height: top + 9}, rpc.FirstPlace(top + 9), {Height: 0, Index: 0}} {
		if done, err := b.DoneAt(nothing); done != nil || err != nil {
			t.Errorf("at %+v there is %+v, %v", nothing, done, err)
		}
	}
	network := n.nodes[0].Network().Hash
	n.stop(0)
	older, err := rlp.EncodeToBytes(struct {
		Format  uint64
		Network crypto.Hash
		Height  uint64
	}{1, network, uint64(top)})
	if err != nil {
		t.Fatal(err)
	}
	db, err := pebbledb.Open("index", n.files.home(0).IndexDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := db.SetSync([]byte{'m'}, older); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	n.start(0)
	n.reach(0, top)
	check()
}

// Two nodes show each other: who dialled whom, whose node it is, and how far it is.
func TestPeersOnANode(t *testing.T) {
	t.Parallel()
	n := newTestnet(t, 2)
	n.startAll()
	height := n.commit(0, 0)
	var directions []string
	for i, other := range []int{1, 0} {
		var peers wire.Peers
		n.until("the peer says how far it is", func() bool {
			n.ask(i, &peers, "ledger_peers")
			return len(peers.Items) == 1 && peers.Items[0].Height != nil && *peers.Items[0].Height >= uint64(height)
		})
		p := peers.Items[0]
		if peers.NodeID != n.nodes[i].ID() || p.NodeID != n.nodes[other].ID() || p.Moniker != n.configuration(other).Moniker ||
			!strings.HasPrefix(p.Address, "127.0.0.1:") || p.Member == nil || *p.Member != n.admin(other).Address() || p.MemberName == "" {
			t.Errorf("validator %d shows %+v", i, p)
		}
		directions = append(directions, p.Direction)
	}
	slices.Sort(directions)
	if !slices.Equal(directions, []string{"in", "out"}) {
		t.Errorf("the connection is %v", directions)
	}
	n.stop(1)
	n.until("nobody is connected", func() bool {
		var peers wire.Peers
		n.ask(0, &peers, "ledger_peers")
		return peers.Items != nil && len(peers.Items) == 0
	})
}

// What a node has waiting is shown with the reason.
func TestPendingOnANode(t *testing.T) {
	t.Parallel()
	n := newTestnet(t, 2)
	n.startAll()
	n.commit(0, 0)
	n.stop(1) // no more blocks
	b := n.nodes[0].backend
	waits := n.transfer(b.net, 1)
	if v, err := b.Submit(t.Context(), waits.Raw); err != nil || v.Code != 0 {
		t.Fatal(v, err)
	}
	var page wire.PendingPage
	n.ask(0, &page, "ledger_pending", map[string]any{"account": waits.Sender})
	if len(page.Items) != 1 || page.Items[0].Hash != waits.Hash || page.Items[0].Reason != wire.PendingNext || page.Total != 1 || page.Height == 0 {
		t.Errorf("%+v", page)
	}
	for _, test := range []struct {
		prospect   app.Prospect
		catchingUp bool
		quiet      time.Duration
		want       string
	}{
		{app.ProspectNext, false, noBlocksAfter, wire.PendingNext},
		{app.ProspectQueued, false, 0, wire.PendingQueued},
		{app.ProspectPaced, false, 0, wire.PendingPaced},
		{app.ProspectNew, false, 0, wire.PendingNew},
		{app.ProspectDoubted, false, 0, wire.PendingDoubted},
		{app.ProspectQueued, false, noBlocksAfter + 1, wire.PendingNoBlocks},
		{app.ProspectNext, true, time.Hour, wire.PendingCatchingUp},
	} {
		if got := pendingReason(test.prospect, test.catchingUp, test.quiet); got != test.want {
			t.Errorf("%+v: %s", test, got)
		}
	}
}

// While the index is made anew, and is further behind than the state is kept,
// there is no state to read at its height: clients are told to wait.
func TestStateWhileTheIndexIsFarBehind(t *testing.T) {
	t.Parallel()
	n := newTestnet(t, 1)
	n.startAll()
	node := n.nodes[0]
	for nonce := ledger.Nonce(0); node.store.Height() <= store.HistoryHeights+1; nonce++ {
		n.commit(0, nonce)
	}
	x, err := index.Open(t.TempDir(), index.Options{Network: node.Network(), Genesis: node.genesis.events})
	if err != nil {
		t.Fatal(err)
	}
	source := node.source()
	source.committed = func() ledger.Height { return 1 }
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- x.Run(ctx, source) }()
	if err := x.WaitHeight(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	behind := *node.backend
	behind.index = x
	if state, err := behind.State(); !errors.Is(err, rpc.ErrCatchingUp) || state != nil {
		t.Errorf("the state is %v, %v", state, err)
	}
	if view, err := behind.View(1); err != nil {
		t.Errorf("the view is %v, %v", view, err)
	}
	cancel()
	if err := errors.Join(<-ended, x.Close()); err != nil {
		t.Error(err)
	}
}
