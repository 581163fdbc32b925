package rpc

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/eth"
	"github.com/tallystick/tallystick/rpc/wire"
)

func topic(a crypto.Address) common.Hash { return common.BytesToHash(a[:]) }

// grow makes three blocks of movements, after the genesis's two logs.
func (h *harness) grow(t *testing.T) {
	t.Helper()
	h.node.hold = true
	send := func(tx *ledger.Tx) {
		t.Helper()
		h.result(t, new(crypto.Hash), "ledger_sendRawTransaction", hexOf(tx.Raw))
	}
	euro := h.euro()
	pay := func(nonce uint64, to crypto.Address, amount uint64) *ledger.Tx {
		b := ledger.Body{Sender: bob, Nonce: ledger.Nonce(nonce), Op: &ledger.Transfer{Legs: []ledger.Leg{{From: bob, To: to, Asset: euro, Amount: ledger.NewAmount(amount)}}}}
		tx, code := ledger.Sign(h.node.net, b, ledger.SchemeBodyHash, bobKey)
		if code != ledger.Applied {
			t.Fatal(code)
		}
		return tx
	}
	send(h.signed(t, h.payment(0, 1)))
	send(pay(0, alice, 2))
	h.node.commit(t)
	send(pay(1, strangerAddress, 3))
	h.node.commit(t)
	send(h.signed(t, h.payment(1, 4)))
	send(pay(2, alice, 5))
	h.node.commit(t)
	h.node.hold = false
}

