package query

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/explorertest"
	"github.com/tallystick/tallystick/explorer/index"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
)

// indexed is the index of a chain, whole.
func indexed(t testing.TB, d explorertest.Database, chain *explorertest.Chain) (*Reader, *store.Store) {
	t.Helper()
	db := d.Open(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	x := index.New(db, chain.Source(), index.Options{Fatal: true, Reconcile: -1})
	go func() { ended <- x.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}()
	for h, ok := db.Height(); !ok || h < chain.Top(); h, ok = db.Height() {
		wait, stop := context.WithCancel(ctx)
		go func() {
			if err := db.Wait(wait, chain.Top()); err == nil {
				stop()
			}
		}()
		select {
		case <-wait.Done():
		case err := <-ended:
			ended <- nil
			t.Fatal(err)
		}
		stop()
	}
	return New(db, x), db
}

// pages reads a whole list, so many items a page.
func pages[T any](t testing.TB, limit int, ascending bool, read func(Page) (*List[T], error)) []T {
	t.Helper()
	all := []T{}
	page := Page{Limit: limit, Ascending: ascending}
	for range 100_000 {
		list, err := read(page)
		if err != nil {
			t.Fatal(err)
		}
		if len(list.Items) > limit {
			t.Fatalf("a page of %d has %d items", limit, len(list.Items))
		}
		all = append(all, list.Items...)
		if list.Next == nil {
			return all
		}
		page.Cursor = *list.Next
	}
	t.Fatal("the list never ends")
	return nil
}

// eachQuery runs a test on a chain's index in each kind of database.
func eachQuery(t *testing.T, seed uint64, blocks int, test func(*testing.T, *Reader, *explorertest.Chain)) {
	chain := explorertest.New(t, seed)
	chain.Grow(blocks)
	explorertest.Each(t, func(t *testing.T, d explorertest.Database) {
		r, _ := indexed(t, d, chain)
		test(t, r, chain)
	})
}

// told is a transaction as the chain itself tells it.
type told struct {
	tx     *ledger.Tx
	result *ledger.TxResult
	height ledger.Height
	index  int
	time   ledger.UnixTime
}

func everyTx(chain *explorertest.Chain) (all []told) {
	for h := ledger.Height(1); h <= chain.Top(); h++ {
		b := chain.At(h)
		for i, tx := range b.Txs {
			all = append(all, told{tx, &b.Results[i], h, i, b.Time})
		}
	}
	return all
}

func (x *told) concerns(a crypto.Address) bool {
	if x.tx.Sender == a {
		return true
	}
	for _, e := range x.result.Events {
		if parties := e.Parties(); slices.Contains(parties[:], a) {
			return true
		}
	}
	return false
}

// Every filter gives what the chain itself has, in pages of any size, both ways.
func TestTransactions(t *testing.T) {
	eachQuery(t, 11, 80, func(t *testing.T, r *Reader, chain *explorertest.Chain) {
		all := everyTx(chain)
		some := all[len(all)/2]
		yes, no, from, to := true, false, all[10].time, all[len(all)-10].time
		code := ledger.Code(0)
		for _, x := range all {
			if x.result.Code != 0 {
				code = x.result.Code
			}
		}
		for name, c := range map[string]struct {
			f    TransactionFilter
			want func(told) bool
		}{
			"all":     {TransactionFilter{}, func(told) bool { return true }},
			"height":  {TransactionFilter{Height: &some.height}, func(x told) bool { return x.height == some.height }},
			"account": {TransactionFilter{Account: &some.tx.Sender}, func(x told) bool { return x.concerns(some.tx.Sender) }},
			"sender":  {TransactionFilter{Sender: &some.tx.Sender}, func(x told) bool { return x.tx.Sender == some.tx.Sender }},
			"kind":    {TransactionFilter{Kind: "transfer"}, func(x told) bool { return x.tx.Op.Kind() == ledger.KindTransfer }},
			"refused": {TransactionFilter{Refused: &yes}, func(x told) bool { return x.result.Code != 0 }},
			"applied": {TransactionFilter{Refused: &no}, func(x told) bool { return x.result.Code == 0 }},
			"code":    {TransactionFilter{Code: &code}, func(x told) bool { return x.result.Code == code }},
			"time":    {TransactionFilter{From: &from, To: &to}, func(x told) bool { return x.time >= from && x.time <= to }},
			"several": {TransactionFilter{Account: &some.tx.Sender, Kind: "transfer", Refused: &no, To: &to}, func(x told) bool {
				return x.concerns(some.tx.Sender) && x.tx.Op.Kind() == ledger.KindTransfer && x.result.Code == 0 && x.time <= to
			}},
			"kind, refused": {TransactionFilter{Kind: "issue", Refused: &yes}, func(x told) bool { return x.tx.Op.Kind() == ledger.KindIssue && x.result.Code != 0 }},
		} {
			want := []string{}
			for _, x := range all {
				if c.want(x) {
					want = append(want, fmt.Sprintf("%d %d %s %s %s %q %d %d", x.height, x.index, x.tx.Hash, x.result.Code, x.tx.Op.Kind(), x.tx.Memo, len(x.result.Events), x.time))
				}
			}
			for _, limit := range []int{1, 7, 1000} {
				for _, ascending := range []bool{true, false} {
					got := []string{}
					for _, x := range pages(t, limit, ascending, func(p Page) (*List[Transaction], error) { return r.Transactions(t.Context(), c.f, p) }) {
						got = append(got, fmt.Sprintf("%d %d %s %s %s %q %d %d", x.Height, *x.Index, x.Hash, x.CodeName, x.Kind, x.Memo, x.Events, x.Time))
					}
					if !ascending {
						slices.Reverse(got)
					}
					sameList(t, fmt.Sprintf("%s, %d a page, ascending %t", name, limit, ascending), got, want)
				}
			}
		}
	})
}

// sameList fails at the first line that differs.
func sameList(t testing.TB, what string, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("%s: %d and %d lines; from line %d:\n got %q\nwant %q", what, len(got), len(want), i, got[min(i, len(got)):min(i+1, len(got))], want[min(i, len(want)):min(i+1, len(want))])
		}
	}
}

