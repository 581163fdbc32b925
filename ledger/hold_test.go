package ledger_test

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// holdCodes are what the tests of this file produce and no story can.
var holdCodes = []ledger.Code{ledger.CodeHoldDue, ledger.CodeHoldTaken}

// holdChain has alice, bob and carol, and signs for them with fresh nonces.
type holdChain struct {
	*ledgertest.Chain
	t     *testing.T
	nonce ledger.Nonce
}

func newHoldChain(t *testing.T) *holdChain {
	return &holdChain{ledgertest.NewChain(t, ledgertest.Genesis(ledger.PolicyAdmitted, "alice", "bob", "carol")), t, 0}
}

func (c *holdChain) sign(sender string, op ledger.Operation) *ledger.Tx {
	c.t.Helper()
	body := ledger.Body{Sender: ledgertest.Address(sender), Nonce: c.nonce, Op: op}
	c.nonce++
	tx, code := ledger.Sign(c.Net, body, ledger.SchemeBodyHash, ledgertest.Key(sender))
	if code != ledger.Applied {
		c.t.Fatalf("%s: %s", body.Op.Kind(), code)
	}
	return tx
}

// terms of a hold from alice to bob that expires soon.
func (c *holdChain) terms(amount uint64, seconds ledger.UnixTime) ledger.Hold {
	return ledger.Hold{
		From: ledgertest.Address("alice"), To: ledgertest.Address("bob"), Asset: c.Asset("GOLD"),
		Amount: ledger.NewAmount(amount), Expiry: c.Time + seconds,
	}
}

// create makes a hold and returns its ID.
func (c *holdChain) create(h ledger.Hold) crypto.Address {
	c.t.Helper()
	tx := c.sign("alice", (*ledger.CreateHold)(&h))
	c.want(ledger.Applied, tx)
	return c.Net.HoldID(tx.Sender, tx.Nonce, 0)
}

// want applies one transaction in a block of its own.
func (c *holdChain) want(want ledger.Code, tx *ledger.Tx) {
	c.t.Helper()
	if got := c.ApplyAt(c.t, c.Time, tx).Results[0].Code; got != want {
		c.t.Fatalf("%s of %s is %s, want %s", tx.Op.Kind(), tx.Sender, got, want)
	}
}

// TestHeldFundsCannotBeSpent: not by a transfer, another hold or a redemption,
// though they count in the supply.
func TestHeldFundsCannotBeSpent(t *testing.T) {
	c := newHoldChain(t)
	alice, carol := ledgertest.Address("alice"), ledgertest.Address("carol")
	c.create(c.terms(9_000, 100))
	over := ledger.NewAmount(1_001)
	c.want(ledger.CodeInsufficientBalance, c.sign("alice", &ledger.Transfer{Legs: []ledger.Leg{{From: alice, To: carol, Asset: c.Asset("GOLD"), Amount: over}}}))
	again := c.terms(1_001, 100)
	c.want(ledger.CodeInsufficientBalance, c.sign("alice", (*ledger.CreateHold)(&again)))
	body := ledger.Body{
		Sender: ledgertest.Address("issuer"), ValidUntil: c.Time + 60,
		Op: &ledger.Redeem{Asset: c.Asset("GOLD"), From: alice, Amount: over},
	}
	tx, code := ledger.Sign(c.Net, body, ledger.SchemeBodyHash, ledgertest.Key("issuer"), ledgertest.Key("alice"))
	if code != ledger.Applied {
		t.Fatal(code)
	}
	c.want(ledger.CodeInsufficientBalance, tx)
	c.create(c.terms(1_000, 100))
}

// TestHoldTaken: should an ID ever come twice, the second hold is refused.
func TestHoldTaken(t *testing.T) {
	c := newHoldChain(t)
	first := c.create(c.terms(1, 100))
	record, _ := c.State.Get(ledger.KeyHold(first))
	h := c.terms(1, 100)
	tx := c.sign("alice", (*ledger.CreateHold)(&h))
	second := c.Net.HoldID(tx.Sender, tx.Nonce, 0)
	c.State.Write([]ledger.Change{{Key: ledger.KeyHold(second), Value: record}})
	result, err := ledger.Simulate(c.Net, c.Time, c.State, tx)
	if err != nil || result.Code != ledger.CodeHoldTaken {
		t.Fatalf("%s, %v", result.Code, err)
	}
}

// withFlags rewrites the flags of an asset that has none, as no operation of
// this version does.
func withFlags(t *testing.T, s *ledgertest.State, asset crypto.Address, flags byte) {
	t.Helper()
	value, _ := s.Get(ledger.KeyAsset(asset))
	changed := bytes.Clone(value)
	changed[len(changed)-3] = flags // before status and holds, one byte each
	if a, err := ledger.DecodeAsset(changed); err != nil || a.Flags != ledger.AssetFlags(flags) {
		t.Fatalf("%x: %+v, %v", changed, a, err)
	}
	s.Write([]ledger.Change{{Key: ledger.KeyAsset(asset), Value: changed}})
}

