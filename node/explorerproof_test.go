package node

import (
	"context"
	"errors"
	"testing"

	"github.com/tallystick/tallystick/crypto"
)

// Readers of the explorer have one receipt proof made at a time, and who waits for a turn
// waits no longer than their request lasts.
func TestExplorerProvesOneAtATime(t *testing.T) {
	s := newExplorerSource(&backend{}, nil, nil)
	s.proving <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if p, err := s.ReceiptProof(ctx, crypto.Hash{1}); p != nil || !errors.Is(err, context.Canceled) {
		t.Fatalf("while another is made: %v, %v", p, err)
	}
	if len(s.proving) != 1 {
		t.Fatal("who had no turn has given one back")
	}
}
