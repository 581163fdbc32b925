package client

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

const (
	sync_   = "ledger_sendRawTransactionSync"
	receipt = "ledger_getReceipt"
)

// gives makes a node give the receipt of every transaction that it is sent.
func (n *fakeNode) gives(code ledger.Code) {
	n.on(sync_, func(params []json.RawMessage) (any, *fakeError) {
		var raw wire.Bytes
		if json.Unmarshal(params[0], &raw) != nil {
			return nil, &fakeError{Code: -32602, Message: "bad bytes"}
		}
		return wire.Receipt{Hash: crypto.Keccak256(raw), Code: uint32(code)}, nil
	})
}

func TestSubmitAndWait(t *testing.T) {
	n := newFake(t, "net-a")
	n.gives(ledger.CodeInsufficientBalance)
	c := dial(t, n)
	tx := signed(t, c)
	r, err := c.SubmitAndWait(t.Context(), tx.Raw)
	if err != nil || r.Hash != tx.Hash || r.Code != uint32(ledger.CodeInsufficientBalance) {
		t.Errorf("receipt %+v, %v", r, err)
	}
}

// Whatever the first node does short of refusing, the same bytes reach the next.
func TestSubmitAndWaitMovesOn(t *testing.T) {
	for name, spoil := range map[string]func(*fakeNode){
		"gone":       func(n *fakeNode) { n.Server.Close() },
		"busy":       func(n *fakeNode) { n.fails(sync_, wire.CodeUnavailable, wire.ErrorData{Name: "busy"}) },
		"pool full":  func(n *fakeNode) { n.fails(sync_, wire.CodeUnavailable, wire.ErrorData{Name: "poolFull"}) },
		"timed out":  func(n *fakeNode) { n.fails(sync_, wire.CodeUnavailable, wire.ErrorData{Name: "timeout"}) },
		"breaks off": func(n *fakeNode) { n.on(sync_, func([]json.RawMessage) (any, *fakeError) { panic("hang up") }) },
	} {
		t.Run(name, func(t *testing.T) {
			a, b := newFake(t, "net-a"), newFake(t, "net-a")
			a.Config.ErrorLog = quiet()
			c := dial(t, a, b)
			c.current.Store(0)
			tx := signed(t, c)
			spoil(a)
			b.gives(ledger.Applied)
			r, err := c.SubmitAndWait(t.Context(), tx.Raw)
			if err != nil || r.Hash != tx.Hash || b.count(sync_) != 1 {
				t.Errorf("receipt %+v, %v", r, err)
			}
			if c.current.Load() != 1 {
				t.Error("the next read does not go to the node that gave the receipt")
			}
		})
	}
}

func TestSubmitAndWaitRefused(t *testing.T) {
	a, b := newFake(t, "net-a"), newFake(t, "net-a")
	c := dial(t, a, b)
	c.current.Store(0)
	other := crypto.Hash{1}
	a.fails(sync_, wire.CodeRejected, wire.ErrorData{Name: "nonceSpent", Code: 22, Hash: &other, BodyHash: &other})
	_, err := c.SubmitAndWait(t.Context(), signed(t, c).Raw)
	e := wants(t, err, "nonceSpent")
	if e.LedgerCode != ledger.CodeNonceSpent || *e.Hash != other || *e.BodyHash != other || e.Pending || b.count(sync_) != 0 {
		t.Errorf("%+v", e)
	}
}

// A refusal after an attempt in doubt: the first attempt may have been the one
// that was committed.
func TestSubmitAndWaitSearchesAfterDoubt(t *testing.T) {
	a, b := newFake(t, "net-a"), newFake(t, "net-a")
	c := dial(t, a, b)
	c.current.Store(0)
	tx := signed(t, c)
	a.fails(sync_, wire.CodeUnavailable, wire.ErrorData{Name: "timeout"})
	b.fails(sync_, wire.CodeRejected, wire.ErrorData{Name: "insufficientBalance", Code: 109})
	null := func([]json.RawMessage) (any, *fakeError) { return nil, nil }
	a.on(receipt, null)
	b.on(receipt, null)
	_, err := c.SubmitAndWait(t.Context(), tx.Raw)
	if e := wants(t, err, "insufficientBalance"); !e.Pending || *e.Hash != tx.Hash {
		t.Errorf("%+v: want pending, with the hash", e)
	}
	c.current.Store(0)
	a.on(receipt, func([]json.RawMessage) (any, *fakeError) { return wire.Receipt{Hash: tx.Hash}, nil })
	if r, err := c.SubmitAndWait(t.Context(), tx.Raw); err != nil || r.Hash != tx.Hash {
		t.Errorf("receipt %+v, %v", r, err)
	}
}

