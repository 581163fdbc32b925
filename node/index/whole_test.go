package index

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"

	dbm "github.com/cosmos/cosmos-db"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// closedIndex is an index of a chain of some blocks, and every key and value
// in it.
func closedIndex(t *testing.T, c *chain, blocks int) (dir string, all table) {
	t.Helper()
	dir = t.TempDir()
	x, stop := follow(t, dir, c)
	growTo(t, x, c, blocks)
	all = dump(t, x.db)
	stop()
	return dir, all
}

func dump(t *testing.T, db dbm.DB) table {
	t.Helper()
	out := table{}
	it, err := db.Iterator(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	for ; it.Valid(); it.Next() {
		out[string(it.Key())] = it.Value()
	}
	if err := it.Error(); err != nil {
		t.Fatal(err)
	}
	return out
}

// edit changes the database behind the index's back.
func edit(t *testing.T, dir string, change func(dbm.DB) error) {
	t.Helper()
	db, err := openDatabase(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(change(db), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// Whatever is lost or does not fit the cursor is found when the index is
// opened; the blocks give the same bytes back.
func TestWhatIsLostIsFoundAndRebuilt(t *testing.T) {
	c := newChain(t, 11)
	dir, all := closedIndex(t, c, 30)
	type damage struct {
		name, want string
		change     func(dbm.DB) error
	}
	tests := []damage{
		{"the cursor", "blocks: 30 of 0", func(db dbm.DB) error { return db.DeleteSync(keyMeta) }},
		{"a junk cursor", "cursor is damaged", func(db dbm.DB) error { return db.SetSync(keyMeta, []byte("junk")) }},
		{"an empty cursor", "cursor is damaged", func(db dbm.DB) error { return db.SetSync(keyMeta, []byte{}) }},
		{"a receipt too many", "receipts: ", func(db dbm.DB) error { return db.SetSync(key(spaceReceipt, be64(99), be32(0)), []byte{1}) }},
	}
	for _, s := range spaces {
		tests = append(tests, damage{"one of " + s.name, s.name + ": ", func(db dbm.DB) error {
			for k := range all {
				if k[0] == s.letter {
					return db.DeleteSync([]byte(k))
				}
			}
			return errors.New("the chain has nothing of " + s.name)
		}})
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := copied(t, dir)
			edit(t, dir, test.change)
			refusesWithoutBlocks(t, dir, c)
			o, log := c.options(), new(bytes.Buffer)
			o.Logger = slog.New(slog.NewTextHandler(log, nil))
			x, err := Open(dir, o)
			if err != nil {
				t.Fatal(err)
			}
			if text := log.String(); !strings.Contains(text, "level=WARN") || !strings.Contains(text, test.want) {
				t.Errorf("the log does not name %q: %s", test.want, text)
			}
			if x.Height() != 0 {
				t.Errorf("height %d before a block is read again", x.Height())
			}
			if err := x.catchUp(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			if !sameTable(dump(t, x.db), all) {
				t.Error("the rebuilt index differs")
			}
			if err := x.Close(); err != nil {
				t.Fatal(err)
			}
			mustNotWarn(t, dir, c)
		})
	}
}

func copied(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

func sameTable(a, b table) bool {
	for k, v := range a {
		if other, ok := b[k]; !ok || !bytes.Equal(v, other) {
			return false
		}
	}
	return len(a) == len(b)
}

// refusesWithoutBlocks: what cannot be derived again is not thrown away.
func refusesWithoutBlocks(t *testing.T, dir string, c *chain) {
	t.Helper()
	o := c.options()
	o.Base = 2
	if _, err := Open(dir, o); err == nil || !strings.Contains(err.Error(), "oldest block kept is 2") {
		t.Errorf("Open without the first block: %v", err)
	}
}

// mustNotWarn: the index in dir is whole.
func mustNotWarn(t *testing.T, dir string, c *chain) {
	t.Helper()
	o, log := c.options(), new(bytes.Buffer)
	o.Logger = slog.New(slog.NewTextHandler(log, nil))
	x, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil || log.Len() > 0 {
		t.Errorf("opened whole: %s (%v)", log, err)
	}
}

// Dishonest validators could agree on a block that has a transaction twice; the
// index counts right even so, and the transaction stands where it did something.
func TestATransactionTwiceIsCountedOnce(t *testing.T) {
	c := newChain(t, 12)
	dir := t.TempDir()
	x, err := Open(dir, c.options())
	if err != nil {
		t.Fatal(err)
	}
	tx := c.transaction()
	early := ledger.TxResult{Code: ledger.CodeNonceTooHigh, BodyHash: tx.BodyHash}
	refused := ledger.TxResult{Code: ledger.CodeNotIssuer, BodyHash: tx.BodyHash}
	late := ledger.TxResult{Code: ledger.CodeNonceSpent, BodyHash: tx.BodyHash}
	for i, results := range [][]ledger.TxResult{{early, early}, {refused, late}, {late}} {
		b := &Block{Height: ledger.Height(i + 1), Hash: crypto.Hash{byte(i + 1)}, Results: results}
		for range results {
			b.Txs = append(b.Txs, tx)
		}
		if err := x.write(b); err != nil {
			t.Fatal(err)
		}
	}
	if r, err := x.Receipt(tx.Hash); err != nil || r == nil || r.Height != 2 || r.Index != 0 || r.Code != uint32(ledger.CodeNotIssuer) {
		t.Errorf("receipt %+v, %v", r, err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	mustNotWarn(t, dir, c)
}

// A failed read is told, whichever it was.
func TestFailedReadsAreTold(t *testing.T) {
	c := newChain(t, 13)
	dir, all := closedIndex(t, c, 30)
	holder := c.keys[0].Address()
	for name, test := range map[string]struct {
		space byte
		read  func(*Index, string) error
	}{
		"block":         {spaceBlock, func(x *Index, _ string) error { _, err := x.Block(1); return err }},
		"block by hash": {spaceBlockHash, func(x *Index, k string) error { _, _, err := x.HeightOf(crypto.Hash([]byte(k[1:]))); return err }},
		"place":         {spaceTx, func(x *Index, k string) error { _, err := x.Receipt(crypto.Hash([]byte(k[1:]))); return err }},
		"receipt":       {spaceReceipt, func(x *Index, _ string) error { _, err := x.Receipt(firstTx(c).Hash); return err }},
		"nonce": {spaceNonce, func(x *Index, _ string) error {
			_, err := x.ReceiptByNonce(firstTx(c).Sender, firstTx(c).Nonce)
			return err
		}},
		"balance":          {spaceBalance, func(x *Index, _ string) error { _, err := x.BalancesAt(holder, 30); return err }},
		"account":          {spaceAccount, func(x *Index, _ string) error { _, _, err := x.AccountAt(holder, 30); return err }},
		"events of blocks": {spaceEvents, func(x *Index, _ string) error { _, err := x.BlockEvents(2); return err }},
		"asset": {spaceAsset, func(x *Index, _ string) error {
			return x.AssetsAt(crypto.Address{}, 30, func(crypto.Address, *ledger.Asset) bool { return true })
		}},
	} {
		t.Run(name, func(t *testing.T) {
			dir, sample := copied(t, dir), ""
			edit(t, dir, func(db dbm.DB) error {
				for k := range all {
					if k[0] == test.space {
						sample = k
						if err := db.Set([]byte(k), []byte{0xff}); err != nil {
							return err
						}
					}
				}
				return nil
			})
			var told error
			o := c.options()
			o.Failed = func(err error) { told = err }
			x, err := Open(dir, o)
			if err != nil {
				t.Fatal(err)
			}
			defer x.Close()
			if err := test.read(x, sample); err == nil || told == nil || !strings.Contains(told.Error(), dir) {
				t.Errorf("read %v, told %v", err, told)
			}
		})
	}
}

// firstTx is the chain's first transaction that spent its nonce.
func firstTx(c *chain) *ledger.Tx {
	for _, b := range c.blocks {
		for i, tx := range b.Txs {
			if b.Results[i].Code.SpendsNonce() {
				return tx
			}
		}
	}
	panic("the chain is empty")
}
