package app

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// banks is a network of the members alice, bob and carol, each with customers:
// "alice 0", "alice 1", … are accounts of alice. Accounts named after nobody are
// of no member.
func banks(change func(*ledger.Genesis), customers ...string) []byte {
	return genesisDoc(append(append([]string{}, everybody...), customers...), func(g *ledger.Genesis) {
		founded(g)
		if change != nil {
			change(g)
		}
		for i, name := range customers {
			for _, bank := range everybody[:3] {
				if len(name) > len(bank) && name[:len(bank)+1] == bank+" " {
					g.Accounts[len(everybody)+i].Member = address(bank)
				}
			}
		}
	})
}

// newBanks is such a network after block 1.
func newBanks(t testing.TB, o Options, customers ...string) *chain {
	t.Helper()
	c := openChain(t, t.TempDir(), o)
	c.initChain(banks(nil, customers...))
	c.block()
	return c
}

// customers are n accounts named after a member, or after nobody.
func customers(of string, n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprint(of, " ", i))
	}
	return names
}

// wantQuota offers raw as a client and as a peer, and fails the test unless
// both are told of the quota.
func (c *chain) wantQuota(what string, raw []byte, want error) {
	c.t.Helper()
	if _, err := c.Admit(raw); !errors.Is(err, want) {
		c.t.Errorf("%s: %v, want %v", what, err, want)
	}
	if _, err := c.Offer(raw, "a peer"); !errors.Is(err, want) {
		c.t.Errorf("%s, from a peer: %v, want %v", what, err, want)
	}
}

// An account has so much waiting and no more, in number and in bytes; others
// are not concerned, and a block gives back what it took.
func TestAccountQuota(t *testing.T) {
	for name, o := range map[string]Options{"number": {AccountTxs: 2}, "bytes": {AccountBytes: 5000, MaxTxBytes: 400}} {
		c := newChain(t, o, nil)
		c.block()
		first, second, third := c.pay("alice", 0, "bob", 1), c.pay("alice", 1, "bob", 1), c.pay("alice", 2, "bob", 1)
		wantCode(t, name, c.check(first), ledger.Applied)
		wantCode(t, name, c.check(second), ledger.Applied)
		c.wantQuota(name, third, ErrAccountQuota)
		wantCode(t, "what waits already", c.check(first), ledger.Applied)
		wantCode(t, "another's", c.check(c.pay("bob", 0, "alice", 1)), ledger.Applied)
		c.block(first)
		wantCode(t, name, c.check(third), ledger.Applied)
	}
}

// All accounts of a member together have so much waiting and no more, and on a
// network with members so have all accounts of none.
func TestMemberQuota(t *testing.T) {
	for name, o := range map[string]Options{"number": {MemberTxs: 2}, "bytes": {MemberBytes: 5000, MaxTxBytes: 400}} {
		c := newBanks(t, o, "alice 0", "alice 1", "bob 0", "free 0", "free 1", "free 2")
		for _, from := range []string{"alice 0", "alice 1", "free 0", "free 1"} {
			wantCode(t, from, c.check(c.pay(from, 0, "bob", 1)), ledger.Applied)
		}
		c.wantQuota(name+": the member's own account", c.pay("alice", 0, "bob", 1), ErrMemberQuota)
		c.wantQuota(name+": of no member", c.pay("free 2", 0, "bob", 1), ErrMemberQuota)
		wantCode(t, "another member's", c.check(c.pay("bob 0", 0, "bob", 1)), ledger.Applied)
		c.block(c.pay("alice 0", 0, "bob", 1))
		wantCode(t, name, c.check(c.pay("alice", 0, "bob", 1)), ledger.Applied)
	}
	c := newChain(t, Options{MemberTxs: 2}, nil)
	c.block()
	for _, from := range everybody {
		wantCode(t, "where there are no members", c.check(c.pay(from, 0, "bob", 1)), ledger.Applied)
	}
}