// Which logs a filter gets, told by their amounts, in the order of the chain.
func TestEthLogs(t *testing.T) {
	h := newHarness(t, Options{})
	h.grow(t)
	euro, coin := h.euro(), h.node.net.Settlement
	all := map[string]any{"fromBlock": "0x0"}
	with := func(more map[string]any) map[string]any {
		out := map[string]any{"fromBlock": "0x0", "toBlock": "latest"}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	transfer := eth.TransferTopic
	for _, c := range []struct {
		name   string
		filter map[string]any
		want   []int64
	}{
		{"all", all, []int64{1_000_000, 50_000, 1, 2, 3, 4, 5}},
		{"the newest block", map[string]any{}, []int64{4, 5}},
		{"a range", map[string]any{"fromBlock": "0x1", "toBlock": "0x2"}, []int64{1, 2, 3}},
		{"beyond the newest", map[string]any{"fromBlock": "0x3", "toBlock": "0x99"}, []int64{4, 5}},
		{"above the newest", map[string]any{"fromBlock": "0x9", "toBlock": "0x99"}, nil},
		{"one block", map[string]any{"fromBlock": "0x2", "toBlock": "0x2"}, []int64{3}},
		{"the genesis", map[string]any{"fromBlock": "earliest", "toBlock": "earliest"}, []int64{1_000_000, 50_000}},
		{"by hash", map[string]any{"blockHash": h.node.blocks[0].Hash}, []int64{1, 2}},
		{"genesis by hash", map[string]any{"blockHash": h.node.done[0].Hash}, []int64{1_000_000, 50_000}},
		{"an asset", with(map[string]any{"address": euro}), []int64{50_000, 2, 3, 5}},
		{"assets", with(map[string]any{"address": []any{euro, coin}}), []int64{1_000_000, 50_000, 1, 2, 3, 4, 5}},
		{"no asset", with(map[string]any{"address": alice}), nil},
		{"from", with(map[string]any{"topics": []any{transfer, topic(bob)}}), []int64{2, 3, 5}},
		{"to", with(map[string]any{"topics": []any{nil, nil, topic(alice)}}), []int64{1_000_000, 2, 5}},
		{"from and to", with(map[string]any{"topics": []any{nil, []any{topic(alice), topic(bob)}, topic(alice)}}), []int64{2, 5}},
		{"to any of two", with(map[string]any{"topics": []any{nil, nil, []any{topic(strangerAddress), topic(alice)}}}), []int64{1_000_000, 2, 3, 5}},
		{"created", with(map[string]any{"topics": []any{transfer, common.Hash{}}}), []int64{1_000_000, 50_000}},
		{"an asset's to", with(map[string]any{"address": euro, "topics": []any{nil, nil, topic(alice)}}), []int64{2, 5}},
		{"another event", with(map[string]any{"topics": []any{common.Hash{1}}}), nil},
		{"no address as holder", with(map[string]any{"topics": []any{nil, common.Hash{1}}}), nil},
		{"many holders", with(map[string]any{"topics": []any{nil, nil, append(manyTopics(30), topic(alice))}}), []int64{1_000_000, 2, 5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var logs []*eth.Log
			h.result(t, &logs, "eth_getLogs", c.filter)
			var got []int64
			for i, l := range logs {
				got = append(got, common.BytesToHash(l.Data).Big().Int64())
				if i > 0 && (l.BlockNumber < logs[i-1].BlockNumber || l.BlockNumber == logs[i-1].BlockNumber && l.LogIndex <= logs[i-1].LogIndex) {
					t.Errorf("log %d stands out of order", i)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func manyTopics(n int) (out []any) {
	for i := range n {
		out = append(out, common.BytesToHash([]byte{byte(i), 1}))
	}
	return out
}

// Logs found are those of the receipts, whichever way they are looked for.
func TestEthLogsAgreeWithReceipts(t *testing.T) {
	h := newHarness(t, Options{})
	h.grow(t)
	var found, shown []*eth.Log
	h.result(t, &found, "eth_getLogs", map[string]any{"fromBlock": "0x1"})
	for height := 1; height <= 3; height++ {
		var receipts []*eth.Receipt
		h.result(t, &receipts, "eth_getBlockReceipts", hexutil.EncodeUint64(uint64(height)))
		for _, r := range receipts {
			shown = append(shown, r.Logs...)
		}
	}
	one, _ := json.Marshal(found)
	two, _ := json.Marshal(shown)
	if string(one) != string(two) {
		t.Errorf("%s\n%s", one, two)
	}
}

func TestEthLogsThatCannotBe(t *testing.T) {
	h := newHarness(t, Options{})
	h.grow(t)
	h.refused(t, codeInvalidParams, "invalidParams", "eth_getLogs", map[string]any{"fromBlock": "0x3", "toBlock": "0x1"})
	h.refused(t, wire.CodeNotFound, "unknownHeight", "eth_getLogs", map[string]any{"blockHash": crypto.Hash{1}})
}

// long is a chain of many blocks that all moved the same.
type long struct {
	*memory
	top  ledger.Height
	logs int // in each block
}

func (l *long) Height() ledger.Height { return l.top }

func (l *long) Done(height ledger.Height) (*Done, error) {
	d := &Done{Height: height, Hash: crypto.Hash{byte(height)}}
	if height > l.top {
		return nil, nil
	}
	r := &wire.Receipt{Height: uint64(height), Hash: crypto.Hash{1}}
	for range l.logs {
		r.Events = append(r.Events, wire.Event{Event: ledger.Event{Type: ledger.EventTransfer, Asset: crypto.Address{7}, From: alice, To: bob, Amount: ledger.NewAmount(1)}})
	}
	if l.logs > 0 {
		d.Receipts = append(d.Receipts, r)
	}
	return d, nil
}

func (l *long) Places(q PlaceQuery) (out []Place, err error) {
	for h := max(q.From.Height, 1); h <= min(q.To.Height, l.top) && len(out) < q.Limit; h++ {
		if p := (Place{h, 0}); p.Compare(q.From) >= 0 {
			out = append(out, p)
		}
	}
	return out, nil
}

// Too much for one answer is an error that names a range which is answered, and with
// such ranges one after another nothing is missed.
func TestEthLogsInParts(t *testing.T) {
	for _, c := range []struct {
		top    ledger.Height
		logs   int
		filter map[string]any
	}{
		{25_000, 0, map[string]any{}},
		{120, 300, map[string]any{}},
		{25_000, 1, map[string]any{"address": crypto.Address{7}}},
		{25_000, 1, map[string]any{"topics": []any{nil, topic(alice)}}},
		{3, 15_000, map[string]any{"address": crypto.Address{7}}},
	} {
		h := newHarness(t, Options{})
		h.Server.backend = &long{h.node, c.top, c.logs}
		total, next, parts := 0, ledger.Height(1), 0
		for next <= c.top {
			to := c.top
			for tries := 0; ; tries++ {
				c.filter["fromBlock"], c.filter["toBlock"] = hexutil.EncodeUint64(uint64(next)), hexutil.EncodeUint64(uint64(to))
				raw, err := json.Marshal(c.filter)
				if err != nil {
					t.Fatal(err)
				}
				f, err := eth.ParseFilter(raw)
				if err != nil {
					t.Fatal(err)
				}
				logs, err := h.ethLogs(context.Background(), f)
				if err == nil {
					total += len(logs)
					break
				}
				var low, high uint64
				e, ok := known(err)
				if !ok || e.data.Name != kindManyLogs.name || tries > 0 {
					t.Fatal(err)
				}
				at := len(e.message) - len("[0x0, 0x0].")
				for at > 0 && e.message[at] != '[' {
					at--
				}
				if _, err := fmt.Sscanf(e.message[at:], "[0x%x, 0x%x].", &low, &high); err != nil || low != uint64(next) || high < low || high >= uint64(to) {
					t.Fatal(e.message, err)
				}
				to = ledger.Height(high)
			}
			next, parts = to+1, parts+1
		}
		if total != int(c.top)*c.logs || parts < 2 {
			t.Errorf("%+v: %d logs in %d parts", c, total, parts)
		}
	}
}

// Places follow one another through the end of a block.
func TestNextPlace(t *testing.T) {
	for _, p := range []Place{FirstPlace(3), {3, 0}, {3, 7}, LastPlace(3)} {
		if n := p.next(); n.Compare(p) != 1 {
			t.Errorf("%v comes after %v", p, n)
		}
	}
	if FirstPlace(3).next() != (Place{3, 0}) || LastPlace(3).next() != FirstPlace(4) {
		t.Error("a place was left out")
	}
}
