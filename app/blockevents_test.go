package app

import (
	"bytes"
	"slices"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// holdFor is a signed hold from one person for another of the settlement asset.
func (c *chain) holdFor(from string, nonce uint64, to string, amount uint64, expiry int64) (raw []byte, id crypto.Address) {
	c.t.Helper()
	op := &ledger.CreateHold{
		From: address(from), To: address(to), Asset: c.Network().Settlement,
		Amount: ledger.NewAmount(amount), Expiry: ledger.UnixTime(expiry),
	}
	body := ledger.Body{Sender: address(from), Nonce: ledger.Nonce(nonce), Op: op}
	return c.sign(body, ledger.SchemeBodyHash, from), c.Network().HoldID(address(from), ledger.Nonce(nonce), 0)
}

// A hold that expires in a block without transactions gives the block an event
// and the state another root; the blocks around it give neither. However often
// the block is executed, early, late or after a crash, it is the same.
func TestAHoldExpiresInAnEmptyBlock(t *testing.T) {
	c, late := newChain(t, Options{}, nil), newChain(t, Options{Workers: 1}, nil)
	expiry := c.time + 4
	raw, id := c.holdFor("alice", 0, "bob", 7, expiry)
	first := c.block(raw)
	late.block(raw)
	if got := codesOf(first); !equal(got, []ledger.Code{ledger.Applied}) || len(first.Events) != 0 {
		t.Fatalf("codes %v, events %v", got, first.Events)
	}
	roots := map[int64][]byte{c.time: first.AppHash}
	for c.time < expiry+2 {
		p := c.proposal()
		at := p.Time.Unix()
		if at%2 == 0 && !c.accepts(p) {
			t.Fatal("refused")
		}
		res := c.finalize(p)
		same(t, "early against late", res, late.finalize(p))
		if at == expiry {
			late = late.reopen() // a crash between FinalizeBlock and Commit
			same(t, "after a crash", res, late.finalize(p))
		}
		c.commit()
		late.commit()
		changed := !bytes.Equal(res.AppHash, roots[at-1])
		if due := at == expiry; due != changed || due != (len(res.Events) == 1) {
			t.Errorf("at %d, due at %d: root changed %v, events %v", at, expiry, changed, res.Events)
		}
		roots[at] = res.AppHash
		b, ok := c.Executed(ledger.Height(p.Height))
		read, err := EventsFromABCI(res.Events)
		if err != nil || !ok || !slices.Equal(read, b.Events) {
			t.Errorf("at %d: executed events %+v, read %+v (%v)", at, b.Events, read, err)
		}
		if at == expiry {
			c.checkExpired(read, id, ledger.Height(p.Height))
		}
	}
	if got := c.balance("alice"); got != funds {
		t.Errorf("alice has %d", got)
	}
}

// checkExpired: the event says what expired, and the state is committed to it.
func (c *chain) checkExpired(events []ledger.Event, id crypto.Address, height ledger.Height) {
	c.t.Helper()
	want := ledger.Event{
		Type: ledger.EventHoldReleased, Other: id, From: address("alice"), To: address("bob"), Asset: c.Network().Settlement,
		Amount: ledger.NewAmount(7), Number: uint64(ledger.HoldExpired),
	}
	if !slices.Equal(events, []ledger.Event{want}) {
		c.t.Errorf("events %+v, want %+v", events, want)
	}
	record, err := c.store.Latest().Get([]byte(ledger.KeyEvents))
	if err != nil {
		c.t.Fatal(err)
	}
	at, digest, err := ledger.DecodeBlockEvents(record)
	if err != nil || at != height || digest != ledger.BlockEventsDigest(events) {
		c.t.Errorf("the state is committed to events %s of block %d (%v)", digest, at, err)
	}
}

// Only what FinalizeBlock writes is taken for events.
func TestEventsFromABCICorrupted(t *testing.T) {
	good := func() []abci.Event {
		return appendEvents(nil, []ledger.Event{
			{Type: ledger.EventHoldReleased, Other: address("hold"), From: address("alice"), To: address("bob"), Asset: address("asset"), Amount: ledger.NewAmount(7), Number: uint64(ledger.HoldExpired)},
			{Type: ledger.EventHoldReleased, Other: address("another"), From: address("alice"), To: address("bob"), Asset: address("asset"), Amount: ledger.NewAmount(8), Number: uint64(ledger.HoldExpired)},
		})
	}
	if events, err := EventsFromABCI(good()); err != nil || len(events) != 2 || events[1].Amount != ledger.NewAmount(8) {
		t.Fatalf("%+v, %v", events, err)
	}
	if events, err := EventsFromABCI(nil); err != nil || events != nil {
		t.Fatalf("%+v, %v", events, err)
	}
	for name, corrupt := range map[string]func(e *abci.Event){
		"type":              func(e *abci.Event) { e.Type = "tx" },
		"no attributes":     func(e *abci.Event) { e.Attributes = nil },
		"attribute missing": func(e *abci.Event) { e.Attributes = e.Attributes[1:] },
		"attribute doubled": func(e *abci.Event) { e.Attributes = append(e.Attributes, e.Attributes[0]) },
		"key":               func(e *abci.Event) { e.Attributes[0].Key = "Hold" },
		"index flag":        func(e *abci.Event) { e.Attributes[2].Index = true },
		"upper case":        func(e *abci.Event) { e.Attributes[0].Value = "0X" + e.Attributes[0].Value[2:] },
		"amount":            func(e *abci.Event) { e.Attributes[4].Value = "07" },
		"cause":             func(e *abci.Event) { e.Attributes[5].Value = "lost" },
	} {
		events := good()
		corrupt(&events[1])
		if _, err := EventsFromABCI(events); err == nil {
			t.Errorf("%s: taken for events", name)
		}
	}
}
