package rpc

import (
	"context"
	"encoding/json"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// simulateMethods are the rows about what transactions would do.
var simulateMethods = []*method{
	{
		name: "ledger_simulate", summary: "What an unsigned transaction would do, if those who must had signed it.",
		description: "Judged by the ledger's own rules, as if it were alone in the next block. What falls due before it, and what is pending, are left out. authorisers are the accounts that must sign, the sender first.",
		params:      []param{{"tx", true, formBody, "The unsigned transaction."}, paramSimulated},
		result:      result{"simulation", "", refTo[wire.Simulation]}, errors: []errorComponent{errorNotFound},
	},
}

var paramSimulated = param{"height", false, formHeight, "On the state after this block; the newest where it is left out. A node keeps the state of at least its last 128 blocks."}

// Simulate is ledger_simulate.
func (a *ledgerAPI) Simulate(ctx context.Context, tx, height arg) (json.RawMessage, error) {
	return a.s.answer(ctx, "ledger_simulate", []arg{tx, height}, func(_ context.Context, p *params) (any, error) {
		body := p.body()
		height, latest := p.height()
		if p.err != nil {
			return nil, p.err
		}
		top := a.s.backend.Height()
		if latest {
			height = top
		}
		if height > top {
			return nil, unknownHeight(height, top)
		}
		return a.s.simulate(&body, height)
	})
}

// simulate says what a body would do after the block at height.
func (s *Server) simulate(body *ledger.Body, height ledger.Height) (*wire.Simulation, error) {
	net := s.backend.Network()
	state, time, err := s.backend.StateAt(height)
	if err != nil {
		return nil, err
	}
	result, err := ledger.SimulateBody(net, time, state, body, nil)
	if err != nil {
		return nil, err
	}
	out := &wire.Simulation{
		Height: uint64(height), Code: uint32(result.Code), Status: statusOf(result.Code), Events: make([]wire.Event, len(result.Events)),
		Authorisers: []wire.Authority{},
	}
	if result.Code != ledger.Applied {
		out.Message = result.Code.Info().Meaning
	}
	for i, e := range result.Events {
		out.Events[i] = wire.Event{Event: e}
	}
	if ledger.CheckBody(net, body) != ledger.Applied {
		return out, nil // nobody can sign it
	}
	out.BodyHash = net.BodyHash(body)
	out.Authorisers, err = authorisersOf(state, body)
	return out, err
}

// statusOf says in a word what became of a transaction.
func statusOf(code ledger.Code) string {
	switch {
	case code == ledger.Applied:
		return "applied"
	case code.SpendsNonce():
		return "refused"
	}
	return "notIncludable"
}

// authorisersOf are the accounts that must authorise a body, the sender first. One
// that does not exist is there with no keys: nobody can sign for it.
func authorisersOf(state ledger.Reader, body *ledger.Body) ([]wire.Authority, error) {
	accounts := body.Authorisers()
	out := make([]wire.Authority, len(accounts))
	for i, account := range accounts {
		authority, err := readAuthority(state, account)
		if err != nil {
			return nil, err
		}
		if authority == nil {
			authority = &wire.Authority{Account: account, Keys: []ledger.Key{}}
		}
		out[i] = *authority
	}
	return out, nil
}
