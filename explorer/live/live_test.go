package live

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/explorer/api"
	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/explorer/worldtest"
)

// served is a hub over a small ledger, which runs until the test ends.
func served(t *testing.T, world *worldtest.World, o Options) (*Hub, string) {
	t.Helper()
	return serve(t, world, o)
}

func serve(t *testing.T, queries query.Queries, o Options) (*Hub, string) {
	t.Helper()
	o.Queries, o.Refuse = queries, api.Problem
	if o.MaxStreams == 0 {
		o.MaxStreams, o.MaxPerAddress = 100, 100
	}
	if o.Address == nil {
		o.Address = func(*http.Request) string { return "here" }
	}
	h := New(o)
	ctx, cancel := context.WithCancel(context.Background())
	server := httptest.NewServer(h)
	ran := make(chan struct{})
	go func() { defer close(ran); h.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ran; server.Close() })
	return h, server.URL
}

// event is what a viewer sees.
type event struct{ id, name, data string }

// viewer reads a stream.
type viewer struct {
	t     *testing.T
	lines *bufio.Scanner
	close func()
}

func view(t *testing.T, address, last string) *viewer {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if kind := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || kind != "text/event-stream" {
		t.Fatalf("%d %s", response.StatusCode, kind)
	}
	v := &viewer{t, bufio.NewScanner(response.Body), func() { cancel(); response.Body.Close() }}
	v.lines.Buffer(nil, 1<<20)
	t.Cleanup(v.close)
	v.lines.Scan() // retry
	v.lines.Scan()
	return v
}

func (v *viewer) next() (e event) {
	v.t.Helper()
	for v.lines.Scan() {
		key, value, _ := strings.Cut(v.lines.Text(), ": ")
		switch key {
		case "id":
			e.id = value
		case "event":
			e.name = value
		case "data":
			e.data = value
		case "":
			if e.name != "" {
				return e
			}
		}
	}
	v.t.Fatalf("the stream ended: %v", v.lines.Err())
	return e
}

// wantBlocks reads the blocks from one height to another, each once and in order.
func (v *viewer) wantBlocks(from, to int) {
	v.t.Helper()
	for height := from; height <= to; height++ {
		e := v.next()
		if !json.Valid([]byte(e.data)) {
			v.t.Fatalf("block %d: %s", height, e.data)
		}
		if e.name != "block" || e.id != strconv.Itoa(height) || !strings.Contains(e.data, `"height":`+e.id+",") {
			v.t.Fatalf("%s %s where block %d should be", e.name, e.id, height)
		}
	}
}

// A viewer sees every block once, in order, and one that comes back sees what it
// missed, whether or not anybody was looking meanwhile.
func TestEveryBlockOnce(t *testing.T) {
	world := worldtest.New(20)
	_, address := served(t, world, Options{})
	first := view(t, address, "20")
	world.Grow(5)
	first.wantBlocks(21, 25)
	first.close()
	world.Grow(10)
	again := view(t, address, "25")
	again.wantBlocks(26, 35)
	world.Grow(1)
	again.wantBlocks(36, 36)
	byParameter := view(t, address+"?after=30", "")
	byParameter.wantBlocks(31, 36)
}

// One who was away for very long is told so.
func TestReset(t *testing.T) {
	world := worldtest.New(1500)
	_, address := served(t, world, Options{})
	probe := view(t, address, "1500") // the hub has begun once this one is shown a block
	world.Grow(1)
	probe.wantBlocks(1501, 1501)
	v := view(t, address, "3")
	e := v.next()
	var r Reset
	if err := json.Unmarshal([]byte(e.data), &r); err != nil || e.name != "reset" || r.After != 3 || r.Next != 1501 {
		t.Errorf("%+v %v", e, err)
	}
	v.wantBlocks(1501, 1501)
}

// A change of what readers must know is sent at once with the next block.
func TestStatus(t *testing.T) {
	world := worldtest.New(20)
	_, address := served(t, world, Options{})
	v := view(t, address, "20")
	world.Grow(1)
	v.wantBlocks(21, 21)
	world.Set(func(s *query.Status) { s.Differences = 3 })
	world.Grow(1)
	for range 2 { // the block may come before
		if e := v.next(); e.name == "status" {
			if !strings.Contains(e.data, `"differences":3`) || e.id != "" {
				t.Errorf("%+v", e)
			}
			return
		}
	}
	t.Error("no status came")
}

func TestStreamsAreBounded(t *testing.T) {
	world := worldtest.New(5)
	h, address := served(t, world, Options{MaxStreams: 3, MaxPerAddress: 2, Address: func(r *http.Request) string { return r.URL.Query().Get("from") }})
	a := view(t, address+"?from=a", "")
	view(t, address+"?from=a", "")
	refused := func(query string, want int) {
		t.Helper()
		response, err := http.Get(address + query)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if response.StatusCode != want || response.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", query, response.StatusCode, response.Header.Get("Content-Type"))
		}
	}
	refused("?from=a", http.StatusTooManyRequests) // a third of one address
	view(t, address+"?from=b", "")
	refused("?from=c", http.StatusTooManyRequests) // a fourth of all
	a.close()
	for end := time.Now().Add(time.Minute); h.viewed.Load() > 2; {
		if time.Now().After(end) {
			t.Fatal("a viewer that went away is still counted")
		}
		time.Sleep(5 * time.Millisecond)
	}
	view(t, address+"?from=c", "")
	for _, last := range []string{"-1", "x", "99999999999999999999", "1 OR 1=1"} {
		refused("?after="+strings.ReplaceAll(last, " ", "%20"), http.StatusUnprocessableEntity)
	}
}

// Many viewers see the same.
func TestHundredViewers(t *testing.T) {
	world := worldtest.New(20)
	_, address := served(t, world, Options{MaxStreams: 1000, MaxPerAddress: 1000})
	viewers := make([]*viewer, 100)
	for i := range viewers {
		viewers[i] = view(t, address, "20")
	}
	world.Grow(20)
	for _, v := range viewers {
		v.wantBlocks(21, 40)
	}
}

// Who asks for the head alone gets that, and no stream is held for it.
func TestHead(t *testing.T) {
	hub, address := served(t, worldtest.New(5), Options{})
	response, err := http.Head(address)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("%d %s", response.StatusCode, response.Header.Get("Content-Type"))
	}
	for end := time.Now().Add(time.Minute); hub.viewed.Load() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a stream is held for the head")
		}
	}
}
