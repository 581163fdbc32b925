package client

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// fakeNode is a node that says what a test wants.
type fakeNode struct {
	*httptest.Server
	mu     sync.Mutex
	answer map[string]func(params []json.RawMessage) (any, *fakeError)
	calls  map[string]int
}

type fakeError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
}

// settlement is the settlement asset of the fake network.
var settlement = crypto.Address{19: 7}

// newFake starts a node of the network called id, with one asset.
func newFake(t *testing.T, id string) *fakeNode {
	t.Helper()
	n := &fakeNode{answer: map[string]func([]json.RawMessage) (any, *fakeError){}, calls: map[string]int{}}
	n.on("ledger_status", func([]json.RawMessage) (any, *fakeError) {
		return wire.Status{NetworkID: id, ChainID: 7077, Height: 5, SettlementAsset: settlement}, nil
	})
	n.on("ledger_getAsset", func([]json.RawMessage) (any, *fakeError) {
		return wire.Asset{Asset: settlement, Symbol: "TALLY", Decimals: 18}, nil
	})
	n.Server = httptest.NewServer(http.HandlerFunc(n.serve))
	t.Cleanup(n.Close)
	return n
}

func (n *fakeNode) on(method string, f func([]json.RawMessage) (any, *fakeError)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answer[method] = f
}

// fails makes a method answer with an error of this code and name.
func (n *fakeNode) fails(method string, code int, data wire.ErrorData) {
	n.on(method, func([]json.RawMessage) (any, *fakeError) {
		return nil, &fakeError{code, "because " + data.Name, data}
	})
}

func (n *fakeNode) count(method string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.calls[method]
}

func (n *fakeNode) serve(w http.ResponseWriter, r *http.Request) {
	var call struct {
		ID     json.RawMessage
		Method string
		Params []json.RawMessage
	}
	if json.NewDecoder(r.Body).Decode(&call) != nil {
		http.Error(w, "not a call", http.StatusBadRequest)
		return
	}
	n.mu.Lock()
	f := n.answer[call.Method]
	n.calls[call.Method]++
	n.mu.Unlock()
	response := map[string]any{"jsonrpc": "2.0", "id": call.ID}
	if f == nil {
		response["error"] = fakeError{-32601, "no method " + call.Method, nil}
	} else if result, problem := f(call.Params); problem != nil {
		response["error"] = problem
	} else {
		response["result"] = result
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(response)
}

// dial connects to fake nodes.
func dial(t *testing.T, nodes ...*fakeNode) *Client {
	t.Helper()
	urls := make([]string, len(nodes))
	for i, n := range nodes {
		urls[i] = n.URL
	}
	c, err := Dial(t.Context(), urls...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// signed is a transaction of the fake network.
func signed(t *testing.T, c *Client) *ledger.Tx {
	t.Helper()
	key, err := crypto.PrivateKeyFromBytes(append(make([]byte, 31), 1))
	if err != nil {
		t.Fatal(err)
	}
	leg := ledger.Leg{From: key.Address(), To: crypto.Address{19: 9}, Asset: settlement, Amount: ledger.NewAmount(1)}
	tx, err := c.Sign(t.Context(), ledger.Body{Sender: key.Address(), Op: &ledger.Transfer{Legs: []ledger.Leg{leg}}}, ledger.SchemeBodyHash, NewLocalSigner(key))
	if err != nil {
		t.Fatal(err)
	}
	return tx
}
