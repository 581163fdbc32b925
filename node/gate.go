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
	"github.com/cometbft/cometbft/proxy"
)

// peerGate lets in the peers of the configuration and nobody else. CometBFT
// asks the application about each peer, by a query; the gate answers those
// itself and passes every other on.
type peerGate struct {
	proxy.ClientCreator
	allowed map[string]bool
	log     *slog.Logger

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
)

func newPeerGate(c proxy.ClientCreator, peers []string, log *slog.Logger) *peerGate {
	g := &peerGate{ClientCreator: c, allowed: map[string]bool{}, log: log, told: map[string]time.Time{}}
	for _, id := range peerIDs(peers) {
		g.allowed[id] = true
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
	if c.gate.allowed[id] {
		return &abci.ResponseQuery{}, nil
	}
	c.gate.tell(id)
	return &abci.ResponseQuery{Code: codeStranger, Log: fmt.Sprintf("node %s is not in p2p.peers", id)}, nil
}

// tell logs a stranger, now and then.
func (g *peerGate) tell(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if time.Since(g.told[id]) < tellAgain {
		return
	}
	if len(g.told) >= mostTold {
		clear(g.told)
	}
	g.told[id] = time.Now()
	g.log.Warn("a node was turned away that is not in p2p.peers", "nodeId", id)
}
