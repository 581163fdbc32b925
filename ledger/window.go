package ledger

import "math/bits"

// The nonce window: how far a usable nonce may lie from the sender's next.
const (
	WindowAbove = 1024 // a usable nonce is below next + WindowAbove
	WindowBelow = 4096 // and not more than WindowBelow below next
)

// Window remembers which nonces an account has spent, for ever, in a few
// bytes under dense use (the idea of RFC 6479). Nonces may be spent in any
// order. The zero value has spent none.
type Window struct {
	Next Nonce // the highest spent nonce + 1; 0 at first

	// holes is a big-endian number without leading zero bytes: bit i is set
	// when nonce Next-1-i is not spent. It has at most WindowBelow bits; the
	// nonces below them can never be used. It is never written in place.
	holes []byte
}

// valid reports whether the window is in its one canonical form.
func (w *Window) valid() bool {
	if uint64(w.Next) > MaxJSONInteger+1 {
		return false
	}
	if len(w.holes) == 0 {
		return true
	}
	n := len(w.holes)*8 - bits.LeadingZeros8(w.holes[0])
	highestSpent := w.holes[len(w.holes)-1]&1 == 0
	return w.holes[0] != 0 && highestSpent && n <= WindowBelow && uint64(n) <= uint64(w.Next)
}

// Usable says whether nonce n can be spent: Applied, CodeNonceSpent,
// CodeNonceTooLow or CodeNonceTooHigh.
func (w *Window) Usable(n Nonce) Code {
	if n >= w.Next {
		if n-w.Next >= WindowAbove {
			return CodeNonceTooHigh
		}
		return Applied
	}
	back := w.Next - 1 - n
	if back >= WindowBelow {
		return CodeNonceTooLow
	}
	if !w.hole(int(back)) {
		return CodeNonceSpent
	}
	return Applied
}

// hole reads bit i of holes.
func (w *Window) hole(i int) bool {
	at := len(w.holes) - 1 - i/8
	return at >= 0 && w.holes[at]>>(i%8)&1 == 1
}

// spend returns the window after n, which must be usable, is spent.
func (w Window) spend(n Nonce) Window {
	if n == w.Next && len(w.holes) == 0 {
		return Window{Next: n + 1}
	}
	if n < w.Next {
		return Window{w.Next, clearBit(w.holes, int(w.Next-1-n))}
	}
	jump := int(n - w.Next + 1)
	return Window{n + 1, shiftHoles(w.holes, jump)}
}

// clearBit returns a copy of holes without bit i.
func clearBit(holes []byte, i int) []byte {
	out := append([]byte(nil), holes...)
	out[len(out)-1-i/8] &^= 1 << (i % 8)
	return trimZeros(out)
}

// shiftHoles returns holes shifted up by jump bits, with the bits 1..jump-1
// (the nonces jumped over) set, cut to WindowBelow bits.
func shiftHoles(holes []byte, jump int) []byte {
	size := min((len(holes)*8+jump+7)/8, WindowBelow/8)
	out := make([]byte, size)
	whole, part := jump/8, jump%8
	for i := range holes { // i counts bytes from the low end, as at does
		b := uint16(holes[len(holes)-1-i]) << part
		at := i + whole
		if at < size {
			out[size-1-at] |= byte(b)
		}
		if at+1 < size {
			out[size-2-at] |= byte(b >> 8)
		}
	}
	for i := range min(whole, size) {
		out[size-1-i] = 0xff
	}
	if whole < size {
		out[size-1-whole] |= 1<<part - 1
	}
	out[size-1] &^= 1 // n itself is spent
	return trimZeros(out)
}

func trimZeros(b []byte) []byte {
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	return b
}
