package app

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tallystick/tallystick/ledger"
)

// recovered reads how many signatures had their signers recovered.
func recovered(t *testing.T, r *prometheus.Registry) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "tallystick_app_recovered_signatures_total" {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatal("the metric is missing")
	return 0
}

// stuffed is n transactions of 64 signatures each, all in the name of sender.
func stuffed(c *chain, sender string, n uint64) [][]byte {
	var txs [][]byte
	for nonce := range n {
		txs = append(txs, c.unsigned(c.transfer(sender, nonce, "bob", 1), make([]ledger.Signature, ledger.MaxSignatures)...))
	}
	return txs
}

// A block that cannot stand whoever signed it costs no recovery, whatever it
// is stuffed with and wherever that stands.
func TestHopelessProposalsCostNoRecovery(t *testing.T) {
	for _, caps := range []uint64{ledger.DefaultParams().MaxBlockSignatures, 1_000_000} {
		registry := prometheus.NewRegistry()
		c := newChain(t, Options{Metrics: registry}, func(g *ledger.Genesis) { g.Params.MaxBlockSignatures = caps })
		c.block()
		before := recovered(t, registry)
		good := c.pay("alice", 0, "bob", 1)
		for name, txs := range map[string][][]byte{
			"no such sender": stuffed(c, "nobody", 900),
			"behind others":  append([][]byte{good, c.pay("bob", 0, "alice", 1)}, stuffed(c, "nobody", 3)...),
			"one key":        stuffed(c, "carol", 900),
			"nonces":         {good, c.pay("carol", 0, "bob", 1), c.pay("carol", 5000, "bob", 1)},
			"twice":          {good, good},
			"no signature":   {good, c.unsigned(c.transfer("carol", 0, "bob", 1))},
		} {
			if c.accepts(c.proposal(txs...)) {
				t.Errorf("%s: accepted", name)
			}
			if n := recovered(t, registry) - before; n != 0 {
				t.Errorf("%s: %v signatures recovered", name, n)
			}
		}
		if !c.accepts(c.proposal(good)) {
			t.Error("a good block is rejected")
		}
		if n := recovered(t, registry) - before; n != 1 {
			t.Errorf("a good block: %v signatures recovered", n)
		}
	}
}

// Signers are recovered once, at admission or with the first block.
func TestRecoveredOnce(t *testing.T) {
	registry := prometheus.NewRegistry()
	c := newChain(t, Options{Metrics: registry}, nil)
	c.block()
	admitted, unseen := c.pay("alice", 0, "bob", 1), c.pay("bob", 0, "alice", 1)
	wantCode(t, "new", c.check(admitted), ledger.Applied)
	wantCode(t, "again", c.check(admitted), ledger.Applied)
	p := c.proposal(append(c.propose(1<<20, admitted), unseen)...)
	if !c.accepts(p) {
		t.Fatal("rejected")
	}
	c.Decode(admitted)
	c.Decode(unseen)
	c.finalize(p)
	c.commit()
	c.Decode(unseen)
	late := c.pay("carol", 0, "bob", 1)
	c.block(late) // decided by others
	c.Decode(late)
	if n := recovered(t, registry); n != 3 {
		t.Errorf("%v signatures recovered of three", n)
	}
}

// What is not includable is not remembered: it would push out what is.
func TestOnlyIncludableIsRemembered(t *testing.T) {
	c := newChain(t, Options{}, nil)
	c.block()
	hopeless := c.sign(c.transfer("alice", 0, "bob", 1), ledger.SchemeBodyHash, "bob")
	good := c.pay("alice", 1, "bob", 1)
	for name, offer := range map[string]func(){
		"admission": func() { wantCode(t, "check", c.check(hopeless), ledger.CodeUnauthorized) },
		"gossip":    func() { wantCode(t, "offer", c.offer(hopeless), ledger.CodeUnauthorized) },
		"proposing": func() { wantTxs(t, "pool", c.propose(1<<20, hopeless)) },
		"voting": func() {
			if c.accepts(c.proposal(good, hopeless)) {
				t.Error("accepted")
			}
		},
		"reading": func() { c.Decode(hopeless) },
		"deciding": func() {
			c.finalize(c.proposal(hopeless))
			c.commit()
		},
	} {
		offer()
		if tx := c.cache.get(c.Decode(hopeless).Hash); tx != nil {
			t.Errorf("%s: remembered", name)
		}
	}
	if c.cache.get(c.Decode(good).Hash) != nil {
		t.Error("remembered of a block that was rejected")
	}
	if !c.accepts(c.proposal(good)) || c.cache.get(c.Decode(good).Hash) == nil {
		t.Error("the good one is not remembered")
	}
}
