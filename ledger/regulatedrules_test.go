package ledger

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/crypto"
)

// TestAssetSteps: the two pauses do not know of each other, retirement is for
// ever, and every status can be reached and is written in the record.
func TestAssetSteps(t *testing.T) {
	events := []EventType{EventAssetPaused, EventAssetResumed, EventAssetRetired, EventAssetPausedByNetwork, EventAssetResumedByNetwork}
	type parts struct{ issuer, network, retired bool }
	want := map[AssetStatus]parts{
		AssetActive: {}, AssetPaused: {issuer: true}, AssetPausedByNetwork: {network: true}, AssetPausedByBoth: {issuer: true, network: true},
		AssetRetired: {retired: true}, AssetRetiredAndPaused: {network: true, retired: true},
	}
	for s, p := range want {
		for _, e := range events {
			after, legal := p, false
			switch e {
			case EventAssetPaused:
				after.issuer, legal = true, !p.issuer && !p.retired
			case EventAssetResumed:
				after.issuer, legal = false, p.issuer && !p.retired
			case EventAssetRetired:
				after.retired, legal = true, p == parts{}
			case EventAssetPausedByNetwork:
				after.network, legal = true, !p.network
			case EventAssetResumedByNetwork:
				after.network, legal = false, p.network
			}
			next, ok := s.After(e)
			if ok != legal || ok && want[next] != after || !ok && next != s {
				t.Errorf("%s after %s is %s, %v", s, e.Name(), next, ok)
			}
		}
		if s.paused() != (p.issuer || p.network) || s.pausedByNetwork() != p.network || s.retired() != p.retired || s.String() == "unknown" {
			t.Errorf("%s is paused %v, by the network %v, retired %v", s, s.paused(), s.pausedByNetwork(), s.retired())
		}
		a := Asset{Symbol: "A", Name: "A", Issuer: crypto.Address{1}, Status: s}
		if got, err := DecodeAsset(record(writeAsset, a)); err != nil || got != a {
			t.Errorf("%s is read as %+v, %v", s, got, err)
		}
	}
	if _, err := DecodeAsset(record(writeAsset, Asset{Symbol: "A", Name: "A", Issuer: crypto.Address{1}, Status: 7})); err == nil {
		t.Error("a status that is none was read")
	}
}

// TestNetworkPause: the members' pause and the issuer's, one after another, and
// what may be done meanwhile.
func TestNetworkPause(t *testing.T) {
	w := newWorld(t)
	s, err := newState(w.net, 10, w.state())
	if err != nil {
		t.Fatal(err)
	}
	by := &Body{Sender: w.issuer.Address()}
	issuer := func(op Operation) func() (Code, error) { return func() (Code, error) { return op.apply(s, by) } }
	pause, resume := issuer(&PauseAsset{w.at}), issuer(&ResumeAsset{w.at})
	stop := func() (Code, error) { return s.pauseByNetwork(w.at) }
	release := func() (Code, error) { return s.resumeByNetwork(w.at) }
	issue := issuer(&Issue{Asset: w.at, To: w.payee.Address(), Amount: NewAmount(1)})
	claw := issuer(&Clawback{Asset: w.at, From: w.payer.Address(), To: w.payee.Address(), Amount: NewAmount(1), Reason: 1})
	redeem := issuer(&Redeem{Asset: w.at, From: w.payer.Address(), Amount: NewAmount(1)})
	retire := issuer(&RetireAsset{w.at})
	for i, step := range []struct {
		do   func() (Code, error)
		want Code
		then AssetStatus
	}{
		{release, CodeAssetNotPaused, AssetActive},
		{stop, Applied, AssetPausedByNetwork},
		{stop, CodeAssetPaused, AssetPausedByNetwork},
		{resume, CodeAssetNotPaused, AssetPausedByNetwork},
		{issue, CodeAssetPaused, AssetPausedByNetwork},
		{claw, CodeAssetPaused, AssetPausedByNetwork},
		{redeem, CodeAssetPaused, AssetPausedByNetwork},
		{retire, CodeAssetPaused, AssetPausedByNetwork},
		{pause, Applied, AssetPausedByBoth},
		{pause, CodeAssetPaused, AssetPausedByBoth},
		{claw, CodeAssetPaused, AssetPausedByBoth},
		{release, Applied, AssetPaused},
		{claw, Applied, AssetPaused},
		{stop, Applied, AssetPausedByBoth},
		{resume, Applied, AssetPausedByNetwork},
		{release, Applied, AssetActive},
		{retire, Applied, AssetRetired},
		{redeem, Applied, AssetRetired},
		{stop, Applied, AssetRetiredAndPaused},
		{redeem, CodeAssetPaused, AssetRetiredAndPaused},
		{claw, CodeAssetPaused, AssetRetiredAndPaused},
		{issue, CodeAssetRetired, AssetRetiredAndPaused},
		{stop, CodeAssetPaused, AssetRetiredAndPaused},
		{release, Applied, AssetRetired},
		{claw, Applied, AssetRetired},
	} {
		code, err := step.do()
		c, _ := s.asset(w.at)
		if err != nil || code != step.want || c.value.Status != step.then {
			t.Fatalf("step %d: %s and %s (error %v), want %s and %s", i, code, c.value.Status, err, step.want, step.then)
		}
	}
	for _, do := range []func(crypto.Address) (Code, error){s.pauseByNetwork, s.resumeByNetwork} {
		if code, err := do(crypto.Address{9}); code != CodeUnknownAsset || err != nil {
			t.Errorf("no asset: %s, %v", code, err)
		}
	}
	var names []string
	for _, e := range s.takeEvents() {
		if e.Type == EventAssetPausedByNetwork || e.Type == EventAssetResumedByNetwork {
			names = append(names, e.Type.Name())
		}
	}
	if len(names) != 6 || names[0] != "assetPausedByNetwork" || names[1] != "assetResumedByNetwork" {
		t.Errorf("events %q", names)
	}
}

