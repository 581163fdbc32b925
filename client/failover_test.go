package client

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

const admit = "ledger_sendRawTransaction"

// hashOf is an answer with the hash of the bytes.
func hashOf(params []json.RawMessage) (any, *fakeError) {
	var raw wire.Bytes
	if json.Unmarshal(params[0], &raw) != nil {
		return nil, &fakeError{Code: -32602, Message: "bad bytes"}
	}
	return crypto.Keccak256(raw), nil
}

// deafen makes a node take calls of a method and say nothing, as one does whose
// machine has stopped.
func deafen(t *testing.T, n *fakeNode, method string) {
	t.Helper()
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	n.on(method, func([]json.RawMessage) (any, *fakeError) { <-release; return nil, nil })
}

// What is no node is passed over while there is another, and said where there
// is none.
func TestWhatIsNoNodeIsPassedOver(t *testing.T) {
	for name, page := range map[string]http.HandlerFunc{
		"a web page":  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"not found":   http.NotFound,
		"bad gateway": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no backend", http.StatusBadGateway) },
		"cut off":     func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"jsonrpc":"2.0","id":1,"res`)) },
		"hangs up":    func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"another kind": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"jsonrpc":"2.0","id":1,"result":7}`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			good := newFake(t, "net-a")
			var spoiled atomic.Bool
			front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if spoiled.Load() {
					page(w, r)
				} else {
					good.serve(w, r)
				}
			}))
			t.Cleanup(front.Close)
			c, err := Dial(t.Context(), front.URL, good.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			tx := signed(t, c)
			good.gives(ledger.Applied)
			good.on(admit, hashOf)
			spoiled.Store(true)
			c.current.Store(0)
			if hash, err := c.Submit(t.Context(), tx.Raw); err != nil || hash != tx.Hash {
				t.Errorf("submit: %s, %v", hash, err)
			}
			if _, err := c.Asset(t.Context(), "TALLY"); err != nil {
				t.Errorf("read: %v", err)
			}
			c.current.Store(0)
			if r, err := c.SubmitAndWait(t.Context(), tx.Raw); err != nil || r.Hash != tx.Hash || good.count(sync_) != 1 {
				t.Errorf("submit and wait: %+v, %v", r, err)
			}
		})
	}
}

// A node that was away when the client was made, and turns out to be of another
// network, is believed in nothing: neither its refusals nor what it has.
func TestALateNodeOfAnotherNetwork(t *testing.T) {
	good, foreign := newFake(t, "net-a"), newFake(t, "net-b")
	away := atomic.Bool{}
	away.Store(true)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if away.Load() {
			http.Error(w, "starting", http.StatusServiceUnavailable)
		} else {
			foreign.serve(w, r)
		}
	}))
	t.Cleanup(front.Close)
	c, err := Dial(t.Context(), front.URL, good.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	away.Store(false)
	tx := signed(t, c)
	good.gives(ledger.Applied)
	foreign.fails(sync_, wire.CodeRejected, wire.ErrorData{Name: "malformed", Code: 11})
	c.current.Store(0)
	if r, err := c.SubmitAndWait(t.Context(), tx.Raw); err != nil || r.Hash != tx.Hash {
		t.Errorf("%+v, %v", r, err)
	}
	c.current.Store(0)
	good.on("ledger_listAssets", func([]json.RawMessage) (any, *fakeError) {
		return wire.AssetPage{Items: []wire.Asset{{Symbol: "GOOD"}}}, nil
	})
	if p, err := c.Assets(t.Context(), wire.Page{}); err != nil || p.Items[0].Symbol != "GOOD" {
		t.Errorf("%+v, %v", p, err)
	}
	if n := foreign.count(sync_) + foreign.count("ledger_listAssets"); n != 0 {
		t.Errorf("it was asked %d times", n)
	}
	_, err = c.At(0).SubmitAndWait(t.Context(), tx.Raw)
	if e := wants(t, err, NameNetwork); e.Pending || !strings.Contains(e.Message, "net-b") {
		t.Errorf("%v: want no doubt, for it was sent nothing", e)
	}
}

// A node that does not serve this client's key is passed over, and said where no
// other is left.
func TestANodeWithAnotherKeyIsPassedOver(t *testing.T) {
	a, b := newFake(t, "net-a"), newFake(t, "net-a")
	c := dial(t, a, b)
	tx := signed(t, c)
	b.gives(ledger.Applied)
	for _, name := range []string{"keyMissing", "keyUnknown", "scopeMissing"} {
		a.fails(sync_, wire.CodeInvalidInput, wire.ErrorData{Name: name})
		c.current.Store(0)
		if r, err := c.SubmitAndWait(t.Context(), tx.Raw); err != nil || r.Hash != tx.Hash {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
		_, err := c.At(0).SubmitAndWait(t.Context(), tx.Raw)
		if e := wants(t, err, name); e.Pending {
			t.Errorf("%s: it was refused before it was taken: %+v", name, e)
		}
	}
}

// A node that comes back of the same network serves again.
func TestALateNodeIsUsed(t *testing.T) {
	late, good := newFake(t, "net-a"), newFake(t, "net-a")
	late.fails("ledger_status", wire.CodeUnavailable, wire.ErrorData{Name: "catchingUp"})
	c := dial(t, late, good)
	late.on("ledger_status", func([]json.RawMessage) (any, *fakeError) {
		return wire.Status{NetworkID: "net-a", ChainID: 7077, SettlementAsset: settlement}, nil
	})
	tx := signed(t, c)
	late.gives(ledger.Applied)
	good.Server.Close()
	if r, err := c.SubmitAndWait(t.Context(), tx.Raw); err != nil || r.Hash != tx.Hash {
		t.Errorf("%+v, %v", r, err)
	}
	before := late.count("ledger_status")
	if _, err := c.SubmitAndWait(t.Context(), tx.Raw); err != nil || late.count("ledger_status") != before {
		t.Errorf("it is asked for its network again and again: %v", err)
	}
}

// A node that takes the bytes and falls silent costs a few seconds, not all of
// the time there is.
func TestASilentNodeIsLeft(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for a node that says nothing")
	}
	t.Parallel()
	a, b := newFake(t, "net-a"), newFake(t, "net-a")
	c := dial(t, a, b)
	tx := signed(t, c)
	deafen(t, a, sync_)
	b.gives(ledger.Applied)
	c.current.Store(0)
	began := time.Now()
	if r, err := c.SubmitAndWait(t.Context(), tx.Raw); err != nil || r.Hash != tx.Hash {
		t.Errorf("%+v, %v", r, err)
	}
	if took := time.Since(began); took > onlyWait {
		t.Errorf("it took %s", took)
	}
}

// After a node was lost in doubt, the next says that another transaction waits
// with the same nonce. Ours may still be the one that is committed, and the
// error must not deny it.
func TestDoubtOutlivesADuplicateNonce(t *testing.T) {
	a, b := newFake(t, "net-a"), newFake(t, "net-a")
	a.Config.ErrorLog = quiet()
	c := dial(t, a, b)
	tx, other := signed(t, c), crypto.Hash{1}
	a.on(sync_, func([]json.RawMessage) (any, *fakeError) { panic("hang up") })
	for code, pending := range map[ledger.Code]bool{ledger.CodeDuplicateNonce: true, ledger.CodeNonceSpent: false} {
		c.current.Store(0)
		b.fails(sync_, wire.CodeRejected, wire.ErrorData{Name: code.String(), Code: uint32(code), Hash: &other})
		for _, n := range []*fakeNode{a, b} {
			n.on(receipt, func([]json.RawMessage) (any, *fakeError) { return nil, nil })
		}
		_, err := c.SubmitAndWait(t.Context(), tx.Raw)
		e := wants(t, err, code.String())
		if e.Pending != pending || *e.Hash != other || *e.Submitted != tx.Hash {
			t.Errorf("%+v", e)
		}
		if says := strings.Contains(e.Error(), tx.Hash.String()+" may still be committed"); says != pending {
			t.Errorf("%s: %s", code, e)
		}
	}
}

// All nodes refuse connections: nothing was sent, and nothing is in doubt.
func TestNothingSentIsNoDoubt(t *testing.T) {
	a, b := newFake(t, "net-a"), newFake(t, "net-a")
	for _, n := range []*fakeNode{a, b} { // else something may be sent to a connection that is no more
		n.Server.Config.SetKeepAlivesEnabled(false)
	}
	c := dial(t, a, b)
	tx := signed(t, c)
	a.Server.Close()
	b.Server.Close()
	_, err := c.Submit(t.Context(), tx.Raw)
	if e := wants(t, err, NameUnreachable); e.Pending || *e.Submitted != tx.Hash {
		t.Errorf("%+v", e)
	}
}

// The bytes that are sent are the same on every attempt, to whichever node.
func TestTheSameBytesEverywhere(t *testing.T) {
	a, b := newFake(t, "net-a"), newFake(t, "net-a")
	c := dial(t, a, b)
	tx := signed(t, c)
	sent := make(chan string, 8)
	for _, n := range []*fakeNode{a, b} {
		n.on(admit, func(params []json.RawMessage) (any, *fakeError) {
			sent <- string(params[0])
			return nil, &fakeError{wire.CodeUnavailable, "busy", wire.ErrorData{Name: "busy"}}
		})
	}
	signature := wire.Signature{Scheme: uint8(tx.Signatures[0].Scheme), Signature: tx.Signatures[0].Signature[:]}
	_, err := c.SubmitTypedData(t.Context(), tx.Body, []wire.Signature{signature})
	wants(t, err, "busy")
	if _, err := c.Submit(t.Context(), tx.Raw); err == nil {
		t.Error("busy nodes took it")
	}
	close(sent)
	first, count := "", 0
	for text := range sent {
		if count++; first == "" {
			first = text
		}
		if text != first {
			t.Errorf("sent %s and %s", first, text)
		}
	}
	if count != 4 {
		t.Errorf("sent %d times, want to each node twice", count)
	}
	signature.Signature = signature.Signature[:64]
	_, err = c.SubmitTypedData(t.Context(), tx.Body, []wire.Signature{signature})
	wants(t, err, ledger.CodeInvalidSignature.String())
}
