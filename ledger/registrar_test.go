package ledger

import (
	"errors"
	"slices"
	"testing"

	"github.com/tallystick/tallystick/crypto"
)

var (
	bankAddress  = crypto.Address{0xba}
	deskAddress  = crypto.Address{0xde}
	aliceAddress = crypto.Address{0xa1}
)

// registryState has the members bank, a registrar, and desk, which is none, and
// an account of bank's, which change prepares.
func registryState(t testing.TB, change func(*Account)) MapState {
	t.Helper()
	state := MapState{KeyParams: encodeParams(DefaultParams())}
	put := func(key []byte, write func(w *encoder)) {
		var w encoder
		write(&w)
		state[string(key)] = w.out
	}
	account := func(at crypto.Address, a Account) { put(KeyAccount(at), func(w *encoder) { writeAccount(w, &a) }) }
	member := func(at crypto.Address, m Member) { put(KeyMember(at), func(w *encoder) { writeMember(w, &m) }) }
	member(bankAddress, Member{Name: "Bank", Status: MemberActive, Roles: RoleRegistrar})
	member(deskAddress, Member{Name: "Desk", Status: MemberActive, Roles: RoleIssuer})
	account(bankAddress, Account{Status: StatusActive, Member: bankAddress})
	account(deskAddress, Account{Status: StatusActive, Member: deskAddress})
	alice := Account{Status: StatusActive, Member: bankAddress}
	change(&alice)
	account(aliceAddress, alice)
	return state
}

