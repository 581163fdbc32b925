package index

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Place is where something stands in the chain.
type Place struct {
	Height ledger.Height
	Index  uint32 // of the transaction in its block, or OwnEvents
}

// OwnEvents is the index of a block's own events, which come before its
// transactions: a block never has so many. At height 0 they are the genesis.
const OwnEvents = 1<<32 - 1

// bytes are those of receipts' keys and of records of places: height8 index4.
func (p Place) bytes() []byte { return append(height8(p.Height), be32(p.Index)...) }

// position is height8 order4, as histories have it: order is 0 for a block's own
// events, and the index + 1 for a transaction, so that keys ascend as the chain
// does.
func (p Place) position() []byte { return append(height8(p.Height), be32(p.Index+1)...) }

// before reports whether p comes before q in the chain.
func (p Place) before(q Place) bool { return bytes.Compare(p.position(), q.position()) < 0 }

const positionSize = 12

// placeAt reads a position. raw has positionSize bytes.
func placeAt(raw []byte) Place {
	return Place{ledger.Height(binary.BigEndian.Uint64(raw)), binary.BigEndian.Uint32(raw[8:]) - 1}
}

// historyPrefix is how the keys of an address's history begin.
func historyPrefix(space byte, address crypto.Address) []byte { return key(space, address[:]) }

// referencePrefix is how the keys of a reference's history begin. Its text stands
// there whole, so that no two references can be taken for each other, and those
// that are alike, as numbers of invoices are, stand near each other. No reference
// has a zero byte.
func referencePrefix(reference string) []byte {
	return key(spaceReference, []byte(reference), []byte{0})
}

// Query says which places are sought: those of one subject from one place to
// another, both included.
type Query struct {
	// Exactly one of these. An account may be a member's or a hold's address.
	Account, Asset *crypto.Address
	Reference      string

	From, To   Place
	Descending bool
	Limit      int
}

func (q *Query) prefix() []byte {
	switch {
	case q.Account != nil:
		return historyPrefix(spaceHistory, *q.Account)
	case q.Asset != nil:
		return historyPrefix(spaceAssetHistory, *q.Asset)
	}
	return referencePrefix(q.Reference)
}

// Places finds where the chain, up to Height, has what concerns a subject.
func (x *Index) Places(q Query) (places []Place, err error) {
	defer x.watch(&err)
	if strings.IndexByte(q.Reference, 0) >= 0 { // no reference has one, and keys end with it
		return nil, nil
	}
	top := Place{x.Height(), OwnEvents - 1} // what is written above is not published yet
	if top.before(q.To) {
		q.To = top
	}
	prefix := q.prefix()
	start, end := slices.Concat(prefix, q.From.position()), slices.Concat(prefix, q.To.position(), []byte{0})
	if bytes.Compare(start, end) >= 0 {
		return nil, nil
	}
	iterate := x.db.Iterator
	if q.Descending {
		iterate = x.db.ReverseIterator
	}
	it, err := iterate(start, end)
	if err != nil {
		return nil, err
	}
	defer it.Close()
	for ; it.Valid() && len(places) < q.Limit; it.Next() {
		k := it.Key()
		if len(k) != len(prefix)+positionSize {
			return nil, errors.New("a history's key is damaged")
		}
		places = append(places, placeAt(k[len(prefix):]))
	}
	return places, it.Error()
}

// ReceiptAt is the receipt that stands at a place; nil where the chain, up to
// Height, has none.
func (x *Index) ReceiptAt(at Place) (r *wire.Receipt, err error) {
	defer x.watch(&err)
	if at.Height > x.Height() {
		return nil, nil
	}
	if has, err := x.db.Has(key(spaceReceipt, at.bytes())); err != nil || !has {
		return nil, err
	}
	return x.receiptAt(at)
}

// subjects collects whom and what something in the chain concerns.
type subjects struct {
	accounts, assets []crypto.Address
	references       []string
}

func (s *subjects) reset() {
	s.accounts, s.assets, s.references = s.accounts[:0], s.assets[:0], s.references[:0]
}

func (s *subjects) add(e *ledger.Event) {
	parties := e.Parties()
	s.accounts = append(s.accounts, parties[:]...)
	s.assets = append(s.assets, e.Asset)
	if reference := e.SenderReference(); reference != "" {
		s.references = append(s.references, reference)
	}
}

// history writes that the subjects have to do with what is at a place, and
// forgets them.
func (w *writer) history(at Place) {
	position := at.position()
	for _, a := range distinct(w.subjects.accounts, crypto.Address.Compare) {
		if !a.IsZero() {
			w.set(w.at(spaceHistory, a[:], position), nil)
		}
	}
	for _, a := range distinct(w.subjects.assets, crypto.Address.Compare) {
		if !a.IsZero() {
			w.set(w.at(spaceAssetHistory, a[:], position), nil)
		}
	}
	for _, reference := range distinct(w.subjects.references, cmp.Compare[string]) {
		w.set(w.at(spaceReference, []byte(reference), []byte{0}, position), nil)
	}
	w.subjects.reset()
}

// distinct sorts a list and drops what stands there twice.
func distinct[T comparable](list []T, compare func(T, T) int) []T {
	slices.SortFunc(list, compare)
	return slices.Compact(list)
}
