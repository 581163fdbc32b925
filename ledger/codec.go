package ledger

import (
	"github.com/ethereum/go-ethereum/rlp"

	"github.com/tallystick/tallystick/crypto"
)

// encoder writes RLP (Ethereum Yellow Paper, appendix B), the one encoding of
// transactions, state values and outcomes. Integers have no leading zero
// bytes. Writing cannot fail.
type encoder struct{ rlp.EncoderBuffer }

// encode collects what write wrote, after prefix.
func encode(prefix []byte, write func(encoder)) []byte {
	w := encoder{rlp.NewEncoderBuffer(nil)}
	write(w)
	out := w.AppendToBytes(append(make([]byte, 0, len(prefix)+w.Size()), prefix...))
	w.Flush() // returns the buffer to its pool
	return out
}

func (w encoder) address(a crypto.Address) { w.WriteBytes(a[:]) }
func (w encoder) amount(a Amount)          { w.WriteUint256(&a.v) }
func (w encoder) uint(v uint64)            { w.WriteUint64(v) }

// decoder takes canonical RLP apart. The first thing that is not canonical,
// or not of the form asked for, sets bad; every later read answers zero.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) fail() { d.bad, d.rest = true, nil }

// done reports whether everything was read and nothing was bad.
func (d *decoder) done() bool { return !d.bad && len(d.rest) == 0 }

// list enters the next item, a list.
func (d *decoder) list() decoder {
	content, rest, err := rlp.SplitList(d.rest)
	if d.bad || err != nil {
		d.fail()
		return decoder{bad: true}
	}
	d.rest = rest
	return decoder{rest: content}
}

// bytes reads the next item, a string of any length. The result is a view.
func (d *decoder) bytes() []byte {
	content, rest, err := rlp.SplitString(d.rest)
	if d.bad || err != nil {
		d.fail()
		return nil
	}
	d.rest = rest
	return content
}

// fixed reads a string of exactly len(dst) bytes.
func (d *decoder) fixed(dst []byte) {
	b := d.bytes()
	if len(b) != len(dst) {
		d.fail()
		return
	}
	copy(dst, b)
}

func (d *decoder) address() (a crypto.Address) { d.fixed(a[:]); return a }

func (d *decoder) uint() uint64 {
	v, rest, err := rlp.SplitUint64(d.rest)
	if d.bad || err != nil {
		d.fail()
		return 0
	}
	d.rest = rest
	return v
}

// uintUpTo reads an integer of at most max.
func (d *decoder) uintUpTo(max uint64) uint64 {
	v := d.uint()
	if v > max {
		d.fail()
		return 0
	}
	return v
}

func (d *decoder) amount() Amount {
	a, ok := AmountFromBytes(d.bytes())
	if !ok {
		d.fail()
	}
	return a
}

// close ends a nested list, which must have been read whole.
func (d *decoder) close(inner decoder) {
	if !inner.done() {
		d.fail()
	}
}
