package rpc

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// historyPageJSON is a page as a client reads it; receipts are kept as they came.
type historyPageJSON struct {
	Items []struct {
		Height    uint64
		Index     *uint32
		Hash      *crypto.Hash
		BlockHash crypto.Hash
		BlockTime uint64
		Receipt   json.RawMessage
		Events    []json.RawMessage
	}
	Next *string
}

// pageOf asks for a page.
func pageOf(limit int, cursor *string) map[string]any {
	page := map[string]any{"limit": limit}
	if cursor != nil {
		page["cursor"] = *cursor
	}
	return page
}

// places walks through a whole history by pages of a size.
func (h *harness) places(t *testing.T, subject any, limit int) (places []string) {
	t.Helper()
	for cursor := (*string)(nil); ; {
		var page historyPageJSON
		h.result(t, &page, "ledger_getHistory", subject, pageOf(limit, cursor))
		if len(page.Items) > limit {
			t.Fatalf("%d items for the limit %d", len(page.Items), limit)
		}
		for _, item := range page.Items {
			place := fmt.Sprintf("%d:own", item.Height)
			if item.Index != nil {
				place = fmt.Sprintf("%d:%d", item.Height, *item.Index)
			}
			places = append(places, place)
		}
		if cursor = page.Next; cursor == nil {
			return places
		}
		if len(page.Items) == 0 {
			t.Fatal("an empty page is not the last one")
		}
	}
}

// newHistory makes a chain: block 1 has two payments with references, block 2 one
// of another asset and one that is refused, block 3 nothing, block 4 a payment.
func newHistory(t *testing.T) *harness {
	h := newHarness(t, Options{})
	h.node.hold = true
	euro, err := memoryView(h.node.top()).AssetBySymbol("EUR")
	if err != nil {
		t.Fatal(err)
	}
	eur := euro.Asset
	pay := func(nonce uint64, asset crypto.Address, from *crypto.PrivateKey, to crypto.Address, amount uint64, reference string) {
		tx, code := ledger.Sign(h.node.net, ledger.Body{Sender: from.Address(), Nonce: ledger.Nonce(nonce), Op: &ledger.Transfer{Legs: []ledger.Leg{
			{From: from.Address(), To: to, Asset: asset, Amount: ledger.NewAmount(amount), Reference: reference},
		}}}, ledger.SchemeBodyHash, from)
		if code != ledger.Applied {
			t.Fatal(code)
		}
		h.result(t, new(crypto.Hash), "ledger_sendRawTransaction", hexOf(tx.Raw))
	}
	pay(0, h.node.net.Settlement, aliceKey, bob, 5, "inv-1")
	pay(1, h.node.net.Settlement, aliceKey, strangerAddress, 5, "inv-2")
	h.node.commit(t)
	pay(0, eur, bobKey, alice, 50_000, "inv-1")
	pay(1, eur, bobKey, alice, 1, "inv-3") // refused: nothing is left
	h.node.commit(t)
	h.node.commit(t)
	pay(2, h.node.net.Settlement, aliceKey, bob, 7, "")
	h.node.commit(t)
	return h
}

// The history of every kind of subject, in pages of every size, is everything
// that concerns it, the newest first, and the genesis last.
func TestHistoryOfEverySubject(t *testing.T) {
	h := newHistory(t)
	settlement := h.node.net.Settlement
	for _, test := range []struct {
		subject any
		want    []string
	}{
		{alice, []string{"4:0", "2:0", "1:1", "1:0", "0:own"}},
		{map[string]any{"account": alice}, []string{"4:0", "2:0", "1:1", "1:0", "0:own"}},
		{strings.ToLower(bob.String()), []string{"4:0", "2:1", "2:0", "1:0", "0:own"}},
		{strangerAddress, []string{"1:1"}},
		{map[string]any{"asset": settlement}, []string{"4:0", "1:1", "1:0", "0:own"}},
		{map[string]any{"asset": "EUR"}, []string{"2:0", "0:own"}},
		{map[string]any{"asset": alice}, nil},
		{map[string]any{"reference": "inv-1"}, []string{"2:0", "1:0"}},
		{map[string]any{"reference": "inv"}, nil},
		{map[string]any{"reference": "inv-3"}, nil}, // of a refused transaction
		{map[string]any{"reference": "a\x00b"}, nil},
		{crypto.Address{9}, nil},
	} {
		for limit := 1; limit < 7; limit++ {
			if got := h.places(t, test.subject, limit); !slices.Equal(got, test.want) {
				t.Errorf("%v, by %d: %v, want %v", test.subject, limit, got, test.want)
			}
		}
	}
	var page historyPageJSON
	h.result(t, &page, "ledger_getHistory", alice) // without a page
	if len(page.Items) != 5 || page.Next != nil {
		t.Errorf("%d items, next %v", len(page.Items), page.Next)
	}
	h.refused(t, wire.CodeNotFound, "noSuchAsset", "ledger_getHistory", map[string]any{"asset": "NONE"})
}