// One transaction is all that it was: its bytes, body, signers and events.
func TestTransactionDetail(t *testing.T) {
	eachQuery(t, 12, 60, func(t *testing.T, r *Reader, chain *explorertest.Chain) {
		for _, x := range everyTx(chain) {
			d, err := r.Transaction(t.Context(), x.tx.Hash)
			if err != nil {
				t.Fatal(err)
			}
			if string(d.Raw) != string(x.tx.Raw) || d.BodyHash != x.result.BodyHash || !slices.Equal(d.Signers, x.tx.Signers) || !reflect.DeepEqual(d.Body, &x.tx.Body) {
				t.Fatalf("transaction %s is %+v", x.tx.Hash, d)
			}
			checkEvents(t, d.EventList, x.result.Events)
			checkEvents(t, pages(t, 1, true, func(p Page) (*List[Event], error) { return r.TransactionEvents(t.Context(), x.tx.Hash, p) }), x.result.Events)
		}
		for h := ledger.Height(0); h <= chain.Top(); h++ {
			checkEvents(t, pages(t, 3, true, func(p Page) (*List[Event], error) { return r.BlockEvents(t.Context(), h, p) }), chain.At(h).Events)
		}
		if _, err := r.Transaction(t.Context(), crypto.Hash{1}); !errors.Is(err, ErrNotFound) {
			t.Fatalf("an unknown transaction: %v", err)
		}
	})
}

func checkEvents(t *testing.T, got []Event, want []ledger.Event) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d events, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i].Order != uint32(i) || got[i].Event.Event != want[i] {
			t.Fatalf("event %d is %+v, want %+v", i, got[i], want[i])
		}
	}
}

// What the index says of every height is what the ledger's state of that height has.
func TestAtEveryHeight(t *testing.T) {
	eachQuery(t, 13, 60, func(t *testing.T, r *Reader, chain *explorertest.Chain) {
		for h := ledger.Height(0); h <= chain.Top(); h++ {
			state := chain.State(h)
			for key, value := range state {
				checkRecord(t, r, h, key, value)
			}
		}
	})
}

