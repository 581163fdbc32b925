package rpc

import (
	"errors"
	"testing"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/rpc/wire"
)

// A follower shows its key when it opens its WebSocket, is refused with another,
// and ends with the reason when its key is revoked while it follows.
func TestFollowersHaveKeys(t *testing.T) {
	access, secrets := keyed()
	h := newHarness(t, Options{Access: access})
	h.slowness(func(s *slowness) { s.progress = 0 })
	url := listening(t, h).URL
	first := wire.SubscribeOptions{Cursor: &wire.Cursor{Height: 0, Index: wire.IndexBlockBegin}}
	open := func(key string) *client.Client {
		t.Helper()
		c, err := client.DialWith(t.Context(), client.Options{APIKey: key}, url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
	h.block(t, h.payment(0, 5))
	reader, revoked := open(secrets["read"]), open(secrets["read,submit"])
	for n, err := range reader.Follow(t.Context(), client.Receipts, first) {
		if err != nil {
			t.Fatal(err)
		}
		if n.Receipt != nil {
			break
		}
	}
	name, seen := "", 0
	for n, err := range revoked.Follow(t.Context(), client.Receipts, first) {
		var e *client.Error
		if errors.As(err, &e) {
			name = e.Name
			break
		}
		if n.Receipt != nil {
			seen++
			h.SetAccess(without(access, "read,submit"))
		}
	}
	if name != "keyUnknown" || seen != 1 {
		t.Errorf("the follower whose key was revoked saw %d receipts and ended with %q", seen, name)
	}
	for _, err := range reader.Follow(t.Context(), client.NewBlocks, first) {
		if err != nil {
			t.Errorf("another key: %v", err)
		}
		break
	}
}
