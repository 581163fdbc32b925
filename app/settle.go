package app

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// Why a transaction waits no more that stood in no block. It can never stand in
// one, and while the table held it the network would make block after block.
const (
	droppedSpent   = "nonceSpent" // another transaction of its sender and nonce was committed
	droppedExpired = "expired"
	droppedJudged  = "notIncludable" // what it depends on has changed
)

// settle publishes the state after a block, and lets go what the block has made
// of the transactions that wait. Both are one step for who adds to them: what
// was judged on the state before is judged again. before is that state.
func (a *Application) settle(e *execution, before, now *committed) error {
	p := a.pending
	p.mu.Lock()
	defer p.mu.Unlock()
	a.latest.Store(now)
	p.follow(now)
	waited := p.waited(e.block.Txs, time.Now())
	a.dropped(droppedSpent, p.spend(e.block.Txs, e.codes))
	a.pace.committed(waited)
	a.dropped(droppedExpired, p.expire(now.time))
	suspects, err := p.suspects(e.changes, before, now)
	if err != nil {
		return fmt.Errorf("settle what waits: %w", err)
	}
	for _, s := range suspects {
		code, err := ledger.Includable(now.net, now.time, now.reader, s.tx)
		if err != nil {
			return fmt.Errorf("judge again what waits: %w", err)
		}
		a.metrics.rechecks.WithLabelValues(code.String()).Inc()
		if code != ledger.Applied {
			p.remove(s)
			a.dropped(droppedJudged, 1)
		}
	}
	return nil
}

func (a *Application) dropped(why string, n int) {
	if n > 0 {
		a.metrics.dropped.WithLabelValues(why).Add(float64(n))
	}
}

// follow takes the state that all that waits is judged on. Needs mu.
func (p *pendingTable) follow(now *committed) {
	p.height, p.founded, p.weights = now.height, now.founded, now.weights
}

// waited says for how long what stood in the block waited. Needs mu.
func (p *pendingTable) waited(txs []*ledger.Tx, now time.Time) (w waited) {
	little := p.pace.little()
	for _, tx := range txs {
		w.weight += p.weights.of(tx)
		e := p.hashes[tx.Hash]
		if e == nil {
			continue
		}
		wait := now.Sub(e.since)
		w.all.add(wait)
		if e.sender.group.weight <= little {
			w.light.add(wait)
		}
	}
	return w
}

// spend removes what stood in the block, and what has a nonce that the block
// spent, and counts the latter. Who had something in the block is the last in
// turn among the accounts of its member. Needs mu.
func (p *pendingTable) spend(txs []*ledger.Tx, codes []ledger.Code) (dropped int) {
	for i, tx := range txs {
		if s := p.senders[tx.Sender]; s != nil {
			s.group.senders.MoveToBack(s.place)
		}
		if e := p.hashes[tx.Hash]; e != nil {
			p.remove(e)
		}
		if e := p.byID(tx); e != nil && codes[i].SpendsNonce() {
			p.remove(e)
			dropped++
		}
	}
	return dropped
}

// expire removes what no block after one of this time may hold. Needs mu.
func (p *pendingTable) expire(time ledger.UnixTime) (dropped int) {
	for len(p.expiring) > 0 && p.expiring[0].tx.ValidUntil < time {
		p.remove(p.expiring[0])
		dropped++
	}
	return dropped
}

// doubt has tx judged again at the next commit: it could not stand in a block
// that this node made.
func (p *pendingTable) doubt(tx *ledger.Tx) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.hashes[tx.Hash]; e != nil {
		p.doubted = append(p.doubted, e)
	}
}

