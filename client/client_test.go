package client

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

// wants checks that err is an *Error with this name, and returns it.
func wants(t *testing.T, err error, name string) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want an *Error called %s", err, name)
	}
	if e.Name != name {
		t.Fatalf("error called %s (%v), want %s", e.Name, err, name)
	}
	return e
}

func TestDialLearnsTheNetwork(t *testing.T) {
	c := dial(t, newFake(t, "net-a"))
	n := c.Network()
	if n.ID != "net-a" || n.ChainID != 7077 || n.Settlement != settlement || n.SettlementDecimals != 18 {
		t.Errorf("network %+v", n)
	}
}

func TestDialRefuses(t *testing.T) {
	a, b := newFake(t, "net-a"), newFake(t, "net-b")
	html := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }))
	t.Cleanup(html.Close)
	missing := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(missing.Close)
	public := newFake(t, "net-c")
	public.on("ledger_status", func([]json.RawMessage) (any, *fakeError) {
		return wire.Status{NetworkID: "net-c", ChainID: 1}, nil
	})
	foreign := newFake(t, "net-d")
	foreign.on("ledger_status", nil)
	for name, c := range map[string]struct {
		urls []string
		want string
		text string
	}{
		"nobody":           {nil, NameUnreachable, "no node"},
		"nobody listens":   {[]string{closedPort(t)}, NameUnreachable, "connection refused"},
		"not a URL":        {[]string{"127.0.0.1:8545"}, NameAddress, "http://127.0.0.1:8545"},
		"another scheme":   {[]string{"ftp://127.0.0.1"}, NameAddress, "ftp"},
		"two networks":     {[]string{a.URL, b.URL}, NameNetwork, "net-b"},
		"a web page":       {[]string{html.URL}, NameAnswer, "not understood"},
		"not found":        {[]string{missing.URL}, NameAnswer, "404"},
		"a public chain":   {[]string{public.URL}, NameNetwork, "Ethereum"},
		"another software": {[]string{foreign.URL}, "error", "no method"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Dial(t.Context(), c.urls...)
			if e := wants(t, err, c.want); !strings.Contains(e.Error(), c.text) {
				t.Errorf("%q does not say %q", e.Error(), c.text)
			}
		})
	}
}

