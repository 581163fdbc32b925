package rpc

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// cutter stands before a server and cuts each connection after as many bytes as
// it is told, in the middle of whatever goes over it.
type cutter struct {
	listener net.Listener
	behind   string // the server's address
	bytes    func() int64
	over     context.Context // ends with the test
	cuts     atomic.Int64
	wait     sync.WaitGroup
}

func newCutter(t testing.TB, server *httptest.Server, bytes func() int64) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{listener: l, behind: strings.TrimPrefix(server.URL, "http://"), bytes: bytes}
	ctx, cancel := context.WithCancel(context.Background())
	c.over = ctx
	c.wait.Go(c.serve)
	t.Cleanup(func() { l.Close(); cancel(); c.wait.Wait() })
	return c
}

func (c *cutter) url() string { return "http://" + c.listener.Addr().String() }

func (c *cutter) serve() {
	for {
		in, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.wait.Go(func() { c.pass(in) })
	}
}

func (c *cutter) pass(in net.Conn) {
	defer in.Close()
	out, err := net.Dial("tcp", c.behind)
	if err != nil {
		return
	}
	defer out.Close()
	defer context.AfterFunc(c.over, func() { out.Close(); in.Close() })()
	c.wait.Go(func() { io.Copy(out, in); out.Close() })
	if _, err := io.CopyN(in, out, c.bytes()); err == nil {
		c.cuts.Add(1)
	}
}

