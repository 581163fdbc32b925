package app

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/tallystick/tallystick/crypto"
)

func numbered(n uint64) (h crypto.Hash) {
	binary.BigEndian.PutUint64(h[:], n)
	return h
}

// A reader at any pace sees each admission once, in order, but for those that were
// forgotten before it came.
func TestAdmissionsAreReadInOrder(t *testing.T) {
	var a admissions
	if hashes, upTo := a.after(0, 10); len(hashes) != 0 || upTo != 0 {
		t.Errorf("of none: %v %d", hashes, upTo)
	}
	var read, next uint64
	for n := range uint64(3 * keptAdmissions) {
		a.add(numbered(n + 1))
		if n%5 != 0 {
			continue
		}
		hashes, upTo := a.after(read, 7)
		if upTo != read+uint64(len(hashes)) {
			t.Fatalf("from %d: %d hashes up to %d", read, len(hashes), upTo)
		}
		for _, h := range hashes {
			if next++; h != numbered(next) {
				t.Fatalf("got %v in place of the %d-th", h, next)
			}
		}
		read = upTo
	}
	hashes, upTo := a.after(0, 1)
	if want := uint64(2*keptAdmissions + 1); len(hashes) != 1 || hashes[0] != numbered(want) || upTo != want {
		t.Errorf("the oldest that is kept: %v %d", hashes, upTo)
	}
	if hashes, upTo := a.after(1<<60, 5); len(hashes) != 0 || upTo != 3*keptAdmissions {
		t.Errorf("a number of another process: %d hashes, up to %d", len(hashes), upTo)
	}
}

func TestAdmissionIsAwaited(t *testing.T) {
	var a admissions
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.wait(over, 0); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	ended := make(chan error, 2)
	for range 2 {
		go func() { ended <- a.wait(t.Context(), 1) }()
	}
	a.add(numbered(1))
	a.add(numbered(2))
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}
