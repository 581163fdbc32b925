package ledger

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// naiveWindow is the rule as it is told: a set of spent nonces.
type naiveWindow struct {
	spent map[Nonce]bool
	next  Nonce
}

func (n *naiveWindow) usable(nonce Nonce) Code {
	switch {
	case nonce+4096 < n.next:
		return CodeNonceTooLow
	case n.spent[nonce]:
		return CodeNonceSpent
	case nonce >= n.next+1024:
		return CodeNonceTooHigh
	}
	return Applied
}

// check compares the window with the naive one around every edge, and takes
// it through its record.
func (n *naiveWindow) check(t rapid.TB, w Window) {
	t.Helper()
	if w.Next != n.next || !w.valid() {
		t.Fatalf("next %d, want %d; valid %v", w.Next, n.next, w.valid())
	}
	var probes []Nonce
	for d := Nonce(0); d < 70; d++ {
		probes = append(probes, n.next+d, n.next-min(n.next, d), n.next-min(n.next, 4060+d), n.next+990+d)
	}
	for _, p := range probes {
		if got, want := w.Usable(p), n.usable(p); got != want {
			t.Fatalf("next %d nonce %d: %s, want %s", n.next, p, got, want)
		}
	}
	var e encoder
	writeAccount(&e, &Account{Status: StatusActive, Window: w})
	again, err := DecodeAccount(e.out)
	if err != nil || again.Window.Next != w.Next || !bytes.Equal(again.Window.holes, w.holes) {
		t.Fatalf("record %x: %+v %v", e.out, again, err)
	}
}

// TestWindowIsASet spends nonces in random orders, with jumps as wide as they
// may be, and compares with the naive window after each.
func TestWindowIsASet(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		naive := naiveWindow{spent: map[Nonce]bool{}}
		var w Window
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			var n Nonce
			switch rapid.SampledFrom([]string{"near", "jump", "back", "edge", "anything"}).Draw(rt, "step") {
			case "near":
				n = naive.next + Nonce(rapid.IntRange(0, 9).Draw(rt, "ahead"))
			case "jump":
				n = naive.next + Nonce(rapid.IntRange(1000, 1025).Draw(rt, "ahead"))
			case "back":
				n = naive.next - min(naive.next, Nonce(rapid.IntRange(1, 1200).Draw(rt, "back")))
			case "edge":
				n = naive.next - min(naive.next, Nonce(rapid.IntRange(4090, 4100).Draw(rt, "back")))
			default:
				n = Nonce(rapid.Uint64Max(uint64(naive.next)+1100).Draw(rt, "nonce"))
			}
			if got, want := w.Usable(n), naive.usable(n); got != want {
				rt.Fatalf("nonce %d at next %d: %s, want %s", n, naive.next, got, want)
			} else if got != Applied {
				continue
			}
			before := slices.Clone(w.holes)
			spent := w.spend(n)
			if !bytes.Equal(before, w.holes) {
				rt.Fatalf("spending %d wrote into the window before", n)
			}
			w = spent
			naive.spent[n], naive.next = true, max(naive.next, n+1)
			naive.check(rt, w)
		}
	})
}

// TestWindowEdges walks the two ends one by one.
func TestWindowEdges(t *testing.T) {
	var w Window
	for _, n := range []Nonce{1023, 2046, 3069, 4092, 5000} {
		if w.Usable(n) != Applied {
			t.Fatalf("%d: %s", n, w.Usable(n))
		}
		w = w.spend(n)
	}
	for n, want := range map[Nonce]Code{
		0: CodeNonceTooLow, 904: CodeNonceTooLow, 905: Applied, 1022: Applied, 1023: CodeNonceSpent,
		5000: CodeNonceSpent, 5001: Applied, 6024: Applied, 6025: CodeNonceTooHigh, 1<<53 - 1: CodeNonceTooHigh, ^Nonce(0): CodeNonceTooHigh,
	} {
		if got := w.Usable(n); got != want {
			t.Errorf("nonce %d at next %d: %s, want %s", n, w.Next, got, want)
		}
	}
	if size := len(w.holes); size != WindowBelow/8 {
		t.Errorf("a full window has %d bytes", size)
	}
	for n := w.Next - WindowBelow; n < w.Next; n++ { // fill every hole
		if w.Usable(n) == Applied {
			w = w.spend(n)
		}
	}
	if len(w.holes) != 0 {
		t.Errorf("a window without holes has %d bytes", len(w.holes))
	}
	top := Window{Next: Nonce(MaxJSONInteger)}
	if top.Usable(Nonce(MaxJSONInteger)) != Applied {
		t.Error("the last nonce cannot be used")
	}
	top = top.spend(Nonce(MaxJSONInteger))
	if !top.valid() || top.Usable(Nonce(MaxJSONInteger)) != CodeNonceSpent || top.Usable(Nonce(MaxJSONInteger)-4095) != CodeNonceSpent {
		t.Errorf("after the last nonce: %+v", top)
	}
}

// TestWindowForms: records that no spending makes are refused.
func TestWindowForms(t *testing.T) {
	full := bytes.Repeat([]byte{0xff}, WindowBelow/8)
	full[len(full)-1] = 0xfe
	for _, one := range []struct {
		name string
		w    Window
		want bool
	}{
		{"fresh", Window{}, true},
		{"dense", Window{Next: 7}, true},
		{"one hole", Window{2, []byte{2}}, true},
		{"hole below zero", Window{1, []byte{2}}, false},
		{"the highest is a hole", Window{2, []byte{1}}, false},
		{"leading zero", Window{100, []byte{0, 2}}, false},
		{"full", Window{4096, full}, true},
		{"full, one too few", Window{4095, full}, false},
		{"too long", Window{1 << 20, append([]byte{1}, full...)}, false},
		{"the last nonce", Window{Next: Nonce(MaxJSONInteger) + 1}, true},
		{"beyond the last nonce", Window{Next: Nonce(MaxJSONInteger) + 2}, false},
	} {
		if got := one.w.valid(); got != one.want {
			t.Errorf("%s: valid %v", one.name, got)
		}
	}
}
