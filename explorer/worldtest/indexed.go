package worldtest

import (
	"context"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer/explorertest"
	"github.com/tallystick/tallystick/explorer/index"
	"github.com/tallystick/tallystick/explorer/query"
	"github.com/tallystick/tallystick/ledger"
)

// Known are values with which operations and pages answer, by the names that the
// parameters of the API have: block, height, hash, account, asset, hold, member,
// validator, proposal, and q, which is searched for.
type Known map[string]string

// Known are the World's.
func (w *World) Known() Known {
	return Known{
		"block": "5", "height": "5", "hash": Hash("tx", 3).String(), "account": Address('u', 1).String(), "asset": "USD", "hold": Address('h', 0).String(),
		"member": Address('m', 2).String(), "validator": strings.ToLower(Address('v', 1).String()), "proposal": "2", "q": "USD",
	}
}

// Judged is a world that a test asks its questions of.
type Judged struct {
	query.Queries
	Known Known
	// Hostile are transactions that have something in them which an enemy wrote.
	Hostile []crypto.Hash
	// Real is true for the index of a chain.
	Real bool
}

// Each runs a test on the World, and on a real index of a hostile chain in each kind
// of database.
func Each(t *testing.T, test func(*testing.T, Judged)) {
	t.Run("memory", func(t *testing.T) {
		w := New(120)
		test(t, Judged{Queries: w, Known: w.Known(), Hostile: []crypto.Hash{Hash("tx", 0), Hash("tx", 5)}})
	})
	explorertest.Each(t, func(t *testing.T, d explorertest.Database) {
		chain := hostileChain(t)
		r := Indexed(t, d, chain)
		test(t, Judged{Queries: r, Known: knownOf(t, r, chain), Hostile: chain.hostile, Real: true})
	})
}

// played is a chain, and where what an enemy wrote stands in it.
type played struct {
	*explorertest.Chain
	hostile []crypto.Hash
}

// hostileChain makes the same chain for every database.
func hostileChain(t *testing.T) *played {
	p := &played{Chain: explorertest.Hostile(t, 41, 60)}
	for _, tx := range slices.Concat(p.At(1).Txs, p.At(p.Top()).Txs) {
		p.hostile = append(p.hostile, tx.Hash)
	}
	return p
}

// Indexed is the whole index of a chain.
func Indexed(t testing.TB, d explorertest.Database, chain *played) *query.Reader {
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

func knownOf(t *testing.T, r *query.Reader, chain *played) Known {
	t.Helper()
	members, err := r.Members(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	holds, err := r.Holds(t.Context(), query.HoldFilter{}, query.Page{Limit: 1})
	if err != nil || len(holds.Items) == 0 {
		t.Fatal("the chain has no holds", err)
	}
	k := Known{"block": "5", "height": "5", "asset": "GOLD", "hold": holds.Items[0].Hold.String(), "account": holds.Items[0].From.String(), "proposal": "1", "q": "GOLD"}
	for _, m := range members {
		if m.Name == HostileName {
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
