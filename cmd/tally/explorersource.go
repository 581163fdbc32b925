package main

import (
	"context"
	"errors"
	"time"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// remoteSource is the chain as nodes tell it over JSON-RPC.
type remoteSource struct{ node *client.Client }

// pollEvery is how often a node is asked whether it has the next block.
const pollEvery = 250 * time.Millisecond

func (s remoteSource) Network() *ledger.Network { return s.node.Network() }

func (s remoteSource) Height(ctx context.Context) (ledger.Height, error) {
	status, err := s.node.Status(ctx)
	if err != nil {
		return 0, err
	}
	return ledger.Height(status.Height), nil
}

func (s remoteSource) WaitHeight(ctx context.Context, height ledger.Height) error {
	for {
		have, err := s.Height(ctx)
		if err != nil || have >= height {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pollEvery):
		}
	}
}

func (s remoteSource) Block(ctx context.Context, height ledger.Height) (*explorer.Block, error) {
	contents, err := s.node.Contents(ctx, height)
	if err == nil {
		return explorer.FromContents(s.node.Network(), contents)
	}
	var refused *client.Error
	if !errors.As(err, &refused) || refused.Code != wire.CodeNotFound {
		return nil, err
	}
	have, bad := s.Height(ctx)
	switch {
	case bad != nil:
		return nil, bad
	case have >= height:
		return nil, errors.Join(explorer.ErrPruned, err)
	}
	return nil, nil
}

func (s remoteSource) Proof(ctx context.Context, key []byte) (*explorer.Proof, error) {
	p, err := s.node.StateProof(ctx, key)
	var refused *client.Error
	if errors.As(err, &refused) && refused.Code == wire.CodeUnavailable {
		return nil, explorer.ErrNoProof
	}
	if err != nil {
		return nil, err
	}
	return &explorer.Proof{Height: ledger.Height(p.Height), Value: p.Value, Proof: p.Proof}, nil
}

func (s remoteSource) ReceiptProof(ctx context.Context, hash crypto.Hash) (*wire.ReceiptProof, error) {
	p, err := s.node.ReceiptProof(ctx, hash)
	var refused *client.Error
	if errors.As(err, &refused) {
		switch refused.Name {
		case "notYetProvable":
			return nil, errors.Join(explorer.ErrNoProof, err)
		case "blockPruned":
			return nil, errors.Join(explorer.ErrPruned, err)
		}
	}
	return p, err
}
