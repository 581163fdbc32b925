package ledger

import (
	"encoding/binary"
	"fmt"

	"github.com/tallystick/tallystick/crypto"
)

// MaxHoldTime is how many seconds a hold's expiry may lie after the time of the
// block that makes it: 366 days.
const MaxHoldTime = 366 * 24 * 3600

// dueHold is the kind of a hold that expires, in the schedule; its id there is
// the hold's.
const dueHold dueKind = 1

// Hold sets an amount of an asset aside, at From and for To, until Expiry. It
// counts in From's balance and cannot be spent. It is the form of a hold's
// terms, and of its record, where Amount is what is left.
type Hold struct {
	From      crypto.Address `json:"from"`             // whose funds they are
	To        crypto.Address `json:"to"`               // to whom they go when the hold is captured
	Arbiter   crypto.Address `json:"arbiter,omitzero"` // who captures in place of To; zero for none
	Asset     crypto.Address `json:"asset"`
	Amount    Amount         `json:"amount"`              // above 0
	Expiry    UnixTime       `json:"expiry"`              // from this block time on the hold is due: nothing can be captured
	Reference string         `json:"reference,omitempty"` // at most MaxReferenceBytes of text
}

// HoldID names the hold that sender made under nonce: the last 20 bytes of
//
//	keccak256("tallystick/hold" ‖ networkHash ‖ sender ‖ nonce ‖ index)
//
// with nonce in 8 bytes and index in 4, big-endian. The index is the hold's
// place among the new holds of a settlement, from 0, and 0 for createHold.
func (n *Network) HoldID(sender crypto.Address, nonce Nonce, index uint32) (id crypto.Address) {
	var numbers [8 + 4]byte
	binary.BigEndian.PutUint64(numbers[:8], uint64(nonce))
	binary.BigEndian.PutUint32(numbers[8:], index)
	h := crypto.Keccak256([]byte("tallystick/hold"), n.Hash[:], sender[:], numbers[:])
	copy(id[:], h[12:])
	return id
}

// HoldEnd says why what was left of a hold went back to the payer.
type HoldEnd uint8

// The ends.
const (
	HoldReleased HoldEnd = 1 // by the payee, the arbiter or the issuer
	HoldExpired  HoldEnd = 2 // by itself
)

// String returns the end's name in events.
func (e HoldEnd) String() string {
	switch e {
	case HoldReleased:
		return "released"
	case HoldExpired:
		return "expired"
	}
	return "unknown"
}

// check judges terms by themselves.
func (h *Hold) check() Code {
	l := Leg{From: h.From, To: h.To, Asset: h.Asset, Amount: h.Amount, Reference: h.Reference}
	code := l.check()
	if h.From == h.To || h.Arbiter == h.From || h.Arbiter == h.To || uint64(h.Expiry) > MaxJSONInteger {
		code = first(code, CodeInvalidField)
	}
	return code
}

// encode writes the payload of createHold, and a hold of a settlement.
func (h *Hold) encode(w *encoder) {
	l := w.list()
	w.address(h.From)
	w.address(h.To)
	w.address(h.Arbiter)
	w.address(h.Asset)
	w.amount(h.Amount)
	w.uint(uint64(h.Expiry))
	w.string(h.Reference)
	w.end(l)
}

func decodeTerms(d *decoder) Hold {
	return Hold{
		From: d.address(), To: d.address(), Arbiter: d.address(), Asset: d.address(),
		Amount: d.amount(), Expiry: UnixTime(d.uint()), Reference: string(d.bytes()),
	}
}

func (h *Hold) typed(m *message) {
	m.address("from", h.From)
	m.address("to", h.To)
	m.address("arbiter", h.Arbiter)
	m.address("asset", h.Asset)
	m.amount("amount", h.Amount)
	m.uint64("expiry", uint64(h.Expiry))
	m.string("reference", h.Reference)
}

// writeHold writes rlp([from, to, arbiter, asset, amount, expiry, reference]).
// No arbiter is the empty string.
func writeHold(w *encoder, h *Hold) {
	l := w.list()
	w.address(h.From)
	w.address(h.To)
	w.optional(h.Arbiter[:])
	w.address(h.Asset)
	w.amount(h.Amount)
	w.uint(uint64(h.Expiry))
	w.string(h.Reference)
	w.end(l)
}

// DecodeHold reads a hold's record as the state keeps it. Its Amount is what is
// left.
func DecodeHold(value []byte) (Hold, error) {
	d := decoder{rest: value}
	l := d.list()
	h := Hold{From: l.address(), To: l.address()}
	l.optional(h.Arbiter[:])
	h.Asset, h.Amount, h.Expiry, h.Reference = l.address(), l.amount(), UnixTime(l.uint()), string(l.bytes())
	d.close(l)
	if !d.done() || h.check() != Applied {
		return Hold{}, fmt.Errorf("hold record %x is not well formed", value)
	}
	return h, nil
}

// ReadHold reads a hold from committed state; ok is false where there is none.
func ReadHold(r Reader, hold crypto.Address) (h Hold, ok bool, err error) {
	value, err := r.Get(KeyHold(hold))
	if err != nil || len(value) == 0 {
		return Hold{}, false, err
	}
	h, err = DecodeHold(value)
	return h, err == nil, err
}

func (s *state) hold(id crypto.Address) (*cell[crypto.Address, Hold], error) {
	return s.holdTable.get(s.reader, id)
}

// KeyHold is the key of a hold's record.
func KeyHold(id crypto.Address) []byte { return appendKeyHold(nil, id) }

func appendKeyHold(dst []byte, id crypto.Address) []byte {
	return append(append(dst, prefixHold...), id[:]...)
}

// The fields of holds in events.
var (
	fieldHold    = addressField("hold", func(e *Event) *crypto.Address { return &e.Other })
	fieldArbiter = addressField("arbiter", func(e *Event) *crypto.Address { return &e.Account })
	fieldExpiry  = numberField("expiry", MaxJSONInteger, func(e *Event) uint64 { return uint64(e.Until) }, func(e *Event, v uint64) { e.Until = UnixTime(v) })
	fieldHoldEnd = field{
		key:   "cause",
		write: func(w *encoder, e *Event) { w.string(HoldEnd(e.Number).String()) },
		text:  func(e *Event) string { return HoldEnd(e.Number).String() },
		parse: func(e *Event, s string) bool {
			for _, end := range []HoldEnd{HoldReleased, HoldExpired} {
				if end.String() == s {
					e.Number = uint64(end)
				}
			}
			return e.Number != 0
		},
	}
)
