package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/feed"
	"github.com/tallystick/tallystick/rpc/wire"
)

// chain is a source of blocks with height%4 receipts, every third of an account,
// and, each fifth, events of their own.
type chain struct {
	mu      sync.Mutex // guards what follows
	top     ledger.Height
	changed chan struct{}
	gone    ledger.Height // not kept up to here
}

var somebody = crypto.Address{19: 5}

func newChain(top ledger.Height) *chain { return &chain{top: top, changed: make(chan struct{})} }

func (c *chain) grow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.top++
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *chain) Height() ledger.Height {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.top
}

func (c *chain) WaitHeight(ctx context.Context, height ledger.Height) error {
	for {
		c.mu.Lock()
		top, changed := c.top, c.changed
		c.mu.Unlock()
		if top >= height {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *chain) Done(height ledger.Height) (*feed.Done, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if height <= c.gone && c.gone > 0 {
		return nil, nil
	}
	done := &feed.Done{Height: height, Time: 7}
	for i := range uint32(height % 4) {
		r := &wire.Receipt{Height: uint64(height), Index: i, Kind: "transfer", Status: "applied", Events: []wire.Event{}}
		if (uint64(height)+uint64(i))%3 == 0 {
			r.Sender = somebody
		}
		done.Receipts = append(done.Receipts, r)
	}
	if height%5 == 0 {
		done.Events = []ledger.Event{{Type: ledger.EventAssetPaused, Asset: crypto.Address{1}}}
	}
	return done, nil
}

func (c *chain) Block(height ledger.Height) (*wire.Block, error) {
	return &wire.Block{Height: uint64(height), Proposer: []byte{}, Transactions: []crypto.Hash{}}, nil
}

func (c *chain) Member(ledger.Height, crypto.Address) (crypto.Address, error) {
	return crypto.Address{}, nil
}

// everything is what a hook without conditions is to tell, from a block to another.
func everything(from, to uint64) (out []wire.Cursor) {
	for h := from; h <= to; h++ {
		if h%5 == 0 {
			out = append(out, wire.Cursor{Height: h, Index: wire.IndexOwnEvents})
		}
		for i := range int64(h % 4) {
			out = append(out, wire.Cursor{Height: h, Index: i})
		}
	}
	return out
}

// receiver is a server that keeps what it takes over, and does not always.
type receiver struct {
	*httptest.Server
	t      testing.TB
	secret []byte

	mu    sync.Mutex            // guards what follows
	judge func(attempt int) int // the status to answer with; 0: break off
	count int
	taken []Delivery
}

func newReceiver(t testing.TB, judge func(attempt int) int) *receiver {
	t.Helper()
	r := &receiver{t: t, secret: []byte("a secret of some length"), judge: judge}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return // it broke off
	}
	if err := Verify(r.secret, body, request.Header.Get(HeaderSignature), time.Now(), time.Minute); err != nil {
		r.t.Error(err)
	}
	var d Delivery
	if err := json.Unmarshal(body, &d); err != nil || d.ID != request.Header.Get(HeaderDelivery) || len(d.Notices) == 0 {
		r.t.Errorf("%v in %s", err, body)
	}
	r.mu.Lock()
	status := r.judge(r.count)
	r.count++
	if status/100 == 2 {
		r.taken = append(r.taken, d)
	}
	r.mu.Unlock()
	if status == 0 {
		panic(http.ErrAbortHandler)
	}
	if status/100 == 3 {
		w.Header().Set("Location", r.URL+"/elsewhere")
	}
	w.WriteHeader(status)
	fmt.Fprint(w, strings.Repeat("x", 100_000)) // more than anybody reads
}

// cursors are those of all notices taken, in the order in which they were.
func (r *receiver) cursors() (out []wire.Cursor) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range r.taken {
		for _, n := range d.Notices {
			out = append(out, n.Cursor)
		}
	}
	return out
}

// rig is a Sender with its surroundings.
type rig struct {
	chain   *chain
	dir     string
	metrics *prometheus.Registry
}

func newRig(t testing.TB, top ledger.Height) *rig {
	return &rig{newChain(top), t.TempDir(), nil}
}

func (r *rig) sender(t testing.TB, hooks ...Hook) *Sender {
	t.Helper()
	s, err := r.make(t, hooks...)
	if err != nil {
		t.Fatal(err)
	}
	s.times = times{answer: time.Minute, first: time.Millisecond, last: 10 * time.Millisecond}
	return s
}

func (r *rig) make(t testing.TB, hooks ...Hook) (*Sender, error) {
	r.metrics = prometheus.NewRegistry()
	return New(hooks, Options{
		Dir: r.dir, NetworkID: "test", ChainID: 7, Feed: feed.New(t.Context(), r.chain),
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Metrics: r.metrics,
	})
}