// TestMayIssue: who may be an issuer, under each policy.
func TestMayIssue(t *testing.T) {
	for name, one := range map[string]struct {
		spoil func(w *world)
		want  Code
	}{
		"a member's with the role": {func(*world) {}, Applied},
		"without the role":         {noRole.make, CodeNotIssuerMember},
		"suspended": {func(w *world) {
			w.members[w.issuer.Address()] = Member{Name: "I", Status: MemberSuspended, Roles: RoleIssuer}
		}, CodeNotIssuerMember},
		"of no member": {func(w *world) { w.accounts[w.issuer.Address()] = Account{Status: StatusActive} }, CodeNotIssuerMember},
		"no members":   {func(w *world) { w.members = nil }, Applied},
		"open":         {func(w *world) { w.params.AccountPolicy = PolicyOpen; noRole.make(w) }, Applied},
	} {
		w := newWorld(t)
		one.spoil(w)
		s, err := newState(w.net, 10, w.state())
		if err != nil {
			t.Fatal(err)
		}
		if code, err := s.mayIssue(w.issuer.Address()); code != one.want || err != nil {
			t.Errorf("%s: %s, %v", name, code, err)
		}
	}
}

// TestFreezesAndTheIssuer: what the rules say about corners.
func TestFreezesAndTheIssuer(t *testing.T) {
	amount := func(n uint64) Amount { return NewAmount(n) }
	clawback := func(w *world, n uint64) Operation {
		return &Clawback{Asset: w.at, From: w.payer.Address(), To: w.payee.Address(), Amount: amount(n), Reason: 1}
	}
	redeem := func(w *world, n uint64) Operation {
		return &Redeem{Asset: w.at, From: w.payer.Address(), Amount: amount(n)}
	}
	issue := func(w *world, to *crypto.PrivateKey) Operation {
		return &Issue{Asset: w.at, To: to.Address(), Amount: amount(1)}
	}
	for name, one := range map[string]struct {
		spoil func(w *world)
		op    func(w *world) Operation
		want  Code
	}{
		"all but the frozen amount": {func(w *world) { w.say(w.payer, func(h *Holder) { h.FrozenAmount = amount(90) }) },
			func(w *world) Operation { return redeem(w, 10) }, Applied},
		"one of the frozen amount": {func(w *world) { w.say(w.payer, func(h *Holder) { h.FrozenAmount = amount(90) }) },
			func(w *world) Operation { return redeem(w, 11) }, CodeBalanceFrozen},
		"frozen without the flag": {func(w *world) { payerFrozen.make(w); w.asset.Flags = FlagRestricted },
			func(w *world) Operation { return redeem(w, 1) }, Applied},
		"not approved without the flag": {func(w *world) { payeeNotApproved.make(w); w.asset.Flags = FlagFreezable },
			func(w *world) Operation { return issue(w, w.payee) }, Applied},
		"to the issuer, never approved": {func(*world) {}, func(w *world) Operation { return issue(w, w.issuer) }, Applied},
		"to the issuer, frozen": {func(w *world) { w.say(w.issuer, func(h *Holder) { h.Frozen = true }) },
			func(w *world) Operation { return issue(w, w.issuer) }, CodeRecipientFrozen},
		"clawback of all that is frozen": {func(w *world) { payerFrozen.make(w); payerBound.make(w) },
			func(w *world) Operation { return clawback(w, 100) }, Applied},
		"clawback of one too many": {func(*world) {}, func(w *world) Operation { return clawback(w, 101) }, CodeInsufficientBalance},
		"clawback from a closed account": {func(w *world) { w.account(w.payer, StatusClosed); w.balance, w.asset.Supply = Amount{}, Amount{} },
			func(w *world) Operation { return clawback(w, 1) }, CodeInsufficientBalance},
		"clawback from nobody": {func(w *world) { delete(w.accounts, w.payer.Address()); w.balance, w.asset.Supply = Amount{}, Amount{} },
			func(w *world) Operation { return clawback(w, 1) }, CodeInsufficientBalance},
		"clawback from a suspended member's account": {func(w *world) {
			w.accounts[w.payer.Address()] = Account{Status: StatusFrozenByBoth, Member: w.payer.Address()}
			w.members[w.payer.Address()] = Member{Name: "P", Status: MemberRemoved}
		}, func(w *world) Operation { return clawback(w, 1) }, Applied},
		"clawback while the issuer pauses": {func(w *world) { w.asset.Status = AssetPaused },
			func(w *world) Operation { return clawback(w, 1) }, Applied},
		"redeem of what was frozen and is retired": {func(w *world) { payerFrozen.make(w); w.asset.Status = AssetRetired },
			func(w *world) Operation { return redeem(w, 100) }, Applied},
		"clawback to one who was frozen and is retired": {func(w *world) { payeeFrozen.make(w); w.asset.Status = AssetRetired },
			func(w *world) Operation { return clawback(w, 1) }, Applied},
		"clawback to one not approved of what is retired": {func(w *world) { payeeNotApproved.make(w); w.asset.Status = AssetRetired },
			func(w *world) Operation { return clawback(w, 1) }, CodeRecipientNotApproved},
		"new issuer's member suspended": {func(w *world) {
			w.accounts[w.payee.Address()] = Account{Status: StatusActive, Member: w.payee.Address()}
			w.members[w.payee.Address()] = Member{Name: "P", Status: MemberSuspended, Roles: RoleIssuer}
		}, func(w *world) Operation { return &ChangeIssuer{Asset: w.at, To: w.payee.Address()} }, CodeNewIssuerInactive},
		"handed on while paused": {func(w *world) { w.asset.Status = AssetPausedByBoth },
			func(w *world) Operation { return &ChangeIssuer{Asset: w.at, To: w.payee.Address()} }, Applied},
		"approved while frozen": {func(w *world) { payeeNotApproved.make(w); w.account(w.payee, StatusFrozen) },
			func(w *world) Operation { return &ApproveHolder{Asset: w.at, Account: w.payee.Address()} }, Applied},
		"the issuer approves itself": {func(*world) {},
			func(w *world) Operation { return &ApproveHolder{Asset: w.at, Account: w.issuer.Address()} }, Applied},
	} {
		w := newWorld(t)
		one.spoil(w)
		op := one.op(w)
		if got := w.try(t, op, w.state()).Results[0].Code; got != one.want {
			t.Errorf("%s: %s, want %s", name, got, one.want)
		}
	}
}

