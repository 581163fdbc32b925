package rpc

import (
	"encoding/json"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

// What the filters of subscriptions name is bounded for all of them together, as that
// of polled filters is: each log is held against each. Who ends makes room.
func TestFiltersOfSubscriptionsAreBounded(t *testing.T) {
	h := newHarness(t, Options{})
	s := dial(t, h)
	var topics []common.Hash
	for i := range 1000 {
		topics = append(topics, common.Hash{byte(i), byte(i >> 8)})
	}
	large := map[string]any{"topics": []any{nil, topics, topics}}
	subscribe := func() (id, problem string) {
		say(t, s, request("eth_subscribe", "logs", large))
		a := readAnswer(t, hear(t, s))
		if a.Error != nil {
			return "", a.Error.Data.Name
		}
		if err := json.Unmarshal(a.Result, &id); err != nil {
			t.Fatal(err)
		}
		return id, ""
	}
	var last string
	for range maxFilterWords / 2000 {
		id, problem := subscribe()
		if problem != "" {
			t.Fatal(problem)
		}
		last = id
	}
	if _, problem := subscribe(); problem != "tooManyFilters" {
		t.Fatalf("one more: %q", problem)
	}
	h.result(t, new(string), "eth_newBlockFilter")
	say(t, s, request("eth_subscribe", "logs"))
	if a := readAnswer(t, hear(t, s)); a.Error != nil {
		t.Errorf("one that names nothing: %+v", a.Error)
	}
	say(t, s, request("eth_unsubscribe", last))
	if a := readAnswer(t, hear(t, s)); a.Error != nil {
		t.Fatalf("%+v", a.Error)
	}
	if _, problem := subscribe(); problem != "" {
		t.Errorf("after one has ended: %s", problem)
	}
	s.Close()
	eventually(t, "all make room", func() bool {
		h.ethFilters.mu.Lock()
		defer h.ethFilters.mu.Unlock()
		return h.ethFilters.words == 0
	})
}

// The order in which a filter names addresses and topics, and whether twice, means nothing.
func TestOrderInAFilterMeansNothing(t *testing.T) {
	h := newHarness(t, Options{})
	h.block(t, h.payment(0, 5))
	var all []json.RawMessage
	h.result(t, &all, "eth_getLogs", map[string]any{"fromBlock": "0x0"})
	if len(all) == 0 {
		t.Fatal("no logs")
	}
	topic := func(a [20]byte) string { return hexutil.Encode(common.LeftPadBytes(a[:], 32)) }
	settlement := common.Address(h.node.net.Settlement)
	others := []common.Address{{0xff}, settlement, {1}, settlement, {0x80}}
	for _, from := range [][]string{{topic(alice), topic(bob)}, {topic(bob), topic(alice), topic(alice)}} {
		var some []json.RawMessage
		h.result(t, &some, "eth_getLogs", map[string]any{"fromBlock": "0x1", "address": others, "topics": []any{nil, from}})
		if len(some) != 1 {
			t.Errorf("%v: %d logs", from, len(some))
		}
	}
}