func TestSubmitAndWaitEndsWithItsContext(t *testing.T) {
	n := newFake(t, "net-a")
	c := dial(t, n)
	tx := signed(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	calls := 0
	n.on(sync_, func([]json.RawMessage) (any, *fakeError) {
		if calls++; calls == 3 {
			cancel()
		}
		return nil, &fakeError{wire.CodeUnavailable, "it broke", wire.ErrorData{Name: "internal"}}
	})
	_, err := c.SubmitAndWait(ctx, tx.Raw)
	if e := wants(t, err, NameTimeout); !e.Pending || *e.Hash != tx.Hash || !errors.Is(e, context.Canceled) {
		t.Errorf("%+v", e)
	}
	if n.count(sync_) != 3 {
		t.Errorf("tried %d times, want 3", n.count(sync_))
	}
}

func TestDoubt(t *testing.T) {
	c, hash, doubt := &Client{}, crypto.Hash{1}, false
	step := func(e *Error, want bool) {
		t.Helper()
		if got := c.failed(t.Context(), e, hash, &doubt); got.Pending != want || *got.Hash != hash {
			t.Errorf("%s: pending %v, want %v", e.Name, got.Pending, want)
		}
	}
	unavailable := func(name string) *Error { return &Error{Code: wire.CodeUnavailable, Name: name} }
	for _, name := range []string{"busy", "poolFull", "accountQuota", "memberQuota", "catchingUp"} {
		step(unavailable(name), false)
	}
	step(&Error{Name: NameUnreachable, unsent: true}, false)
	step(Rejected(ledger.CodeExpired), false)
	if ended(t.Context(), hash, doubt).Pending {
		t.Error("pending although no attempt was taken")
	}
	step(&Error{Name: NameUnreachable}, true)
	step(unavailable("busy"), true)
	step(Rejected(ledger.CodeExpired), true)
	for _, name := range []string{"timeout", "internal", "shuttingDown"} {
		doubt = false
		step(unavailable(name), true)
	}
}

func TestSubmitAndWaitTakesNoNull(t *testing.T) {
	n := newFake(t, "net-a")
	n.on(sync_, func([]json.RawMessage) (any, *fakeError) { return nil, nil })
	n.on(receipt, func([]json.RawMessage) (any, *fakeError) { return nil, nil })
	c := dial(t, n)
	_, err := c.SubmitAndWait(t.Context(), signed(t, c).Raw)
	if e := wants(t, err, NameAnswer); !e.Pending {
		t.Errorf("%+v: the node may have taken it", e)
	}
}

func TestSubmit(t *testing.T) {
	a, b := newFake(t, "net-a"), newFake(t, "net-a")
	c := dial(t, a, b)
	c.current.Store(0)
	tx := signed(t, c)
	a.fails("ledger_sendRawTransaction", wire.CodeUnavailable, wire.ErrorData{Name: "poolFull"})
	b.on("ledger_sendRawTransaction", func([]json.RawMessage) (any, *fakeError) { return tx.Hash, nil })
	if hash, err := c.Submit(t.Context(), tx.Raw); err != nil || hash != tx.Hash {
		t.Errorf("hash %s, %v", hash, err)
	}
	b.fails("ledger_sendRawTransaction", wire.CodeRejected, wire.ErrorData{Name: "expired", Code: 25})
	_, err := c.Submit(t.Context(), tx.Raw)
	if e := wants(t, err, "expired"); e.Pending || *e.Hash != tx.Hash {
		t.Errorf("%+v", e)
	}
	b.fails("ledger_sendRawTransaction", wire.CodeUnavailable, wire.ErrorData{Name: "busy"})
	_, err = c.Submit(t.Context(), tx.Raw)
	if e := wants(t, err, "busy"); !e.Temporary() {
		t.Errorf("%+v", e)
	}
}

func TestSignRefuses(t *testing.T) {
	c := dial(t, newFake(t, "net-a"))
	tx := signed(t, c)
	body := tx.Body
	body.Memo = string([]byte{0xff})
	key, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Sign(t.Context(), body, ledger.SchemeTypedData, NewLocalSigner(key))
	if e := wants(t, err, "invalidField"); e.LedgerCode != ledger.CodeInvalidField || e.Code != wire.CodeRejected {
		t.Errorf("%+v", e)
	}
}