// Each item of a transaction has the receipt as ledger_getReceipt gives it, and
// one of a block the events that concern the subject, and no other.
func TestHistoryItemsAreWhole(t *testing.T) {
	h := newHistory(t)
	var page historyPageJSON
	h.result(t, &page, "ledger_getHistory", bob)
	for _, item := range page.Items {
		if item.Index == nil {
			continue
		}
		want := h.call(t, "ledger_getReceipt", *item.Hash).Result
		var receipt wire.Receipt
		if err := json.Unmarshal(want, &struct{ Height, Index any }{&receipt.Height, &receipt.Index}); err != nil {
			t.Fatal(err)
		}
		if string(item.Receipt) != string(want) || item.Height != receipt.Height || *item.Index != receipt.Index || len(item.Events) != 0 {
			t.Errorf("the item is %+v, the receipt %s", item, want)
		}
	}
	genesis := page.Items[len(page.Items)-1]
	if string(genesis.Receipt) != "null" || genesis.Hash != nil || genesis.BlockHash != h.node.done[0].Hash || genesis.BlockTime != genesisTime {
		t.Errorf("the genesis is %+v", genesis)
	}
	text, err := json.Marshal(genesis.Events)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), bob.String()); n != len(genesis.Events) || strings.Contains(string(text), alice.String()) || n < 3 {
		t.Errorf("bob's genesis is %s", text)
	}
}

// A cursor goes on where its page ended, whatever was committed meanwhile.
func TestAHistoryIsReadWhileBlocksCome(t *testing.T) {
	h := newHistory(t)
	before := h.places(t, alice, 100)
	var got []string
	var cursor *string
	for i := uint64(0); ; i++ {
		var page historyPageJSON
		h.result(t, &page, "ledger_getHistory", alice, pageOf(1, cursor))
		for _, item := range page.Items {
			index := "own"
			if item.Index != nil {
				index = fmt.Sprint(*item.Index)
			}
			got = append(got, fmt.Sprintf("%d:%s", item.Height, index))
		}
		if cursor = page.Next; cursor == nil {
			break
		}
		_, raw := h.rawTx(t, 10+i, 1)
		h.result(t, new(crypto.Hash), "ledger_sendRawTransaction", raw)
		h.node.commit(t)
	}
	if !slices.Equal(got, before) {
		t.Errorf("%v, want %v", got, before)
	}
}

// A block's own events come in items of bounded length, in their order and each
// once, whatever the size of the pages.
func TestManyOwnEventsAreServedInParts(t *testing.T) {
	h := newHistory(t)
	const count = 2*historyEvents + 3
	settlement := h.node.net.Settlement
	var events []ledger.Event
	for i := range count {
		events = append(events, ledger.Event{Type: ledger.EventIssue, Asset: settlement, To: strangerAddress, Amount: ledger.NewAmount(uint64(i))},
			ledger.Event{Type: ledger.EventIssue, Asset: bob, To: bob, Amount: ledger.NewAmount(1)})
	}
	for _, height := range []int{0, 3} {
		h.node.done[height].Events = events
	}
	for _, limit := range []int{1, 2, 3, 4, 5, 100} {
		var sizes []string
		next := map[uint64]int{}
		for cursor := (*string)(nil); ; {
			var page historyPageJSON
			h.result(t, &page, "ledger_getHistory", map[string]any{"asset": settlement}, pageOf(limit, cursor))
			for _, item := range page.Items {
				sizes = append(sizes, fmt.Sprintf("%d:%d", item.Height, len(item.Events)))
				for _, e := range item.Events {
					if want := fmt.Sprintf(`"amount":"%d"`, next[item.Height]); !strings.Contains(string(e), want) {
						t.Fatalf("by %d: %s is not the one with %s", limit, e, want)
					}
					next[item.Height]++
				}
			}
			if cursor = page.Next; cursor == nil {
				break
			}
		}
		if want := []string{"4:0", "3:1000", "3:1000", "3:3", "1:0", "1:0", "0:1000", "0:1000", "0:3"}; !slices.Equal(sizes, want) {
			t.Errorf("by %d: %v, want %v", limit, sizes, want)
		}
	}
}