// start runs a sender until stop is called.
func start(t testing.TB, s *Sender) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

func (r *receiver) hook(name string) Hook { return Hook{Name: name, URL: r.URL, Secret: r.secret} }

func from(h ledger.Height) *ledger.Height { return &h }

// Whatever the receiver does, it gets everything in order, and what it has taken
// over it does not get again while the node lives.
func TestReceiverThatFails(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random, moods := rand.New(rand.NewPCG(seed, 1)), rand.New(rand.NewPCG(seed, 2))
	statuses := []int{200, 204, 500, 503, 429, 404, 401, 301, 307, 0, 299, 200, 200}
	r := newReceiver(t, func(attempt int) int {
		if attempt == 0 {
			return http.StatusInternalServerError
		}
		return statuses[moods.IntN(len(statuses))]
	})
	g := newRig(t, 40)
	h := r.hook("erp")
	h.From = from(1)
	s := g.sender(t, h)
	stop := start(t, s)
	for range 60 {
		g.chain.grow()
		if random.IntN(3) == 0 {
			time.Sleep(time.Millisecond) // sometimes a block comes alone
		}
	}
	want := everything(1, 100)
	eventually(t, "everything is taken", func() bool { return len(r.cursors()) >= len(want) })
	stop()
	if got := r.cursors(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	failed := 0.0
	families, err := g.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.Metric {
			if strings.HasSuffix(f.GetName(), "attempts_total") && strings.Contains(fmt.Sprint(m.Label), "failed") {
				failed = m.Counter.GetValue()
			}
		}
	}
	if failed == 0 {
		t.Error("no failure was counted")
	}
}

// A receiver that hangs is given up and asked again; it may have taken what it was
// sent, so it can get that twice, and nothing is passed over.
func TestReceiverThatHangs(t *testing.T) {
	let := make(chan struct{})
	var once sync.Once
	r := newReceiver(t, func(attempt int) int {
		if attempt < 2 {
			once.Do(func() { go func() { time.Sleep(500 * time.Millisecond); close(let) }() }) // longer than the sender waits
			<-let
		}
		return 200
	})
	g := newRig(t, 3)
	h := r.hook("erp")
	h.From = from(0)
	s := g.sender(t, h)
	s.times.answer = 200 * time.Millisecond
	stop := start(t, s)
	want := everything(0, 3)
	eventually(t, "everything is taken", func() bool {
		return len(r.cursors()) >= len(want) && r.cursors()[len(r.cursors())-1] == want[len(want)-1]
	})
	stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range r.taken {
		if d.ID != r.taken[0].ID {
			t.Errorf("the delivery %s became %s when it was sent again", r.taken[0].ID, d.ID)
		}
	}
}

// A node that ends at any moment, between a delivery and its cursor above all,
// repeats at most what was not written down, and a receiver that goes by the cursors
// sees everything exactly once.
func TestNodeDiesBetweenDeliveryAndCursor(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 2))
	var kill context.CancelFunc
	r := newReceiver(t, nil)
	r.judge = func(int) int {
		if random.IntN(2) == 0 {
			kill() // the answer goes to nobody
		}
		return 200
	}
	g := newRig(t, 0)
	h := r.hook("erp")
	h.From = from(0)
	want := everything(0, 80)
	deaths := 0
	for g.chain.Height() < 80 || len(seenOnce(t, r.cursors())) < len(want) {
		ctx, cancel := context.WithCancel(t.Context())
		r.mu.Lock()
		kill = cancel
		r.mu.Unlock()
		s := g.sender(t, h)
		ended := make(chan struct{})
		go func() { defer close(ended); s.Run(ctx) }()
		for range 4 {
			if g.chain.Height() < 80 {
				g.chain.grow()
			}
		}
		select {
		case <-ended:
			deaths++
		case <-time.After(50 * time.Millisecond):
			cancel()
			<-ended
		}
	}
	if got := seenOnce(t, r.cursors()); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if len(r.cursors()) == len(want) || deaths < 3 {
		t.Errorf("%d deaths, and nothing came twice: this proves little", deaths)
	}
}

// seenOnce is what a receiver makes of what it gets: it passes over what is not
// behind its own cursor. What it is sent must never leave a gap, which shows in the end.
func seenOnce(t testing.TB, got []wire.Cursor) (out []wire.Cursor) {
	t.Helper()
	for _, c := range got {
		if len(out) == 0 || c.Compare(out[len(out)-1]) > 0 {
			out = append(out, c)
		}
	}
	return out
}