// TestRecordsOfNothing: what says nothing any more leaves no record.
func TestRecordsOfNothing(t *testing.T) {
	w := newWorld(t)
	w.holders[w.payee.Address()] = Holder{FrozenAmount: NewAmount(3)}
	w.metadata = Metadata{URI: "u"}
	for _, one := range []struct {
		op  Operation
		key []byte
	}{
		{&RevokeHolder{w.at, w.payer.Address()}, KeyHolder(w.at, w.payer.Address())},
		{&FreezeBalance{Asset: w.at, Account: w.payee.Address()}, KeyHolder(w.at, w.payee.Address())},
		{&SetMetadata{Asset: w.at}, KeyMetadata(w.at)},
	} {
		gone := slices.ContainsFunc(w.try(t, one.op, w.state()).Changes, func(c Change) bool { return string(c.Key) == string(one.key) && c.Value == nil })
		if !gone {
			t.Errorf("%T leaves %q", one.op, one.key)
		}
	}
}

// counting counts what is read under a prefix.
type counting struct {
	Reader
	prefix string
	count  int
}

func (c *counting) Get(key []byte) ([]byte, error) {
	if strings.HasPrefix(string(key), c.prefix) {
		c.count++
	}
	return c.Reader.Get(key)
}

// TestPlainAssetsReadNoHolders: what an asset has no flags for costs nothing.
func TestPlainAssetsReadNoHolders(t *testing.T) {
	for flags, want := range map[AssetFlags]int{0: 0, FlagClawback: 0, FlagRestricted: 1, FlagFreezable: 2} {
		w := newWorld(t)
		w.sender = w.payer
		w.asset.Flags = flags
		r := &counting{Reader: w.state(), prefix: prefixHolder}
		op := &Transfer{Legs: []Leg{{From: w.payer.Address(), To: w.payee.Address(), Asset: w.at, Amount: NewAmount(1)}}}
		if code := w.try(t, op, r).Results[0].Code; code != Applied || r.count != want {
			t.Errorf("flags %d: %s after %d reads of holders, want %d", flags, code, r.count, want)
		}
	}
}

