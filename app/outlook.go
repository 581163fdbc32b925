package app

import (
	"fmt"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// Prospect says what keeps a transaction that waits out of a block, as far as
// this node knows: by the turns that it would give in a block of its own. Other
// validators have pools of their own.
type Prospect uint8

// The prospects.
const (
	// ProspectNext: it has its turn in the next block.
	ProspectNext Prospect = iota
	// ProspectQueued: more waits than a block takes, and others have their turn
	// before.
	ProspectQueued
	// ProspectPaced: it would have its turn in the next block if blocks were not
	// paced now.
	ProspectPaced
	// ProspectNew: it came since the turns were worked out, a moment ago.
	ProspectNew
	// ProspectDoubted: it could not stand in a block that this node made, and is
	// judged again at the next commit.
	ProspectDoubted
)

// Outlook is a transaction that waits on this node, and what for.
type Outlook struct {
	Waiting
	Prospect Prospect
}

// outlookEvery is how long turns that were worked out are used again: whoever
// asks without end must not make the pool do it each time.
const outlookEvery = 100 * time.Millisecond

// outlook is what the turns were when they were worked out last.
type outlook struct {
	at     time.Time
	height ledger.Height
	seq    uint64              // of the last that had come
	turns  map[uint64]Prospect // by seq, of what is not queued
}

// Outlooks lists up to limit transactions of a sender, or of everybody where
// sender is nil, that wait on this node and came after seq, in the order in which
// they came; and counts all that wait. Cost: as the list is long; where more waits
// than fits a block now and then as that block is large.
func (a *Application) Outlooks(sender *crypto.Address, after uint64, limit int) (list []Outlook, all int, err error) {
	c, now := a.latest.Load(), time.Now()
	if c.net == nil {
		return nil, 0, nil
	}
	params, err := ledger.ReadParams(c.reader)
	if err != nil {
		return nil, 0, fmt.Errorf("read params: %w", err)
	}
	paced, light := a.pace.most(now)
	if paced == 0 || !a.pending.heavier(paced, light) {
		paced = params.MaxBlockBytes
	}
	p := a.pending
	p.mu.Lock()
	defer p.mu.Unlock()
	look := p.look(&params, paced, now)
	doubted := make(map[*pendingTx]bool, len(p.doubted))
	for _, e := range p.doubted {
		doubted[e] = true
	}
	p.each(sender, after, func(e *pendingTx) bool {
		o := Outlook{e.waiting(), look.of(e.seq)}
		if doubted[e] {
			o.Prospect = ProspectDoubted
		}
		list = append(list, o)
		return len(list) < limit
	})
	return list, len(p.hashes), nil
}

// each calls f with what waits of a sender, or of everybody, and came after seq,
// in order of arrival, until f answers false. Needs mu.
func (p *pendingTable) each(sender *crypto.Address, after uint64, f func(*pendingTx) bool) {
	if sender == nil {
		p.later(after, f)
		return
	}
	s := p.senders[*sender]
	if s == nil {
		return
	}
	for place := s.arrived.Front(); place != nil; place = place.Next() {
		if e := place.Value.(*pendingTx); e.seq > after && !f(e) {
			return
		}
	}
}

// look works out whose turn is in the next block, which may weigh paced; nil
// where everything's is. Needs mu.
func (p *pendingTable) look(params *ledger.Params, paced uint64, now time.Time) *outlook {
	var weight uint64
	for _, g := range p.groups {
		weight += g.weight
	}
	if weight <= min(paced, params.MaxBlockBytes) {
		return nil
	}
	if o := p.outlook; o != nil && o.height == p.height && now.Sub(o.at) < outlookEvery {
		return o
	}
	o := &outlook{at: now, height: p.height, seq: p.seq, turns: map[uint64]Prospect{}}
	t := p.turns(params)
	weight = 0
	for len(t.groups) > 0 && weight < params.MaxBlockBytes {
		e := t.next()
		if weight < paced {
			o.turns[e.seq] = ProspectNext
		} else {
			o.turns[e.seq] = ProspectPaced
		}
		weight += t.of(e.tx)
	}
	p.outlook = o
	return o
}

// of is the prospect of what came with seq.
func (o *outlook) of(seq uint64) Prospect {
	if o == nil {
		return ProspectNext
	}
	if prospect, ok := o.turns[seq]; ok {
		return prospect
	}
	if seq > o.seq {
		return ProspectNew
	}
	return ProspectQueued
}
