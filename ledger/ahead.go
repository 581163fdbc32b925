package ledger

import "github.com/tallystick/tallystick/crypto"

// Warmer is a Reader that can be told what is read next. Warm brings the
// records of some keys closer, and nothing else: what Get answers is the same
// with it and without. It does not keep the keys.
//
// The records of a large state lie anywhere in memory, and reading them one
// after another waits for memory each time. Many together wait but once.
type Warmer interface {
	Reader
	Warm(keys [][]byte)
}

// Apply tells a Warmer the keys of this many transactions at once, of each the
// first legs: few enough that all stay in the processor's cache until used.
const (
	aheadTxs  = 16
	aheadLegs = 4
)

// ahead tells a reader what transactions are going to read.
type ahead struct {
	warmer Warmer // nil when the reader is none
	bytes  []byte // the keys, one after another
	keys   [][]byte
	warmth byte // what was read for no other use; see table.warm
}

func newAhead(r Reader) ahead {
	w, ok := r.(Warmer)
	if !ok {
		return ahead{}
	}
	const keys = aheadTxs * (1 + 4*aheadLegs)
	return ahead{warmer: w, bytes: make([]byte, 0, keys*(len(prefixBalance)+2*crypto.AddressSize)), keys: make([][]byte, 0, keys)}
}

// read warms the records of the first aheadTxs of txs: the senders, and those
// of transfers. Other operations are rare.
func (a *ahead) read(txs []*Tx) {
	if a.warmer == nil {
		return
	}
	a.bytes, a.keys = a.bytes[:0], a.keys[:0]
	for _, tx := range txs[:min(len(txs), aheadTxs)] {
		a.account(tx.Sender)
		if len(tx.Signers) > 0 {
			a.warmth += tx.Signers[0][0]
		}
		if t, ok := tx.Op.(*Transfer); ok {
			a.legs(tx.Sender, t.Legs[:min(len(t.Legs), aheadLegs)])
		}
	}
	a.warmer.Warm(a.keys)
}

func (a *ahead) legs(sender crypto.Address, legs []Leg) {
	for i := range legs {
		l := &legs[i]
		if l.From != sender {
			a.account(l.From)
		}
		a.account(l.To)
		a.balance(l.From, l.Asset)
		a.balance(l.To, l.Asset)
	}
}

func (a *ahead) account(address crypto.Address) {
	begin := len(a.bytes)
	a.bytes = appendKeyAccount(a.bytes, address)
	a.keys = append(a.keys, a.bytes[begin:])
}

func (a *ahead) balance(account, asset crypto.Address) {
	begin := len(a.bytes)
	a.bytes = appendKeyBalance(a.bytes, balanceID{account, asset})
	a.keys = append(a.keys, a.bytes[begin:])
}
