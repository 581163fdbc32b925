package index

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/explorer/explorertest"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
)

// run follows a source until the index has height, and ends.
func run(t testing.TB, db *store.Store, src explorer.Source, height ledger.Height, o Options) {
	t.Helper()
	o.Fatal = true
	if o.Reconcile == 0 {
		o.Reconcile = -1
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	asked := &asked{Source: src, first: make(chan struct{})}
	go func() { ended <- New(db, asked, o).Run(ctx) }()
	waited := make(chan error, 1)
	go func() {
		select { // what there is to be taken back is, before a block is asked for
		case <-asked.first:
		case <-ctx.Done():
		}
		waited <- db.Wait(ctx, height)
	}()
	select {
	case err := <-ended:
		t.Fatalf("the index ended before block %d: %v", height, err)
	case err := <-waited:
		if err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

// asked is a source that tells when it is first asked for a block.
type asked struct {
	explorer.Source
	once  sync.Once
	first chan struct{}
}

func (a *asked) Block(ctx context.Context, h ledger.Height) (*explorer.Block, error) {
	a.once.Do(func() { close(a.first) })
	return a.Source.Block(ctx, h)
}

// dump is every row that is made from blocks, as text, by table.
func dump(t testing.TB, db *store.Store) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for table, order := range store.FromBlocks {
		columns := strings.Join(table.Columns(), ", ")
		if table == store.Memos {
			columns = "words"
		}
		rows, err := db.Query(t.Context(), "SELECT "+columns+" FROM "+table.Name()+" ORDER BY "+order)
		if err != nil {
			t.Fatal(err)
		}
		names, _ := rows.Columns()
		for rows.Next() {
			values := make([]any, len(names))
			for i := range values {
				values[i] = new(any)
			}
			if err := rows.Scan(values...); err != nil {
				t.Fatal(err)
			}
			var line []string
			for i, v := range values {
				line = append(line, names[i]+"="+text(*v.(*any)))
			}
			all[table.Name()] = append(all[table.Name()], strings.Join(line, " "))
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func text(v any) string {
	switch v := v.(type) {
	case []byte:
		return hex.EncodeToString(v)
	case string:
		return fmt.Sprintf("%q", v)
	}
	return fmt.Sprint(v)
}

// same fails at the first row that differs.
func same(t testing.TB, got, want map[string][]string) {
	t.Helper()
	for table := range store.FromBlocks {
		g, w := got[table.Name()], want[table.Name()]
		for i := range max(len(g), len(w)) {
			switch {
			case i >= len(g):
				t.Fatalf("%s lacks row %d of %d: %s", table.Name(), i, len(w), w[i])
			case i >= len(w):
				t.Fatalf("%s has row %d and should have %d: %s", table.Name(), i, len(w), g[i])
			case g[i] != w[i]:
				t.Fatalf("%s, row %d:\n got %s\nwant %s", table.Name(), i, g[i], w[i])
			}
		}
	}
}

// single is the index of a chain, built in a single pass.
func single(t testing.TB, chain *explorertest.Chain) map[string][]string {
	t.Helper()
	db := explorertest.SQLite(t).Open(t)
	run(t, db, chain.Source(), chain.Top(), Options{})
	return dump(t, db)
}

// Whether blocks come one at a time or many, before a restart or after it, and into
// which database: the rows are the same.
func TestHoweverBlocksCome(t *testing.T) {
	chain := explorertest.New(t, 3)
	chain.Grow(60)
	want := single(t, chain)
	if len(want["entries"]) == 0 || len(want["holds"]) == 0 || len(want["versions"]) == 0 || len(want["memos"]) == 0 || len(want["proposals"]) == 0 {
		t.Fatal("the chain shows too little")
	}
	explorertest.Each(t, func(t *testing.T, d explorertest.Database) {
		db := d.Open(t)
		for h := ledger.Height(0); h <= chain.Top(); h += 1 + h/5 {
			run(t, db, until{chain.Source(), h}, h, Options{})
		}
		run(t, db, chain.Source(), chain.Top(), Options{})
		same(t, dump(t, db), want)
	})
}

// until is a chain that ends at a height.
type until struct {
	explorer.Source
	top ledger.Height
}

func (u until) Height(context.Context) (ledger.Height, error) { return u.top, nil }

func (u until) Block(ctx context.Context, h ledger.Height) (*explorer.Block, error) {
	if h > u.top {
		return nil, nil
	}
	return u.Source.Block(ctx, h)
}

func (u until) WaitHeight(ctx context.Context, h ledger.Height) error {
	if h > u.top {
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

// Many rows go in another way than few: by COPY, through a table beside, and in parts
// of one block. The rows are the same.
func TestManyRows(t *testing.T) {
	chain := newFinished(t, 8_000, 6_000, 600)
	top := ledger.Height(chain.blocks)
	db := explorertest.SQLite(t).Open(t)
	for h := ledger.Height(0); h <= top; h++ {
		run(t, db, until{chain, h}, h, Options{})
	}
	want := dump(t, db)
	if len(want["entries"]) < 8_000+2*6_000 {
		t.Fatalf("%d entries", len(want["entries"]))
	}
	explorertest.Each(t, func(t *testing.T, d explorertest.Database) {
		db := d.Open(t)
		run(t, db, until{chain, top}, top, Options{})
		same(t, dump(t, db), want)
		from := top / 2
		run(t, db, until{chain, top}, top, Options{From: &from})
		same(t, dump(t, db), want)
	})
}
