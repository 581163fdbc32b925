package index

import (
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// TestAccountEventsMustAddUp: an event that cannot have happened to the account
// as it is ends the index, and says which.
func TestAccountEventsMustAddUp(t *testing.T) {
	c := newChain(t, 11)
	holder, nobody, member := c.keys[2].Address(), crypto.Address{9}, c.keys[4].Address()
	event := func(typ ledger.EventType, account, by crypto.Address) ledger.Event {
		return ledger.Event{Type: typ, Account: account, Other: by}
	}
	frozen := func(by crypto.Address) ledger.Event { return event(ledger.EventAccountFrozen, holder, by) }
	thawed := func(by crypto.Address) ledger.Event { return event(ledger.EventAccountUnfrozen, holder, by) }
	closed := event(ledger.EventAccountClosed, holder, member)
	network := crypto.Address{}
	for name, one := range map[string]struct {
		events []ledger.Event
		want   ledger.AccountStatus // 0: they do not add up
	}{
		"created twice":               {[]ledger.Event{event(ledger.EventAccountCreated, holder, network)}, 0},
		"admitted without an account": {[]ledger.Event{event(ledger.EventAccountAdmitted, nobody, member)}, 0},
		"keys of no account":          {[]ledger.Event{event(ledger.EventAuthorityChanged, nobody, network)}, 0},
		"frozen":                      {[]ledger.Event{frozen(member)}, ledger.StatusFrozen},
		"frozen twice":                {[]ledger.Event{frozen(member), frozen(member)}, 0},
		"frozen by both":              {[]ledger.Event{frozen(member), frozen(network)}, ledger.StatusFrozenByBoth},
		"lifted by the registrar":     {[]ledger.Event{frozen(network), frozen(member), thawed(member)}, ledger.StatusFrozenByNetwork},
		"lifted by the network":       {[]ledger.Event{frozen(network), frozen(member), thawed(network)}, ledger.StatusFrozen},
		"lifted by the wrong party":   {[]ledger.Event{frozen(network), thawed(member)}, 0},
		"lifted without being frozen": {[]ledger.Event{thawed(network)}, 0},
		"closed":                      {[]ledger.Event{frozen(network), closed}, ledger.StatusClosed},
		"closed twice":                {[]ledger.Event{closed, closed}, 0},
		"frozen after closing":        {[]ledger.Event{closed, frozen(member)}, 0},
		"admitted after closing":      {[]ledger.Event{closed, event(ledger.EventAccountAdmitted, holder, member)}, 0},
		"keys and another member":     {[]ledger.Event{event(ledger.EventAuthorityChanged, holder, network), event(ledger.EventAccountAdmitted, holder, nobody)}, ledger.StatusActive},
	} {
		x, stop := follow(t, t.TempDir(), c)
		w := &writer{state: newCurrentState(x.db).begin(), db: x.db}
		for i := range one.events {
			w.apply(&one.events[i])
		}
		record, ok, err := w.state.account(holder)
		stop()
		switch {
		case one.want == 0:
			if w.err == nil || !strings.Contains(w.err.Error(), "do not add up") {
				t.Errorf("%s: %v", name, w.err)
			}
		case w.err != nil || err != nil || !ok || ledger.AccountStatus(record.Status) != one.want:
			t.Errorf("%s: %+v, %v %v", name, record, w.err, err)
		}
	}
}
