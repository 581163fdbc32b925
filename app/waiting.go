package app

import (
	"time"

	"github.com/ethereum/go-ethereum/rlp"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// Signal keeps CometBFT making blocks while transactions wait. CometBFT does so
// as long as its mempool is not empty, and that holds one entry at most, Token.
// No call may block.
type Signal interface {
	// Raise says that something waits: Token is to be offered to the mempool,
	// from another goroutine, since a commit may hold the mempool's lock.
	Raise()
	// Lower says that nothing waits: Token is to leave the mempool. It is called
	// within Commit, when CometBFT holds that lock.
	Lower()
}

// SetSignal connects the application with CometBFT's mempool. Before it nothing
// may be admitted.
func (a *Application) SetSignal(s Signal) { a.signal.Store(&s) }

func (a *Application) raise() {
	if s := a.signal.Load(); s != nil {
		(*s).Raise()
	}
}

// lower lets CometBFT rest when nothing waits. What comes meanwhile raises the
// signal again, and CheckTx waits for the end of the commit.
func (a *Application) lower() {
	if s := a.signal.Load(); s != nil && a.pending.len() == 0 {
		(*s).Lower()
	}
}

// Pending returns the bytes of a transaction that waits on this node.
func (a *Application) Pending(hash crypto.Hash) ([]byte, bool) {
	if tx := a.pending.get(hash); tx != nil {
		return tx.Raw, true
	}
	return nil, false
}

// PendingByNonce returns the transaction that waits on this node for a
// sender's nonce.
func (a *Application) PendingByNonce(sender crypto.Address, nonce ledger.Nonce) (*ledger.Tx, bool) {
	tx := a.pending.byNonce(sender, nonce)
	return tx, tx != nil
}

// Waiting is a transaction that waits on this node.
type Waiting struct {
	Tx     *ledger.Tx     // shared: not to be changed
	Seq    uint64         // its place in the order of arrival, from 1
	Member crypto.Address // with which it is counted: its sender's; zero for none
	Peer   string         // which peer it came from; "": a client of this node
	Since  time.Time      // when it came
}

// WaitingAfter calls f with the transactions that wait and came after seq, in
// the order of their arrival, until f answers false. It returns what seq to go
// on from: everything up to there was shown, or waits no more. f must be
// short and must not call the application.
func (a *Application) WaitingAfter(seq uint64, f func(Waiting) bool) uint64 {
	return a.pending.after(seq, func(e *pendingTx) bool {
		return f(e.waiting())
	})
}

func (e *pendingTx) waiting() Waiting {
	return Waiting{Tx: e.tx, Seq: e.seq, Member: e.sender.group.member, Peer: e.from, Since: e.since}
}

// Member is the member that answers for the account that a native transaction
// names as its sender. Nothing else of it is looked at: its signatures may be
// wrong. Zero for none, for what is no native transaction, and on a network without
// members. Cost: one read of the state.
func (a *Application) Member(raw []byte) crypto.Address {
	c := a.latest.Load()
	sender, ok := namedSender(raw)
	if !ok || !c.founded {
		return crypto.Address{}
	}
	member, err := c.memberOf(sender)
	if err != nil { // c has left the store's history, or the disk fails, which others find
		return crypto.Address{}
	}
	return member
}

// namedSender is the sender that stands in a native transaction, the second item
// of its list.
func namedSender(raw []byte) (sender crypto.Address, ok bool) {
	if len(raw) == 0 || raw[0] != ledger.NativeType {
		return sender, false
	}
	items, _, err := rlp.SplitList(raw[1:])
	if err != nil {
		return sender, false
	}
	_, _, items, err = rlp.Split(items)
	if err != nil {
		return sender, false
	}
	address, _, err := rlp.SplitString(items)
	if err != nil || len(address) != crypto.AddressSize {
		return sender, false
	}
	return crypto.Address(address), true
}

// Arrivals is readable once after transactions of clients were admitted. It is
// for one reader.
func (a *Application) Arrivals() <-chan struct{} { return a.pending.added }

// Room reports whether more may wait: until something is refused because the
// pool is full, and again when half of it is free.
func (a *Application) Room() bool { return a.pending.room() }

// Reliefs counts how often an account or a member, of which something was
// refused because it was above a quota, came to have half of its quota free.
// What was refused may be offered again when the count has risen.
func (a *Application) Reliefs() uint64 { return a.pending.relieved() }
