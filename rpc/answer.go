package rpc

import (
	"context"
	"encoding/json"
	"runtime/debug"
	"time"

	"github.com/tallystick/tallystick/rpc/wire"
)

// answer runs one call: it takes the call's place among the others, reads the
// parameters, and makes the result or the one kind of error. Whatever fails
// inside the node is logged here, and the client learns only that it failed.
func (s *Server) answer(ctx context.Context, name string, args []arg, run func(context.Context, *params) (any, error)) (result json.RawMessage, err error) {
	started := time.Now()
	m := methodNamed(name)
	defer func() { s.metrics.observe(name, time.Since(started), err) }()
	if !s.calls.begin() {
		return nil, kindShuttingDown.plain()
	}
	defer s.calls.end()
	leave, err := s.place(ctx, m)
	if err != nil {
		return nil, err
	}
	defer leave()
	defer func() {
		if crash := recover(); crash != nil {
			s.options.Logger.Error("rpc method crashed", "method", name, "panic", crash, "stack", string(debug.Stack()))
			result, err = nil, kindInternal.plain()
		}
	}()
	value, err := run(ctx, &params{method: m, args: args})
	if err != nil {
		return nil, s.explain(name, err)
	}
	if result, err = render(value); err != nil {
		return nil, s.explain(name, err)
	}
	if b := batchOf(ctx); b != nil && b.left.Add(-int64(len(result))) < 0 {
		return nil, kindResponse.plain()
	}
	if !mayHold(ctx, len(result)) {
		return nil, kindBusy.with("the node holds as many answers as it may that their clients do not take")
	}
	return result, nil
}

// place takes a call's place among those that run; call what it returns at the end.
// Searches of the history have few places of their own: as many of them as may run of
// other calls would keep the processors from everything else.
// Whoever has a turn needs none but among those that wait for receipts: turns are
// few, and calls that have the places may all be waiting for one.
func (s *Server) place(ctx context.Context, m *method) (leave func(), err error) {
	switch {
	case m.waits:
		if !s.waiting.try() {
			return nil, kindBusy.with("the node has as many waiting calls as it may")
		}
		return s.waiting.leave, nil
	case hasTurn(ctx):
		return func() {}, nil
	case m.heavy && !s.heavy.wait(ctx, queueWait):
		return nil, kindBusy.with("the node is searching its history for as many calls as it may")
	case m.heavy:
		return s.heavy.leave, nil
	case !s.concurrent.wait(ctx, queueWait):
		return nil, kindBusy.plain()
	}
	return s.concurrent.leave, nil
}

// render writes a result.
func render(value any) (json.RawMessage, error) {
	if receipt, ok := value.(*wire.Receipt); ok && receipt != nil {
		return receipt.AppendJSON(make([]byte, 0, receiptBytes))
	}
	if own, ok := value.(written); ok {
		return json.RawMessage(own), nil
	}
	return json.Marshal(value)
}

// written is a result that its method has written itself: compact, valid JSON.
type written []byte

// receiptBytes is more than most receipts take.
const receiptBytes = 1024

// explain turns an error into what the client is told.
func (s *Server) explain(method string, err error) error {
	if e, ok := known(err); ok {
		return e
	}
	s.options.Logger.Error("rpc method failed", "method", method, "err", err)
	return kindInternal.plain()
}

// rpcAPI has the methods about the RPC itself, and the one that screen calls.
type rpcAPI struct{ s *Server }

// Discover is rpc_discover, and by screen rpc.discover.
func (a *rpcAPI) Discover(ctx context.Context) (json.RawMessage, error) {
	return a.s.answer(ctx, discoverMethod, nil, func(context.Context, *params) (any, error) {
		return json.RawMessage(a.s.openRPC), nil
	})
}

const (
	discoverMethod = "rpc_discover"
	discoverAlias  = "rpc.discover" // the name in the OpenRPC specification
	refuseMethod   = "rpc_refuse"   // not in the table: only screen can call it
)

// refusedCall is an error that screen found, on its way through the dispatcher.
type refusedCall struct {
	Code    int            `json:"code"`
	Message string         `json:"message"`
	Data    wire.ErrorData `json:"data"`
}

// Refuse answers with the error that screen found.
func (a *rpcAPI) Refuse(e refusedCall) (json.RawMessage, error) {
	err := &callError{code: e.Code, message: e.Message, data: e.Data}
	a.s.metrics.observe("invalid", 0, err)
	return nil, err
}
