package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// TypedData is ledger_typedData.
func (a *ledgerAPI) TypedData(ctx context.Context, tx arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "ledger_typedData", []arg{tx}, func(ctx context.Context, p *params) (any, error) {
		body := p.body()
		if p.err != nil {
			return nil, p.err
		}
		if err := a.s.signable(ctx, &body); err != nil {
			return nil, err
		}
		net := a.s.backend.Network()
		return wire.TypedData{
			TypedData: net.TypedData(&body), Digest: net.TypedDataDigest(&body), BodyHash: net.BodyHash(&body),
		}, nil
	})
}

// signable refuses what no signature could make includable, now or later.
func (s *Server) signable(ctx context.Context, body *ledger.Body) error {
	if code := ledger.CheckBody(s.backend.Network(), body); code != ledger.Applied {
		return rejected(code)
	}
	if body.ValidUntil == 0 {
		return nil
	}
	status, err := s.backend.Status(ctx)
	if err != nil {
		return err
	}
	if uint64(body.ValidUntil) < status.BlockTime {
		return rejected(ledger.CodeExpired)
	}
	return nil
}

// SendTransaction is ledger_sendTransaction.
func (a *ledgerAPI) SendTransaction(ctx context.Context, signed arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "ledger_sendTransaction", []arg{signed}, func(ctx context.Context, p *params) (any, error) {
		body, signatures := p.signed()
		if p.err != nil {
			return nil, p.err
		}
		raw, err := encodeSigned(a.s.backend.Network(), &body, signatures)
		if err != nil {
			return nil, err
		}
		return a.s.submit(ctx, raw)
	})
}

// encodeSigned makes the raw bytes. The body is judged first: with many
// signatures, putting them in order is the costly part.
func encodeSigned(net *ledger.Network, body *ledger.Body, sent []sentSignature) ([]byte, error) {
	if code := ledger.CheckBody(net, body); code != ledger.Applied {
		return nil, rejected(code)
	}
	if len(sent) > ledger.MaxSignatures {
		return nil, rejected(ledger.CodeLimitExceeded)
	}
	signatures := make([]ledger.Signature, len(sent))
	for i, s := range sent {
		signature, err := crypto.ParseSignature(*s.Signature)
		if err != nil {
			return nil, rejected(ledger.CodeInvalidSignature)
		}
		signatures[i] = ledger.Signature{Scheme: ledger.Scheme(*s.Scheme), Signature: signature}
	}
	if len(signatures) < 2 {
		return ledger.EncodeNative(net, body, signatures), nil
	}
	tx, code := ledger.Build(net, *body, signatures)
	if code != ledger.Applied {
		return nil, rejected(code)
	}
	return tx.Raw, nil
}

// SendRawTransaction is ledger_sendRawTransaction.
func (a *ledgerAPI) SendRawTransaction(ctx context.Context, raw arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "ledger_sendRawTransaction", []arg{raw}, func(ctx context.Context, p *params) (any, error) {
		raw := p.raw()
		if p.err != nil {
			return nil, p.err
		}
		return a.s.submit(ctx, raw)
	})
}

// submit hands raw to admission and returns its hash.
func (s *Server) submit(ctx context.Context, raw []byte) (crypto.Hash, error) {
	t := s.turnOf(ctx)
	if t == nil {
		return crypto.Hash{}, kindCancelled.plain()
	}
	verdict, err := s.admit(ctx, raw, t)
	if err != nil {
		return crypto.Hash{}, err
	}
	// The one that has the nonce may be this very transaction: the same bytes
	// again are never an error.
	own := verdict.HolderHash != nil && *verdict.HolderHash == verdict.Hash
	if verdict.Code != ledger.Applied && !own {
		return crypto.Hash{}, rejectedBy(verdict)
	}
	return verdict.Hash, nil
}

// admit is the backend's Submit within a turn, which ends with it, even if it
// panics.
func (s *Server) admit(ctx context.Context, raw []byte, t *turn) (Verdict, error) {
	defer t.leave()
	return s.backend.Submit(ctx, raw)
}

// SendRawTransactionSync is ledger_sendRawTransactionSync.
func (a *ledgerAPI) SendRawTransactionSync(ctx context.Context, raw, timeoutMs arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "ledger_sendRawTransactionSync", []arg{raw, timeoutMs}, func(ctx context.Context, p *params) (any, error) {
		raw, timeout := p.raw(), p.timeout(defaultWait, a.s.options.WaitTimeout)
		if p.err != nil {
			return nil, p.err
		}
		hash, err := a.s.submit(ctx, raw)
		if err != nil {
			return nil, err
		}
		return a.s.waitReceipt(ctx, hash, timeout)
	})
}

// WaitReceipt is ledger_waitReceipt.
func (a *ledgerAPI) WaitReceipt(ctx context.Context, hash, timeoutMs arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "ledger_waitReceipt", []arg{hash, timeoutMs}, func(ctx context.Context, p *params) (any, error) {
		hash, timeout := p.hash(), p.timeout(defaultWait, a.s.options.WaitTimeout)
		if p.err != nil {
			return nil, p.err
		}
		return a.s.waitReceipt(ctx, hash, timeout)
	})
}

// waitReceipt waits for the receipt, the timeout, the caller's going away or
// the server's end. Every error but a failure of the node carries the hash.
func (s *Server) waitReceipt(ctx context.Context, hash crypto.Hash, timeout time.Duration) (*wire.Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)()
	if c := s.connOf(ctx); c != nil {
		defer context.AfterFunc(c.ctx, cancel)()
	}
	receipt, err := s.backend.WaitReceipt(ctx, hash)
	switch {
	case err == nil && receipt != nil:
		return receipt, nil
	case s.stopping.Err() != nil:
		return nil, kindShuttingDown.plain().about(hash)
	case err == nil || errors.Is(err, context.DeadlineExceeded):
		return nil, kindTimeout.with("no receipt within %d ms", timeout.Milliseconds()).about(hash)
	case errors.Is(err, context.Canceled):
		return nil, kindCancelled.plain().about(hash)
	}
	return nil, err
}