// Whatever way a transaction goes, its place in the quotas is free again.
func TestQuotasAreGivenBack(t *testing.T) {
	registry := prometheus.NewRegistry()
	c := newBanks(t, Options{MemberTxs: 3, Metrics: registry}, "alice 0", "alice 1")
	expiring := c.transfer("alice 0", 0, "bob", 1)
	expiring.ValidUntil = ledger.UnixTime(c.time + 1)
	hopeless := c.Decode(c.sign(c.transfer("alice 0", 1, "bob", 1), ledger.SchemeBodyHash, "bob"))
	wantCode(t, "expiring", c.check(c.sign(expiring, ledger.SchemeBodyHash, "alice 0")), ledger.Applied)
	wantCode(t, "to be superseded", c.check(c.pay("alice 1", 0, "bob", 1)), ledger.Applied)
	c.pending.add(hopeless, address("alice"), c.latest.Load().height, "")
	c.wantQuota("a fourth", c.pay("alice", 0, "bob", 1), ErrMemberQuota)
	wantTxs(t, "proposed", c.prepare(), c.pendingNow()[:2]...) // and the hopeless one is doubted
	c.block(c.pay("alice 1", 0, "bob", 2))
	c.block()
	if len(c.pending.groups) != 0 || c.pending.size() != 0 {
		t.Errorf("%d groups, %d bytes are left", len(c.pending.groups), c.pending.size())
	}
	for _, why := range []string{droppedExpired, droppedSpent, droppedJudged} {
		if n := counter(t, registry, "tallystick_app_pending_dropped_total", why); n != 1 {
			t.Errorf("%s: %v dropped, want 1", why, n)
		}
	}
	if n := counter(t, registry, "tallystick_app_pending_refused_total", "member"); n != 2 {
		t.Errorf("%v refusals are counted, want 2", n)
	}
}

// However many members send without end, and of each however many accounts,
// there is room for one more.
func TestFloodsLeaveRoom(t *testing.T) {
	p := newPendingTable((&Options{PendingTxs: 9000, PendingBytes: 1 << 30, AccountTxs: 9000}).limits(), newPace(0))
	fill := func(member, account byte) (n int) {
		for p.place(member, account, n) == added {
			n++
		}
		return n
	}
	if n := []int{fill(1, 1), fill(1, 2)}; n[0] != 4500 || n[1] != 2250 {
		t.Errorf("where there are no members, accounts have %v waiting", n)
	}
	p = newPendingTable(p.limits, newPace(0))
	p.founded = true
	one := 0
	for account := range byte(9) {
		one += fill(1, account)
	}
	room := func(member, account byte) {
		if what := p.place(member, account, 0); what != added || p.filled {
			t.Errorf("account %d of member %d: %d", account, member, what)
		}
	}
	room(1, 100)
	two, three := fill(2, 1), fill(3, 1)
	if one < 4480 || two < 1490 || three < 990 {
		t.Errorf("the members have %d, %d and %d waiting", one, two, three)
	}
	room(2, 100)
	room(4, 1)
}

// place adds a transaction of an account of a member.
func (p *pendingTable) place(member, account byte, n int) addition {
	tx := numberedTx(member, uint64(n), 0)
	tx.Hash, tx.Sender = crypto.Keccak256(fmt.Append(nil, member, account, n)), crypto.Address{member, account}
	what, _, _ := p.add(tx, crypto.Address{member}, p.height, "")
	return what
}

// The quotas follow from the pool's bounds, and have room for any transaction.
func TestQuotaDefaults(t *testing.T) {
	for name, tc := range map[string]struct {
		o               Options
		account, member bound
	}{
		"usual": {Options{PendingTxs: 50_000, PendingBytes: 256 << 20}, bound{6250, 32 << 20}, bound{25_000, 128 << 20}},
		"small": {Options{PendingTxs: 10, PendingBytes: 1 << 20}, bound{64, 4 << 20}, bound{64, 4 << 20}},
		"set": {Options{PendingTxs: 50_000, PendingBytes: 256 << 20, AccountTxs: 1, AccountBytes: 2, MemberTxs: 3, MemberBytes: 4, MaxTxBytes: 3},
			bound{1, PendingBytes(3)}, bound{3, PendingBytes(3)}},
	} {
		if l := tc.o.limits(); l.account != tc.account || l.member != tc.member {
			t.Errorf("%s: %+v", name, l)
		}
	}
}

