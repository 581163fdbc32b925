package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cometbft/cometbft/p2p"
)

const (
	lowID  = "1111111111111111111111111111111111111111"
	selfID = "5555555555555555555555555555555555555555"
	highID = "9999999999999999999999999999999999999999"
)

// fakeSwitch is a network of peers that are up or down.
type fakeSwitch struct {
	p2p.IPeerSet // only Has is called
	mu           sync.Mutex
	up           map[p2p.ID]bool
	hangsUp      bool // peers take the call and are gone at once
	connected    map[p2p.ID]bool
	dials        []time.Time
}

func newFakeSwitch() *fakeSwitch {
	return &fakeSwitch{up: map[p2p.ID]bool{}, connected: map[p2p.ID]bool{}}
}

func (s *fakeSwitch) Peers() p2p.IPeerSet { return s }

func (s *fakeSwitch) Has(id p2p.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connected[id]
}

func (s *fakeSwitch) DialPeerWithAddress(a *p2p.NetAddress) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dials = append(s.dials, time.Now())
	if !s.up[a.ID] {
		return errors.New("connection refused")
	}
	s.connected[a.ID] = !s.hangsUp
	return nil
}

func (s *fakeSwitch) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// dialling runs redial for one peer in fake time.
func dialling(t *testing.T, peer string, f func(t *testing.T, s *fakeSwitch)) {
	synctest.Test(t, func(t *testing.T) {
		s := newFakeSwitch()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			redial(ctx, s, selfID, []string{peer + "@127.0.0.1:26656"}, slog.New(slog.DiscardHandler))
		}()
		f(t, s)
		cancel()
		<-ended
	})
}

// A peer that was away for a month is connected within seconds of its return,
// and was dialled all the time, but not too often.
func TestRedialNeverGivesUp(t *testing.T) {
	dialling(t, highID, func(t *testing.T, s *fakeSwitch) {
		const away = 30 * 24 * time.Hour
		time.Sleep(away)
		s.change(func() {
			if least, most := int(away/(2*lastRedial)), int(away/(lastRedial/2))+20; len(s.dials) < least || len(s.dials) > most {
				t.Errorf("%d dials in %s, want %d to %d", len(s.dials), away, least, most)
			}
			s.up[highID] = true
		})
		time.Sleep(2 * lastRedial)
		if !s.Has(highID) {
			t.Error("the peer is back and not connected")
		}
	})
}

// A connected peer is not dialled, and one that is lost is dialled at once.
func TestRedialAfterLoss(t *testing.T) {
	dialling(t, highID, func(t *testing.T, s *fakeSwitch) {
		before := 0 // the first dial may have come already, and failed
		s.change(func() { s.up[highID], before = true, len(s.dials) })
		time.Sleep(time.Hour)
		s.change(func() {
			if dials := len(s.dials) - before; dials != 1 {
				t.Errorf("%d dials of a peer that was up, want 1", dials)
			}
			s.connected[highID] = false
		})
		time.Sleep(watchPeer + time.Millisecond)
		if !s.Has(highID) {
			t.Error("a lost peer was not dialled again")
		}
	})
}

// A peer that takes calls and hangs up is not hammered.
func TestRedialOfPeerThatHangsUp(t *testing.T) {
	dialling(t, highID, func(t *testing.T, s *fakeSwitch) {
		s.change(func() { s.up[highID], s.hangsUp = true, true })
		time.Sleep(time.Hour)
		s.change(func() {
			if most := int(time.Hour/(lastRedial/2)) + 20; len(s.dials) > most {
				t.Errorf("%d dials in an hour, want at most %d", len(s.dials), most)
			}
		})
	})
}

// Of two nodes, the one with the lower ID dials first.
func TestRedialYields(t *testing.T) {
	for peer, want := range map[string]time.Duration{highID: 0, lowID: yieldToPeer} {
		dialling(t, peer, func(t *testing.T, s *fakeSwitch) {
			begun := time.Now()
			time.Sleep(2 * yieldToPeer)
			s.change(func() {
				if len(s.dials) == 0 || s.dials[0].Sub(begun) != want {
					t.Errorf("peer %s: dialled at %v, want after %s", peer, s.dials, want)
				}
			})
		})
	}
}

// A node in its own list of peers is not dialled.
func TestRedialNotSelf(t *testing.T) {
	dialling(t, selfID, func(t *testing.T, s *fakeSwitch) {
		time.Sleep(time.Minute)
		s.change(func() {
			if len(s.dials) != 0 {
				t.Error("the node dialled itself")
			}
		})
	})
}

func TestDialErrors(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool // an error
	}{
		{nil, false},
		{p2p.ErrCurrentlyDialingOrExistingAddress{Addr: "x"}, false},
		{fmt.Errorf("wrapped: %w", p2p.ErrCurrentlyDialingOrExistingAddress{Addr: "x"}), false},
		{errors.New("refused"), true},
		{p2p.ErrRejected{}, true},
	} {
		if err := dialPeer(failingDialer{c.err}, highID+"@127.0.0.1:1"); (err != nil) != c.want {
			t.Errorf("%v becomes %v", c.err, err)
		}
	}
	if err := dialPeer(failingDialer{}, "no address"); err == nil {
		t.Error("a malformed address was dialled")
	}
}

type failingDialer struct{ err error }

func (d failingDialer) DialPeerWithAddress(*p2p.NetAddress) error { return d.err }
func (d failingDialer) Peers() p2p.IPeerSet                       { return nil }