// What happens after the first start is told even if the node ends before it has
// sent anything.
func TestFirstCursorIsWrittenAtOnce(t *testing.T) {
	r := newReceiver(t, func(int) int { return 200 })
	g := newRig(t, 10)
	g.sender(t, r.hook("erp")) // and ends
	for range 5 {
		g.chain.grow()
	}
	stop := start(t, g.sender(t, r.hook("erp")))
	want := everything(11, 15)
	eventually(t, "everything is taken", func() bool { return len(r.cursors()) == len(want) })
	stop()
	if got := r.cursors(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Each webhook has its own filter, cursor and pace: one whose receiver is dead
// holds up nobody.
func TestWebhooksAreIndependent(t *testing.T) {
	r, blocks := newReceiver(t, func(int) int { return 200 }), newReceiver(t, func(int) int { return 200 })
	dead := newReceiver(t, func(int) int { return 500 })
	g := newRig(t, 30)
	own, whole, never := r.hook("own"), blocks.hook("whole"), dead.hook("dead")
	own.Filter.Account, whole.Blocks = &somebody, true
	own.From, whole.From, never.From = from(0), from(0), from(0)
	s := g.sender(t, own, whole, never)
	stop := start(t, s)
	var want []wire.Cursor
	for _, c := range everything(0, 30) {
		if c.Index >= 0 && (c.Height+uint64(c.Index))%3 == 0 {
			want = append(want, c)
		}
	}
	eventually(t, "the others are done", func() bool { return len(r.cursors()) == len(want) && len(blocks.cursors()) == 30 })
	eventually(t, "the dead one was asked often", func() bool { dead.mu.Lock(); defer dead.mu.Unlock(); return dead.count > 5 })
	stop()
	if got := r.cursors(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if lag := s.hooks[2].lag(); lag != 30 {
		t.Errorf("the dead one lags by %v", lag)
	}
	if lag := s.hooks[1].lag(); lag != 0 {
		t.Errorf("the one that is served lags by %v", lag)
	}
}

// Deliveries are bounded, whatever stands in one block.
func TestDeliveriesAreBounded(t *testing.T) {
	d := &delivery{}
	for range maxNotices {
		if !d.fits() || !d.add([]byte("{}")) {
			t.Fatal("full too early")
		}
	}
	if d.fits() {
		t.Error("too many notices fit")
	}
	large := make([]byte, maxBytes)
	if d = (&delivery{}); !d.add(large) || d.add([]byte("{}")) || d.fits() {
		t.Error("beside a large notice another one fits")
	}
}

// Blocks that are no longer kept stop the webhook, not the node and not the others.
func TestWebhookBehindWhatIsKept(t *testing.T) {
	r := newReceiver(t, func(int) int { return 200 })
	g := newRig(t, 20)
	g.chain.gone = 10
	old, other := r.hook("old"), r.hook("other")
	old.From, other.From = from(5), from(15)
	stop := start(t, g.sender(t, old, other))
	want := everything(15, 20)
	eventually(t, "the other is done", func() bool { return len(r.cursors()) == len(want) })
	stop()
	if c, ok, err := (cursorFile{filepath.Join(g.dir, "old.json"), "test"}).read(); err != nil || !ok || c.Height != 5 {
		t.Errorf("the old one's cursor: %v %v %v", c, ok, err)
	}
}

func TestCursorFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.json")
	f := cursorFile{path, "test"}
	if _, ok, err := f.read(); ok || err != nil {
		t.Errorf("none yet: %v %v", ok, err)
	}
	for _, c := range []wire.Cursor{{Height: 0, Index: -2}, {Height: 7, Index: wire.IndexBlockEnd}, {Height: 1 << 50, Index: 3}} {
		if err := f.write(c); err != nil {
			t.Fatal(err)
		}
		if got, ok, err := f.read(); got != c || !ok || err != nil {
			t.Errorf("wrote %v, read %v %v %v", c, got, ok, err)
		}
	}
	for _, bad := range []string{"", "{", "[]", "7", "{}", `{"cursor":{"height":1,"index":0}}`, `{"networkId":"other","cursor":{"height":1,"index":0}}`,
		`{"networkId":"test","cursor":{"height":-1,"index":0}}`, `{"networkId":"test","cursor":{"height":1,"index":-3}}`, strings.Repeat(" ", maxFileBytes+1)} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := f.read(); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%.50q was read: %v", bad, err)
		}
	}
	r := newReceiver(t, func(int) int { return 200 })
	g := newRig(t, 1)
	if err := os.WriteFile(filepath.Join(g.dir, "erp.json"), []byte("?"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := g.make(t, r.hook("erp")); err == nil {
		t.Error("a sender began with a damaged cursor")
	}
	gone := cursorFile{filepath.Join(t.TempDir(), "no", "x.json"), "test"}
	if err := gone.write(wire.Cursor{}); err == nil {
		t.Error("a cursor was written where there is no directory")
	}
}

func (c *chain) Seek(_ *feed.Filter, from ledger.Height) (ledger.Height, error) { return from, nil }