// TestPendingBytes: what waits takes no more memory than it counts for, and not
// much less where it is small, so that the bounds are true and not wasted. It
// measures, so it runs beside no other test.
func TestPendingBytes(t *testing.T) {
	if testing.Short() {
		t.Skip("has thousands of transactions signed")
	}
	names := customers("alice", 150)
	c := newBanks(t, Options{}, names...)
	op := func(o ledger.Operation) func(string) []byte {
		return func(from string) []byte {
			return c.sign(ledger.Body{Sender: address(from), Op: o}, ledger.SchemeBodyHash, from)
		}
	}
	legs := func(n int) func(string) []byte {
		return func(from string) []byte {
			b := c.transfer(from, 0, "bob", 1)
			t := b.Op.(*ledger.Transfer)
			for len(t.Legs) < n {
				t.Legs = append(t.Legs, t.Legs[0])
			}
			return c.sign(b, ledger.SchemeBodyHash, from)
		}
	}
	propose := &ledger.Propose{VotingPeriod: ledger.MinVotingPeriod}
	for i := range byte(ledger.MaxActions) {
		propose.Actions = append(propose.Actions, &ledger.AdmitMemberAction{
			Admin: crypto.Address{i + 1}, Name: "Bank", Roles: ledger.RoleNames(ledger.RoleAuditor), NodeIDs: ledger.NodeIDs{{1}, {2}, {3}},
		})
	}
	o := Options{PendingBytes: 1 << 40, AccountBytes: 1 << 40, MemberBytes: 1 << 40}.withDefaults()
	for name, make := range map[string]func(string) []byte{
		"a payment": legs(1), "2 legs": legs(2), "5 legs": legs(5), "9 legs": legs(9), "17 legs": legs(17), "33 legs": legs(33), "130 legs": legs(130),
		"a proposal": op(propose), "a vote": op(&ledger.CastVote{Proposal: 1, Choice: ledger.ChoiceYes}),
	} {
		raws := [][]byte{}
		for _, from := range names {
			raws = append(raws, make(from))
		}
		for tries := 3; ; tries-- { // what other tests have left may come or go meanwhile
			used, counted := c.waits(o.limits(), raws)
			if used <= counted && 4*used >= counted {
				break
			}
			if tries == 0 {
				t.Errorf("%s of %d bytes: %d bytes are in use, and %d are counted", name, len(raws[0]), used, counted)
				break
			}
		}
	}
}

// waits lets transactions of alice's customers wait, and returns the memory in use
// and what they count for.
func (c *chain) waits(limits pendingLimits, raws [][]byte) (used, counted int64) {
	c.t.Helper()
	p := newPendingTable(limits, newPace(0))
	p.founded = true
	before := memory()
	for _, raw := range raws {
		tx, code := ledger.Decode(c.Network(), bytes.Clone(raw))
		if code != ledger.Applied || tx.RecoverSigners() != ledger.Applied {
			c.t.Fatal(code)
		}
		if what, _, _ := p.add(tx, address("alice"), 0, "a peer"); what != added {
			c.t.Fatal(what)
		}
	}
	used, counted = memory()-before, p.size()
	runtime.KeepAlive(raws)
	return used, counted
}

