package ledgertest

import (
	"reflect"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// bookAccount is what events tell of an account besides its balances.
type bookAccount struct {
	member      crypto.Address
	byRegistrar bool // frozen
	byNetwork   bool
	closed      bool
	authority   ledger.Authority
}

func (a *bookAccount) status() ledger.AccountStatus {
	switch {
	case a.closed:
		return ledger.StatusClosed
	case a.byRegistrar && a.byNetwork:
		return ledger.StatusFrozenByBoth
	case a.byRegistrar:
		return ledger.StatusFrozen
	case a.byNetwork:
		return ledger.StatusFrozenByNetwork
	}
	return ledger.StatusActive
}

func (b *book) accountNamed(t testing.TB, a crypto.Address) *bookAccount {
	t.Helper()
	if b.people[a] == nil {
		t.Fatalf("the events made no account %s", a)
	}
	return b.people[a]
}

func (b *book) memberNamed(t testing.TB, a crypto.Address) *ledger.Member {
	t.Helper()
	if b.govern.members[a] == nil {
		t.Fatalf("the events made no member %s", a)
	}
	return b.govern.members[a]
}

// enterAccount enters an event of accounts. An event that would
// change nothing, or whose member had no say, is no event.
func (b *book) enterAccount(t testing.TB, e ledger.Event) {
	t.Helper()
	a := b.accountNamed(t, e.Account)
	if a.closed {
		t.Fatalf("%s of the closed account %s", e.Type.Name(), e.Account)
	}
	switch e.Type {
	case ledger.EventAccountAdmitted:
		b.memberNamed(t, e.Other)
		if !a.member.IsZero() && b.memberNamed(t, a.member).Status != ledger.MemberRemoved {
			t.Fatalf("account %s is taken from its member %s", e.Account, a.member)
		}
		a.member = e.Other
	case ledger.EventAccountFrozen, ledger.EventAccountUnfrozen:
		frozen := &a.byNetwork
		if !e.Other.IsZero() {
			frozen = &a.byRegistrar
		}
		if *frozen == (e.Type == ledger.EventAccountFrozen) || !e.Other.IsZero() && e.Other != a.member {
			t.Fatalf("%s of %s (%+v) by %s", e.Type.Name(), e.Account, a, e.Other)
		}
		*frozen = !*frozen
	case ledger.EventAccountClosed:
		if e.Other != a.member {
			t.Fatalf("account %s of %s is closed by %s", e.Account, a.member, e.Other)
		}
		a.closed = true
	case ledger.EventAuthorityChanged:
		keys, ok := ledger.ParseKeys(e.Keys)
		changed := ledger.Authority{Keys: keys, Threshold: e.Number}
		if !ok || changed.Check(e.Account) != nil || reflect.DeepEqual(a.authority, changed) {
			t.Fatalf("authority of %s changes from %+v to %+v", e.Account, a.authority, changed)
		}
		a.authority = changed
	}
}

// checkPeople compares the accounts with the events, and counts their balances.
func (c *Chain) checkPeople(t testing.TB) {
	t.Helper()
	balances := map[crypto.Address]uint64{}
	for _, e := range c.State.Under("balance/") {
		balances[crypto.Address([]byte(e.Key[:20]))]++
	}
	for _, e := range c.State.Under("account/") {
		address := crypto.Address([]byte(e.Key))
		got, err := ledger.DecodeAccount(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		want := c.book.accountNamed(t, address)
		if got.Status != want.status() || got.Member != want.member || !reflect.DeepEqual(got.Authority, want.authority) {
			t.Fatalf("account %s is %+v, the events make %+v", address, got, want)
		}
		if got.Balances != balances[address] {
			t.Fatalf("account %s counts %d balances and has %d", address, got.Balances, balances[address])
		}
		if got.Status == ledger.StatusClosed && got.Balances+got.Holds > 0 {
			t.Fatalf("account %s is closed and has %d balances and %d holds", address, got.Balances, got.Holds)
		}
	}
}
