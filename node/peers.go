package node

import (
	"slices"
	"strings"

	"github.com/cometbft/cometbft/consensus"
	"github.com/cometbft/cometbft/p2p"
	cmttypes "github.com/cometbft/cometbft/types"

	"github.com/tallystick/tallystick/rpc/wire"
)

// peers are the nodes that this one is connected with, in no order.
func (n *Node) peers() []p2p.Peer {
	s, ok := n.chain.Switch().(*p2p.Switch)
	if !ok {
		return nil
	}
	return s.Peers().Copy()
}

func (b *backend) Peers() ([]wire.Peer, error) {
	out := []wire.Peer{}
	for _, p := range b.peers() {
		out = append(out, peerOf(p))
	}
	slices.SortFunc(out, func(x, y wire.Peer) int { return strings.Compare(x.NodeID, y.NodeID) })
	return out, nil
}

// maxMoniker bounds what is shown of the name that a peer gives itself, in bytes.
const maxMoniker = 64

func peerOf(p p2p.Peer) wire.Peer {
	out := wire.Peer{
		NodeID: string(p.ID()), Address: p.RemoteAddr().String(), Direction: "in",
		ConnectedMs: uint64(p.Status().Duration.Milliseconds()),
	}
	if p.IsOutbound() {
		out.Direction = "out"
	}
	if info, ok := p.NodeInfo().(p2p.DefaultNodeInfo); ok { // its moniker is ASCII: CometBFT has checked
		out.Moniker = info.Moniker[:min(len(info.Moniker), maxMoniker)]
	}
	// A peer says which height it works on; it has the block before.
	if state, ok := p.Get(cmttypes.PeerStateKey).(*consensus.PeerState); ok && state.GetHeight() > 0 {
		height := uint64(state.GetHeight() - 1)
		out.Height = &height
	}
	return out
}