// memory is what is in use.
func memory() int64 {
	runtime.GC()
	runtime.GC() // what has a finalizer goes in the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// What waits of an account goes with it to another member.
func TestAccountsTakeTheirsAlong(t *testing.T) {
	c := newBanks(t, Options{MemberTxs: 2}, "free 0", "free 1")
	for _, from := range []string{"free 0", "free 1"} {
		wantCode(t, from, c.check(c.pay(from, 0, "bob", 1)), ledger.Applied)
	}
	c.wantQuota("of no member", c.pay("free 0", 1, "bob", 1), ErrMemberQuota)
	now := c.latest.Load()
	joins := c.changed("free 0", func(a *ledger.Account) { a.Member = address("carol") })
	if found, err := c.pending.suspects([]ledger.Change{joins}, now, now); err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	if n := c.pending.groups[address("carol")].txs; n != 1 || c.pending.len() != 2 || c.Reliefs() != 1 {
		t.Errorf("%d of 2 wait of the member, %d reliefs", n, c.Reliefs())
	}
	wantCode(t, "of no member, now", c.check(c.pay("free 1", 1, "bob", 1)), ledger.Applied)
	wantCode(t, "of the member", c.check(c.pay("carol", 0, "bob", 1)), ledger.Applied)
	c.wantQuota("of the member, too much", c.pay("carol", 1, "bob", 1), ErrMemberQuota)
}

// A relief is counted once half of a quota is free that something was refused
// above, and not without a refusal.
func TestReliefs(t *testing.T) {
	c := newBanks(t, Options{AccountTxs: 4, MemberTxs: 7}, "alice 0", "alice 1")
	pay := func(from string, nonce uint64) []byte { return c.pay(from, nonce, "bob", 1) }
	for n := range uint64(4) {
		wantCode(t, "new", c.check(pay("alice 0", n)), ledger.Applied)
	}
	c.block(pay("alice 0", 0), pay("alice 0", 1))
	if n := c.Reliefs(); n != 0 {
		t.Errorf("%d reliefs without a refusal", n)
	}
	for n := range uint64(4) {
		c.offer(pay("alice 1", n))
	}
	c.wantQuota("account", pay("alice 1", 4), ErrAccountQuota)
	wantCode(t, "new", c.check(pay("alice 0", 4)), ledger.Applied)
	c.wantQuota("member", pay("alice 0", 5), ErrMemberQuota)
	for i, want := range []uint64{0, 1, 1, 2} { // after two 2 of the account are left, after four 3 of the member
		c.block([][]byte{pay("alice 1", 0), pay("alice 1", 1), pay("alice 1", 2), pay("alice 0", 2)}[i])
		if n := c.Reliefs(); n != want {
			t.Errorf("after block %d: %d reliefs, want %d", i, n, want)
		}
	}
}

// Whatever comes, goes and moves, the quotas count what waits.
func TestQuotasCount(t *testing.T) {
	each := PendingBytes(10) // as long is a numberedTx
	rapid.Check(t, func(r *rapid.T) {
		p := newPendingTable((&Options{PendingTxs: 40, PendingBytes: 100 * each, AccountTxs: 4, AccountBytes: 6 * each, MemberTxs: 12, MemberBytes: 10 * each}).limits(), newPace(0))
		p.founded = true
		members := map[crypto.Address]crypto.Address{}
		byte3 := func(r *rapid.T, what string) byte { return byte(rapid.IntRange(1, 3).Draw(r, what)) }
		r.Repeat(map[string]func(*rapid.T){
			"add": func(r *rapid.T) {
				tx := numberedTx(byte3(r, "sender"), rapid.Uint64Range(0, 8).Draw(r, "nonce"), 0)
				p.add(tx, members[tx.Sender], 0, "")
			},
			"spend": func(r *rapid.T) {
				tx := numberedTx(byte3(r, "sender"), rapid.Uint64Range(0, 8).Draw(r, "nonce"), 0)
				p.spend([]*ledger.Tx{tx}, []ledger.Code{ledger.Applied})
			},
			"move": func(r *rapid.T) {
				sender, member := crypto.Address{byte3(r, "sender")}, crypto.Address{byte3(r, "member")}
				members[sender] = member
				if s := p.senders[sender]; s != nil {
					p.regroup(s, member)
				}
			},
			"": func(r *rapid.T) { checkQuotas(r, p, members) },
		})
	})
}

// checkQuotas counts anew what the table has counted.
func checkQuotas(r *rapid.T, p *pendingTable, members map[crypto.Address]crypto.Address) {
	count := map[crypto.Address]int{}
	for address, s := range p.senders {
		if s.group != p.groups[members[address]] || s.arrived.Len() != len(s.nonces) || s.bytes != PendingBytes(10)*int64(len(s.nonces)) {
			r.Fatalf("the sender %s is counted wrong", address)
		}
		if len(s.nonces) == 0 || len(s.nonces) > 4 {
			r.Fatalf("%d wait of a sender", len(s.nonces))
		}
		count[members[address]] += len(s.nonces)
	}
	if len(count) != len(p.groups) {
		r.Fatalf("%d groups, want %d", len(p.groups), len(count))
	}
	for member, n := range count {
		if g := p.groups[member]; g.txs != n || g.bytes != PendingBytes(10)*int64(n) {
			r.Fatalf("the member has %d waiting, and %d are counted", n, g.txs)
		}
	}
}
