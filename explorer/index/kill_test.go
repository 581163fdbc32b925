package index

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/explorer/explorertest"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/ledger/ledgertest"
)

// kills is how often TestKilled kills on each database; TALLY_KILLS sets it.
func kills(t *testing.T) int {
	text := os.Getenv("TALLY_KILLS")
	if text == "" {
		return 10
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("TALLY_KILLS=%q: it is a number above 0", text)
	}
	return n
}

// What the process that is killed is told.
const (
	victimWhere = "TALLY_TEST_VICTIM"
	victimSeed  = "TALLY_TEST_VICTIM_SEED"
	killBlocks  = 120
)

// The process that TestKilled kills: it indexes the chain of a seed, slowly enough
// to be killed at any point, and says when it has begun.
func TestVictim(t *testing.T) {
	where := os.Getenv(victimWhere)
	if where == "" {
		t.Skip("only TestKilled runs it")
	}
	seed, err := strconv.ParseUint(os.Getenv(victimSeed), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	chain := explorertest.New(t, seed)
	chain.Grow(killBlocks)
	db, err := store.Open(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	os.Stdout.WriteString("BEGUN\n")
	x := New(db, slow{chain.Source()}, Options{Fatal: true, Reconcile: 5 * time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		if db.Wait(ctx, chain.Top()) == nil {
			cancel()
		}
	}()
	if err := x.Run(ctx); err != nil {
		t.Fatal(err)
	}
	os.Stdout.WriteString("DONE\n")
}

// slow is a source that takes its time, so that blocks come in groups of all sizes.
type slow struct{ explorer.Source }

func (s slow) Block(ctx context.Context, h ledger.Height) (*explorer.Block, error) {
	if rand.IntN(4) > 0 { // some lie ready together
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(rand.IntN(4000)) * time.Microsecond):
		}
	}
	return s.Source.Block(ctx, h)
}

// A process killed at random points, with what it had open, leaves an index that
// the next one finishes as if nothing had happened: row for row what a single pass
// makes.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes")
	}
	seed := rand.Uint64N(1 << 32)
	chain := explorertest.New(t, seed)
	chain.Grow(killBlocks)
	want := single(t, chain)
	explorertest.Each(t, func(t *testing.T, d explorertest.Database) {
		amid, most := 0, 10*kills(t)
		for i := 0; amid < kills(t); i++ {
			if i == most {
				t.Fatalf("of %d kills only %d hit the index at work", most, amid)
			}
			if done := kill(t, d, seed); done {
				// It was through before it was killed: from here on again.
				from := ledger.Height(rand.IntN(killBlocks))
				briefly(t, d, func(db *store.Store) {
					run(t, db, until{chain.Source(), from}, from, Options{From: &from})
				})
				continue
			}
			amid++
			if amid%5 == 1 {
				briefly(t, d, func(db *store.Store) { checkWhole(t, db) })
			}
		}
		t.Logf("%d kills in %s, chain of seed %d", amid, d.Kind, seed)
		untilNobodyWrites(t, d)
		db := d.Open(t)
		run(t, db, chain.Source(), chain.Top(), Options{})
		same(t, dump(t, db), want)
	})
}

// kill starts a process that indexes, and kills it a random time after it has
// begun; done is true where it was through.
func kill(t *testing.T, d explorertest.Database, seed uint64) (done bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestVictim$", "-test.v")
	cmd.Env = append(os.Environ(), victimWhere+"="+d.Where, victimSeed+"="+strconv.FormatUint(seed, 10))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 0, 4096)
	begun := false
	for buffer := make([]byte, 256); ; {
		n, err := out.Read(buffer)
		said = append(said, buffer[:n]...)
		if !begun && strings.Contains(string(said), "BEGUN\n") {
			begun = true
			time.AfterFunc(time.Duration(rand.IntN(200))*time.Millisecond, func() { cmd.Process.Kill() })
		}
		if err != nil {
			break
		}
	}
	cmd.Wait()
	if !begun {
		t.Fatalf("the victim did not begin: %s", said)
	}
	return strings.Contains(string(said), "DONE\n")
}

