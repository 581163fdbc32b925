package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/explorer/index"
	"github.com/tallystick/tallystick/ledger"
)

// New blocks are announced: nothing here asks a node for its height.
func TestExplorerHearsOfBlocks(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := newRemoteSource(&nodeFlags{urls: []string{startDevnet(t)}, timeout: 10 * time.Second}, client.Options{}, nil)
	ended := make(chan struct{})
	go func() { defer close(ended); s.listen(ctx) }()
	for want := ledger.Height(1); want < 4; {
		if ctx.Err() != nil {
			t.Fatal("no block was announced")
		}
		if err := s.WaitHeight(ctx, want); err != nil {
			t.Fatal(err)
		}
		if head, _ := s.known(); head >= want {
			want = head + 1
		}
	}
	cancel()
	<-ended
	s.close()
}

// fakeNode answers with a height and the blocks that it keeps, from one on.
func fakeNode(t *testing.T, height, base uint64) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var call struct {
			ID     json.RawMessage
			Method string
			Params []json.RawMessage
		}
		if json.NewDecoder(r.Body).Decode(&call) != nil {
			http.Error(w, "no call", http.StatusBadRequest)
			return
		}
		answer := map[string]any{"jsonrpc": "2.0", "id": call.ID}
		var asked uint64
		if len(call.Params) > 0 {
			_ = json.Unmarshal(call.Params[0], &asked)
		}
		switch {
		case call.Method == "ledger_status":
			answer["result"] = map[string]any{"networkId": "test", "chainId": 7077, "height": height}
		case call.Method != "ledger_getBlockContents":
			answer["error"] = map[string]any{"code": -32601, "message": "there is no such method"}
		case asked < base || asked > height:
			answer["error"] = map[string]any{"code": -32001, "message": "unknown height", "data": map[string]any{"name": "unknownHeight"}}
		default:
			answer["result"] = map[string]any{"block": map[string]any{"height": asked}}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func sourceOf(t *testing.T, urls ...string) *remoteSource {
	t.Helper()
	s := newRemoteSource(&nodeFlags{urls: urls, timeout: 10 * time.Second}, client.Options{}, nil)
	t.Cleanup(s.close)
	return s
}

// A block that one node does not have is asked of the others. Only where none keeps
// it is it lost for good; a node that lags behind, or is away, is no reason to give up.
func TestExplorerAsksEveryNode(t *testing.T) {
	const away = "http://127.0.0.1:1"
	for _, c := range []struct {
		name   string
		urls   []string
		height ledger.Height
		found  bool
		want   string // of the error; empty for none
		pruned bool
	}{
		{"the only one has it", []string{fakeNode(t, 10, 1)}, 5, true, "", false},
		{"the first lags", []string{fakeNode(t, 4, 1), fakeNode(t, 10, 1)}, 5, true, "", false},
		{"the first keeps less", []string{fakeNode(t, 10, 8), fakeNode(t, 10, 1)}, 5, true, "", false},
		{"the first is away", []string{away, fakeNode(t, 10, 1)}, 5, true, "", false},
		{"none has come so far", []string{fakeNode(t, 4, 1), fakeNode(t, 3, 1)}, 5, false, "", false},
		{"one lags and one is away", []string{away, fakeNode(t, 4, 1)}, 5, false, "", false},
		{"none keeps it", []string{fakeNode(t, 10, 8), fakeNode(t, 10, 9)}, 5, false, "none of the nodes keeps block 5", true},
		{"one lags and one keeps less", []string{fakeNode(t, 4, 1), fakeNode(t, 10, 8)}, 5, false, "no node that answers has block 5", false},
		{"one is away and one keeps less", []string{away, fakeNode(t, 10, 8)}, 5, false, "no node that answers has block 5", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b, err := sourceOf(t, c.urls...).Block(t.Context(), c.height)
			if (b != nil) != c.found || errors.Is(err, explorer.ErrPruned) != c.pruned {
				t.Fatalf("block %v, %v", b, err)
			}
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v, want %q", err, c.want)
			}
		})
	}
}

// A source that began without a node takes none of another network.
func TestExplorerKnowsItsNetwork(t *testing.T) {
	own, err := ledger.NewNetwork("own", 7077, [20]byte{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := sourceOf(t, fakeNode(t, 3, 1))
	s.stored = own
	if _, err := s.Height(t.Context()); !errors.Is(err, index.ErrOtherNetwork) || !strings.Contains(err.Error(), `"own"`) || !strings.Contains(err.Error(), `"test"`) {
		t.Fatalf("a node of another network: %v", err)
	}
	if s.Network() != own {
		t.Fatal("it took the node's network")
	}
}