func openState(t testing.TB, r Reader) *state {
	t.Helper()
	s, err := newState(fuzzNet(t), 1000, r)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func as(status AccountStatus) func(*Account) { return func(a *Account) { a.Status = status } }

// TestFreezesCombine: each party lifts what it froze itself, from every status.
func TestFreezesCombine(t *testing.T) {
	type result struct {
		code Code
		to   AccountStatus
	}
	deed := func(code Code, to AccountStatus) result { return result{code, to} }
	actions := []func(*state) (Code, error){
		func(s *state) (Code, error) {
			return (&FreezeAccount{aliceAddress, "r"}).apply(s, &Body{Sender: bankAddress})
		},
		func(s *state) (Code, error) {
			return (&UnfreezeAccount{aliceAddress, "r"}).apply(s, &Body{Sender: bankAddress})
		},
		func(s *state) (Code, error) { return s.freezeByNetwork(aliceAddress, "r") },
		func(s *state) (Code, error) { return s.unfreezeByNetwork(aliceAddress, "r") },
	}
	frozen, not, closed := CodeAccountFrozen, CodeAccountNotFrozen, CodeAccountClosed
	for from, want := range map[AccountStatus][4]result{
		StatusActive:          {deed(0, StatusFrozen), deed(not, 0), deed(0, StatusFrozenByNetwork), deed(not, 0)},
		StatusFrozen:          {deed(frozen, 0), deed(0, StatusActive), deed(0, StatusFrozenByBoth), deed(not, 0)},
		StatusFrozenByNetwork: {deed(0, StatusFrozenByBoth), deed(not, 0), deed(frozen, 0), deed(0, StatusActive)},
		StatusFrozenByBoth:    {deed(frozen, 0), deed(0, StatusFrozenByNetwork), deed(frozen, 0), deed(0, StatusFrozen)},
		StatusClosed:          {deed(closed, 0), deed(closed, 0), deed(closed, 0), deed(closed, 0)},
	} {
		for i, action := range actions {
			s := openState(t, registryState(t, as(from)))
			code, err := action(s)
			if code != want[i].code || err != nil {
				t.Errorf("%s, action %d: %s %v, want %s", from, i, code, err, want[i].code)
			}
			changes, events := s.changes(), s.takeEvents()
			if code != Applied {
				if len(changes)+len(events) != 0 {
					t.Errorf("%s, action %d is refused and leaves %v %v", from, i, changes, events)
				}
				continue
			}
			c, err := s.account(aliceAddress)
			if err != nil || c.value.Status != want[i].to || len(changes) != 1 {
				t.Errorf("%s, action %d: %s, want %s (%v)", from, i, c.value.Status, want[i].to, err)
			}
			event := Event{Type: EventAccountFrozen + EventType(i%2), Account: aliceAddress, Reference: "r"}
			if i < 2 {
				event.Other = bankAddress
			}
			if !slices.Equal(events, []Event{event}) {
				t.Errorf("%s, action %d: events %+v, want %+v", from, i, events, event)
			}
		}
	}
}

// TestNetworkFreezesAnybody: also a registrar's own admin account, and accounts
// without a member; not what is not there.
func TestNetworkFreezesAnybody(t *testing.T) {
	s := openState(t, registryState(t, func(a *Account) { a.Member = crypto.Address{} }))
	for _, a := range []crypto.Address{aliceAddress, bankAddress} {
		if code, err := s.freezeByNetwork(a, ""); code != Applied || err != nil {
			t.Errorf("%s: %s %v", a, code, err)
		}
		if code, err := s.unfreezeByNetwork(a, ""); code != Applied || err != nil {
			t.Errorf("%s: %s %v", a, code, err)
		}
	}
	for _, action := range []func(crypto.Address, string) (Code, error){s.freezeByNetwork, s.unfreezeByNetwork} {
		if code, err := action(crypto.Address{9}, ""); code != CodeUnknownAccount || err != nil {
			t.Errorf("nobody: %s %v", code, err)
		}
	}
}

// TestRegistrarPrecedence: of several refusals that fit, the one is given that
// is checked first.
func TestRegistrarPrecedence(t *testing.T) {
	bad := func(change func(*Account)) func(*Account) {
		return func(a *Account) { a.Balances, a.Holds = 1, 1; change(a) }
	}
	nothing := func(*Account) {}
	freeze, unfreeze, end := &FreezeAccount{Account: aliceAddress}, &UnfreezeAccount{Account: aliceAddress}, &CloseAccount{Account: aliceAddress}
	for _, one := range []struct {
		name   string
		op     Operation
		sender crypto.Address
		change func(*Account)
		want   Code
	}{
		{"close by no member", end, aliceAddress, bad(as(StatusClosed)), CodeNotMember},
		{"close by no registrar", end, deskAddress, bad(as(StatusClosed)), CodeMissingRole},
		{"close another's", end, bankAddress, bad(func(a *Account) { a.Status, a.Member = StatusClosed, deskAddress }), CodeNotOwnAccount},
		{"close nobody's", end, bankAddress, bad(func(a *Account) { a.Member = crypto.Address{} }), CodeNotOwnAccount},
		{"close what is not there", &CloseAccount{Account: crypto.Address{9}}, bankAddress, nothing, CodeUnknownAccount},
		{"close the admin account", &CloseAccount{Account: bankAddress}, bankAddress, nothing, CodeAdminAccount},
		{"close twice", end, bankAddress, bad(as(StatusClosed)), CodeAccountClosed},
		{"close with balances and holds", end, bankAddress, bad(nothing), CodeAccountHasBalances},
		{"close with holds", end, bankAddress, func(a *Account) { a.Holds = 1 }, CodeAccountHasHolds},
		{"close", end, bankAddress, nothing, Applied},
		{"close what the network froze", end, bankAddress, as(StatusFrozenByNetwork), Applied},
		{"freeze by no member", freeze, aliceAddress, as(StatusFrozen), CodeNotMember},
		{"freeze by no registrar", freeze, deskAddress, as(StatusFrozen), CodeMissingRole},
		{"freeze another's", freeze, bankAddress, func(a *Account) { a.Status, a.Member = StatusClosed, deskAddress }, CodeNotOwnAccount},
		{"freeze what has balances", freeze, bankAddress, bad(nothing), Applied},
		{"unfreeze by no member", unfreeze, aliceAddress, nothing, CodeNotMember},
		{"unfreeze another's", unfreeze, bankAddress, func(a *Account) { a.Member = deskAddress }, CodeNotOwnAccount},
		{"unfreeze the admin account", &UnfreezeAccount{Account: bankAddress}, bankAddress, nothing, CodeAdminAccount},
		{"admit by no member", &AdmitAccount{Account: aliceAddress}, aliceAddress, nothing, CodeNotMember},
		{"admit by no registrar", &AdmitAccount{Account: aliceAddress}, deskAddress, nothing, CodeMissingRole},
		{"admit one's own again", &AdmitAccount{Account: aliceAddress}, bankAddress, nothing, CodeAccountExists},
		{"admit a closed account", &AdmitAccount{Account: aliceAddress}, bankAddress, as(StatusClosed), CodeAccountClosed},
		{"admit one without a member", &AdmitAccount{Account: aliceAddress}, bankAddress, func(a *Account) { a.Member = crypto.Address{} }, CodeAccountExists},
	} {
		s := openState(t, registryState(t, one.change))
		code, err := one.op.apply(s, &Body{Sender: one.sender})
		if code != one.want || err != nil {
			t.Errorf("%s: %s %v, want %s", one.name, code, err, one.want)
		}
		if code != Applied && len(s.changes())+len(s.events) != 0 {
			t.Errorf("%s: refused, and changes %v", one.name, s.changes())
		}
	}
}

// TestOrphans: an account whose member was removed is adopted as it is; one
// whose member is only suspended is not.
func TestOrphans(t *testing.T) {
	for status, want := range map[MemberStatus]Code{MemberActive: CodeAccountExists, MemberSuspended: CodeAccountExists, MemberRemoved: Applied} {
		state := registryState(t, func(a *Account) {
			*a = Account{Status: StatusFrozenByBoth, Member: deskAddress, Window: Window{Next: 4}, Balances: 2, Holds: 1}
		})
		var w encoder
		writeMember(&w, &Member{Name: "Desk", Status: status, Roles: RoleIssuer})
		state[string(KeyMember(deskAddress))] = w.out
		s := openState(t, state)
		code, err := (&AdmitAccount{aliceAddress}).apply(s, &Body{Sender: bankAddress})
		c, accountErr := s.account(aliceAddress)
		if code != want || err != nil || accountErr != nil {
			t.Errorf("%s: %s %v %v, want %s", status, code, err, accountErr, want)
		}
		a := c.value
		if (a.Member == bankAddress) != (want == Applied) || a.Status != StatusFrozenByBoth || a.Window.Next != 4 || a.Balances != 2 || a.Holds != 1 || s.created != 0 {
			t.Errorf("%s: became %+v", status, a)
		}
	}
}

// TestRegistrarMachineErrors: what cannot be read is an error, and no verdict.
func TestRegistrarMachineErrors(t *testing.T) {
	state := registryState(t, func(a *Account) { a.Member = deskAddress })
	operations := []Operation{&AdmitAccount{aliceAddress}, &AdmitAccount{crypto.Address{9}}, &FreezeAccount{Account: aliceAddress}, &UnfreezeAccount{Account: aliceAddress}, &CloseAccount{aliceAddress}}
	for _, key := range []string{prefixMember, prefixAccount, prefixAsset, string(KeyMember(deskAddress))} {
		for i, op := range operations {
			s := openState(t, failing{state, key})
			reads := key == prefixMember || key == prefixAccount || key == prefixAsset && i == 1 || key == string(KeyMember(deskAddress)) && i == 0
			if _, err := op.apply(s, &Body{Sender: bankAddress}); errors.Is(err, errDisk) != reads {
				t.Errorf("operation %d without %q: %v", i, key, err)
			}
		}
	}
	s := openState(t, failing{state, prefixAccount})
	for _, action := range []func(crypto.Address, string) (Code, error){s.freezeByNetwork, s.unfreezeByNetwork} {
		if _, err := action(aliceAddress, ""); !errors.Is(err, errDisk) {
			t.Error(err)
		}
	}
	if _, err := (&SetKeys{}).apply(s, &Body{Sender: aliceAddress}); !errors.Is(err, errDisk) {
		t.Error(err)
	}
}

// TestListTexts: the lists in events have one form each.
func TestListTexts(t *testing.T) {
	const a, b = "0x00000000000000000000000000000000000000aa", "0x00000000000000000000000000000000000000ab"
	many := ""
	for i := range MaxAuthorityKeys + 1 {
		many += "," + keysText([]Key{{crypto.Address{byte(i + 1)}, 1}})
	}
	for text, want := range map[string]bool{
		"": true, a + "=1": true, a + "=4294967295": true, a + "=1," + b + "=2": true, many[1 : len(many)-len(many)/17]: true,
		a: false, a + "=": false, a + "=0": false, a + "=01": false, a + "=+1": false, a + "=4294967296": false, b + "=1," + a + "=1": false,
		a + "=1," + a + "=1": false, a + "=1,": false, "," + a + "=1": false, a[:40] + "=1": false, "0X" + a[2:] + "=1": false,
		"0x00000000000000000000000000000000000000AA=1": false, "0x0000000000000000000000000000000000000000=1": false,
		a + "=1=1": false, " " + a + "=1": false, many[1:]: false,
	} {
		keys, ok := ParseKeys(text)
		if ok != want || ok && keysText(keys) != text {
			t.Errorf("%q: %v %v", text, keys, ok)
		}
	}
	const n, m = "00000000000000000000000000000000000000aa", "00000000000000000000000000000000000000ab"
	for text, want := range map[string]bool{
		"": true, n: true, n + "," + m: true,
		m + "," + n: false, n + "," + n: false, n + ",": false, "," + n: false, n[1:]: false, "0x" + n: false, "00000000000000000000000000000000000000AA": false,
	} {
		nodes, ok := ParseNodes(text)
		if ok != want || ok && nodesText(nodes) != text {
			t.Errorf("%q: %v %v", text, nodes, ok)
		}
	}
	key := ConsensusKey{0xab}.String()
	for text, want := range map[string]bool{"": true, key: true, key[2:]: false, key[:64]: false, "0x" + "AB" + key[4:]: false, ConsensusKey{}.String(): false} {
		if validConsensusKeyText(text) != want {
			t.Errorf("%q is judged otherwise", text)
		}
	}
}
