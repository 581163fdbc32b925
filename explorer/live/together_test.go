package live

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/explorer/worldtest"
)

// Blocks that came together go out in one message: every one of them, in order, with
// ten transactions among them, the newest block's first; and each event says how many
// it leaves out.
func TestBlocksTogether(t *testing.T) {
	world := worldtest.New(20)
	h := New(Options{Queries: world, MaxStreams: 10, MaxPerAddress: 10})
	h.add(nil, 20)
	if !h.enter("here") {
		t.Fatal("there is room for a viewer")
	}
	before := h.join()
	world.Grow(8)
	if !h.advance(t.Context(), 28) {
		t.Fatal("there was nothing to send")
	}
	if before.next != h.join() || before.next.after != 20 || before.next.block != 28 {
		t.Fatalf("it is not one message of the blocks 21 to 28: %+v", before.next)
	}
	events := parse(t, string(before.next.text))
	shownInAll, most := 0, uint64(0)
	for i, e := range events {
		if e.Block.Height != uint64(21+i) || e.Block.Transactions != uint64(len(e.Transactions))+e.More {
			t.Errorf("event %d has block %d with %d transactions, shows %d and leaves out %d", i, e.Block.Height, e.Block.Transactions, len(e.Transactions), e.More)
		}
		shownInAll += len(e.Transactions)
		most += e.Block.Transactions
	}
	newest := events[len(events)-1]
	if len(events) != 8 || shownInAll != int(min(most, shown)) || len(newest.Transactions) != int(min(newest.Block.Transactions, shown)) {
		t.Errorf("%d events show %d of %d transactions, the newest %d", len(events), shownInAll, most, len(newest.Transactions))
	}

	// One that has seen some of them gets the others, and one that has seen all nothing.
	for seen, want := range map[uint64]int{20: 8, 24: 4, 27: 1, 28: 0} {
		w := httptest.NewRecorder()
		if !h.pass(t.Context(), stream{w, http.NewResponseController(w)}, before.next, seen) {
			t.Fatalf("after block %d: the stream broke", seen)
		}
		got := parse(t, w.Body.String())
		if len(got) != want || want > 0 && got[0].Block.Height != seen+1 {
			t.Errorf("after block %d come %d events, want %d", seen, len(got), want)
		}
	}
}

func parse(t *testing.T, text string) (events []Event) {
	t.Helper()
	for line := range strings.Lines(text) {
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			var e Event
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				t.Fatal(err)
			}
			events = append(events, e)
		}
	}
	return events
}

// The hub's rest grows with the viewers, to an end; one viewer alone waits for nothing.
func TestRest(t *testing.T) {
	h := New(Options{})
	for viewers, want := range map[int64]time.Duration{0: 0, 1: each, 1000: time.Second, 4096: longest} {
		h.viewed.Store(viewers)
		if h.pause() != want {
			t.Errorf("for %d viewers it rests %s, want %s", viewers, h.pause(), want)
		}
	}
}
