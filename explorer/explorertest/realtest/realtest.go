// Package realtest is for tests of what asks the index: it runs them on a ledger in
// memory, and on real indexes of a chain with all that an enemy can bring into it.
package realtest

import (
	"context"
	"encoding/hex"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/explorertest"
	"github.com/tallystick/tallystick/explorer/index"
	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/explorer/worldtest"
	"github.com/tallystick/tallystick/explorer/worldtest/hostile"
	"github.com/tallystick/tallystick/ledger"
)

// Judged is a world that a test asks its questions of.
type Judged struct {
	query.Queries
	Known worldtest.Known
	// Hostile are transactions that have something in them which an enemy wrote.
	Hostile []crypto.Hash
	// Real is true for the index of a chain.
	Real bool
}

// Each runs a test on the World, and on a real index of a hostile chain in each kind
// of database.
func Each(t *testing.T, test func(*testing.T, Judged)) {
	t.Run("memory", func(t *testing.T) {
		w := worldtest.New(120)
		test(t, Judged{Queries: w, Known: w.Known(), Hostile: []crypto.Hash{worldtest.Hash("tx", 0), worldtest.Hash("tx", 5)}})
	})
	explorertest.Each(t, func(t *testing.T, d explorertest.Database) {
		chain := explorertest.Hostile(t, 41, 60)
		r := indexed(t, d, chain)
		j := Judged{Queries: r, Known: knownOf(t, r, chain), Real: true}
		for _, tx := range slices.Concat(chain.At(1).Txs, chain.At(chain.Top()).Txs) {
			j.Hostile = append(j.Hostile, tx.Hash)
		}
		test(t, j)
	})
}

// indexed is the whole index of a chain.
func indexed(t testing.TB, d explorertest.Database, chain *explorertest.Chain) *query.Reader {
	t.Helper()
	db := d.Open(t)
	x := index.New(db, chain.Source(), index.Options{Fatal: true, Reconcile: -1})
	ctx, cancel := context.WithCancel(t.Context())
	var ended error
	var running sync.WaitGroup
	running.Go(func() { ended = x.Run(ctx); cancel() })
	err := db.Wait(ctx, chain.Top())
	cancel()
	running.Wait()
	if err != nil || ended != nil {
		t.Fatal(err, ended)
	}
	return query.New(db, nil)
}

// Empty is an index that nothing is in yet.
func Empty(t testing.TB, d explorertest.Database) *query.Reader { return query.New(d.Open(t), nil) }

func knownOf(t *testing.T, r *query.Reader, chain *explorertest.Chain) worldtest.Known {
	t.Helper()
	members, err := r.Members(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	holds, err := r.Holds(t.Context(), query.HoldFilter{}, query.Page{Limit: 1})
	if err != nil || len(holds.Items) == 0 {
		t.Fatal("the chain has no holds", err)
	}
	k := worldtest.Known{"block": "5", "height": "5", "asset": "GOLD", "hold": holds.Items[0].Hold.String(), "account": holds.Items[0].From.String(), "proposal": "1", "q": "GOLD"}
	for _, m := range members {
		if m.Name == hostile.Name {
			k["member"], k["validator"] = m.Member.String(), "0x"+hex.EncodeToString(m.ConsensusAddress)
		}
	}
	for h := ledger.Height(1); k["hash"] == ""; h++ {
		for i, result := range chain.At(h).Results {
			if result.Code == ledger.Applied && len(result.Events) > 0 {
				k["hash"], k["height"] = chain.At(h).Txs[i].Hash.String(), strconv.FormatUint(uint64(h), 10)
			}
		}
	}
	return k
}
