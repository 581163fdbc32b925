package node

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/cometbft/cometbft/p2p"
)

// CometBFT redials a peer that went away for about a day, less and less often,
// and resolves its name once, when the node starts. A validator that was down
// for a weekend, or whose address has changed, would have to wait for the
// others' operators. So the node dials its peers itself, for ever.
const (
	firstRedial = 250 * time.Millisecond // after the first failure
	lastRedial  = 5 * time.Second        // and at most, doubling in between
	// yieldToPeer is how long the node with the higher ID waits before it
	// dials: two that dial each other at once may each drop the other's call.
	yieldToPeer = time.Second
	// watchPeer is how often a connected peer is looked after.
	watchPeer = 500 * time.Millisecond
)

// dialer is the part of CometBFT's switch that dialling needs.
type dialer interface {
	DialPeerWithAddress(*p2p.NetAddress) error
	Peers() p2p.IPeerSet
}

// redial keeps the node connected to peers (nodeID@host:port) until ctx ends,
// and returns once every attempt under way has ended. self is the node's ID.
func redial(ctx context.Context, d dialer, self p2p.ID, peers []string, log *slog.Logger) {
	var wg sync.WaitGroup
	for _, peer := range peers {
		id, _, _ := strings.Cut(peer, "@")
		if p2p.ID(id) == self {
			continue
		}
		wg.Go(func() { keepPeer(ctx, d, self, p2p.ID(id), peer, log) })
	}
	wg.Wait()
}

// keepPeer dials one peer whenever it is not connected.
func keepPeer(ctx context.Context, d dialer, self, id p2p.ID, address string, log *slog.Logger) {
	log = log.With("peer", address)
	wait := time.Duration(0)
	if self > id {
		wait = yieldToPeer
	}
	backoff, told := firstRedial, false
	for pause(ctx, wait) {
		if d.Peers().Has(id) {
			if told {
				log.Info("peer is connected again")
			}
			wait, backoff, told = watchPeer, firstRedial, false
			continue
		}
		// A peer that takes the call and hangs up at once counts as a failure:
		// only one that is seen connected later resets the backoff.
		err := dialPeer(d, address)
		if err != nil && backoff == lastRedial && !told {
			log.Warn("peer cannot be reached; dialling goes on", "err", err)
			told = true
		}
		// A random part keeps two nodes from dialling each other in step.
		wait = backoff/2 + rand.N(backoff)
		if err == nil {
			wait = max(wait, watchPeer)
		}
		backoff = min(2*backoff, lastRedial)
	}
}

// dialPeer resolves the address, each time anew, and dials. A peer that has
// come in by itself meanwhile is no error.
func dialPeer(d dialer, address string) error {
	resolved, err := p2p.NewNetAddressString(address)
	if err != nil {
		return err
	}
	err = d.DialPeerWithAddress(resolved)
	if _, busy := errors.AsType[p2p.ErrCurrentlyDialingOrExistingAddress](err); busy {
		return nil
	}
	if rejected, is := errors.AsType[p2p.ErrRejected](err); is && rejected.IsDuplicate() {
		return nil
	}
	return err
}

// pause waits; false if ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}
