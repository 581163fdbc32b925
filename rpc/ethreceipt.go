package rpc

import (
	"context"
	"encoding/json"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// receiptPatience is how long eth_getTransactionReceipt waits, of a transaction
// that is pending on this node when it is asked, before it answers; the calls of a
// batch wait no longer together. There are two reasons, both in libraries that were
// made for slower chains:
//
// They look for a receipt once, and after that when a new block comes. Where it is
// the next block that they just missed, an idle network has none for them until its
// heartbeat, many seconds later.
//
// And ethers remembers what it read for 250 ms, the sender's nonce too: it was read
// before the transaction was sent, and must be forgotten when wait() is over, or the
// next transaction takes the same nonce. So a receipt that comes sooner waits too.
const receiptPatience = 250 * time.Millisecond

// GetTransactionReceipt is eth_getTransactionReceipt.
func (a *ethAPI) GetTransactionReceipt(ctx context.Context, hash arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_getTransactionReceipt", []arg{hash}, func(ctx context.Context, p *params) (any, error) {
		hash := p.hash()
		if p.err != nil {
			return nil, p.err
		}
		if receipt, err := a.s.ethReceipt(hash); receipt != nil || err != nil {
			return receipt, err
		}
		if err := a.s.bePatient(ctx, hash); err != nil {
			return nil, err
		}
		return a.s.ethReceipt(hash)
	})
}

// bePatient waits receiptPatience where a transaction is pending here. It comes back
// at once for any other one, and where half of the calls that may run wait so already.
func (s *Server) bePatient(ctx context.Context, hash crypto.Hash) error {
	known, err := s.findTransaction(ctx, hash)
	if err != nil || known == nil || known.Height != 0 || !s.patient.try() {
		return err
	}
	defer s.patient.leave()
	until := time.Now().Add(s.receiptPatience)
	if b := batchOf(ctx); b != nil {
		until = b.patience
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-s.stopping.Done():
	}
	return nil
}

// ethReceipt is a transaction's receipt; nil where the chain does not have it.
func (s *Server) ethReceipt(hash crypto.Hash) (any, error) {
	receipt, err := s.backend.Receipt(hash)
	if err != nil || receipt == nil {
		return nil, err
	}
	b, err := s.ethBlock(ledger.Height(receipt.Height))
	if err != nil || b == nil {
		return nil, err
	}
	shown, ok := b.Receipt(receipt)
	if !ok {
		return nil, nil
	}
	return shown, nil
}