// TestClawbackReleases: the issuer of an asset with clawback releases its holds,
// also when it is paused and the payer frozen; no other issuer does.
func TestClawbackReleases(t *testing.T) {
	c := newHoldChain(t)
	id := c.create(c.terms(7, 100))
	release := &ledger.ReleaseHold{Hold: id}
	c.want(ledger.CodeNotHoldParty, c.sign("issuer", release))
	c.want(ledger.Applied, c.sign("issuer", &ledger.PauseAsset{Asset: c.Asset("GOLD")}))
	c.FreezeByNetwork(t, ledgertest.Address("alice"))
	for flags, want := range map[byte]ledger.Code{
		byte(ledger.FlagClawback): ledger.Applied, byte(ledger.FlagFreezable | ledger.FlagRestricted): ledger.CodeNotHoldParty,
	} {
		state := c.State.Clone()
		withFlags(t, state, c.Asset("GOLD"), flags)
		for sender, want := range map[string]ledger.Code{"issuer": want, "carol": ledger.CodeNotHoldParty} {
			result, err := ledger.Simulate(c.Net, c.Time, state, c.sign(sender, release))
			if err != nil || result.Code != want {
				t.Errorf("flags %d: %s is answered %s, want %s (%v)", flags, sender, result.Code, want, err)
			}
		}
	}
}

// TestDueExactly: at one second before its expiry a hold is captured; at the
// expiry it is gone, and where it was not handled yet, due.
func TestDueExactly(t *testing.T) {
	c := newHoldChain(t)
	h := c.terms(7, 100)
	id := c.create(h)
	for seconds, want := range map[ledger.UnixTime]ledger.Code{0: ledger.Applied, 1: ledger.CodeHoldDue, 2: ledger.CodeHoldDue} {
		at := h.Expiry - 1 + seconds
		for _, op := range []ledger.Operation{&ledger.CaptureHold{Hold: id, Amount: ledger.NewAmount(1)}, &ledger.ReleaseHold{Hold: id}} {
			tx := c.sign("bob", op)
			// Simulate handles nothing that is due.
			result, err := ledger.Simulate(c.Net, at, c.State, tx)
			if err != nil || result.Code != want {
				t.Errorf("%s at %d: %s, want %s (%v)", op.Kind(), at, result.Code, want, err)
			}
			block, err := ledger.Apply(c.Net, ledger.Block{Height: 9, Time: at, Txs: []*ledger.Tx{tx}}, c.State)
			if err != nil {
				t.Fatal(err)
			}
			if handled := len(block.Events) == 1; handled != (want == ledger.CodeHoldDue) {
				t.Errorf("a block at %d has events %+v", at, block.Events)
			} else if got := block.Results[0].Code; handled && got != ledger.CodeUnknownHold || !handled && got != want {
				t.Errorf("%s in a block at %d: %s", op.Kind(), at, got)
			}
		}
	}
}

