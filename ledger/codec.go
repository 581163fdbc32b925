package ledger

import (
	"encoding/binary"
	"math/bits"

	"github.com/ethereum/go-ethereum/rlp"
	"github.com/holiman/uint256"

	"github.com/tallystick/tallystick/crypto"
)

// encoder writes RLP (Ethereum Yellow Paper, appendix B), the one encoding of
// transactions, state values and outcomes. Integers have no leading zero
// bytes. It appends to one slice, which callers may use again, and writing
// cannot fail. The tests compare it with go-ethereum's encoder.
type encoder struct{ out []byte }

// The first bytes of RLP items: 0x80 and 0xc0 plus the length of a short
// string or list; 0xb7 and 0xf7 plus the length of the length of a long one.
const (
	rlpString     = 0x80
	rlpLongString = 0xb7
	rlpList       = 0xc0
	rlpLongList   = 0xf7
	rlpShort      = 55 // the greatest length that fits the first byte
)

// encode collects what write wrote, after prefix. sizeHint is the length to
// expect; a wrong one costs time only.
func encode(sizeHint int, prefix []byte, write func(*encoder)) []byte {
	w := encoder{append(make([]byte, 0, len(prefix)+sizeHint), prefix...)}
	write(&w)
	return w.out
}

// list begins a list; end ends it with what list answered.
func (w *encoder) list() (begin int) {
	w.out = append(w.out, 0) // most heads are one byte; end makes room for more
	return len(w.out)
}

func (w *encoder) end(begin int) {
	size := len(w.out) - begin
	if size <= rlpShort {
		w.out[begin-1] = rlpList + byte(size)
		return
	}
	var head [1 + 8]byte
	long := appendListHead(head[:0], size)
	w.out = append(w.out, long[1:]...)
	copy(w.out[begin-1+len(long):], w.out[begin:begin+size])
	copy(w.out[begin-1:], long)
}

// appendListHead appends what stands before a list's content of size bytes.
func appendListHead(dst []byte, size int) []byte {
	if size <= rlpShort {
		return append(dst, rlpList+byte(size))
	}
	return appendLength(dst, rlpLongList, size)
}

// appendLength appends a long item's first byte and its length.
func appendLength(dst []byte, base byte, size int) []byte {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(size))
	n := bytesIn(uint64(size))
	return append(append(dst, base+byte(n)), b[8-n:]...)
}

// bytesIn is the length of v as a big-endian number without leading zeros.
func bytesIn(v uint64) int { return (bits.Len64(v) + 7) / 8 }

// head writes what stands before a string of more than one byte, or none.
func (w *encoder) head(size int) {
	if size <= rlpShort {
		w.out = append(w.out, rlpString+byte(size))
		return
	}
	w.out = appendLength(w.out, rlpLongString, size)
}

func (w *encoder) bytes(b []byte) {
	if len(b) != 1 || b[0] >= rlpString {
		w.head(len(b))
	}
	w.out = append(w.out, b...)
}

func (w *encoder) string(s string) {
	if len(s) != 1 || s[0] >= rlpString {
		w.head(len(s))
	}
	w.out = append(w.out, s...)
}

func (w *encoder) address(a crypto.Address) {
	w.out = append(w.out, rlpString+crypto.AddressSize)
	w.out = append(w.out, a[:]...)
}

// optional writes what is zero in all its bytes as the empty string.
func (w *encoder) optional(b []byte) {
	if isZero(b) {
		b = nil
	}
	w.bytes(b)
}

func (w *encoder) uint(v uint64) {
	if v != 0 && v < rlpString {
		w.out = append(w.out, byte(v))
		return
	}
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], v)
	n := bytesIn(v)
	w.out = append(w.out, rlpString+byte(n))
	w.out = append(w.out, b[8-n:]...)
}

func (w *encoder) big(v *uint256.Int) {
	if v.IsUint64() {
		w.uint(v.Uint64())
		return
	}
	b := v.Bytes32()
	n := v.ByteLen()
	w.out = append(w.out, rlpString+byte(n))
	w.out = append(w.out, b[32-n:]...)
}

func (w *encoder) amount(a Amount) {
	if a.high == 0 {
		w.uint(a.low)
		return
	}
	w.big(a.Uint256())
}

// decoder takes canonical RLP apart. The first thing that is not canonical,
// or not of the form asked for, sets bad; every later read answers zero.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) fail() { d.bad, d.rest = true, nil }

// done reports whether everything was read and nothing was bad.
func (d *decoder) done() bool { return !d.bad && len(d.rest) == 0 }

// list enters the next item, a list. Short items, as nearly all are, are taken
// apart here and in bytes; the library takes the long ones.
func (d *decoder) list() decoder {
	if n := len(d.rest); n > 0 && d.rest[0] >= rlpList && d.rest[0] <= rlpList+rlpShort {
		if end := 1 + int(d.rest[0]-rlpList); end <= n {
			inner := decoder{rest: d.rest[1:end]}
			d.rest = d.rest[end:]
			return inner
		}
	}
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
	if n := len(d.rest); n > 0 && d.rest[0] <= rlpString+rlpShort {
		begin, end := 0, 1
		if first := d.rest[0]; first >= rlpString {
			begin, end = 1, 1+int(first-rlpString)
		}
		if end <= n && (end != 2 || d.rest[1] >= rlpString) {
			content := d.rest[begin:end]
			d.rest = d.rest[end:]
			return content
		}
		d.fail()
		return nil
	}
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

// optional reads a string of exactly len(dst) bytes that are not all zero, or
// the empty string for zeros.
func (d *decoder) optional(dst []byte) {
	b := d.bytes()
	if len(b) == 0 {
		clear(dst)
		return
	}
	if copy(dst, b); len(b) != len(dst) || isZero(dst) {
		d.fail()
		clear(dst)
	}
}

func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

func (d *decoder) uint() uint64 {
	b := d.bytes()
	if len(b) > 8 || (len(b) > 0 && b[0] == 0) {
		d.fail()
		return 0
	}
	var v uint64
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
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