// TestRegulatedMachineErrors: a record that cannot be read, or is not one, is an
// error and never a code.
func TestRegulatedMachineErrors(t *testing.T) {
	w := newWorld(t)
	w.metadata = Metadata{URI: "u"}
	state := w.state()
	for prefix, op := range map[string]Operation{
		prefixHolder:   &FreezeHolder{Asset: w.at, Account: w.payer.Address()},
		prefixMetadata: &SetMetadata{Asset: w.at},
		KeyMembers:     &ChangeIssuer{Asset: w.at, To: w.payee.Address()},
		prefixMember:   &CreateAsset{Symbol: "NEW", Name: "New"},
		prefixAsset:    &RetireAsset{w.at},
	} {
		body := Body{Sender: w.issuer.Address(), ValidUntil: 50, Op: op}
		tx, code := Sign(w.net, body, SchemeBodyHash, w.issuer, w.payee)
		if _, changes := op.(*ChangeIssuer); !changes {
			tx, code = Sign(w.net, body, SchemeBodyHash, w.issuer)
		}
		if code != Applied {
			t.Fatal(code)
		}
		if r, err := Simulate(w.net, 10, failing{state, prefix}, tx); !errors.Is(err, errDisk) {
			t.Errorf("%s: %s, %v", prefix, r.Code, err)
		}
	}
	for name, bad := range map[string][]byte{
		"holder of nothing":     {0xc3, 0x80, 0x80, 0x80},
		"approved twice":        {0xc3, 0x02, 0x80, 0x80},
		"approved as a byte 0":  {0xc3, 0x00, 0x01, 0x80},
		"holder of two fields":  {0xc2, 0x01, 0x80},
		"holder of four fields": {0xc4, 0x01, 0x80, 0x80, 0x80},
	} {
		if h, err := DecodeHolder(bad); err == nil {
			t.Errorf("%s: %+v", name, h)
		}
	}
	long := record(writeMetadata, Metadata{URI: strings.Repeat("u", MaxURIBytes+1)})
	for name, bad := range map[string][]byte{
		"metadata of nothing":      {0xc2, 0x80, 0x80},
		"a hash of zeros":          append([]byte{0xe2, 0x75, 0xa0}, make([]byte, 32)...),
		"a hash of a byte":         {0xc2, 0x75, 0x01},
		"a URI too long":           long,
		"a URI with a line feed":   {0xc2, 0x0a, 0x80},
		"metadata of three fields": {0xc3, 0x75, 0x80, 0x80},
	} {
		if m, err := DecodeMetadata(bad); err == nil {
			t.Errorf("%s: %+v", name, m)
		}
	}
}
