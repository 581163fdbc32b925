package rpc

import (
	"strings"
	"testing"

	"github.com/tallystick/tallystick/rpc/wire"
)

// Where clients take no answers, no more long ones are made, and short ones are.
func TestAnswersThatAreHeldAreBounded(t *testing.T) {
	h := newHarness(t, Options{})
	batch := "[" + request("rpc.discover") + "," + request("eth_chainId") + "]"
	h.held.Store(maxHeldBytes)
	h.refused(t, wire.CodeUnavailable, "busy", "rpc.discover")
	if got := h.text(t, "eth_chainId"); got == "" {
		t.Error("a short answer is not made")
	}
	if got := h.send("/", batch, nil, "192.0.2.1:1").Body.String(); !strings.Contains(got, `"busy"`) || strings.Count(got, `"result"`) != 1 {
		t.Error(got)
	}
	c := dialAs(t, listening(t, h).URL, "none")
	say(t, c, request("rpc.discover"))
	if _, _, err := c.ReadMessage(); err == nil {
		t.Error("a WebSocket holds a long answer more")
	}
	eventually(t, "nothing more is held", func() bool { return h.held.Load() == maxHeldBytes })
	h.held.Store(0)
	if got := h.send("/", batch, nil, "192.0.2.1:1").Body.String(); strings.Count(got, `"result":`) < 2 {
		t.Error(got)
	}
	eventually(t, "all was let go", func() bool { return h.held.Load() == 0 })
}