func TestDialNeedsOneNode(t *testing.T) {
	n := newFake(t, "net-a")
	c, err := Dial(t.Context(), closedPort(t), n.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if s, err := c.Status(t.Context()); err != nil || s.Height != 5 {
		t.Errorf("status %+v, %v", s, err)
	}
}

func TestReadsMoveOn(t *testing.T) {
	a, b := newFake(t, "net-a"), newFake(t, "net-a")
	c := dial(t, a, b)
	for _, name := range []string{"busy", "catchingUp", "gone"} {
		if name == "gone" {
			a.Server.Close()
		} else {
			a.fails("ledger_listAssets", wire.CodeUnavailable, wire.ErrorData{Name: name})
		}
		c.current.Store(0)
		b.on("ledger_listAssets", func([]json.RawMessage) (any, *fakeError) {
			return wire.AssetPage{Items: []wire.Asset{{Symbol: "B"}}}, nil
		})
		p, err := c.Assets(t.Context(), wire.Page{})
		if err != nil || len(p.Items) != 1 {
			t.Fatalf("%s: %+v, %v", name, p, err)
		}
		if c.current.Load() != 1 {
			t.Errorf("%s: the next read does not go to the node that answered", name)
		}
	}
}

func TestReadsDoNotMoveOnFromADefiniteAnswer(t *testing.T) {
	a, b := newFake(t, "net-a"), newFake(t, "net-a")
	c := dial(t, a, b)
	c.current.Store(0)
	a.fails("ledger_getBlock", wire.CodeNotFound, wire.ErrorData{Name: "unknownHeight", Hint: "look lower"})
	_, err := c.BlockAt(t.Context(), 99)
	e := wants(t, err, "unknownHeight")
	if e.Hint != "look lower" || e.Temporary() || e.Node != a.URL {
		t.Errorf("%+v", e)
	}
	if b.count("ledger_getBlock") != 0 {
		t.Error("the other node was asked too")
	}
}

func TestNullIsNotFound(t *testing.T) {
	n := newFake(t, "net-a")
	null := func([]json.RawMessage) (any, *fakeError) { return nil, nil }
	for _, m := range []string{"ledger_getAccount", "ledger_getReceipt", "ledger_getTransaction", "ledger_getReceiptByNonce"} {
		n.on(m, null)
	}
	c := dial(t, n)
	_, err := c.Account(t.Context(), crypto.Address{1}, nil)
	wants(t, err, NameNotFound)
	if r, err := c.Receipt(t.Context(), crypto.Hash{}); r != nil || err != nil {
		t.Errorf("receipt %v, %v", r, err)
	}
	if r, err := c.ReceiptByNonce(t.Context(), crypto.Address{}, 0); r != nil || err != nil {
		t.Errorf("receipt %v, %v", r, err)
	}
	if tx, err := c.Transaction(t.Context(), crypto.Hash{}); tx != nil || err != nil {
		t.Errorf("transaction %v, %v", tx, err)
	}
}

func TestAllAssetsStops(t *testing.T) {
	n := newFake(t, "net-a")
	n.on("ledger_listAssets", func(params []json.RawMessage) (any, *fakeError) {
		next := "again"
		return wire.AssetPage{Items: []wire.Asset{{Symbol: "A"}}, Next: &next}, nil
	})
	_, err := dial(t, n).AllAssets(t.Context())
	wants(t, err, NameAnswer)
}

func TestAllAssetsPages(t *testing.T) {
	n := newFake(t, "net-a")
	n.on("ledger_listAssets", func(params []json.RawMessage) (any, *fakeError) {
		var page wire.Page
		if json.Unmarshal(params[0], &page) != nil {
			return nil, &fakeError{Code: -32602, Message: "bad page"}
		}
		if page.Cursor == "" {
			next := "2"
			return wire.AssetPage{Items: []wire.Asset{{Symbol: "A"}}, Next: &next}, nil
		}
		return wire.AssetPage{Items: []wire.Asset{{Symbol: "B"}}}, nil
	})
	assets, err := dial(t, n).AllAssets(t.Context())
	if err != nil || len(assets) != 2 || assets[1].Symbol != "B" {
		t.Errorf("%+v, %v", assets, err)
	}
}

func TestHeightIsSentOnlyWhenGiven(t *testing.T) {
	n := newFake(t, "net-a")
	var got int
	n.on("ledger_getBalance", func(params []json.RawMessage) (any, *fakeError) {
		got = len(params)
		return wire.Balance{Available: ledger.NewAmount(uint64(len(params)))}, nil
	})
	c, height := dial(t, n), ledger.Height(0)
	if _, err := c.Balance(t.Context(), crypto.Address{}, crypto.Address{}, nil); err != nil || got != 2 {
		t.Errorf("%d parameters, %v", got, err)
	}
	if _, err := c.Balance(t.Context(), crypto.Address{}, crypto.Address{}, &height); err != nil || got != 3 {
		t.Errorf("%d parameters, %v", got, err)
	}
}

func TestContextEndsARead(t *testing.T) {
	n := newFake(t, "net-a")
	c := dial(t, n)
	ctx, cancel := context.WithCancel(t.Context())
	reached, release := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(release) })
	n.on("ledger_getBalance", func([]json.RawMessage) (any, *fakeError) {
		close(reached)
		<-release
		return nil, nil
	})
	go func() { <-reached; cancel() }()
	_, err := c.Balance(ctx, crypto.Address{}, crypto.Address{}, nil)
	if e := wants(t, err, NameTimeout); !errors.Is(e, context.Canceled) {
		t.Errorf("%v does not wrap the cause", e)
	}
}

func TestASilentNodeIsUnreachable(t *testing.T) {
	release := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(silent.Close)
	t.Cleanup(func() { close(release) })
	n, err := newNode(silent.URL, Options{})
	if err != nil {
		t.Fatal(err)
	}
	e := wants(t, n.attempt(t.Context(), 20*time.Millisecond, new(any), "ledger_status"), NameUnreachable)
	if !e.Temporary() || !e.doubtful() {
		t.Errorf("%+v: want temporary and doubtful", e)
	}
}
