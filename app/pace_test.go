package app

import (
	"slices"
	"testing"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

const ms = time.Millisecond

// mean is of so many transactions.
func mean(d time.Duration, count int) waits { return waits{time.Duration(count) * d, count} }

// small is a block of which all waited as long as one transaction.
func smallBlock(d time.Duration) waited { return waited{weight: smallWeight, all: mean(d, 3)} }

// flooded is a block with some of a member of which little waits.
func flooded(weight uint64, d time.Duration) waited {
	return waited{weight: weight, all: mean(time.Second, 1000), light: mean(d, 3)}
}

// What is usual follows what small blocks show, and no others, unless they were
// quicker: while somebody floods all wait longer, and that is not usual.
func TestPaceLearnsTheUsual(t *testing.T) {
	p := newPace(150)
	for range 200 {
		p.committed(smallBlock(50 * ms))
	}
	if u := p.now().usual; u != 50*ms {
		t.Fatalf("usual: %s", u)
	}
	for range 1000 {
		p.committed(waited{weight: smallWeight + 1, all: mean(time.Second, 1000)})
	}
	if u := p.now().usual; u != 50*ms {
		t.Errorf("after large blocks: %s", u)
	}
	for range 200 {
		p.committed(waited{weight: mostPace, all: mean(40*ms, 1000)})
	}
	if u := p.now().usual; u > 41*ms {
		t.Errorf("after large blocks that were quicker: %s", u)
	}
	for range 200 {
		p.committed(smallBlock(80 * ms))
	}
	if u := p.now().usual; u < 79*ms {
		t.Errorf("on a network that has become slower: %s", u)
	}
	p.committed(waited{}) // an empty block
	if u := p.now().usual; u < 79*ms {
		t.Errorf("after an empty block: %s", u)
	}
}

// The limit comes to where light members wait as long as they may, from either
// side, and stays within its bounds.
func TestPaceFindsTheLimit(t *testing.T) {
	for _, per := range []float64{0.5, 2, 8} { // ms that 10,000 of weight cost
		for _, begin := range []uint64{leastPace, firstPace, mostPace} {
			p := newPace(150)
			p.committed(smallBlock(50 * ms))
			p.limit = begin
			wait := func() time.Duration {
				return 45*ms + time.Duration(float64(p.limit)/10_000*per*float64(ms))
			}
			for range 100 {
				p.committed(flooded(p.limit, wait()))
			}
			if w := wait(); w < 70*ms || w > 80*ms {
				t.Errorf("%v ms, from %d: light members wait %s at a limit of %d", per, begin, w, p.limit)
			}
		}
	}
	p := newPace(150)
	p.committed(smallBlock(50 * ms))
	for range 100 {
		p.committed(flooded(mostPace, time.Minute)) // blocks of nodes that do not pace theirs
	}
	if p.limit != leastPace || p.usual != 50*ms {
		t.Errorf("whatever it does, they wait for long: limit %d, usual %s", p.limit, p.usual)
	}
	for range 100 {
		p.committed(flooded(p.limit, ms))
	}
	if p.limit != mostPace {
		t.Errorf("whatever it does, they wait briefly: limit %d", p.limit)
	}
	p.limit = firstPace
	for range 100 {
		p.committed(flooded(firstPace/2, ms))
	}
	if p.limit != firstPace {
		t.Errorf("blocks that were not full let the limit rise to %d", p.limit)
	}
	for range 100 {
		p.committed(waited{weight: firstPace, all: mean(time.Second, 9), light: mean(time.Second, 9)})
	}
	if p.limit != firstPace {
		t.Errorf("where nobody sends much the limit has come to %d", p.limit)
	}
}

// On a network that becomes slower while somebody floods, and so makes no small
// blocks, the limit does not stay at its least: that would help nobody, and keep
// others from their room. And where it stays near it, that is as short as they wait.
func TestPaceOfASlowerNetwork(t *testing.T) {
	p := newPace(125)
	p.committed(smallBlock(50 * ms))
	p.limit = leastPace
	p.committed(flooded(leastPace, time.Hour))
	if p.usual > 55*ms {
		t.Errorf("one block that took long made %s usual", p.usual)
	}
	wait := func() time.Duration { return 300*ms + time.Duration(p.limit)*ms/1000 }
	most := uint64(0)
	for range 2000 {
		p.committed(flooded(p.limit, wait()))
		most = max(most, p.limit)
	}
	if most == leastPace {
		t.Errorf("the limit stays at %d, though blocks of any size take six times what was usual", p.limit)
	}
	if w := wait(); w < 300*ms || w > 350*ms {
		t.Errorf("light members wait %s at a limit of %d", w, p.limit)
	}
}

// Blocks are paced while something of a light member has come lately, and only
// if another is heavy.
func TestPaceWhen(t *testing.T) {
	bank, other := crypto.Address{1}, crypto.Address{2}
	now := time.Unix(1_800_000_000, 0)
	p := newPace(150)
	at := func(later time.Duration) uint64 { limit, _ := p.most(now.Add(later)); return limit }
	p.came(now, bank, 256)
	if at(0) != 0 {
		t.Error("paced before anything is known")
	}
	p.committed(smallBlock(50 * ms))
	if limit, light := p.most(now); limit != firstPace || light != bank {
		t.Errorf("limit %d for %s", limit, light)
	}
	if at(paceMemory) == 0 || at(paceMemory+1) != 0 {
		t.Error("paced for another time than paceMemory")
	}
	p.came(now.Add(time.Hour), other, firstPace)
	if at(time.Hour) != 0 {
		t.Error("what came of a member of which much waits begins it")
	}
	off := newPace(0)
	off.committed(smallBlock(50 * ms))
	off.came(now, bank, 256)
	if limit, _ := off.most(now); limit != 0 {
		t.Error("paced though it is off")
	}
}

// While one member floods, blocks are kept to the limit for another of which
// little waits, with all of that in it; and not for who floods alone.
func TestFloodIsPaced(t *testing.T) {
	c := openChain(t, t.TempDir(), Options{Pace: 150})
	names := append(customers("alice", 40), "bob 0")
	c.initChain(banks(nil, names...))
	c.block()
	c.block(c.pay("bob 0", 0, "bob", 1))
	c.pace.committed(smallBlock(time.Minute)) // however slow the machine is
	c.pace.limit = leastPace
	c.flood("alice", 40, 0, 10)
	if n := len(c.prepare()); n != 400 {
		t.Fatalf("%d of the 400 that wait are in a block for nobody else", n)
	}
	for nonce := range uint64(3) {
		raw := c.pay("bob 0", 1+nonce, "bob", 1)
		wantCode(t, "quiet", c.check(raw), ledger.Applied)
		limit := c.pace.now().limit
		block := c.prepare()
		weight := uint64(0)
		for _, raw := range block {
			weight += c.latest.Load().weights.of(c.Decode(raw))
		}
		if weight < limit || weight > limit+512 {
			t.Errorf("a paced block of %d weighs %d, and may %d", len(block), weight, limit)
		}
		if string(block[len(block)-1]) != string(raw) {
			t.Error("the light member's transaction is not in it")
		}
		c.block(block...)
	}
	if limit := c.pace.now().limit; limit <= leastPace {
		t.Errorf("transactions that hardly waited let the limit be %d", limit)
	}
}

// A transaction that is larger than a paced block stands in one all the same, when
// it is its turn, and keeps nobody else out.
func TestLargeIsPacedToo(t *testing.T) {
	c := openChain(t, t.TempDir(), Options{Pace: 150})
	names := append(customers("alice", 40), "bob 0", "carol 0")
	c.initChain(banks(nil, names...))
	c.block()
	c.pace.committed(smallBlock(50 * ms))
	c.pace.limit = leastPace
	body := c.transfer("carol 0", 0, "bob", 1)
	op := body.Op.(*ledger.Transfer)
	for len(op.Legs) < ledger.MaxLegs/4 {
		op.Legs = append(op.Legs, op.Legs[0])
	}
	large := c.sign(body, ledger.SchemeBodyHash, "carol 0")
	wantCode(t, "large", c.check(large), ledger.Applied)
	c.flood("alice", 40, 0, 10)
	quiet := c.pay("bob 0", 0, "bob", 1)
	wantCode(t, "quiet", c.check(quiet), ledger.Applied)
	if most, _ := c.pace.most(time.Now()); uint64(len(large)) < 2*most {
		t.Fatalf("a large transaction of %d bytes, at a limit of %d", len(large), most)
	}
	var had [2]bool
	for range 3 {
		block := c.prepare()
		if len(block) == 0 {
			t.Fatal("an empty block, though much waits")
		}
		for i, raw := range [][]byte{large, quiet} {
			had[i] = had[i] || slices.ContainsFunc(block, func(b []byte) bool { return string(b) == string(raw) })
		}
		c.block(block...)
	}
	if had != [2]bool{true, true} {
		t.Errorf("large and quiet stood in blocks: %v", had)
	}
}
