package query

import (
	"context"
	"database/sql"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/explorertest"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// asked keeps every query that is asked of a database.
type asked struct {
	*store.Store
	mu      *sync.Mutex
	queries map[string][]any
}

type askedView struct {
	store.Read
	of asked
}

func (a asked) keep(query string, args []any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.queries[query] = args
}

func (a asked) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	a.keep(query, args)
	return a.Store.Query(ctx, query, args...)
}

func (a asked) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	a.keep(query, args)
	return a.Store.QueryRow(ctx, query, args...)
}

func (a asked) View(ctx context.Context, read func(store.Read) error) error {
	return a.Store.View(ctx, func(v store.Read) error { return read(askedView{v, a}) })
}

func (v askedView) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	v.of.keep(query, args)
	return v.Read.Query(ctx, query, args...)
}

func (v askedView) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	v.of.keep(query, args)
	return v.Read.QueryRow(ctx, query, args...)
}

// askEverything asks whatever can be asked, on first and on later pages.
func askEverything(t *testing.T, r *Reader, chain *explorertest.Chain) {
	t.Helper()
	ctx, alice := t.Context(), ledgertest.Address("alice")
	gold, err := r.AssetBySymbol(ctx, "GOLD")
	if err != nil {
		t.Fatal(err)
	}
	asset, height, from := gold.Asset, ledger.Height(9), chain.At(3).Time
	tx := everyTx(chain)[0].tx.Hash
	key := ledgertest.ConsensusKey("m0").Address()
	askLists(t, r, asset, from, height, key)
	pages(t, 1, true, func(p Page) (*List[Event], error) { return r.TransactionEvents(ctx, tx, p) })
	for name, ask := range map[string]func() error{
		"status": func() error { _, err := r.Status(ctx); return err }, "account": func() error { _, err := r.Account(ctx, alice, Moment{Time: &from}); return err },
		"balances": func() error { _, err := r.Balances(ctx, alice, Moment{Height: &height}, Page{}); return err },
		"now":      func() error { _, err := r.Balances(ctx, alice, Moment{}, Page{}); return err },
		"series":   func() error { _, err := r.BalanceSeries(ctx, alice, asset, Span{}); return err },
		"supply":   func() error { _, err := r.SupplySeries(ctx, asset, Span{}); return err },
		"validators": func() error {
			_, err := r.Validators(ctx)
			return err
		},
		"heat":     func() error { _, err := r.HeatMap(ctx, key, 100); return err },
		"totals":   func() error { _, err := r.Totals(ctx); return err },
		"params":   func() error { _, err := r.Parameters(ctx, Moment{}); return err },
		"tx":       func() error { _, err := r.Transaction(ctx, tx); return err },
		"at":       func() error { _, err := r.BlockAt(ctx, from); return err },
		"hash":     func() error { _, err := r.BlockByHash(ctx, chain.At(3).Hash); return err },
		"stats":    func() error { _, err := r.Statistics(ctx, StatisticsFilter{Period: Minute}); return err },
		"search":   func() error { _, err := r.Search(ctx, "invoice zür", 0); return err },
		"proposal": func() error { _, err := r.Search(ctx, "we resolve to go", 0); return err },
		"hex":      func() error { _, err := r.Search(ctx, "0xabcdef", 0); return err },
	} {
		if err := ask(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

// askLists asks for every list, by every filter.
func askLists(t *testing.T, r *Reader, asset crypto.Address, from ledger.UnixTime, height ledger.Height, key ledger.ConsensusAddress) {
	t.Helper()
	ctx, alice, member, yes, no := t.Context(), ledgertest.Address("alice"), ledgertest.Address("m0"), true, false
	for _, ascending := range []bool{true, false} {
		for _, f := range []TransactionFilter{{}, {Height: &height}, {Account: &alice}, {Sender: &alice}, {Kind: "transfer"}, {Refused: &yes}, {Refused: &no}, {Account: &alice, Kind: "issue"}, {From: &from, To: &from}} {
			pages(t, 9, ascending, func(p Page) (*List[Transaction], error) { return r.Transactions(ctx, f, p) })
		}
		for _, f := range []MovementFilter{{}, {Account: &alice}, {Account: &alice, Asset: &asset}, {Asset: &asset}, {Reference: "inv-1"}, {Asset: &asset, Type: "issue"}} {
			pages(t, 9, ascending, func(p Page) (*List[Movement], error) { return r.Movements(ctx, f, p) })
		}
		for _, f := range []HoldFilter{{}, {Account: &alice}, {Asset: &asset}, {Account: &alice, Status: "open"}} {
			pages(t, 1, ascending, func(p Page) (*List[Hold], error) { return r.Holds(ctx, f, p) })
		}
		for _, f := range []BlockFilter{{}, {From: &from}, {NonEmpty: true}, {Proposer: &key}} {
			pages(t, 9, ascending, func(p Page) (*List[Block], error) { return r.Blocks(ctx, f, p) })
		}
		pages(t, 3, ascending, func(p Page) (*List[Event], error) { return r.AssetEvents(ctx, asset, p) })
		pages(t, 1, ascending, func(p Page) (*List[Proposal], error) { return r.Proposals(ctx, ProposalFilter{Status: "open"}, p) })
		next := ""
		for {
			s, err := r.Statement(ctx, StatementFilter{Account: alice, Asset: asset, From: &from}, Page{Limit: 3, Ascending: ascending, Cursor: next})
			if err != nil {
				t.Fatal(err)
			}
			if s.Next == nil {
				break
			}
			next = *s.Next
		}
	}
	for _, f := range []AccountFilter{{}, {Member: &member}, {Status: "active"}, {Member: &member, Status: "active"}} {
		pages(t, 1, true, func(p Page) (*List[Account], error) { return r.Accounts(ctx, f, p) })
	}
	for _, f := range []AssetFilter{{}, {Issuer: &member}, {Status: "active"}} {
		pages(t, 1, true, func(p Page) (*List[Asset], error) { return r.Assets(ctx, f, p) })
	}
	pages(t, 1, true, func(p Page) (*List[Holder], error) { return r.Holders(ctx, asset, p) })
	pages(t, 1, true, func(p Page) (*List[AccountChange], error) { return r.AccountHistory(ctx, alice, p) })
	pages(t, 1, true, func(p Page) (*List[PowerPoint], error) { return r.PowerHistory(ctx, key, p) })
}

// big are the tables that grow with the chain.
const big = "blocks|transactions|subjects|events|movements|entries|balances|supplies|versions|accounts|holds|memos|trigrams|statistics|validator_sets"

var (
	// A table of SQLite read from end to end that has first to be sorted, or is not
	// read in the order of an index at all.
	scanned1 = regexp.MustCompile(`(?m)^SCAN (` + big + `)$`)
	sorted   = regexp.MustCompile(`USE TEMP B-TREE FOR (ORDER BY|GROUP BY|DISTINCT)`)
	// PostgreSQL reads a table whole although it was told to do anything else first.
	sequential = regexp.MustCompile(`Seq Scan on (` + big + `)\b`)
)

func readsWhole(t *testing.T, db *store.Store, query string, args ...any) (plan string, whole bool) {
	t.Helper()
	plan, err := db.Plan(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return plan, sequential.MatchString(plan) || scanned1.MatchString(plan) && (sorted.MatchString(plan) || !strings.Contains(query, "LIMIT"))
}

// No question makes a database read a table that grows with the chain from end to
// end: everything is found along an index.
func TestPlans(t *testing.T) {
	chain := explorertest.New(t, 31)
	chain.Grow(60)
	explorertest.Each(t, func(t *testing.T, d explorertest.Database) {
		if d.Kind == "postgres" {
			d.Where += "&options=-c%20enable_seqscan%3Doff"
		}
		r, db := indexed(t, d, chain)
		spy := asked{db, new(sync.Mutex), map[string][]any{}}
		r.db = spy
		askEverything(t, r, chain)
		if len(spy.queries) < 60 {
			t.Fatalf("only %d different queries were asked", len(spy.queries))
		}
		for query, args := range spy.queries {
			if plan, whole := readsWhole(t, db, query, args...); whole {
				t.Errorf("a table is read whole:\n%s\n%s", query, plan)
			}
		}
		for _, bad := range []string{"SELECT hash FROM transactions ORDER BY memo LIMIT 1", "SELECT count(*) FROM entries WHERE amount = held", "SELECT account FROM balances WHERE held = available"} {
			if plan, whole := readsWhole(t, db, bad); !whole {
				t.Errorf("a query that reads a table whole is not found out:\n%s\n%s", bad, plan)
			}
		}
	})
}
