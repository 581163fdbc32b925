package rpc

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gethrpc "github.com/ethereum/go-ethereum/rpc"
	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/feed"
	"github.com/tallystick/tallystick/rpc/wire"
)

// listener is a subscription as its client sees it.
type listener struct {
	t      testing.TB
	socket *websocket.Conn
	id     string
	schema *jsonschema.Schema // of a notice; nil for none
}

// noticeSchema is the schema of notices in the OpenRPC document.
func noticeSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	document := parse(t, testDocument(t))
	closeObjects(document)
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	if err := c.AddResource("doc.json", document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("doc.json#/components/schemas/Notice")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// listen subscribes over a WebSocket of its own.
func listen(t testing.TB, h *harness, kind string, options any) *listener {
	t.Helper()
	l := &listener{t: t, socket: dial(t, h)}
	l.subscribe(kind, options)
	return l
}

// subscribe asks for a subscription, which must be granted.
func (l *listener) subscribe(kind string, options any) {
	l.t.Helper()
	say(l.t, l.socket, request("ledger_subscribe", kind, options))
	a := readAnswer(l.t, hear(l.t, l.socket))
	if a.Error != nil {
		l.t.Fatalf("%+v", *a.Error)
	}
	if err := json.Unmarshal(a.Result, &l.id); err != nil {
		l.t.Fatal(err)
	}
}

// next hears one notice, whatever it says.
func (l *listener) next() wire.Notice {
	l.t.Helper()
	return l.read(hear(l.t, l.socket))
}

func (l *listener) read(raw []byte) wire.Notice {
	l.t.Helper()
	var message struct {
		Version, Method string
		ID              *json.RawMessage
		Params          struct {
			Subscription string
			Result       json.RawMessage
		}
	}
	if err := json.Unmarshal(raw, &message); err != nil || message.Method != "ledger_subscription" || message.ID != nil || message.Params.Subscription != l.id {
		l.t.Fatalf("%v: %s is no notification of %s", err, raw, l.id)
	}
	if l.schema != nil {
		if err := l.schema.Validate(parse(l.t, message.Params.Result)); err != nil {
			l.t.Errorf("%v in %s", err, message.Params.Result)
		}
	}
	var n wire.Notice
	if err := json.Unmarshal(message.Params.Result, &n); err != nil {
		l.t.Fatal(err)
	}
	return n
}

// until hears notices until the cursor is reached, and returns those that tell
// something.
func (l *listener) until(end wire.Cursor) (told []wire.Notice) {
	l.t.Helper()
	for {
		n := l.next()
		if n.Error != nil {
			l.t.Fatalf("%+v", *n.Error)
		}
		if n.Block != nil || n.Own != nil || n.Receipt != nil {
			told = append(told, n)
		}
		if n.Cursor.Compare(end) >= 0 {
			return told
		}
	}
}

// block commits a block of bodies by alice.
func (h *harness) block(t testing.TB, bodies ...ledger.Body) {
	t.Helper()
	h.node.mu.Lock()
	h.node.hold = true
	h.node.mu.Unlock()
	for _, b := range bodies {
		if v, err := h.node.Submit(context.Background(), h.signed(t, b).Raw); err != nil || v.Code != ledger.Applied {
			t.Fatalf("%v %v", err, v.Code)
		}
	}
	h.node.commit(t)
}

// eventful makes a chain in which a hold expires, and what else filters look at.
func eventful(t testing.TB, h *harness) {
	t.Helper()
	tally := h.node.net.Settlement
	carol, dave := crypto.Address{19: 0xca}, crypto.Address{19: 0xda}
	pay := func(nonce ledger.Nonce, to crypto.Address, reference string) ledger.Body {
		return ledger.Body{Sender: alice, Nonce: nonce, Op: &ledger.Transfer{Legs: []ledger.Leg{
			{From: alice, To: to, Asset: tally, Amount: ledger.NewAmount(1), Reference: reference}}}}
	}
	hold := func(nonce ledger.Nonce, to crypto.Address, expiry ledger.UnixTime) ledger.Body {
		return ledger.Body{Sender: alice, Nonce: nonce, Op: &ledger.CreateHold{From: alice, To: to, Asset: tally, Amount: ledger.NewAmount(5), Expiry: expiry, Reference: "hold"}}
	}
	h.block(t, pay(0, carol, "one"), pay(1, dave, "two"))
	h.block(t)
	h.block(t, hold(2, carol, genesisTime+5), hold(3, dave, genesisTime+5), pay(4, bob, "one"))
	h.block(t)
	h.block(t, pay(5, carol, "one")) // the holds expire in this block
	h.block(t, pay(6, bob, ""))
	h.block(t)
}

// holdsOf says which of a block's own events, or receipts, an honest and slow
// reading of the filter's definition chooses.
func chosenBy(t testing.TB, n *memory, height ledger.Height, options wire.SubscribeOptions, sender crypto.Address, events []wire.Event) bool {
	t.Helper()
	view, err := n.View(height)
	if err != nil {
		t.Fatal(err)
	}
	account, asset, member, reference := options.Account == nil, options.Asset == nil, options.Member == nil, options.Reference == nil
	see := func(a crypto.Address) {
		of, err := view.Member(a)
		if err != nil {
			t.Fatal(err)
		}
		account = account || a == *options.Account
		member = member || a == *options.Member || of == *options.Member
	}
	if !sender.IsZero() {
		see(sender)
	}
	for _, e := range events {
		for _, a := range e.Attributes() {
			switch a.Key {
			case "account", "from", "to", "arbiter", "issuer", "member", "hold":
				if address, err := crypto.ParseAddress(a.Value); err == nil && !address.IsZero() {
					see(address)
				}
			case "asset":
				asset = asset || strings.EqualFold(a.Value, options.Asset.String())
			case "reference":
				reference = reference || a.Value == *options.Reference
			}
		}
	}
	return account && asset && member && reference
}

// expected is the stream by the definition.
func expected(t testing.TB, n *memory, options wire.SubscribeOptions, behind wire.Cursor) (cursors []wire.Cursor) {
	t.Helper()
	for height := range n.Height() + 1 {
		done, err := n.Done(height)
		if err != nil {
			t.Fatal(err)
		}
		own := wire.Cursor{Height: uint64(height), Index: wire.IndexOwnEvents}
		for _, e := range done.Events {
			if own.Compare(behind) > 0 && chosenBy(t, n, height, options, crypto.Address{}, []wire.Event{{Event: e}}) {
				cursors = append(cursors, own)
				break
			}
		}
		for i, r := range done.Receipts {
			at := wire.Cursor{Height: uint64(height), Index: int64(i)}
			if at.Compare(behind) > 0 && chosenBy(t, n, height, options, r.Sender, r.Events) {
				cursors = append(cursors, at)
			}
		}
	}
	return cursors
}

func cursorsOf(notices []wire.Notice) (out []wire.Cursor) {
	for _, n := range notices {
		out = append(out, n.Cursor)
	}
	return out
}

// From every cursor on, every filter gives exactly what stands behind the cursor
// and fits, in order: nothing is missed, nothing comes twice.
func TestSubscriptionsFromEveryCursor(t *testing.T) {
	h := newHarness(t, Options{})
	eventful(t, h)
	h.slowness(func(s *slowness) { s.progress = 0 }) // tell the cursor after every block
	schema := noticeSchema(t)
	tally, carol := h.node.net.Settlement, crypto.Address{19: 0xca}
	one, holdText, none := "one", "hold", "none"
	end := wire.Cursor{Height: 7, Index: -1}
	begins := []wire.Cursor{{Height: 0, Index: wire.IndexBlockBegin}, {Height: 3, Index: wire.IndexBlockEnd}, {Height: 5, Index: wire.IndexBlockBegin}, {Height: 6, Index: 900}}
	begins = append(begins, expected(t, h.node, wire.SubscribeOptions{}, begins[0])...)
	l := &listener{t: t, socket: dial(t, h), schema: schema}
	told := 0
	for _, options := range []wire.SubscribeOptions{
		{}, {Account: &alice}, {Account: &carol}, {Account: &strangerAddress}, {Asset: &tally}, {Asset: &bob}, {Reference: &one}, {Reference: &holdText},
		{Reference: &none}, {Account: &carol, Reference: &one}, {Account: &carol, Asset: &tally, Reference: &holdText}, {Member: &alice}, {Member: &carol, Account: &alice},
		{Member: &strangerAddress},
	} {
		for _, begin := range begins {
			options.Cursor = &begin
			l.subscribe("receipts", options)
			got, want := cursorsOf(l.until(end)), expected(t, h.node, options, begin)
			told += len(got)
			if !slices.Equal(got, want) {
				t.Fatalf("%s: got %v, want %v", request("ledger_subscribe", options), got, want)
			}
			l.unsubscribe(true)
		}
	}
	if told < 100 {
		t.Errorf("only %d notices", told)
	}
}

// unsubscribe ends the subscription and passes over what came before the answer.
func (l *listener) unsubscribe(want bool) {
	l.t.Helper()
	say(l.t, l.socket, request("ledger_unsubscribe", l.id))
	for {
		a := readAnswer(l.t, hear(l.t, l.socket))
		if a.ID == nil {
			continue
		}
		if a.Error != nil || string(a.Result) != fmt.Sprint(want) {
			l.t.Fatalf("unsubscribe: %s %+v", a.Result, a.Error)
		}
		return
	}
}

// slowness changes the server's patience, before anybody subscribes.
func (h *harness) slowness(change func(*slowness)) { change(&h.slow) }

// What a notice has is what the methods have.
func TestNoticesAreTheReceipts(t *testing.T) {
	h := newHarness(t, Options{})
	l := listen(t, h, "receipts", nil)
	l.schema = noticeSchema(t)
	if first := l.next(); first.Cursor != (wire.Cursor{Height: 0, Index: -1}) || first.Receipt != nil || first.Own != nil {
		t.Errorf("the first notice, which tells where it begins, is %+v", first)
	}
	eventful(t, h)
	told := l.until(wire.Cursor{Height: 6, Index: 0})
	var receipts, own int
	for _, n := range told {
		switch {
		case n.Receipt != nil:
			receipts++
			want, _ := h.node.Receipt(n.Receipt.Hash)
			a, _ := json.Marshal(n.Receipt)
			b, _ := json.Marshal(want)
			if string(a) != string(b) {
				t.Errorf("got %s, want %s", a, b)
			}
		case n.Own != nil:
			own++
			if len(n.Own.Events) != 2 || n.Own.Height != 5 || n.Own.BlockTime != genesisTime+5 || n.Own.Events[0].Type != ledger.EventHoldReleased {
				t.Errorf("own events %+v", n.Own)
			}
		}
	}
	if receipts != 7 || own != 1 {
		t.Errorf("%d receipts, %d own", receipts, own)
	}
	carol := crypto.Address{19: 0xca}
	l.subscribe("receipts", wire.SubscribeOptions{Account: &carol, Cursor: &wire.Cursor{Height: 4, Index: wire.IndexBlockEnd}})
	if told := l.until(wire.Cursor{Height: 5, Index: 0}); len(told) != 2 || told[0].Own == nil || len(told[0].Own.Events) != 1 || told[0].Own.Events[0].To != carol {
		t.Errorf("carol's hold expired: %+v", told)
	}
}

func TestSubscribeToBlocks(t *testing.T) {
	h := newHarness(t, Options{})
	eventful(t, h)
	l := listen(t, h, "newBlocks", wire.SubscribeOptions{Cursor: &wire.Cursor{Height: 0, Index: wire.IndexBlockBegin}})
	l.schema = noticeSchema(t)
	told := l.until(wire.Cursor{Height: 7, Index: -1})
	if len(told) != 7 {
		t.Fatalf("%d blocks", len(told))
	}
	for i, n := range told {
		want, _ := h.node.Block(ledger.Height(i + 1))
		a, _ := json.Marshal(n.Block)
		b, _ := json.Marshal(want)
		if string(a) != string(b) || (n.Own != nil) != (i+1 == 5) {
			t.Errorf("got %s, want %s; own %v", a, b, n.Own)
		}
		again := &listener{t: t, socket: l.socket}
		again.subscribe("newBlocks", wire.SubscribeOptions{Cursor: &n.Cursor})
		if got := again.next(); got.Cursor != n.Cursor || got.Block != nil {
			t.Errorf("going on from %v begins at %v", n.Cursor, got.Cursor)
		}
		if i < 6 {
			if got := again.next(); got.Block == nil || got.Block.Height != uint64(i+2) {
				t.Errorf("after %v came %+v", n.Cursor, got)
			}
		}
		again.unsubscribe(true)
	}
	h.block(t)
	if n := l.next(); n.Block == nil || n.Block.Height != 8 {
		t.Errorf("a new block: %+v", n)
	}
}

// go-ethereum's client, and so whatever is built on it, can subscribe.
func TestSubscribeWithGethsClient(t *testing.T) {
	h := newHarness(t, Options{})
	c, err := gethrpc.Dial("ws" + strings.TrimPrefix(listening(t, h).URL, "http"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	notices := make(chan wire.Notice, 10)
	sub, err := c.Subscribe(t.Context(), "ledger", notices, "newBlocks")
	if err != nil {
		t.Fatal(err)
	}
	<-notices // where it begins
	h.block(t)
	if n := <-notices; n.Block == nil || n.Block.Height != 1 {
		t.Errorf("%+v", n)
	}
	sub.Unsubscribe()
	eventually(t, "the subscription ends", func() bool { return h.subscribed.used() == 0 })
}

func TestSubscriptionsRefused(t *testing.T) {
	h := newHarness(t, Options{MaxConnectionSubscriptions: 2, MaxSubscriptions: 3})
	h.block(t)
	c := dial(t, h)
	refused := func(c *websocket.Conn, text, name string) {
		t.Helper()
		say(t, c, text)
		raw := hear(t, c)
		if raw[0] == '[' {
			raw = raw[1 : len(raw)-1]
		}
		if a := readAnswer(t, raw); a.Error == nil || a.Error.Data.Name != name {
			t.Errorf("%.100s: %+v, want %s", text, a.Error, name)
		}
	}
	ahead := wire.Cursor{Height: 1 + maxAhead + 1, Index: 0}
	refused(c, request("ledger_subscribe", "receipts", wire.SubscribeOptions{Cursor: &ahead}), "catchingUp")
	refused(c, "["+request("ledger_subscribe", "newBlocks")+"]", "webSocketOnly")
	refused(c, request("ledger_subscribe", "newBlocks", wire.SubscribeOptions{Account: &alice}), "invalidParams")
	for _, l := range []*listener{{t: t, socket: c}, {t: t, socket: c}} {
		l.subscribe("receipts", wire.SubscribeOptions{Cursor: &wire.Cursor{Height: maxAhead, Index: 0}}) // ahead, and may wait
		l.next()
	}
	refused(c, request("ledger_subscribe", "newBlocks"), "tooManySubscriptions")
	other := listen(t, h, "newBlocks", nil)
	other.next()
	refused(other.socket, request("ledger_subscribe", "newBlocks"), "tooManySubscriptions")
	say(t, other.socket, request("ledger_unsubscribe", "0x12"))
	if a := readAnswer(t, hear(t, other.socket)); string(a.Result) != "false" {
		t.Errorf("an unknown one: %s %+v", a.Result, a.Error)
	}
	h.node.mu.Lock()
	h.node.done[1] = nil // no longer kept
	h.node.mu.Unlock()
	other.unsubscribe(true)
	h.feed = feed.New(t.Context(), feedSource{h.node}) // one that has not seen it
	refused(other.socket, request("ledger_subscribe", "receipts", wire.SubscribeOptions{Cursor: &wire.Cursor{Height: 1, Index: -1}}), "notKept")
	c.Close()
	other.socket.Close()
	eventually(t, "all places are given back", func() bool { return h.subscribed.used() == 0 && h.sockets.used() == 0 })
}

// A subscription tells its cursor now and then although nothing fits, so that
// going on from there reads no history.
func TestProgressOfAQuietSubscription(t *testing.T) {
	h := newHarness(t, Options{})
	h.slowness(func(s *slowness) { s.progress = 0 })
	l := listen(t, h, "receipts", wire.SubscribeOptions{Account: &strangerAddress})
	l.next()
	for height := uint64(1); height <= 20; height++ {
		h.block(t)
		if n := l.next(); n.Receipt != nil || n.Cursor != (wire.Cursor{Height: height, Index: -1}) {
			t.Fatalf("at height %d: %+v", height, n)
		}
	}
	h = newHarness(t, Options{})
	h.slowness(func(s *slowness) { s.progress = time.Hour }) // not yet
	l = listen(t, h, "receipts", wire.SubscribeOptions{Account: &strangerAddress})
	l.next()
	for range 5 {
		h.block(t)
	}
	h.block(t, ledger.Body{Sender: alice, Op: &ledger.Transfer{Legs: []ledger.Leg{
		{From: alice, To: strangerAddress, Asset: h.node.net.Settlement, Amount: ledger.NewAmount(1)},
	}}})
	if n := l.next(); n.Receipt == nil || n.Receipt.Height != 6 {
		t.Errorf("what comes first is %+v", n)
	}
}

// The end of the server ends subscriptions, with the status that says so.
func TestShutdownEndsSubscriptions(t *testing.T) {
	h := newHarness(t, Options{})
	l := listen(t, h, "newBlocks", nil)
	l.next()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := h.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	if n := l.next(); n.Error == nil || n.Error.Data.Name != "shuttingDown" || n.Cursor.Height != 0 {
		t.Errorf("the last notice is %+v", n)
	}
	if _, _, err := l.socket.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseGoingAway) {
		t.Errorf("closed with %v", err)
	}
}

// counted is what a counter stands at.
func counted(t testing.TB, c prometheus.Collector) float64 {
	t.Helper()
	r := prometheus.NewRegistry()
	if err := r.Register(c); err != nil {
		t.Fatal(err)
	}
	families, err := r.Gather()
	if err != nil || len(families) != 1 {
		t.Fatalf("%v %v", families, err)
	}
	return families[0].Metric[0].Counter.GetValue()
}

// Going on from far back costs what there is to tell, not what lies between.
func TestFarBackReadsOnlyWhatFits(t *testing.T) {
	h := newHarness(t, Options{})
	carol := crypto.Address{19: 0xca}
	paid := h.payment(0, 1)
	paid.Op.(*ledger.Transfer).Legs[0].To = carol
	h.block(t, paid)
	for range 300 {
		h.block(t)
	}
	h.block(t, h.payment(1, 1))
	for range 100 {
		h.block(t)
	}
	begin, inv, tally := wire.Cursor{Height: 0, Index: wire.IndexBlockBegin}, "inv-1", h.node.net.Settlement
	for _, c := range []struct {
		options wire.SubscribeOptions
		want    []uint64
	}{
		{wire.SubscribeOptions{Account: &carol}, []uint64{1}},
		{wire.SubscribeOptions{Reference: &inv}, []uint64{1, 302}},
		{wire.SubscribeOptions{Asset: &tally, Member: &alice}, []uint64{0, 1, 302}},
		{wire.SubscribeOptions{Reference: &inv, Account: &bob}, []uint64{302}},
		{wire.SubscribeOptions{Account: &strangerAddress}, nil},
	} {
		h.feed = feed.New(t.Context(), feedSource{h.node})
		h.slowness(func(s *slowness) { s.progress = 0 })
		c.options.Cursor = &begin
		before := h.node.reads.Load()
		told := listen(t, h, "receipts", c.options).until(wire.Cursor{Height: 402, Index: -1})
		var heights []uint64
		for _, n := range told {
			heights = append(heights, n.Cursor.Height)
		}
		if !slices.Equal(heights, c.want) {
			t.Errorf("%v: told of blocks %v, want %v", request("", c.options), heights, c.want)
		}
		if reads := h.node.reads.Load() - before; reads > 30 {
			t.Errorf("%d of 402 blocks were read to tell of %d", reads, len(c.want))
		}
	}
}

// One WebSocket can have a thousand subscriptions, and each is told everything.
func TestThousandSubscriptionsOfOneWebSocket(t *testing.T) {
	count, blocks := 1000, uint64(5)
	if testing.Short() {
		count = 200
	}
	h := newHarness(t, Options{})
	s := dial(t, h)
	seen := map[string]uint64{}
	for range count {
		say(t, s, request("ledger_subscribe", "newBlocks"))
	}
	var message struct {
		Result string
		Params struct {
			Subscription string
			Result       wire.Notice
		}
	}
	read := func() {
		message.Result, message.Params.Result = "", wire.Notice{}
		if err := json.Unmarshal(hear(t, s), &message); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 * count { // an answer and a first notice for each
		if read(); message.Result != "" {
			seen[message.Result] = 0
		}
	}
	for range blocks {
		h.block(t)
	}
	for range count * int(blocks) {
		read()
		id, n := message.Params.Subscription, message.Params.Result
		if last, ok := seen[id]; !ok || n.Block == nil || n.Block.Height != last+1 {
			t.Fatalf("%s: after block %d came %+v", id, last, n)
		}
		seen[id]++
	}
	if len(seen) != count {
		t.Errorf("%d subscriptions", len(seen))
	}
	s.Close()
	eventually(t, "all end", func() bool { return h.subscribed.used() == 0 })
}
