package query

import (
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/explorertest"
	"github.com/tallystick/tallystick/explorer/store"
	"github.com/tallystick/tallystick/ledger"
)

// A transaction that stands in the chain more than a hundred times before it spends
// its nonce is shown as what it came to.
func TestOftenRefused(t *testing.T) {
	eachQuery(t, 85, 150, func(t *testing.T, r *Reader, _ *explorertest.Chain) {
		const often = 101
		w, err := r.db.(*store.Store).Writer(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var hash []byte
		var last int64
		if err := w.QueryRow(t.Context(), "SELECT hash, position FROM transactions WHERE code = 0 ORDER BY position DESC LIMIT 1").Scan(&hash, &last); err != nil {
			t.Fatal(err)
		}
		code := int64(0)
		for _, c := range ledger.Codes() {
			if !c.Code.SpendsNonce() {
				code = int64(c.Code)
			}
		}
		if err := w.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := w.Exec(t.Context(), "UPDATE transactions SET hash = ?, code = ? WHERE position IN (SELECT position FROM transactions WHERE position < ? ORDER BY position LIMIT ?)", hash, code, last, often); err != nil {
			t.Fatal(err)
		}
		if err := w.CommitAside(t.Context()); err != nil {
			t.Fatal(err)
		}
		var stands int
		if err := w.QueryRow(t.Context(), "SELECT count(*) FROM transactions WHERE hash = ?", hash).Scan(&stands); err != nil || stands != often+1 {
			t.Fatalf("it stands %d times: %v", stands, err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		tx, err := r.Transaction(t.Context(), crypto.Hash(hash))
		if err != nil || ledger.Code(tx.Code) != ledger.Applied {
			t.Fatalf("%+v, %v", tx, err)
		}
	})
}
