package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/explorer"
	"github.com/tallystick/tallystick/explorer/index"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

const (
	// lookEvery is how often a node is asked for its height where no news comes:
	// so it is noticed when it is away.
	lookEvery = time.Second
	// listenAgain is the pause before news is asked for again, after every node
	// refused to tell it.
	listenAgain = 5 * time.Second
)

// remoteSource is the chain as nodes tell it over JSON-RPC. New blocks are announced
// by a subscription; everything is read by calls, from the next node where one fails.
// It begins without any node where a database says which network it is of.
type remoteSource struct {
	urls    []string
	options client.Options
	timeout time.Duration   // of connecting
	stored  *ledger.Network // of the database; nil where that is empty

	mu   sync.Mutex
	node *client.Client // nil before the first node has answered; owned by mu
	head ledger.Height  // the highest that any node was heard to have; owned by mu
	news chan struct{}  // closed when head grows; owned by mu
}

func newRemoteSource(f *nodeFlags, o client.Options, stored *ledger.Network) *remoteSource {
	return &remoteSource{urls: f.urls, options: o, timeout: f.timeout, stored: stored, news: make(chan struct{})}
}

// connect is the connection, made now where there is none.
func (s *remoteSource) connect(ctx context.Context) (*client.Client, error) {
	s.mu.Lock()
	node := s.node
	s.mu.Unlock()
	if node != nil {
		return node, nil
	}
	dialling, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	node, err := client.DialWith(dialling, s.options, s.urls...)
	if err != nil {
		return nil, err
	}
	if own := s.stored; own != nil && node.Network().Hash != own.Hash {
		node.Close()
		return nil, fmt.Errorf("%w: it has the blocks of %q and the node those of %q", index.ErrOtherNetwork, own.ID, node.Network().ID)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.node != nil { // another was quicker
		node.Close()
		return s.node, nil
	}
	s.node = node
	return node, nil
}

// close ends the connection.
func (s *remoteSource) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.node != nil {
		s.node.Close()
	}
}

func (s *remoteSource) Network() *ledger.Network {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.node == nil {
		return s.stored
	}
	return s.node.Network()
}

// listen hears of new blocks until ctx ends.
func (s *remoteSource) listen(ctx context.Context) {
	for ctx.Err() == nil {
		if node, err := s.connect(ctx); err == nil {
			for notice, err := range node.Follow(ctx, client.NewBlocks, wire.SubscribeOptions{}) {
				if err != nil {
					break // no node tells news: its height is asked for all the same
				}
				if notice.Block != nil {
					s.heard(ledger.Height(notice.Block.Height))
				}
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(listenAgain):
		}
	}
}

func (s *remoteSource) heard(height ledger.Height) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if height > s.head {
		s.head = height
		close(s.news)
		s.news = make(chan struct{})
	}
}

// known is the highest block heard of, and what is closed when there is a higher one.
func (s *remoteSource) known() (ledger.Height, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.head, s.news
}

func (s *remoteSource) Height(ctx context.Context) (ledger.Height, error) {
	node, err := s.connect(ctx)
	if err != nil {
		return 0, err
	}
	status, err := node.Status(ctx)
	if err != nil {
		return 0, err
	}
	s.heard(ledger.Height(status.Height))
	return ledger.Height(status.Height), nil
}

// WaitHeight implements explorer.Source. It returns early where no news comes, so
// that the height is asked for.
func (s *remoteSource) WaitHeight(ctx context.Context, height ledger.Height) error {
	silent := time.NewTimer(lookEvery)
	defer silent.Stop()
	for {
		head, news := s.known()
		if head >= height {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-silent.C:
			return nil
		case <-news:
		}
	}
}

func (s *remoteSource) Block(ctx context.Context, height ledger.Height) (*explorer.Block, error) {
	if head, _ := s.known(); 0 < head && head < height {
		return nil, nil
	}
	node, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	contents, err := node.Contents(ctx, height)
	if unknown(err) {
		contents, err = s.askAll(ctx, node, height)
	}
	if err != nil || contents == nil {
		return nil, err
	}
	return explorer.FromContents(node.Network(), contents)
}

// unknown reports whether a node has said that it does not have something.
func unknown(err error) bool {
	e, ok := errors.AsType[*client.Error](err)
	return ok && e.Code == wire.CodeNotFound
}

// askAll asks each node for a block that one of them did not have: the others may be
// ahead of it, or keep more. It is nil where no node has come so far, and ErrPruned
// where every node has left the block behind.
func (s *remoteSource) askAll(ctx context.Context, node *client.Client, height ledger.Height) (*wire.BlockContents, error) {
	var failure error
	behind, pruned := 0, 0
	for i := range node.URLs() {
		one := node.At(i)
		status, err := one.Status(ctx) // before the block: it may come in between
		if err != nil {
			failure = err
			continue
		}
		s.heard(ledger.Height(status.Height))
		contents, err := one.Contents(ctx, height)
		switch {
		case err == nil:
			return contents, nil
		case !unknown(err):
			failure = err
		case ledger.Height(status.Height) < height:
			behind++
		default:
			pruned++
		}
	}
	switch {
	case pruned == len(node.URLs()):
		return nil, fmt.Errorf("%w: none of the nodes keeps block %d", explorer.ErrPruned, height)
	case pruned > 0 || behind == 0:
		return nil, errors.Join(fmt.Errorf("no node that answers has block %d at present", height), failure)
	}
	if head, _ := s.known(); head >= height { // a node that had it does not answer now
		select {
		case <-ctx.Done():
		case <-time.After(lookEvery):
		}
	}
	return nil, nil
}

func (s *remoteSource) Proof(ctx context.Context, key []byte) (*explorer.Proof, error) {
	node, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	p, err := node.StateProof(ctx, key)
	if e, ok := errors.AsType[*client.Error](err); ok && e.Code == wire.CodeUnavailable {
		return nil, explorer.ErrNoProof
	}
	if err != nil {
		return nil, err
	}
	return &explorer.Proof{Height: ledger.Height(p.Height), Value: p.Value, Proof: p.Proof}, nil
}

// ReceiptProof tells the two reasons for which there is no proof, ErrNoProof and
// ErrPruned, from a node that fails.
func (s *remoteSource) ReceiptProof(ctx context.Context, hash crypto.Hash) (*wire.ReceiptProof, error) {
	node, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	p, err := node.ReceiptProof(ctx, hash)
	if refused, ok := errors.AsType[*client.Error](err); ok {
		switch refused.Name {
		case "notYetProvable":
			return nil, errors.Join(explorer.ErrNoProof, err)
		case "blockPruned":
			return nil, errors.Join(explorer.ErrPruned, err)
		}
	}
	return p, err
}