// suspects are those of which the block's changes leave it open whether they
// are includable still, each once. On the way senders follow to other members.
// ledger.Includable depends on accounts and parameters alone, and on the members
// that answer for accounts: on the sender's nonces, and on who may act for the
// sender and for others who must agree. Needs mu.
func (p *pendingTable) suspects(changes []ledger.Change, before, now *committed) ([]*pendingTx, error) {
	found, anyMoved := p.doubted, false
	p.doubted = nil
	for _, c := range changes {
		if all, err := concernsAll(before.reader, c); err != nil {
			return nil, err
		} else if all {
			found = p.all(found)
			continue
		}
		address, isAccount := accountOf(c.Key)
		s := p.senders[address]
		if !isAccount || s == nil && len(p.shared) == 0 {
			continue
		}
		account, moved, err := compareAccounts(before.reader, c)
		if err != nil {
			return nil, err
		}
		if s != nil && moved {
			p.regroup(s, account.Member)
		}
		if s != nil && (moved || s.lowest+ledger.WindowBelow < account.Window.Next) {
			found = s.all(found)
		}
		anyMoved = anyMoved || moved
	}
	if anyMoved {
		for e := range p.shared {
			found = append(found, e)
		}
	}
	return distinct(found), nil
}

// concernsAll reports whether a change leaves it open of everything that waits
// whether it is includable: one of the parameters, and of a member's status. What
// else a member's record has, its open proposals and its power among it, changes
// too often, and at the will of one member, to judge all again for it.
func concernsAll(before ledger.Reader, c ledger.Change) (bool, error) {
	if string(c.Key) == ledger.KeyParams {
		return true, nil
	}
	if !bytes.HasPrefix(c.Key, memberKey) {
		return false, nil
	}
	was, err := before.Get(c.Key)
	if err != nil || was == nil { // a member that was not there: nobody's accounts were its
		return false, err
	}
	old, err := ledger.DecodeMember(was)
	if err != nil {
		return false, err
	}
	now, err := ledger.DecodeMember(c.Value)
	return old.Status != now.Status, err
}

// distinct drops what is gone and what stands twice, and orders by arrival.
func distinct(found []*pendingTx) []*pendingTx {
	found = slices.DeleteFunc(found, func(e *pendingTx) bool { return e.gone })
	slices.SortFunc(found, func(x, y *pendingTx) int { return cmp.Compare(x.seq, y.seq) })
	return slices.Compact(found)
}

// all adds everything that waits to found. Needs mu.
func (p *pendingTable) all(found []*pendingTx) []*pendingTx {
	for _, e := range p.hashes {
		found = append(found, e)
	}
	return found
}

// all adds everything of a sender to found, and finds the lowest nonce anew.
func (s *senderPending) all(found []*pendingTx) []*pendingTx {
	first := true
	for nonce, e := range s.nonces {
		if first || nonce < s.lowest {
			s.lowest, first = nonce, false
		}
		found = append(found, e)
	}
	return found
}

var accountKey = ledger.KeyAccount(crypto.Address{})

// memberKey is how the keys of members' records begin.
var memberKey = ledger.KeyMember(crypto.Address{})[:len(ledger.KeyMember(crypto.Address{}))-crypto.AddressSize]

// accountOf is the address of an account whose record has this key.
func accountOf(key []byte) (address crypto.Address, ok bool) {
	prefix := accountKey[:len(accountKey)-crypto.AddressSize]
	if len(key) != len(accountKey) || !bytes.HasPrefix(key, prefix) {
		return address, false
	}
	copy(address[:], key[len(prefix):])
	return address, true
}

// compareAccounts reads an account's record as it was changed. moved says that
// anything but its nonces is other than before.
func compareAccounts(before ledger.Reader, c ledger.Change) (now ledger.Account, moved bool, err error) {
	was, err := before.Get(c.Key)
	if err != nil {
		return now, false, err
	}
	if was == nil { // of an account that was not there, nothing could wait
		return now, false, nil
	}
	old, err := ledger.DecodeAccount(was)
	if err != nil {
		return now, false, err
	}
	now, err = ledger.DecodeAccount(c.Value)
	if err != nil {
		return now, false, err
	}
	return now, !sameStanding(&old, &now), nil
}

// sameStanding compares two records but for their nonces.
func sameStanding(x, y *ledger.Account) bool {
	return x.Status == y.Status && x.Member == y.Member && x.Authority.Threshold == y.Authority.Threshold &&
		slices.Equal(x.Authority.Keys, y.Authority.Keys)
}
