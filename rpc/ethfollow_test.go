package rpc

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/gorilla/websocket"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/eth"
	"github.com/tallystick/tallystick/rpc/wire"
)

func dialEth(t testing.TB, h *harness) *ethclient.Client {
	t.Helper()
	c, err := ethclient.Dial("ws" + strings.TrimPrefix(listening(t, h).URL, "http"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// receive takes what comes next.
func receive[T any](t testing.TB, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(time.Minute):
		t.Fatal("nothing came")
	}
	return v
}

// go-ethereum's client follows heads and logs, and gets what the methods say.
func TestEthSubscribeWithEthclient(t *testing.T) {
	h := newHarness(t, Options{})
	c := dialEth(t, h)
	heads, logs, past := make(chan *types.Header, 100), make(chan types.Log, 100), make(chan types.Log, 100)
	carol := crypto.Address{19: 0xca}
	toCarol := ethereum.FilterQuery{Addresses: []common.Address{common.Address(h.node.net.Settlement)}, Topics: [][]common.Hash{nil, nil, {common.BytesToHash(carol[:])}}}
	if _, err := c.SubscribeNewHead(t.Context(), heads); err != nil {
		t.Fatal(err)
	}
	sub, err := c.SubscribeFilterLogs(t.Context(), toCarol, logs)
	if err != nil {
		t.Fatal(err)
	}
	eventful(t, h)
	for height := range uint64(7) {
		head := receive(t, heads)
		var shown eth.Shown
		h.result(t, &shown, "eth_getBlockByNumber", fmt.Sprintf("%#x", height+1), false)
		if head.Number.Uint64() != height+1 || head.ParentHash != shown.ParentHash || head.Root != shown.StateRoot || head.Bloom != shown.LogsBloom {
			t.Errorf("head %d: %+v, want %+v", height+1, head, shown)
		}
	}
	want, err := c.FilterLogs(t.Context(), toCarol)
	if err != nil || len(want) != 2 {
		t.Fatalf("carol was paid twice: %v %v", want, err)
	}
	for _, log := range want {
		if got := receive(t, logs); !reflect.DeepEqual(got, log) {
			t.Errorf("got %+v, want %+v", got, log)
		}
	}
	// What is past does not come, whatever fromBlock says; what is before it neither.
	within := ethereum.FilterQuery{FromBlock: big.NewInt(9), ToBlock: big.NewInt(10)}
	if _, err := c.SubscribeFilterLogs(t.Context(), within, past); err != nil {
		t.Fatal(err)
	}
	for nonce := uint64(10); nonce < 15; nonce++ { // blocks 8 to 12
		h.block(t, h.payment(nonce, 1))
	}
	for _, height := range []uint64{9, 10} {
		if got := receive(t, past); got.BlockNumber != height {
			t.Errorf("got a log of block %d, want %d", got.BlockNumber, height)
		}
	}
	for range 5 {
		receive(t, heads)
	}
	if len(past) != 0 {
		t.Error("a log above toBlock came")
	}
	sub.Unsubscribe()
	eventually(t, "one has ended", func() bool { return h.subscribed.used() == 2 })
}

// The header of newHeads is the block's, field by field.
func TestNewHeadsIsTheHeader(t *testing.T) {
	h := newHarness(t, Options{})
	s := dial(t, h)
	say(t, s, request("eth_subscribe", "newHeads"))
	id := readAnswer(t, hear(t, s)).Result
	h.block(t, h.payment(0, 1))
	var note struct {
		Method string
		Params struct {
			Subscription json.RawMessage
			Result       map[string]any
		}
	}
	if err := json.Unmarshal(hear(t, s), &note); err != nil || note.Method != "eth_subscription" || string(note.Params.Subscription) != string(id) {
		t.Fatalf("%v %+v", err, note)
	}
	var block map[string]any
	h.result(t, &block, "eth_getBlockByNumber", "0x1", false)
	for _, more := range []string{"size", "totalDifficulty", "transactions", "uncles"} {
		delete(block, more)
	}
	if !reflect.DeepEqual(note.Params.Result, block) {
		t.Errorf("got %v, want %v", note.Params.Result, block)
	}
	say(t, s, request("eth_unsubscribe", json.RawMessage(id)))
	if a := readAnswer(t, hear(t, s)); string(a.Result) != "true" {
		t.Errorf("%s %+v", a.Result, a.Error)
	}
	say(t, s, request("eth_unsubscribe", json.RawMessage(id)))
	if a := readAnswer(t, hear(t, s)); a.Error == nil || a.Error.Code != wire.CodeInvalidInput || a.Error.Message != "subscription not found" {
		t.Errorf("%+v", a.Error)
	}
}

// lateNewest is a node that takes its time to say what was admitted last.
type lateNewest struct{ *memory }

func (l lateNewest) Admitted(behind uint64, limit int) ([]crypto.Hash, uint64) {
	if behind == math.MaxUint64 {
		time.Sleep(50 * time.Millisecond)
	}
	return l.memory.Admitted(behind, limit)
}

// What comes to wait is told once, in order, as hashes or whole; from the answer on.
func TestPendingTransactionsAreTold(t *testing.T) {
	h := newHarness(t, Options{})
	h.node.hold = true
	h.backend = lateNewest{h.node}
	var filter, full string
	h.result(t, &filter, "eth_newPendingTransactionFilter")
	h.result(t, &full, "eth_newPendingTransactionFilter", true)
	hashes, whole := dial(t, h), dial(t, h)
	say(t, hashes, request("eth_subscribe", "newPendingTransactions"))
	say(t, whole, request("eth_subscribe", "newPendingTransactions", true))
	hear(t, hashes)
	hear(t, whole)
	var want []string
	for nonce := range uint64(20) {
		tx, raw := h.rawTx(t, nonce, 1)
		h.result(t, new(crypto.Hash), "ledger_sendRawTransaction", raw)
		want = append(want, tx.Hash.String())
		if nonce == 10 {
			h.node.commit(t) // what came and is in a block already is told as well
		}
	}
	for _, hash := range want {
		var a struct{ Params struct{ Result string } }
		var b struct {
			Params struct{ Result struct{ Hash string } }
		}
		if err := json.Unmarshal(hear(t, hashes), &a); err != nil || a.Params.Result != hash {
			t.Fatalf("%v: got %s, want %s", err, a.Params.Result, hash)
		}
		if err := json.Unmarshal(hear(t, whole), &b); err != nil || b.Params.Result.Hash != hash {
			t.Fatalf("%v: got %+v, want %s", err, b, hash)
		}
	}
	var got []string
	if h.result(t, &got, "eth_getFilterChanges", filter); !slices.Equal(got, want) {
		t.Errorf("by the filter: %v", got)
	}
	if h.result(t, &got, "eth_getFilterChanges", filter); len(got) != 0 {
		t.Errorf("a second time: %v", got)
	}
	var txs []struct{ Hash string }
	if h.result(t, &txs, "eth_getFilterChanges", full); len(txs) != 20 || txs[19].Hash != want[19] {
		t.Errorf("whole, by the filter: %v", txs)
	}
}

// A subscription in Ethereum's protocol that falls behind ends with its WebSocket,
// whose status says to come again: there is no other word for it there.
func TestLaggingEthSubscriptionEndsTheWebSocket(t *testing.T) {
	h := newHarness(t, Options{})
	h.slowness(func(s *slowness) { s.behind = 5 })
	s := dial(t, h)
	say(t, s, request("eth_subscribe", "newHeads"))
	hear(t, s)
	h.block(t)
	hear(t, s)
	release := h.node.holdDone()
	for range 20 {
		h.block(t)
	}
	release()
	for {
		_, _, err := s.ReadMessage()
		if err == nil {
			continue
		}
		if !websocket.IsCloseError(err, websocket.CloseTryAgainLater) || !strings.Contains(err.Error(), "behind") {
			t.Errorf("closed with %v", err)
		}
		return
	}
}

func TestEthSubscriptionsRefused(t *testing.T) {
	h := newHarness(t, Options{})
	s := dial(t, h)
	for _, c := range []struct {
		params []any
		name   string
	}{
		{[]any{"syncing"}, "invalidParams"}, {[]any{}, "invalidParams"}, {[]any{"logs", 7}, "invalidParams"}, {[]any{"logs", true}, "invalidParams"},
		{[]any{"newPendingTransactions", map[string]any{}}, "invalidParams"}, {[]any{"logs", map[string]any{"blockHash": crypto.Hash{1}}}, "invalidParams"},
		{[]any{"logs", map[string]any{"topics": []any{1, 2, 3, 4, 5}}}, "invalidParams"},
	} {
		say(t, s, request("eth_subscribe", c.params...))
		if a := readAnswer(t, hear(t, s)); a.Error == nil || a.Error.Data.Name != c.name {
			t.Errorf("%v: %+v", c.params, a.Error)
		}
	}
	h.refused(t, wire.CodeInvalidInput, "webSocketOnly", "eth_subscribe", "newHeads")
	h.refused(t, wire.CodeInvalidInput, "webSocketOnly", "eth_unsubscribe", "0x1")
	say(t, s, "["+request("eth_subscribe", "newHeads")+"]")
	if raw := string(hear(t, s)); !strings.Contains(raw, "webSocketOnly") {
		t.Error(raw)
	}
}

// Polls at any time give each log and each block once, in order.
func TestFilterChangesGiveEverythingOnce(t *testing.T) {
	h := newHarness(t, Options{})
	h.block(t, h.mixed(0, 1)) // before the filters
	carol := crypto.Address{19: 0xca}
	topics := []any{nil, nil, common.BytesToHash(carol[:])}
	var all, some, blocks, later, never string
	h.result(t, &all, "eth_newFilter", map[string]any{})
	h.result(t, &some, "eth_newFilter", map[string]any{"address": h.node.net.Settlement, "topics": topics, "fromBlock": "0x0"})
	h.result(t, &later, "eth_newFilter", map[string]any{"fromBlock": "0x5", "toBlock": "0x9"})
	h.result(t, &never, "eth_newFilter", map[string]any{"address": []any{strangerAddress, bob}})
	h.result(t, &blocks, "eth_newBlockFilter")
	got := map[string][]eth.Log{}
	var hashes []common.Hash
	poll := func() {
		for _, id := range []string{all, some, later, never} {
			var logs []eth.Log
			h.result(t, &logs, "eth_getFilterChanges", id)
			got[id] = append(got[id], logs...)
		}
		var more []common.Hash
		h.result(t, &more, "eth_getFilterChanges", blocks)
		hashes = append(hashes, more...)
	}
	for i := 1; i < 40; i++ {
		h.block(t, h.mixed(uint64(2*i), i), h.mixed(uint64(2*i+1), i+2))
		if i%7 == 0 || i%7 == 2 {
			poll()
		}
	}
	poll()
	logs := func(filter map[string]any) (want []eth.Log) {
		h.result(t, &want, "eth_getLogs", filter)
		return want
	}
	for id, want := range map[string][]eth.Log{
		all:   logs(map[string]any{"fromBlock": "0x2"}),
		some:  logs(map[string]any{"fromBlock": "0x2", "address": h.node.net.Settlement, "topics": topics}),
		later: logs(map[string]any{"fromBlock": "0x5", "toBlock": "0x9"}),
		never: {},
	} {
		if len(got[id]) != len(want) || len(want) > 0 && !reflect.DeepEqual(got[id], want) {
			t.Errorf("%d logs, want %d", len(got[id]), len(want))
		}
	}
	if len(hashes) != 39 {
		t.Errorf("%d blocks", len(hashes))
	}
	for i, hash := range hashes {
		if want, _ := h.node.Block(ledger.Height(i + 2)); common.Hash(want.Hash) != hash {
			t.Errorf("block %d: %s", i+2, hash)
		}
	}
	var whole []eth.Log
	if h.result(t, &whole, "eth_getFilterLogs", some); !reflect.DeepEqual(whole, logs(map[string]any{"fromBlock": "0x0", "address": h.node.net.Settlement, "topics": topics})) {
		t.Errorf("eth_getFilterLogs: %d logs", len(whole))
	}
	h.refused(t, wire.CodeInvalidInput, "filterNotFound", "eth_getFilterLogs", blocks)
	var ended bool
	if h.result(t, &ended, "eth_uninstallFilter", all); !ended {
		t.Error("there was none")
	}
	if h.result(t, &ended, "eth_uninstallFilter", all); ended {
		t.Error("it was ended twice")
	}
	e := h.refused(t, wire.CodeInvalidInput, "filterNotFound", "eth_getFilterChanges", all)
	if e.Message != "filter not found" {
		t.Error(e.Message)
	}
	h.refused(t, wire.CodeInvalidInput, "filterNotFound", "eth_getFilterChanges", "0x1")
	h.refused(t, codeInvalidParams, "invalidParams", "eth_newFilter", map[string]any{"blockHash": crypto.Hash{1}})
}

// One answer is bounded; the next goes on where it ended.
func TestFilterChangesAreBounded(t *testing.T) {
	h := newHarness(t, Options{})
	var id string
	h.result(t, &id, "eth_newBlockFilter")
	h.block(t)
	for range 2*filterBlocks + 99 {
		h.node.repeatBlock()
	}
	for _, want := range []int{filterBlocks, filterBlocks, 100, 0} {
		var hashes []common.Hash
		if h.result(t, &hashes, "eth_getFilterChanges", id); len(hashes) != want {
			t.Errorf("%d blocks, want %d", len(hashes), want)
		}
	}
}

// Filters that nobody asks end, and make room; what they hold is bounded.
func TestFiltersEndAndAreBounded(t *testing.T) {
	h := newHarness(t, Options{})
	now := time.Unix(1_700_000_000, 0)
	h.ethFilters.now = func() time.Time { return now }
	var asked, silent string
	h.result(t, &asked, "eth_newBlockFilter")
	h.result(t, &silent, "eth_newBlockFilter")
	for range 3 {
		now = now.Add(filterPatience - time.Second)
		h.result(t, new([]common.Hash), "eth_getFilterChanges", asked)
	}
	h.refused(t, wire.CodeInvalidInput, "filterNotFound", "eth_getFilterChanges", silent)
	var topics []common.Hash
	for i := range 1000 {
		topics = append(topics, common.Hash{byte(i), byte(i >> 8)})
	}
	large := map[string]any{"topics": []any{topics, topics}}
	for range maxFilterWords / 2000 {
		h.result(t, new(string), "eth_newFilter", large)
	}
	h.refused(t, wire.CodeUnavailable, "tooManyFilters", "eth_newFilter", large)
	for len(h.ethFilters.byID) < maxFilters {
		if _, err := h.ethFilters.add(&ethFilter{}); err != nil {
			t.Fatal(err)
		}
	}
	h.refused(t, wire.CodeUnavailable, "tooManyFilters", "eth_newBlockFilter")
	now = now.Add(filterPatience + time.Second)
	h.result(t, new(string), "eth_newFilter", large)
	if len(h.ethFilters.byID) != 1 || h.ethFilters.words != 2000 {
		t.Errorf("%d filters with %d words are left", len(h.ethFilters.byID), h.ethFilters.words)
	}
}
