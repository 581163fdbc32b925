package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/core/types"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/eth"
)

// SendRawTransaction is eth_sendRawTransaction. It takes native envelopes too.
func (a *ethAPI) SendRawTransaction(ctx context.Context, raw arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_sendRawTransaction", []arg{raw}, func(ctx context.Context, p *params) (any, error) {
		raw := p.raw()
		if p.err != nil {
			return nil, p.err
		}
		hash := crypto.Keccak256(raw)
		known, err := a.s.backend.Transaction(hash)
		switch {
		case err != nil:
			return nil, err
		case known != nil && known.Height == 0:
			return nil, alreadyKnown(hash)
		case known != nil:
			return nil, a.s.spentBySame(hash, raw, known.Height)
		}
		return hash, a.s.ethSubmit(ctx, raw)
	})
}

// SendRawTransactionSync is eth_sendRawTransactionSync (EIP-7966). Bytes that wait
// or are committed already are waited for: a call again does no harm.
func (a *ethAPI) SendRawTransactionSync(ctx context.Context, raw, timeoutMs arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_sendRawTransactionSync", []arg{raw, timeoutMs}, func(ctx context.Context, p *params) (any, error) {
		raw, timeout := p.raw(), p.ethTimeout(a.s.options.WaitTimeout)
		if p.err != nil {
			return nil, p.err
		}
		if err := a.s.ethSubmit(ctx, raw); err != nil {
			return nil, err
		}
		return a.s.awaitEthReceipt(ctx, crypto.Keccak256(raw), timeout)
	})
}

// ethSubmit hands raw to admission, and words what speaks against it as go-ethereum
// would.
func (s *Server) ethSubmit(ctx context.Context, raw []byte) error {
	t := s.turnOf(ctx)
	if t == nil {
		return kindCancelled.plain()
	}
	verdict, err := s.admit(ctx, raw, t)
	if err != nil {
		return err
	}
	own := verdict.HolderHash != nil && *verdict.HolderHash == verdict.Hash
	if verdict.Code == ledger.Applied || own {
		return nil
	}
	net := s.backend.Network()
	tx, next, err := s.lookAt(verdict, raw)
	if err != nil {
		return err
	}
	e := sendRefusal(verdict, tx, net, next)
	if verdict.Code == ledger.CodeInsufficientBalance {
		unavailable, err := s.seesEnough(tx)
		if err != nil {
			return err
		}
		if unavailable {
			e.message = verdict.Code.Info().Meaning
		}
	}
	return e
}

// seesEnough reports whether the sender of a payment in the settlement asset sees as
// much in its balance, of which a part is not available: to speak of insufficient
// funds would belie what it sees.
func (s *Server) seesEnough(tx *ledger.Tx) (bool, error) {
	settlement := s.backend.Network().Settlement
	t, ok := tx.Op.(*ledger.Transfer)
	if !ok || len(t.Legs) != 1 || t.Legs[0].Asset != settlement {
		return false, nil
	}
	state, err := s.backend.State()
	if err != nil {
		return false, err
	}
	raw, err := state.Get(ledger.KeyBalance(t.Legs[0].From, settlement))
	if err != nil {
		return false, err
	}
	b, err := ledger.DecodeBalance(raw)
	sum, _ := b.Available.Add(b.Held)
	return sum.Cmp(t.Legs[0].Amount) >= 0, err
}

// lookAt takes a refused transaction apart, as far as the wording of its refusal
// needs it, and finds its sender's next nonce where that matters.
func (s *Server) lookAt(v Verdict, raw []byte) (tx *ledger.Tx, next uint64, err error) {
	tx, _ = ledger.DecodeHashed(s.backend.Network(), raw, v.Hash)
	switch v.Code {
	case ledger.CodeNonceSpent, ledger.CodeNonceTooLow, ledger.CodeNonceTooHigh:
		tx.RecoverSigners() // it has been: the code says so
		next, err = s.nextNonce(tx.Sender, s.backend.Height(), eth.Latest)
	case ledger.CodeInsufficientBalance:
		tx.RecoverSigners()
	}
	return tx, next, err
}

// spentBySame answers for bytes that are in the chain already.
func (s *Server) spentBySame(hash crypto.Hash, raw []byte, height ledger.Height) error {
	v := Verdict{Hash: hash, Code: ledger.CodeNonceSpent}
	tx, next, err := s.lookAt(v, raw)
	if err != nil {
		return err
	}
	e := sendRefusal(v, tx, s.backend.Network(), next)
	e.message += fmt.Sprintf(" (this very transaction stands in block %d)", height)
	return e
}

// wrongNetwork words what is wrong with a transaction for another chain.
func wrongNetwork(raw []byte, net *ledger.Network, meaning string) string {
	var tx types.Transaction
	if tx.UnmarshalBinary(raw) != nil {
		return meaning
	}
	if !tx.Protected() {
		return "only replay-protected (EIP-155) transactions allowed over RPC"
	}
	return fmt.Sprintf("invalid chain id for signer: have %s want %d: %s", tx.ChainId(), net.ChainID, meaning)
}

// awaitEthReceipt waits for a receipt. When it does not come in time, the error has
// the code and the data of EIP-7966.
func (s *Server) awaitEthReceipt(ctx context.Context, hash crypto.Hash, timeout time.Duration) (any, error) {
	_, err := s.waitReceipt(ctx, hash, timeout)
	var e *callError
	if errors.As(err, &e) && e.data.Name == kindTimeout.name {
		late := kindSyncTimeout.with("the transaction was taken, and there is no receipt within %d ms", timeout.Milliseconds())
		late.plainData = hash.String()
		return nil, late
	}
	if err != nil {
		return nil, err
	}
	return s.ethReceipt(hash)
}