// TestManyHoldsDueAtOnce: a block handles 10,000 of what is due, in the order of
// time and ID, and the next ones the rest; what is not handled yet can neither
// be captured nor released; and a block with nothing due changes nothing.
func TestManyHoldsDueAtOnce(t *testing.T) {
	const count, perBlock = 30_000, 10_000
	c := newHoldChain(t)
	var due []ledger.Event // as they must be handled
	var height ledger.Height
	run := func(time ledger.UnixTime, txs ...*ledger.Tx) *ledger.BlockResult {
		t.Helper()
		height++
		result, err := ledger.Apply(c.Net, ledger.Block{Height: height, Time: time, Txs: txs}, c.State)
		if err != nil {
			t.Fatal(err)
		}
		c.State.Write(result.Changes)
		return result
	}
	for len(due) < count {
		op := &ledger.Settle{}
		for range min(ledger.MaxLegs, count-len(due)) {
			h := c.terms(1, 1+ledger.UnixTime(len(due)*7%5))
			h.Asset = c.Asset("COIN")
			op.Holds = append(op.Holds, h)
			due = append(due, ledger.Event{
				Type: ledger.EventHoldReleased, Other: c.Net.HoldID(h.From, c.nonce, uint32(len(op.Holds)-1)), From: h.From, To: h.To,
				Asset: h.Asset, Amount: h.Amount, Until: h.Expiry, Number: uint64(ledger.HoldExpired),
			})
		}
		if result := run(c.Time, c.sign("alice", op)).Results[0]; result.Code != ledger.Applied || len(result.Events) != len(op.Holds) {
			t.Fatalf("%s with %d events", result.Code, len(result.Events))
		}
	}
	slices.SortFunc(due, func(a, b ledger.Event) int {
		return cmp.Or(cmp.Compare(a.Until, b.Until), a.Other.Compare(b.Other))
	})
	for i := range due {
		due[i].Until = 0 // the event does not have it
	}
	last := due[count-1].Other
	for handled := 0; handled < count; handled += perBlock {
		result := run(c.Time+5, c.sign("bob", &ledger.CaptureHold{Hold: last, Amount: ledger.NewAmount(1)}), c.sign("bob", &ledger.ReleaseHold{Hold: last}))
		if !slices.Equal(result.Events, due[handled:handled+perBlock]) {
			t.Fatalf("after %d: %d events, or others than expected", handled, len(result.Events))
		}
		want := ledger.CodeHoldDue
		if handled+perBlock == count {
			want = ledger.CodeUnknownHold
		}
		if codes := ledgertest.Codes(result); codes[0] != want || codes[1] != want {
			t.Fatalf("after %d: %v, want %s", handled, codes, want)
		}
		digest, at, err := recordedEvents(c.State)
		if err != nil || digest != ledger.BlockEventsDigest(result.Events) || at != height {
			t.Fatalf("the state is committed to events %s of block %d (%v)", digest, at, err)
		}
	}
	if idle := run(c.Time + 6); len(idle.Events)+len(idle.Changes) != 0 {
		t.Fatalf("an idle block has %d events and %d changes", len(idle.Events), len(idle.Changes))
	}
	if left := len(c.State.Under("hold/")) + len(c.State.Under("due/")); left != 0 {
		t.Fatalf("%d holds and marks are left", left)
	}
	for _, name := range []string{"alice", "bob"} {
		if a, _ := c.Account(t, ledgertest.Address(name)); a.Holds != 0 || a.Balances != 2 {
			t.Errorf("%s counts %d holds and %d balances", name, a.Holds, a.Balances)
		}
	}
	if got := c.Balance(t, ledgertest.Address("alice"), "COIN"); got != ledgertest.Amount("1000000000000000000000000") {
		t.Errorf("alice has %s", got)
	}
}

func recordedEvents(s *ledgertest.State) (crypto.Hash, ledger.Height, error) {
	value, _ := s.Get([]byte(ledger.KeyEvents))
	height, digest, err := ledger.DecodeBlockEvents(value)
	return digest, height, err
}

// TestHoldsThatDoNotAddUp: a schedule, a hold, a balance or a counter that does
// not fit the others is damage to the state, an error, and never a code.
func TestHoldsThatDoNotAddUp(t *testing.T) {
	c := newHoldChain(t)
	h := c.terms(7, 100)
	id := c.create(h)
	before := c.State.Clone()
	due := ""
	for _, e := range before.Under("due/") {
		due = "due/" + e.Key
	}
	alice, gold := ledgertest.Address("alice"), c.Asset("GOLD")
	for name, damage := range map[string]ledger.Change{
		"no hold":       {Key: ledger.KeyHold(id)},
		"no balance":    {Key: ledger.KeyBalance(alice, gold)},
		"nothing held":  {Key: ledger.KeyBalance(alice, gold), Value: []byte{0xc2, 0x01, 0x80}},
		"no payer":      {Key: ledger.KeyAccount(alice)},
		"no payee":      {Key: ledger.KeyAccount(ledgertest.Address("bob"))},
		"no asset":      {Key: ledger.KeyAsset(gold)},
		"a short name":  {Key: []byte(due[:len(due)-1]), Value: []byte{1}},
		"another kind":  {Key: []byte(due[:len("due/")+8] + "\xff" + due[len("due/")+9:]), Value: []byte{1}},
		"a wrong mark":  {Key: []byte(due), Value: []byte{2}},
		"a broken hold": {Key: ledger.KeyHold(id), Value: []byte{0xc0}},
	} {
		state := before.Clone()
		state.Write([]ledger.Change{damage})
		_, err := ledger.Apply(c.Net, ledger.Block{Height: 9, Time: h.Expiry}, state)
		if err == nil || !strings.Contains(err.Error(), "corrupt") && !strings.Contains(err.Error(), "not well formed") && !strings.Contains(err.Error(), "due record") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A capture in time finds that the schedule has lost the hold.
	state := before.Clone()
	state.Write([]ledger.Change{{Key: []byte(due)}})
	if _, err := ledger.Simulate(c.Net, c.Time, state, c.sign("bob", &ledger.CaptureHold{Hold: id, Amount: h.Amount})); err == nil || !strings.Contains(err.Error(), "corrupt") {
		t.Errorf("captured without its mark: %v", err)
	}
}
