package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc"
	"github.com/tallystick/tallystick/rpc/wire"
)

// explorerSource is the chain as an explorer in the node's own process reads it: up
// to the height that the whole node answers for, and from what the node has stored.
// It never waits for consensus, nor consensus for it.
type explorerSource struct {
	backend *backend
	chain   *source
	genesis *genesis
	proving chan struct{} // has one turn
}

// ExplorerSource is the chain for an explorer in this process.
func (n *Node) ExplorerSource() explorer.Source {
	return newExplorerSource(n.backend, n.source(), n.genesis)
}

func newExplorerSource(b *backend, chain *source, g *genesis) *explorerSource {
	return &explorerSource{b, chain, g, make(chan struct{}, 1)}
}

func (s *explorerSource) Network() *ledger.Network { return s.backend.net }

func (s *explorerSource) Height(context.Context) (ledger.Height, error) {
	return s.backend.Height(), nil
}

func (s *explorerSource) WaitHeight(ctx context.Context, height ledger.Height) error {
	return s.backend.WaitHeight(ctx, height)
}

func (s *explorerSource) Block(_ context.Context, height ledger.Height) (*explorer.Block, error) {
	if height > s.backend.Height() {
		return nil, nil
	}
	if height > 0 && height < s.chain.Base() {
		return nil, explorer.ErrPruned
	}
	header, err := s.backend.Header(height)
	if err != nil || header == nil {
		return nil, err
	}
	out, err := explorerHeader(header)
	if err != nil {
		return nil, err
	}
	if height == 0 {
		out.Events, out.Params = s.genesis.events, header.Params
		return out, nil
	}
	b, err := s.chain.Block(height)
	if err != nil {
		return nil, err
	}
	if b == nil || b.Hash != out.Hash {
		return nil, fmt.Errorf("block %d is not there any more", height)
	}
	out.Txs, out.Results, out.Events = b.Txs, b.Results, b.Events
	return out, nil
}

func explorerHeader(h *rpc.Header) (*explorer.Block, error) {
	b := h.Block
	out := &explorer.Block{
		Height: ledger.Height(b.Height), Hash: b.Hash, ParentHash: b.ParentHash, AppHash: b.AppHash, ResultsHash: b.ResultsHash,
		Time: ledger.UnixTime(b.Time), Millis: uint16(h.Millis), SizeBytes: b.SizeBytes,
	}
	copy(out.Proposer[:], b.Proposer)
	var err error
	out.LastCommit, err = explorer.Votes(h.Votes)
	return out, err
}

func (s *explorerSource) Proof(_ context.Context, key []byte) (*explorer.Proof, error) {
	p, err := s.backend.Prove(key)
	if errors.Is(err, rpc.ErrCatchingUp) {
		return nil, explorer.ErrNoProof
	}
	if err != nil {
		return nil, err
	}
	return proofOf(p), nil
}

func proofOf(p *wire.StateProof) *explorer.Proof {
	return &explorer.Proof{Height: ledger.Height(p.Height), Value: p.Value, Proof: p.Proof}
}

// ReceiptProof makes one proof after the other: each reads and hashes a whole block with
// its results, and readers must leave processors and memory to consensus.
func (s *explorerSource) ReceiptProof(ctx context.Context, hash crypto.Hash) (*wire.ReceiptProof, error) {
	select {
	case s.proving <- struct{}{}:
		defer func() { <-s.proving }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p, err := s.backend.ReceiptProof(hash)
	var early *rpc.NotYetProvableError
	switch {
	case errors.As(err, &early):
		return nil, fmt.Errorf("%w: %w", explorer.ErrNoProof, err)
	case errors.Is(err, rpc.ErrBlockPruned):
		return nil, fmt.Errorf("%w: %w", explorer.ErrPruned, err)
	}
	return p, err
}