// Followers whose connections are cut at random points, hundreds of times, and who
// are thrown from node to node, see every event exactly once by cursor.
func TestFollowersAreCutAtRandomAndSeeEverythingOnce(t *testing.T) {
	blocks, least := 400, int64(500)
	if testing.Short() {
		blocks, least = 80, 80
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	h := newHarness(t, Options{})
	other, err := NewServer(h.node, Options{Logger: h.options.Logger})
	if err != nil {
		t.Fatal(err)
	}
	h.slow.progress, other.slow.progress = 0, 0 // so that quiet followers come to an end
	random := rand.New(rand.NewPCG(seed, 1))
	var mu sync.Mutex
	bytes := func() int64 { mu.Lock(); defer mu.Unlock(); return 200 + random.Int64N(9_000) }
	nodes := []*cutter{newCutter(t, listening(t, h), bytes), newCutter(t, listening(t, &harness{Server: other}), bytes)}
	dialled := dialUntil(t, nodes[0].url(), nodes[1].url())
	defer dialled.Close()

	carol, one := crypto.Address{19: 0xca}, "one"
	begin := wire.Cursor{Height: 0, Index: wire.IndexBlockBegin}
	var followers []*followed
	for _, options := range []wire.SubscribeOptions{{}, {Account: &carol}, {Reference: &one}, {Asset: &h.node.net.Settlement}, {Account: &bob, Reference: &one}} {
		options.Cursor = &begin
		f := &followed{kind: client.Receipts, options: options}
		followers = append(followers, f)
		h.followUntil(t, f, dialled, uint64(blocks))
	}
	whole := &followed{kind: client.NewBlocks, options: wire.SubscribeOptions{Cursor: &begin}}
	h.followUntil(t, whole, dialled, uint64(blocks))
	for i := range blocks - 1 {
		h.block(t, h.mixed(uint64(2*i), i), h.mixed(uint64(2*i+1), i+1))
	}
	h.block(t, h.payment(uint64(2*blocks), 1))
	for _, f := range followers {
		<-f.ended
		want := expected(t, h.node, f.options, begin)
		if f.err != nil || !slices.Equal(f.seen, want) {
			t.Errorf("%+v: %v, saw %d of %d\n%v\n%v", f.options, f.err, len(f.seen), len(want), f.seen, want)
		}
	}
	<-whole.ended
	if whole.err != nil || len(whole.seen) != blocks || !slices.IsSortedFunc(whole.seen, wire.Cursor.Compare) {
		t.Errorf("blocks: %v, %v", whole.err, whole.seen)
	}
	if cuts := nodes[0].cuts.Load() + nodes[1].cuts.Load(); cuts < least {
		t.Errorf("only %d cuts", cuts)
	} else {
		t.Logf("%d cuts", cuts)
	}
}

// dialUntil makes a client of nodes that are cut.
func dialUntil(t testing.TB, urls ...string) *client.Client {
	t.Helper()
	for range 1000 {
		c, err := client.Dial(t.Context(), urls...)
		if err == nil {
			return c
		}
	}
	t.Fatal("the client never came to be")
	return nil
}

// mixed is some payment or hold.
func (h *harness) mixed(nonce uint64, i int) ledger.Body {
	to, reference := []crypto.Address{bob, {19: 0xca}, {19: 0xda}}[i%3], []string{"one", "two", "", "one"}[i%4]
	if i%5 == 0 {
		expiry := ledger.UnixTime(genesisTime + uint64(h.node.Height()) + 4)
		return ledger.Body{Sender: alice, Nonce: ledger.Nonce(nonce), Op: &ledger.CreateHold{From: alice, To: to, Asset: h.node.net.Settlement, Amount: ledger.NewAmount(5), Expiry: expiry, Reference: reference}}
	}
	return ledger.Body{Sender: alice, Nonce: ledger.Nonce(nonce), Op: &ledger.Transfer{Legs: []ledger.Leg{
		{From: alice, To: to, Asset: h.node.net.Settlement, Amount: ledger.NewAmount(1), Reference: reference}}}}
}

// followed is what a follower saw.
type followed struct {
	kind    string
	options wire.SubscribeOptions
	seen    []wire.Cursor
	err     error
	ended   chan struct{} // closed when the rest may be read
}

// followUntil follows until everything of a height has been seen.
func (h *harness) followUntil(t testing.TB, f *followed, c *client.Client, height uint64) {
	f.ended = make(chan struct{})
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	go func() {
		defer close(f.ended)
		defer cancel()
		for n, err := range c.Follow(ctx, f.kind, f.options) {
			if err != nil {
				f.err = err
				return
			}
			if n.Block != nil || n.Own != nil || n.Receipt != nil {
				f.seen = append(f.seen, n.Cursor)
			}
			if n.Cursor.Height >= height {
				return
			}
		}
	}()
}

// A program that is slow, is dropped by the node, ends and begins again with the
// cursor that it kept, sees everything once all the same.
func TestSlowFollowerGoesOnFromItsCursor(t *testing.T) {
	h := newHarness(t, Options{})
	h.slowness(func(s *slowness) { s.behind = 3; s.progress = 0 })
	c, err := client.Dial(t.Context(), listening(t, h).URL)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	begin := wire.Cursor{Height: 0, Index: wire.IndexBlockBegin}
	options := wire.SubscribeOptions{Cursor: &begin}
	var seen []wire.Cursor
	for nonce := uint64(0); h.node.Height() < 60; {
		for n, err := range c.Follow(t.Context(), client.Receipts, options) {
			if err != nil {
				t.Fatal(err)
			}
			if n.Receipt != nil || n.Own != nil {
				seen = append(seen, n.Cursor)
			}
			options.Cursor = &n.Cursor
			if n.Cursor.Height == uint64(h.node.Height()) {
				break // the program ends
			}
		}
		for range 10 { // too many while it is away or slow
			h.block(t, h.mixed(nonce, int(nonce)))
			nonce++
		}
	}
	for n, err := range c.Follow(t.Context(), client.Receipts, options) {
		if err != nil {
			t.Fatal(err)
		}
		if n.Receipt != nil || n.Own != nil {
			seen = append(seen, n.Cursor)
		}
		if n.Cursor.Height == 60 {
			break
		}
	}
	if want := expected(t, h.node, wire.SubscribeOptions{}, begin); !slices.Equal(seen, want) {
		t.Errorf("saw %v, want %v", seen, want)
	}
	eventually(t, "nothing is left on the node", func() bool { return h.subscribed.used() == 0 })
}

// What no node takes ends the sequence with its reason.
func TestFollowIsRefused(t *testing.T) {
	h := newHarness(t, Options{})
	h.block(t)
	c, err := client.Dial(t.Context(), listening(t, h).URL)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ends := func(ctx context.Context, name, kind string, options wire.SubscribeOptions) {
		t.Helper()
		count := 0
		for _, err := range c.Follow(ctx, kind, options) {
			count++
			var e *client.Error
			if !errors.As(err, &e) || e.Name != name {
				t.Errorf("got %v, want %s", err, name)
				break
			}
		}
		if count != 1 {
			t.Errorf("%d results", count)
		}
	}
	ends(t.Context(), "invalidParams", "newHeads", wire.SubscribeOptions{})
	ends(t.Context(), "invalidParams", client.NewBlocks, wire.SubscribeOptions{Account: &alice})
	ends(t.Context(), "invalidParams", client.Receipts, wire.SubscribeOptions{Reference: new(string)})
	h.node.mu.Lock()
	h.node.done[1] = nil
	h.node.mu.Unlock()
	ends(t.Context(), "notKept", client.Receipts, wire.SubscribeOptions{Cursor: &wire.Cursor{Height: 1, Index: wire.IndexBlockBegin}})
	over, cancel := context.WithCancel(t.Context())
	cancel()
	ends(over, client.NameTimeout, client.NewBlocks, wire.SubscribeOptions{Cursor: &wire.Cursor{Height: 2, Index: 0}})

	// A node of another network must not be believed, whatever the cursor says.
	stranger := newHarness(t, Options{})
	stranger.node.net = must(ledger.NewNetwork("another", 888_888, crypto.Address{1}, 2))
	var who atomic.Pointer[Server]
	who.Store(h.Server)
	moving := httptest.NewServer(handlerOf(&who))
	defer moving.Close()
	moved, err := client.Dial(t.Context(), moving.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer moved.Close()
	who.Store(stranger.Server)
	c = moved
	ends(t.Context(), client.NameNetwork, client.NewBlocks, wire.SubscribeOptions{})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// handlerOf serves by whichever server stands there.
func handlerOf(who *atomic.Pointer[Server]) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { who.Load().ServeHTTP(w, r) })
}