// briefly opens a database and closes it again: PostgreSQL has not connections for
// hundreds at once.
func briefly(t *testing.T, d explorertest.Database, work func(*store.Store)) {
	t.Helper()
	untilNobodyWrites(t, d)
	db, err := store.Open(t.Context(), d.Where)
	if err != nil {
		t.Fatal(err)
	}
	work(db)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// untilNobodyWrites waits until PostgreSQL has noticed that its client is dead: what it
// was told to commit it may commit until then.
func untilNobodyWrites(t *testing.T, d explorertest.Database) {
	t.Helper()
	if d.Kind != "postgres" {
		return
	}
	db, err := store.Open(t.Context(), d.Where)
	if err != nil {
		t.Fatal(err)
	}
	w, err := db.Writer(t.Context())
	for end := time.Now().Add(time.Minute); errors.Is(err, store.ErrBusy) && time.Now().Before(end); time.Sleep(time.Millisecond) {
		w, err = db.Writer(t.Context())
	}
	if err == nil {
		err = w.Close()
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// checkWhole: after a kill there are whole blocks up to the cursor, and nothing of
// the next.
func checkWhole(t *testing.T, db *store.Store) {
	t.Helper()
	height, ok := db.Height()
	for _, query := range []string{
		"SELECT coalesce(max(height), -1) FROM blocks", "SELECT coalesce(max(position) >> 20, -1) FROM transactions", "SELECT coalesce(max(height), -1) FROM versions",
	} {
		var last int64
		if err := db.QueryRow(t.Context(), query).Scan(&last); err != nil {
			t.Fatal(err)
		}
		if last > int64(height) || !ok && last >= 0 {
			t.Fatalf("the cursor stands at %d (%t), and %s is %d", height, ok, query, last)
		}
	}
}

// From any height on, and from the beginning, the index is made again as it was.
func TestRollBack(t *testing.T) {
	chain := explorertest.New(t, 5)
	chain.Grow(70)
	explorertest.Each(t, func(t *testing.T, d explorertest.Database) {
		db := d.Open(t)
		run(t, db, chain.Source(), chain.Top(), Options{})
		want := dump(t, db)
		for _, from := range []ledger.Height{chain.Top(), chain.Top() - 1, 40, 41, 7, 2, 1, 0} {
			short := until{chain.Source(), max(from, 1) - 1}
			run(t, db, short, short.top, Options{From: &from})
			if from > 0 {
				same(t, dump(t, db), singleTo(t, chain, from-1))
			}
			run(t, db, chain.Source(), chain.Top(), Options{})
			same(t, dump(t, db), want)
		}
	})
}

func singleTo(t *testing.T, chain *explorertest.Chain, height ledger.Height) map[string][]string {
	t.Helper()
	db := explorertest.SQLite(t).Open(t)
	run(t, db, until{chain.Source(), height}, height, Options{})
	return dump(t, db)
}

// changed is a chain whose blocks a test changes.
type changed struct {
	explorer.Source
	change func(*explorer.Block)
	net    *ledger.Network
}

func (c changed) Block(ctx context.Context, h ledger.Height) (*explorer.Block, error) {
	b, err := c.Source.Block(ctx, h)
	if b != nil {
		other := *b
		other.Results = append([]ledger.TxResult{}, b.Results...)
		c.change(&other)
		b = &other
	}
	return b, err
}

func (c changed) Network() *ledger.Network {
	if c.net != nil {
		return c.net
	}
	return c.Source.Network()
}

// What cannot be is refused with a word about why, and leaves the index at the block
// before.
func TestRefused(t *testing.T) {
	chain := explorertest.New(t, 6)
	chain.Grow(30)
	at := chain.Top()
	stranger := crypto.Address{9}
	for name, c := range map[string]struct {
		change func(*explorer.Block)
		want   string
	}{
		"an unknown event":        {own(ledger.Event{Type: 200}), "not known to the explorer"},
		"a payment of nothing":    {own(ledger.Event{Type: ledger.EventTransfer, From: stranger, To: crypto.Address{8}, Asset: stranger, Amount: ledger.NewAmount(5)}), "do not add up"},
		"a frozen stranger":       {own(ledger.Event{Type: ledger.EventAccountFrozen, Account: stranger}), "do not add up"},
		"an asset of nobody":      {own(ledger.Event{Type: ledger.EventAssetPaused, Asset: stranger}), "do not add up"},
		"a vote on no proposal":   {own(ledger.Event{Type: ledger.EventVoteCast, Number: 999, Other: stranger}), "do not add up"},
		"a hold that never was":   {own(ledger.Event{Type: ledger.EventHoldCaptured, Other: stranger, From: stranger, To: crypto.Address{8}, Asset: stranger}), "do not add up"},
		"a parameter of no name":  {own(ledger.Event{Type: ledger.EventParameterChanged, Name: "speed"}), "do not add up"},
		"an account made twice":   {own(ledger.Event{Type: ledger.EventAccountCreated, Account: ledgertest.Address("alice")}), "accounts"},
		"another chain":           {func(b *explorer.Block) { b.ParentHash = crypto.Hash{1} }, "another chain"},
		"results without end":     {func(b *explorer.Block) { b.Results = append(b.Results, ledger.TxResult{}) }, "results"},
		"votes on nothing":        {func(b *explorer.Block) { b.Height = 1; b.LastCommit = []explorer.Vote{{}} }, ""},
		"a member without a name": {own(ledger.Event{Type: ledger.EventMemberAdmitted, Other: stranger, Keys: "0x12"}), "do not add up"},
	} {
		t.Run(name, func(t *testing.T) {
			db := explorertest.SQLite(t).Open(t)
			run(t, db, until{chain.Source(), at - 1}, at-1, Options{})
			src := changed{Source: chain.Source(), change: func(b *explorer.Block) {
				if b.Height == at {
					c.change(b)
				}
			}}
			err := New(db, src, Options{Fatal: true, Reconcile: -1}).Run(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("the index says %v, want %q", err, c.want)
			}
			if h, _ := db.Height(); h != at-1 {
				t.Fatalf("the index stands at %d, want %d", h, at-1)
			}
		})
	}
}

func own(e ledger.Event) func(*explorer.Block) {
	return func(b *explorer.Block) { b.Events = append(append([]ledger.Event{}, b.Events...), e) }
}

// Two indexers are kept apart, and so are two networks, and two chains of one
// network.
func TestKeptApart(t *testing.T) {
	chain, other := explorertest.New(t, 7), explorertest.New(t, 8)
	chain.Grow(10)
	other.Grow(12)
	explorertest.Each(t, func(t *testing.T, d explorertest.Database) {
		db := d.Open(t)
		run(t, db, chain.Source(), chain.Top(), Options{})
		w, err := d.Open(t).Writer(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := New(db, chain.Source(), Options{Reconcile: -1}).Run(t.Context()); !errors.Is(err, store.ErrBusy) {
			t.Fatalf("a second indexer: %v", err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := New(db, other.Source(), Options{Reconcile: -1}).Run(t.Context()); !errors.Is(err, ErrOtherNetwork) {
			t.Fatalf("another network: %v", err)
		}
		forked := changed{Source: other.Source(), net: chain.Network(), change: func(*explorer.Block) {}}
		if err := New(db, forked, Options{Reconcile: -1}).Run(t.Context()); !errors.Is(err, ErrOtherNetwork) {
			t.Fatalf("another chain: %v", err)
		}
	})
}

// A later program's tables are refused.
func TestNewer(t *testing.T) {
	explorertest.Each(t, func(t *testing.T, d explorertest.Database) {
		db := d.Open(t)
		w, err := db.Writer(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		stamp := "INSERT INTO goose_db_version (version_id, is_applied) VALUES (900, "
		if d.Kind == "postgres" {
			stamp += "true)"
		} else {
			stamp += "1)"
		}
		if err := errors.Join(w.Exec(t.Context(), stamp), w.Close()); err != nil {
			t.Fatal(err)
		}
		again, err := store.Open(t.Context(), d.Where)
		if !errors.Is(err, store.ErrNewer) || again != nil {
			t.Fatalf("tables of a later program: %v", err)
		}
	})
}

// Proofs agree with the index; a lie is recorded, once, shown until it is gone, and
// then marked as resolved.
func TestReconciled(t *testing.T) {
	chain := explorertest.New(t, 9)
	chain.Grow(40)
	explorertest.Each(t, func(t *testing.T, d explorertest.Database) {
		db := d.Open(t)
		run(t, db, chain.Source(), chain.Top(), Options{})
		x := New(db, chain.Source(), Options{})
		compare := func() *comparison {
			t.Helper()
			c, err := x.compare(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			w, err := db.Writer(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(x.record(t.Context(), w, c), w.Close()); err != nil {
				t.Fatal(err)
			}
			return c
		}
		open := func() (n int) {
			t.Helper()
			if err := db.QueryRow(t.Context(), "SELECT count(*) FROM differences WHERE resolved = 0").Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if c := compare(); c.compared < 20 || len(c.found) > 0 || open() > 0 {
			t.Fatalf("%d compared, %+v found", c.compared, c.found)
		}
		damage(t, db)
		c := compare()
		if len(c.found) == 0 || open() != len(c.found) {
			t.Fatalf("a damaged index: %d found, %d recorded", len(c.found), open())
		}
		before := open()
		if compare(); open() < before {
			t.Fatalf("the differences went from %d to %d by themselves", before, open())
		}
		zero := ledger.Height(0)
		run(t, db, until{chain.Source(), chain.Top()}, chain.Top(), Options{From: &zero})
		for range 5 {
			compare()
		}
		if open() > 0 {
			t.Fatalf("%d differences are left after the index was made again", open())
		}
	})
}

// damage changes what the index says that everybody had.
func damage(t *testing.T, db *store.Store) {
	t.Helper()
	w, err := db.Writer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = w.Exec(t.Context(), "UPDATE entries SET available = ?", store.AmountBytes(ledger.NewAmount(77)))
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
}

// A source whose proofs do not hold is told of as loudly.
func TestFalseProof(t *testing.T) {
	chain := explorertest.New(t, 10)
	chain.Grow(20)
	chain.Lie = func(key, value []byte) []byte {
		if len(value) == 0 {
			return value
		}
		other := append([]byte{}, value...)
		other[len(other)-1] ^= 1
		return other
	}
	db := explorertest.SQLite(t).Open(t)
	run(t, db, chain.Source(), chain.Top(), Options{})
	c, err := New(db, chain.Source(), Options{}).compare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(c.found) == 0 || !strings.Contains(c.found[0].proven, "no proof") {
		t.Fatalf("a source that lies: %+v", c.found)
	}
}
