package main

import (
	"context"
	"errors"
	"testing"
)

// A person who is asked may leave with Ctrl-C.
func TestTypedEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	end := make(chan struct{})
	defer close(end)
	_, err := typed(ctx, func() (string, error) {
		cancel()
		<-end
		return "too late", nil
	})
	if !errors.Is(err, errInterrupted) {
		t.Errorf("typed after its context has ended: %v", err)
	}
	text, err := typed(t.Context(), func() (string, error) { return "yes", nil })
	if text != "yes" || err != nil {
		t.Errorf("typed: %q, %v", text, err)
	}
}
