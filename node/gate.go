package node

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	abcicli "github.com/cometbft/cometbft/abci/client"
	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/proxy"

	"github.com/tallystick/tallystick/ledger"
)

// peerGate says which nodes may be connected. CometBFT asks the application
// about each peer, by a query; the gate answers those itself and passes every
// other on.
//
// On a network with members their lists in the committed state decide: an active
// member's nodes may connect, and nobody else's. A node that has not caught up
// knows old lists only, so until it has, those of its own configuration may too.
// On a network without members the configuration decides alone.
type peerGate struct {
	proxy.ClientCreator
	configured map[string]bool
	nodes      func() (nodes map[ledger.NodeID]bool, governed bool, err error)
	catchingUp func() bool
	log        *slog.Logger

	mu   sync.Mutex
	told map[string]time.Time // when each stranger was last logged; mu
}

const (
	filterByID      = "/p2p/filter/id/"
	filterByAddress = "/p2p/filter/addr/"
	// tellAgain and mostTold bound what strangers can make the node log.
	tellAgain = time.Minute
	mostTold  = 256
	// codeStranger is any code but OK; CometBFT only compares.
	codeStranger = 1
	// reviewPeers is how often connected peers are judged again besides when
	// members change: a node that catches up trusts its configuration less then.
	reviewPeers = 5 * time.Second
)

// newPeerGate makes a gate for the peers of a configuration. nodes is
// app.Application.Nodes.
func newPeerGate(c proxy.ClientCreator, peers []string, nodes func() (map[ledger.NodeID]bool, bool, error), catchingUp func() bool, log *slog.Logger) *peerGate {
	g := &peerGate{ClientCreator: c, configured: map[string]bool{}, nodes: nodes, catchingUp: catchingUp, log: log, told: map[string]time.Time{}}
	for _, id := range peerIDs(peers) {
		g.configured[id] = true
	}
	return g
}

// NewABCIClient returns a client whose queries pass the gate.
func (g *peerGate) NewABCIClient() (abcicli.Client, error) {
	client, err := g.ClientCreator.NewABCIClient()
	if err != nil {
		return nil, err
	}
	return gatedClient{client, g}, nil
}

// against says why a node may not be connected, or nothing.
func (g *peerGate) against(id string) string {
	nodes, governed, err := g.nodes()
	if err != nil {
		return "the lists of members' nodes cannot be read: " + err.Error()
	}
	return g.judge(id, nodes, governed)
}

// judge is against by lists that were read.
func (g *peerGate) judge(id string, nodes map[ledger.NodeID]bool, governed bool) string {
	if !governed {
		if g.configured[id] {
			return ""
		}
		return "it is not in p2p.peers"
	}
	var node ledger.NodeID
	if node.UnmarshalText([]byte(id)) == nil && nodes[node] || g.configured[id] && g.catchingUp() {
		return ""
	}
	return "no active member lists it as its node"
}

// banned lists the peers that may be connected no longer, with the reasons. Where
// the lists cannot be read that is nobody: one node's bad disk is no reason
// against the others.
func (g *peerGate) banned(ids []string) map[string]string {
	nodes, governed, err := g.nodes()
	if err != nil {
		g.log.Error("connected nodes are not judged", "err", err)
		return nil
	}
	out := map[string]string{}
	for _, id := range ids {
		if why := g.judge(id, nodes, governed); why != "" {
			out[id] = why
		}
	}
	return out
}

// review disconnects peers that may be connected no longer, when members change
// and now and then, until ctx ends.
func (g *peerGate) review(ctx context.Context, sw *p2p.Switch, changed <-chan struct{}) {
	ticker := time.NewTicker(reviewPeers)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-ticker.C:
		}
		peers := sw.Peers().Copy()
		ids := make([]string, len(peers))
		for i, peer := range peers {
			ids[i] = string(peer.ID())
		}
		banned := g.banned(ids)
		for _, peer := range peers {
			if why, is := banned[string(peer.ID())]; is {
				g.log.Warn("disconnecting a node", "nodeId", peer.ID(), "reason", why)
				sw.StopPeerGracefully(peer)
			}
		}
	}
}

type gatedClient struct {
	abcicli.Client
	gate *peerGate
}

// Query answers CometBFT's questions about peers.
func (c gatedClient) Query(ctx context.Context, req *abci.RequestQuery) (*abci.ResponseQuery, error) {
	if strings.HasPrefix(req.Path, filterByAddress) {
		return &abci.ResponseQuery{}, nil // the ID is what counts, and is asked next
	}
	id, isPeer := strings.CutPrefix(req.Path, filterByID)
	if !isPeer {
		return c.Client.Query(ctx, req)
	}
	why := c.gate.against(id)
	if why == "" {
		return &abci.ResponseQuery{}, nil
	}
	c.gate.tell(id, why)
	return &abci.ResponseQuery{Code: codeStranger, Log: fmt.Sprintf("node %s: %s", id, why)}, nil
}

// tell logs a stranger, now and then.
func (g *peerGate) tell(id, why string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if time.Since(g.told[id]) < tellAgain {
		return
	}
	if len(g.told) >= mostTold {
		clear(g.told)
	}
	g.told[id] = time.Now()
	g.log.Warn("a node was turned away", "nodeId", id, "reason", why)
}