// However long receipts are, an answer is not much longer than its bound, and
// nothing is left out.
func TestAHistoryOfLongReceiptsIsServedInShortAnswers(t *testing.T) {
	h := newHistory(t)
	event := wire.Event{Event: ledger.Event{Type: ledger.EventTransfer, From: alice, To: bob, Asset: h.node.net.Settlement, Reference: strings.Repeat("x", ledger.MaxReferenceBytes)}}
	block := h.node.done[3]
	for i := range 9 {
		receipt := *h.node.done[1].Receipts[0]
		receipt.Height, receipt.Index, receipt.Events = 3, uint32(i), slices.Repeat([]wire.Event{event}, ledger.MaxLegs)
		block.Receipts = append(block.Receipts, &receipt)
	}
	pages, items := 0, 0
	for cursor := (*string)(nil); ; pages++ {
		a := h.call(t, "ledger_getHistory", bob, pageOf(1000, cursor))
		var page historyPageJSON
		if err := json.Unmarshal(a.Result, &page); err != nil {
			t.Fatal(err)
		}
		if len(a.Result) > historyBytes+(2<<20) {
			t.Errorf("an answer has %d bytes", len(a.Result))
		}
		items += len(page.Items)
		if cursor = page.Next; cursor == nil {
			break
		}
	}
	if pages++; items != 9+5 || pages < 2 {
		t.Errorf("%d items in %d pages", items, pages)
	}
}

func TestHistoryRefusesCursorsOfOthers(t *testing.T) {
	h := newHistory(t)
	for _, cursor := range []string{"0", "1", "1.", ".1", "1.1.1", "1.0.0", "01.1", "1.01", "+1.1", "1.-1", "9007199254740993.1", "1.4294967296", "1.0.2147483648", "1.0.1.1", "1 .1", alice.String()} {
		h.refused(t, codeInvalidParams, "invalidParams", "ledger_getHistory", alice, map[string]any{"cursor": cursor})
	}
	// One of a node that is ahead would leave a gap.
	h.refused(t, wire.CodeNotFound, "unknownHeight", "ledger_getHistory", alice, map[string]any{"cursor": "5.1"})
	for _, cursor := range []string{"0.0", "0.1", "4.4294967295", "2.0.9999"} { // well formed: what lies below is shown
		h.result(t, new(historyPageJSON), "ledger_getHistory", alice, map[string]any{"cursor": cursor})
	}
}

func TestAFailedNodeAnswersNoHistory(t *testing.T) {
	h := newHistory(t)
	h.node.fail = fmt.Errorf("disk on fire")
	for _, method := range []string{"ledger_getHistory", "ledger_pending", "ledger_peers"} {
		h.refused(t, wire.CodeUnavailable, "internal", method, map[string][]any{"ledger_getHistory": {alice}}[method]...)
	}
}

// FuzzHistoryCursor: what is taken for a cursor is one, to the byte.
func FuzzHistoryCursor(f *testing.F) {
	for _, text := range []string{"0.0", "1.1", "3.0.1000", "9007199254740991.4294967295", "", "1.1.1", "01.1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, ok := parseHistoryCursor(text)
		if ok && c.String() != text {
			t.Errorf("%q is taken for %s", text, c)
		}
		last, more := c.rest()
		if ok && more && last.Compare(c.place) > 0 {
			t.Errorf("after %q comes %v", text, last)
		}
	})
}
