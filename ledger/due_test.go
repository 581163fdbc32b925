package ledger_test

import (
	"testing"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// manyHolds makes holds of the stranger's, more than one block releases, that
// all fall due at one time.
func manyHolds(t testing.TB, c *ledgertest.Council, count int, expiry ledger.UnixTime) {
	t.Helper()
	stranger := ledgertest.Address("stranger")
	for count > 0 {
		op := &ledger.Settle{}
		for range min(count, ledger.MaxLegs) {
			op.Holds = append(op.Holds, ledger.Hold{From: stranger, To: ledgertest.Address("m0"), Asset: c.Asset("COIN"), Amount: ledger.NewAmount(1), Expiry: expiry})
		}
		count -= len(op.Holds)
		applyUnchecked(t, c, c.Time, c.Sign(t, "stranger", op))
	}
}

// applyUnchecked runs a block without the invariants, which take long where there
// is much.
func applyUnchecked(t testing.TB, c *ledgertest.Council, at ledger.UnixTime, txs ...*ledger.Tx) *ledger.BlockResult {
	t.Helper()
	c.Height, c.Time = c.Height+1, at
	result, err := ledger.Apply(c.Net, ledger.Block{Height: c.Height, Time: at, Txs: txs}, c.State)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range result.Results {
		if r.Code != ledger.Applied {
			t.Fatalf("transaction %d: %s", i, r.Code)
		}
	}
	c.State.Write(result.Changes)
	return result
}

// TestProposalsDoNotWaitForHolds: however many holds fall due before them,
// proposals take effect and expire in the block whose time has reached them, in the
// order of their times. Who makes holds must not decide when a vote takes effect.
func TestProposalsDoNotWaitForHolds(t *testing.T) {
	const atOnce = 10_000
	c := ledgertest.NewCouncil(t, equal(4)...)
	early := c.ProposeLater(t, "m0", 100, setting("maxNewAccounts", 7))
	c.Vote(t, early, ledger.ChoiceYes, "m1", "m2")
	late := c.ProposeLater(t, "m0", 120, setting("maxNewAccounts", 8), suspending("m3"))
	c.Vote(t, late, ledger.ChoiceYes, "m1", "m2")
	expires := c.Propose(t, "m3", resolving("Too late."))
	due := c.Proposal(t, late).Due
	manyHolds(t, c, atOnce+5, c.Proposal(t, early).Due+1) // between the two
	at := c.Proposal(t, expires).Due
	if at < due {
		t.Fatal("the open proposal expires too soon")
	}
	result := applyUnchecked(t, c, at)
	wantStatus(t, c, early, ledger.ProposalExecuted)
	wantStatus(t, c, late, ledger.ProposalExecuted)
	if p := wantStatus(t, c, expires, ledger.ProposalExpired); p.Due != at {
		t.Errorf("it ended at %d, want %d", p.Due, at)
	}
	var order []ledger.ProposalID
	released := 0
	for _, e := range result.Events {
		switch e.Type {
		case ledger.EventHoldReleased:
			released++
		case ledger.EventProposalEnded:
			order = append(order, ledger.ProposalID(e.Number))
		}
	}
	if len(order) != 3 || order[0] != early || order[1] != late || order[2] != expires || released != atOnce-1 {
		t.Errorf("proposals ended in the order %v, and %d holds", order, released)
	}
	released = 0
	for _, e := range applyUnchecked(t, c, at+1).Events {
		if e.Type == ledger.EventHoldReleased {
			released++
		}
	}
	if left := len(c.State.Under("due/")) + len(c.State.Under("hold/")); released != 6 || left > 0 {
		t.Errorf("the next block releases %d holds, and leaves %d", released, left)
	}
}
