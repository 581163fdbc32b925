package app

import (
	"container/list"
	"errors"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// What is said of a transaction that is above a quota. The same bytes may be
// sent again later.
var (
	ErrAccountQuota = errors.New("as many transactions of this account wait as one account may have waiting now")
	ErrMemberQuota  = errors.New("as many transactions of this member's accounts wait as one member may have waiting now")
)

// The parts of the pool that one may fill, where Options say nothing.
const (
	accountPart = 8
	memberPart  = 2
)

// floor is less than which no quota is where Options say nothing. memberFloor
// and accountFloor are what a member and an account may have waiting however
// little is free.
var (
	floor        = bound{64, 4 << 20}
	memberFloor  = floor
	accountFloor = bound{4, 256 << 10}
)

// PendingBytes is what a waiting transaction of a length counts for against every
// bound in bytes: about the most memory that it takes. Beside its raw bytes that
// is what they decode to, which takes up to three times as much again (twenty
// legs, in a list with room for more), its place in the tables, and those of its
// sender: 1,400 bytes for one payment of 180 bytes, alone of its account. It
// depends on the length only, so that an operation that is yet to come is counted
// without anybody thinking of it here; TestPendingBytes measures.
func PendingBytes(length int) int64 {
	const fixed, times = 1280, 4
	return fixed + times*int64(length)
}

// held is what tx counts for while it waits.
func held(tx *ledger.Tx) int64 { return PendingBytes(len(tx.Raw)) }

// bound is a number of transactions and of bytes, as PendingBytes counts them.
type bound struct {
	txs   int
	bytes int64
}

// takes reports whether one more, of a size, is within b.
func (b bound) takes(txs int, bytes, size int64) bool {
	return txs < b.txs && bytes+size <= b.bytes
}

// halfFree reports whether half of b is free.
func (b bound) halfFree(txs int, bytes int64) bool {
	return 2*txs <= b.txs && 2*bytes <= b.bytes
}

// orPart is b, but where it says nothing a part of the whole.
func (b bound) orPart(whole bound, part int) bound {
	if b.txs <= 0 {
		b.txs = max(whole.txs/part, floor.txs)
	}
	if b.bytes <= 0 {
		b.bytes = max(whole.bytes/int64(part), floor.bytes)
	}
	return b
}

// less is what is left of b.
func (b bound) less(txs int, bytes int64) bound { return bound{b.txs - txs, b.bytes - bytes} }

// within is b, but no more than what is free, or the floor.
func (b bound) within(free, floor bound) bound {
	return bound{min(b.txs, max(free.txs, floor.txs)), min(b.bytes, max(free.bytes, floor.bytes))}
}

// pendingLimits bound what waits: in all, of one sender, and of one member.
type pendingLimits struct{ all, account, member bound }

// limits are the bounds that o asks for. Every quota has room for the largest
// transaction: else it could never be sent.
func (o *Options) limits() pendingLimits {
	all := bound{o.PendingTxs, o.PendingBytes}
	l := pendingLimits{
		all:     all,
		account: bound{o.AccountTxs, o.AccountBytes}.orPart(all, accountPart),
		member:  bound{o.MemberTxs, o.MemberBytes}.orPart(all, memberPart),
	}
	largest := PendingBytes(o.MaxTxBytes)
	l.account.bytes, l.member.bytes = max(l.account.bytes, largest), max(l.member.bytes, largest)
	return l
}

// group is what waits of the accounts of one member, or of the accounts that
// have none, which stand together.
type group struct {
	member  crypto.Address // zero: none
	txs     int
	bytes   int64
	weight  uint64
	senders list.List // of *senderPending; first whose last turn is longest ago
	refused bool      // something of it was refused, and half of its quota is not free since
}

// foresee is what add would say of tx by what is known before its signers are:
// the sender, but for Ethereum's envelopes, and its member.
func (p *pendingTable) foresee(tx *ledger.Tx, member crypto.Address) addition {
	p.mu.Lock()
	defer p.mu.Unlock()
	if tx.Sender.IsZero() {
		return p.crowded(held(tx))
	}
	return p.refusal(tx.Sender, member, held(tx))
}

// refusal says why one more of a sender and its member, of a size, may not
// wait; added if it may. Needs mu.
func (p *pendingTable) refusal(sender, member crypto.Address, size int64) addition {
	if g := p.groups[member]; g != nil && p.founded && !p.memberLimit().takes(g.txs, g.bytes, size) {
		g.refused = true
		return overMember
	}
	if s := p.senders[sender]; s != nil && !p.accountLimit(s.group).takes(len(s.nonces), s.bytes, size) {
		s.refused = true
		return overAccount
	}
	return p.crowded(size)
}

// crowded says full where nothing more of a size fits. Needs mu.
func (p *pendingTable) crowded(size int64) addition {
	if p.limits.all.takes(len(p.hashes), p.bytes, size) {
		return added
	}
	p.filled = true
	return full
}

// memberLimit is how much one member may have waiting now: its quota, but no
// more than is free. So however many members send without end, they leave as
// much to the others as each of them has. Needs mu.
func (p *pendingTable) memberLimit() bound {
	return p.limits.member.within(p.limits.all.less(len(p.hashes), p.bytes), memberFloor)
}

// accountLimit is how much one account of a member may have waiting now: its
// quota, but no more than the member has free. Needs mu.
func (p *pendingTable) accountLimit(g *group) bound {
	free := p.limits.all.less(len(p.hashes), p.bytes)
	if p.founded {
		free = p.memberLimit().less(g.txs, g.bytes)
	}
	return p.limits.account.within(free, accountFloor)
}

// join puts a sender, with all that waits of it, last into its member's group.
// Needs mu.
func (p *pendingTable) join(s *senderPending, member crypto.Address) {
	g := p.groups[member]
	if g == nil {
		g = &group{member: member}
		p.groups[member] = g
	}
	s.group, s.place = g, g.senders.PushBack(s)
	g.txs, g.bytes, g.weight = g.txs+len(s.nonces), g.bytes+s.bytes, g.weight+s.weight
}

// leave takes a sender, with all that waits of it, out of its group. Needs mu.
func (p *pendingTable) leave(s *senderPending) {
	g := s.group
	g.senders.Remove(s.place)
	g.txs, g.bytes, g.weight = g.txs-len(s.nonces), g.bytes-s.bytes, g.weight-s.weight
	p.relieve(g)
	if g.senders.Len() == 0 {
		delete(p.groups, g.member)
	}
}

// regroup follows a sender to another member. Needs mu.
func (p *pendingTable) regroup(s *senderPending, member crypto.Address) {
	if s.group.member != member {
		p.leave(s)
		p.join(s, member)
	}
}

// counted enters into the quotas what came or went of a sender. Needs mu.
func (p *pendingTable) counted(s *senderPending, txs int, bytes int64) {
	s.bytes += bytes
	s.group.txs, s.group.bytes = s.group.txs+txs, s.group.bytes+bytes
	if s.refused && p.accountLimit(s.group).halfFree(len(s.nonces), s.bytes) {
		s.refused = false
		p.reliefs++
	}
	p.relieve(s.group)
}

// relieve notes when a member that was refused has half of its quota free.
// Needs mu.
func (p *pendingTable) relieve(g *group) {
	if g.refused && p.memberLimit().halfFree(g.txs, g.bytes) {
		g.refused = false
		p.reliefs++
	}
}

// room reports whether the table takes more: until something finds it full,
// and again when half of it is free.
func (p *pendingTable) room() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.filled
}

// relieved is how often what was above a quota may have come within.
func (p *pendingTable) relieved() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reliefs
}

// largest counts what waits of the member of which the most does.
func (p *pendingTable) largest() (txs int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, g := range p.groups {
		txs = max(txs, g.txs)
	}
	return txs
}
