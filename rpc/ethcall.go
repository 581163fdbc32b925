package rpc

import (
	"context"
	"encoding/json"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/holiman/uint256"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/eth"
)

// Call is eth_call: an asset's functions, and what a movement would come to.
func (a *ethAPI) Call(ctx context.Context, call, block, state, header arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_call", []arg{call, block, state, header}, func(_ context.Context, p *params) (any, error) {
		c, height, err := a.s.callParams(p)
		if err != nil {
			return nil, err
		}
		answer, err := a.s.ethCall(c, height)
		return ethData(answer), err
	})
}

// EstimateGas is eth_estimateGas: a fixed figure, if the transaction would be
// applied.
func (a *ethAPI) EstimateGas(ctx context.Context, call, block, state, header arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "eth_estimateGas", []arg{call, block, state, header}, func(_ context.Context, p *params) (any, error) {
		c, height, err := a.s.callParams(p)
		if err != nil {
			return nil, err
		}
		if reason := a.s.noTransaction(c, height); reason != nil {
			return nil, reason
		}
		if err := a.s.wouldMove(c, height); err != nil {
			return nil, err
		}
		return hexutil.Uint64(eth.GasOf(c.Data)), nil
	})
}

// callParams reads the parameters that both have.
func (s *Server) callParams(p *params) (*eth.Call, ledger.Height, error) {
	c, id := p.call(s.backend.Network()), p.blockID()
	p.noOverrides()
	p.noOverrides()
	if p.err != nil {
		return nil, 0, p.err
	}
	height, err := s.needHeight(id)
	return c, height, err
}

// ethCall answers a call. What has no code takes any call and does nothing, as on
// Ethereum; value is moved first.
func (s *Server) ethCall(c *eth.Call, height ledger.Height) ([]byte, error) {
	if c.To == nil {
		return nil, reverted(ledger.CodeUnsupportedCall.Info().Meaning)
	}
	view, err := s.backend.View(height)
	if err != nil {
		return nil, err
	}
	token, err := tokenAt(view, crypto.Address(*c.To))
	if err != nil {
		return nil, err
	}
	if token == nil {
		if c.Value.IsZero() {
			return nil, nil
		}
		return nil, s.wouldMove(c, height)
	}
	return s.callToken(token, c, height)
}

// callToken answers a call of an asset.
func (s *Server) callToken(token *viewToken, c *eth.Call, height ledger.Height) ([]byte, error) {
	if !c.Value.IsZero() {
		return nil, s.wouldMove(c, height) // refused, whatever it is
	}
	if reason := eth.Refusal(c.Data); reason != "" {
		return nil, reverted(reason)
	}
	answer, reason, reads, err := eth.Read(token, c.Data)
	switch {
	case err != nil:
		return nil, err
	case reason != "":
		return nil, reverted(reason)
	case reads:
		return answer, nil
	}
	return eth.True(), s.wouldMove(c, height)
}

// noTransaction is why a call of an asset can be asked but not sent, in words that
// say more than the ledger's code would.
func (s *Server) noTransaction(c *eth.Call, height ledger.Height) error {
	if c.To == nil || len(c.Data) == 0 || eth.IsTransfer(c.Data) {
		return nil
	}
	view, err := s.backend.View(height)
	if err != nil {
		return err
	}
	asset, err := view.Asset(crypto.Address(*c.To))
	if err != nil || asset == nil {
		return err
	}
	if reason := eth.Refusal(c.Data); reason != "" {
		return reverted(reason)
	}
	return nil
}

// wouldMove judges what a call would be as a transaction, by the ledger's own
// rules: nil when it would be applied.
func (s *Server) wouldMove(c *eth.Call, height ledger.Height) error {
	net := s.backend.Network()
	leg, code := ledger.EthereumLeg(net, (*crypto.Address)(c.To), c.Value, c.Data)
	coin := code == ledger.CodeAmountOutOfRange && len(c.Data) == 0 // more than anybody can have
	if code != ledger.Applied && !coin {
		return reverted(code.Info().Meaning)
	}
	leg.From = crypto.Address(c.From)
	if leg.From.IsZero() { // left out, in the way of go-ethereum
		return reverted(ledger.CodeUnknownSender.Info().Meaning)
	}
	state, time, err := s.backend.StateAt(height)
	if err != nil {
		return err
	}
	if coin {
		return s.shortOf(code, c, leg.From, state)
	}
	next, err := nextOf(state, leg.From)
	if err != nil {
		return err
	}
	body := ledger.Body{Sender: leg.From, Nonce: next, Op: &ledger.Transfer{Legs: []ledger.Leg{leg}}}
	// An Ethereum envelope has one signature: that of the sender's own key.
	result, err := ledger.SimulateBody(net, time, state, &body, []crypto.Address{leg.From})
	if err != nil {
		return err
	}
	return s.refusedCall(result.Code, c, leg, state)
}

// nextOf is a nonce that an account can use, where there is the account.
func nextOf(state ledger.Reader, address crypto.Address) (ledger.Nonce, error) {
	raw, err := state.Get(ledger.KeyAccount(address))
	if err != nil || raw == nil {
		return 0, err
	}
	account, err := ledger.DecodeAccount(raw)
	return account.Window.Next, err
}

// refusedCall is how a refusal is told to a wallet: as a revert with its reason,
// but for coin that the sender does not have, for which wallets know go-ethereum's
// words.
func (s *Server) refusedCall(code ledger.Code, c *eth.Call, leg ledger.Leg, state ledger.Reader) error {
	if code == ledger.Applied {
		return nil
	}
	if !c.Value.IsZero() && leg.Asset == s.backend.Network().Settlement && (code == ledger.CodeInsufficientBalance || code == ledger.CodeUnknownSender) {
		return s.shortOf(code, c, leg.From, state)
	}
	return reverted(code.Info().Meaning)
}

// shortOf is the refusal of coin that the sender cannot send: go-ethereum's where it
// does not have as much, and the ledger's where a part of what it has is held.
func (s *Server) shortOf(code ledger.Code, c *eth.Call, from crypto.Address, state ledger.Reader) error {
	net := s.backend.Network()
	raw, err := state.Get(ledger.KeyBalance(from, net.Settlement))
	if err != nil {
		return err
	}
	b, err := ledger.DecodeBalance(raw)
	if err != nil {
		return err
	}
	sum, _ := b.Available.Add(b.Held)
	if has := eth.Wei(net, sum); has.Lt(c.Value) {
		return insufficientFunds(from, has, c.Value, code)
	}
	return reverted(code.Info().Meaning)
}

func insufficientFunds(from crypto.Address, has, wants *uint256.Int, code ledger.Code) *callError {
	return ethRefusal(code, "insufficient funds for gas * price + value: address %s have %s want %s", from, has.Dec(), wants.Dec())
}