func checkRecord(t *testing.T, r *Reader, h ledger.Height, key string, value []byte) {
	t.Helper()
	at := Moment{Height: &h}
	switch {
	case len(key) == 48 && key[:8] == "balance/":
		account, asset := crypto.Address([]byte(key[8:28])), crypto.Address([]byte(key[28:]))
		want, err := ledger.DecodeBalance(value)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range pages(t, 100, true, func(p Page) (*List[Balance], error) { return r.Balances(t.Context(), account, at, p) }) {
			if b.Asset == asset {
				if b.Available != want.Available || b.Held != want.Held {
					t.Fatalf("at %d %s has of %s %+v, want %+v", h, account, asset, b, want)
				}
				return
			}
		}
		t.Fatalf("at %d %s has nothing of %s, want %+v", h, account, asset, want)
	case len(key) == 28 && key[:8] == "account/":
		address := crypto.Address([]byte(key[8:]))
		want, err := ledger.DecodeAccount(value)
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.Account(t.Context(), address, at)
		if err != nil {
			t.Fatal(err)
		}
		keys, threshold := ownKey(address, want.Authority.Keys, want.Authority.Threshold)
		if got.Status != want.Status.String() || !slices.Equal(got.Keys, keys) || got.Threshold != threshold || !reflect.DeepEqual(got.Member, notZero(want.Member)) {
			t.Fatalf("at %d account %s is %+v, want %+v", h, address, got, want)
		}
	case key == "params":
		want, err := ledger.DecodeParams(value)
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.Parameters(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		for i, n := range want.List() {
			if ledger.Parameter(got.Parameters[i]) != n {
				t.Fatalf("at %d a parameter is %+v, want %+v", h, got.Parameters[i], n)
			}
		}
	}
}

// What the index says now is what the ledger's state has: assets, holders, holds,
// members and proposals, and nothing besides.
func TestNow(t *testing.T) {
	eachQuery(t, 14, 120, func(t *testing.T, r *Reader, chain *explorertest.Chain) {
		state := chain.State(chain.Top())
		assets := pages(t, 3, true, func(p Page) (*List[Asset], error) { return r.Assets(t.Context(), AssetFilter{}, p) })
		supplies := map[crypto.Address]ledger.Amount{}
		for _, a := range assets {
			want, err := ledger.DecodeAsset(state[string(ledger.KeyAsset(a.Asset))])
			if err != nil {
				t.Fatal(err)
			}
			if a.Symbol != want.Symbol || a.Name != want.Name || a.Supply != want.Supply || a.Issuer != want.Issuer || a.Status != want.Status.String() || a.Cap != want.Cap {
				t.Fatalf("asset %+v, want %+v", a, want)
			}
			supplies[a.Asset] = want.Supply
			checkHolders(t, r, state, &a)
		}
		if n := count(state, "asset/"); len(assets) != n {
			t.Fatalf("%d assets, want %d", len(assets), n)
		}
		accounts := pages(t, 4, true, func(p Page) (*List[Account], error) { return r.Accounts(t.Context(), AccountFilter{}, p) })
		if n := count(state, "account/"); len(accounts) != n {
			t.Fatalf("%d accounts, want %d", len(accounts), n)
		}
		for _, a := range accounts {
			want, _ := ledger.DecodeAccount(state[string(ledger.KeyAccount(a.Address))])
			if a.Assets != want.Balances || a.Holds != want.Holds {
				t.Fatalf("account %+v, want %+v", a, want)
			}
		}
		checkHolds(t, r, state)
		checkMembers(t, r, state)
		checkProposals(t, r, state)
		checkTotals(t, r, chain)
	})
}

func count(state ledger.MapState, prefix string) (n int) {
	for key := range state {
		if len(key) > len(prefix) && key[:len(prefix)] == prefix {
			n++
		}
	}
	return n
}

func checkHolders(t *testing.T, r *Reader, state ledger.MapState, a *Asset) {
	t.Helper()
	holders := pages(t, 2, true, func(p Page) (*List[Holder], error) { return r.Holders(t.Context(), a.Asset, p) })
	if uint64(len(holders)) != a.Holders {
		t.Fatalf("asset %s has %d holders and lists %d", a.Symbol, a.Holders, len(holders))
	}
	sum := ledger.Amount{}
	for i, h := range holders {
		if i > 0 && holders[i-1].Total.Cmp(h.Total) < 0 {
			t.Fatalf("holder %d is richer than the one before", i)
		}
		want, _ := ledger.DecodeBalance(state[string(ledger.KeyBalance(h.Account, a.Asset))])
		said, _ := ledger.DecodeHolder(state[string(ledger.KeyHolder(a.Asset, h.Account))])
		if h.Available != want.Available || h.Held != want.Held || h.Approved != said.Approved || h.Frozen != said.Frozen || h.FrozenAmount != said.FrozenAmount {
			t.Fatalf("holder %+v, want %+v %+v", h, want, said)
		}
		sum, _ = sum.Add(h.Total)
	}
	if sum != a.Supply {
		t.Fatalf("the holders of %s have %s, the supply is %s", a.Symbol, sum, a.Supply)
	}
}

func checkHolds(t *testing.T, r *Reader, state ledger.MapState) {
	t.Helper()
	all := pages(t, 3, false, func(p Page) (*List[Hold], error) { return r.Holds(t.Context(), HoldFilter{}, p) })
	open := pages(t, 1, true, func(p Page) (*List[Hold], error) { return r.Holds(t.Context(), HoldFilter{Status: "open"}, p) })
	if n := count(state, "hold/"); len(open) != n || len(all) <= n {
		t.Fatalf("%d holds are open and %d there, want %d open", len(open), len(all), n)
	}
	parties := map[crypto.Address]int{}
	for _, h := range open {
		want, ok, err := ledger.ReadHold(state, h.Hold)
		if err != nil || !ok || h.Left != want.Amount || h.From != want.From || h.To != want.To || h.Expiry != uint64(want.Expiry) || h.Reference != want.Reference {
			t.Fatalf("hold %+v, want %+v", h, want)
		}
	}
	for _, h := range all {
		parties[h.From]++
		parties[h.To]++
		one, err := r.Hold(t.Context(), h.Hold)
		if err != nil || !reflect.DeepEqual(one, &h) {
			t.Fatalf("hold %+v (%v), in the list %+v", one, err, h)
		}
	}
	for account, n := range parties {
		for _, limit := range []int{1, 2, 100} {
			list := pages(t, limit, true, func(p Page) (*List[Hold], error) { return r.Holds(t.Context(), HoldFilter{Account: &account}, p) })
			if len(list) != n {
				t.Fatalf("%d holds of %s, %d a page; want %d", len(list), account, limit, n)
			}
		}
	}
}

func checkMembers(t *testing.T, r *Reader, state ledger.MapState) {
	t.Helper()
	members, err := r.Members(t.Context())
	if err != nil || len(members) != count(state, "member/") {
		t.Fatalf("%d members (%v)", len(members), err)
	}
	for _, m := range members {
		want, _, _ := ledger.ReadMember(state, m.Member)
		key, _ := consensus(want.Key)
		if m.Name != want.Name || m.Status != want.Status.String() || m.Power != want.Power || m.Target != want.Target || !slices.Equal(m.NodeIDs, want.Nodes) ||
			m.RotatedAt != uint64(want.RotatedAt) || m.OpenProposals != want.Open || string(key) != string(m.ConsensusKey) || !slices.Equal(m.Roles, want.Roles.Names()) {
			t.Fatalf("member %+v, want %+v", m, want)
		}
		history := pages(t, 2, false, func(p Page) (*List[MemberChange], error) { return r.MemberHistory(t.Context(), m.Member, p) })
		if len(history) == 0 || history[0].Power != m.Power {
			t.Fatalf("the history of %s is %+v", m.Name, history)
		}
	}
}

func checkProposals(t *testing.T, r *Reader, state ledger.MapState) {
	t.Helper()
	list := pages(t, 2, false, func(p Page) (*List[Proposal], error) { return r.Proposals(t.Context(), ProposalFilter{}, p) })
	if len(list) != count(state, "proposal/") || len(list) == 0 {
		t.Fatalf("%d proposals, want %d", len(list), count(state, "proposal/"))
	}
	standings := ledger.NewStandings(state)
	for _, p := range list {
		want, _, _ := ledger.ReadProposal(state, ledger.ProposalID(p.Proposal))
		stand, err := standings.Of(&want)
		if err != nil {
			t.Fatal(err)
		}
		if p.Status != want.Status.String() || p.Due != uint64(want.Due) || len(p.Votes) != len(want.Votes) || !reflect.DeepEqual(p.Actions, want.Actions) || p.Code != uint32(want.Code) {
			t.Fatalf("proposal %+v, want %+v", p, want)
		}
		if int(p.Tally.Active) != stand.Active || int(p.Tally.Yes) != stand.Yes || int(p.Tally.Needed) != stand.Needed || p.Threshold.Numerator != stand.Threshold.Numerator {
			t.Fatalf("proposal %d stands at %+v, want %+v", p.Proposal, p.Tally, stand)
		}
	}
	rejected := pages(t, 1, true, func(p Page) (*List[Proposal], error) {
		return r.Proposals(t.Context(), ProposalFilter{Status: "open"}, p)
	})
	for _, p := range rejected {
		if p.Status != "open" {
			t.Fatalf("a proposal that is %s in the list of open ones", p.Status)
		}
	}
}

func checkTotals(t *testing.T, r *Reader, chain *explorertest.Chain) {
	t.Helper()
	got, err := r.Totals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	state := chain.State(chain.Top())
	want := &Totals{Blocks: uint64(chain.Top()), Accounts: uint64(count(state, "account/")), Assets: uint64(count(state, "asset/")), Members: uint64(count(state, "member/")),
		Proposals: uint64(count(state, "proposal/")), Holds: uint64(count(state, "hold/")), Transfers: got.Transfers}
	for _, x := range everyTx(chain) {
		want.Transactions++
		if x.result.Code != 0 {
			want.Refused++
		}
	}
	for h := ledger.Height(1); h <= chain.Top(); h++ {
		want.SizeBytes += chain.At(h).SizeBytes
	}
	if *got != *want || got.Transfers == 0 {
		t.Fatalf("totals %+v, want %+v", got, want)
	}
	for _, period := range []string{Minute, Hour, Day} {
		list, err := r.Statistics(t.Context(), StatisticsFilter{Period: period})
		if err != nil {
			t.Fatal(err)
		}
		sum := uint64(0)
		for _, s := range list {
			sum += s.Transactions
		}
		if sum != want.Transactions {
			t.Fatalf("%s: %d transactions, want %d", period, sum, want.Transactions)
		}
	}
}
