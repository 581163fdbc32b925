package ledger_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// goldenHolds are terms as people agree on them, and with every field at its
// limit.
func goldenHolds(net *ledger.Network) (plain, full ledger.Hold) {
	alice, bob, gold := ledgertest.Address("alice"), ledgertest.Address("bob"), net.AssetAddress(crypto.Address{}, 1)
	plain = ledger.Hold{From: alice, To: bob, Asset: gold, Amount: ledger.NewAmount(1250), Expiry: 1_800_086_400, Reference: "ORDER-7"}
	full = ledger.Hold{
		From: alice, To: bob, Arbiter: ledgertest.Address("carol"), Asset: gold, Amount: ledger.MaxAmount,
		Expiry: ledger.UnixTime(ledger.MaxJSONInteger), Reference: strings.Repeat("ü", 17) + "!",
	}
	return plain, full
}

func goldenHoldBodies(net *ledger.Network) []goldenBody {
	alice, bob := ledgertest.Address("alice"), ledgertest.Address("bob")
	plain, full := goldenHolds(net)
	id := net.HoldID(alice, 20, 0)
	body := func(nonce ledger.Nonce, op ledger.Operation) ledger.Body {
		return ledger.Body{Sender: alice, Nonce: nonce, Op: op}
	}
	back := plain
	back.From, back.To, back.Arbiter = bob, alice, ledgertest.Address("carol")
	settled := body(25, &ledger.Settle{
		Captures: []ledger.Capture{{Hold: id, By: bob, Amount: ledger.NewAmount(1000)}},
		Legs:     []ledger.Leg{{From: bob, To: alice, Asset: net.Settlement, Amount: ledger.NewAmount(77), Reference: "ORDER-7"}},
		Holds:    []ledger.Hold{back},
	})
	settled.ValidUntil = 1_800_000_060
	return []goldenBody{
		{"createHold", body(20, (*ledger.CreateHold)(&plain)), []string{"alice"}},
		{"createHold at the limits", body(21, (*ledger.CreateHold)(&full)), []string{"alice"}},
		{"captureHold", body(22, &ledger.CaptureHold{Hold: id, Amount: ledger.NewAmount(1000), Reference: "part 1"}), []string{"alice"}},
		{"releaseHold", body(23, &ledger.ReleaseHold{Hold: id}), []string{"alice"}},
		{"settle of one leg", body(24, &ledger.Settle{Legs: []ledger.Leg{{From: alice, To: bob, Asset: net.Settlement, Amount: ledger.NewAmount(1)}}}), []string{"alice"}},
		{"settle", settled, []string{"alice", "bob"}},
	}
}

func goldenHoldEvents(net *ledger.Network) []ledger.Event {
	plain, full := goldenHolds(net)
	id := net.HoldID(plain.From, 20, 0)
	return []ledger.Event{
		{Type: ledger.EventHoldCreated, Other: id, From: full.From, To: full.To, Account: full.Arbiter, Asset: full.Asset, Amount: plain.Amount, Until: plain.Expiry, Reference: plain.Reference},
		{Type: ledger.EventHoldCaptured, Other: id, From: plain.From, To: plain.To, Asset: plain.Asset, Amount: ledger.NewAmount(1000), Reference: "part 1"},
		{Type: ledger.EventHoldReleased, Other: id, From: plain.From, To: plain.To, Asset: plain.Asset, Amount: ledger.NewAmount(250), Number: uint64(ledger.HoldReleased)},
	}
}

// TestGoldenHolds: what holds leave in the state: their records, their places in
// the schedule, the counters; and what it keeps of one that expired.
func TestGoldenHolds(t *testing.T) {
	c := ledgertest.NewChain(t, goldenGenesis())
	alice, bob := ledgertest.Address("alice"), ledgertest.Address("bob")
	plain, arbitrated := goldenHolds(c.Net)
	arbitrated.Amount, arbitrated.Expiry = ledger.NewAmount(300), plain.Expiry+1
	send := func(nonce ledger.Nonce, op ledger.Operation) *ledger.Tx {
		tx, code := ledger.Sign(c.Net, ledger.Body{Sender: alice, Nonce: nonce, Op: op}, ledger.SchemeBodyHash, ledgertest.Key("alice"))
		if code != ledger.Applied {
			t.Fatal(code)
		}
		return tx
	}
	g := golden{name: "holds"}
	for _, index := range []uint32{0, 1, 4095} {
		g.add(fmt.Sprintf("hold of alice 20 index %d", index), "%s", c.Net.HoldID(alice, 20, index))
	}
	result := c.Apply(t, send(20, (*ledger.CreateHold)(&plain)), send(21, (*ledger.CreateHold)(&arbitrated)))
	for i, code := range ledgertest.Codes(result) {
		if code != ledger.Applied {
			t.Fatal(i, code)
		}
	}
	g.addHoldState(c, "held", alice, bob)
	expired := c.ApplyAt(t, plain.Expiry)
	if len(expired.Events) != 1 {
		t.Fatalf("%+v", expired.Events)
	}
	g.hex("event of block 2", (&ledger.TxResult{Events: expired.Events}).Outcome())
	g.add("digest of the events of block 2", "%s", ledger.BlockEventsDigest(expired.Events))
	g.addHoldState(c, "expired", alice, bob)
	g.check(t)
}

func (g *golden) addHoldState(c *ledgertest.Chain, when string, people ...crypto.Address) {
	for _, a := range people {
		value, _ := c.State.Get(ledger.KeyAccount(a))
		g.hex(when+": "+keyName(ledger.KeyAccount(a)), value)
	}
	for _, prefix := range []string{"asset/", "balance/", "due", "events", "hold/"} {
		for _, e := range c.State.Under(prefix) {
			g.hex(when+": "+keyName([]byte(prefix+e.Key)), e.Value)
		}
	}
}
