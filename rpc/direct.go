package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"
)

// The calls that are made once for each transaction, or so often, do not pass through
// go-ethereum's server, which reads a message three times, makes a goroutine for
// it and writes the answer twice: all that cost more than the node's own work
// for the transaction. They are answered here, from the envelope that screen has
// read, in the same words.

type directMethod func(*ledgerAPI, context.Context, []arg) (json.RawMessage, error)

// directMethods are these calls, by name.
var directMethods = map[string]directMethod{
	"ledger_sendRawTransaction": func(a *ledgerAPI, ctx context.Context, p []arg) (json.RawMessage, error) {
		return a.SendRawTransaction(ctx, p[0])
	},
	"ledger_sendRawTransactionSync": func(a *ledgerAPI, ctx context.Context, p []arg) (json.RawMessage, error) {
		return a.SendRawTransactionSync(ctx, p[0], p[1])
	},
	"ledger_waitReceipt": func(a *ledgerAPI, ctx context.Context, p []arg) (json.RawMessage, error) {
		return a.WaitReceipt(ctx, p[0], p[1])
	},
	"ledger_getReceipt": func(a *ledgerAPI, ctx context.Context, p []arg) (json.RawMessage, error) {
		return a.GetReceipt(ctx, p[0])
	},
	"ledger_getAccount": func(a *ledgerAPI, ctx context.Context, p []arg) (json.RawMessage, error) {
		return a.GetAccount(ctx, p[0], p[1])
	},
	"eth_chainId": func(a *ledgerAPI, ctx context.Context, _ []arg) (json.RawMessage, error) {
		return a.eth().ChainId(ctx)
	},
	"eth_blockNumber": func(a *ledgerAPI, ctx context.Context, _ []arg) (json.RawMessage, error) {
		return a.eth().BlockNumber(ctx)
	},
	"eth_getBalance": func(a *ledgerAPI, ctx context.Context, p []arg) (json.RawMessage, error) {
		return a.eth().GetBalance(ctx, p[0], p[1])
	},
	"eth_getTransactionCount": func(a *ledgerAPI, ctx context.Context, p []arg) (json.RawMessage, error) {
		return a.eth().GetTransactionCount(ctx, p[0], p[1])
	},
	"eth_call": func(a *ledgerAPI, ctx context.Context, p []arg) (json.RawMessage, error) {
		return a.eth().Call(ctx, p[0], p[1], p[2], p[3])
	},
	"eth_getTransactionReceipt": func(a *ledgerAPI, ctx context.Context, p []arg) (json.RawMessage, error) {
		return a.eth().GetTransactionReceipt(ctx, p[0])
	},
	"eth_sendRawTransaction": func(a *ledgerAPI, ctx context.Context, p []arg) (json.RawMessage, error) {
		return a.eth().SendRawTransaction(ctx, p[0])
	},
	"eth_sendRawTransactionSync": func(a *ledgerAPI, ctx context.Context, p []arg) (json.RawMessage, error) {
		return a.eth().SendRawTransactionSync(ctx, p[0], p[1])
	},
}

// eth is the same server's other methods.
func (a *ledgerAPI) eth() *ethAPI { return &ethAPI{a.s} }

// admits reports whether a direct call brings a transaction.
func (c call) admits() bool {
	switch c.name {
	case "ledger_sendRawTransaction", "ledger_sendRawTransactionSync", "eth_sendRawTransaction", "eth_sendRawTransactionSync":
		return true
	}
	return false
}

// direct reports whether a call in order is answered here. What asks for no
// answer is not.
func (c call) direct() bool { return c.id != nil && c.run() != nil }

// run is what answers a direct call; nil for other calls.
func (c call) run() directMethod {
	if run := directMethods[c.name]; run != nil {
		return run
	}
	return followMethods[c.name]
}

// reply answers a single call that is direct.
func (s *Server) reply(ctx context.Context, c call) []byte {
	result, err := c.run()(&ledgerAPI{s}, ctx, c.args())
	out := make([]byte, 0, len(`{"jsonrpc":"2.0","id":,"result":}`)+len(c.id)+len(result))
	out = append(append(out, `{"jsonrpc":"2.0","id":`...), c.id...)
	if err != nil {
		return append(append(append(out, `,"error":`...), errorJSON(err)...), '}')
	}
	return append(append(append(out, `,"result":`...), result...), '}')
}

// args are the parameters, one for each of the method: nil where one is left
// out or null.
func (c call) args() []arg {
	args := make([]arg, len(methodNamed(c.name).params))
	if c.params == nil || c.params[0] != '[' {
		return args
	}
	i := 0
	for raw := range elements(c.params) {
		if !bytes.Equal(raw, nullID) {
			value := json.RawMessage(raw)
			args[i] = &value
		}
		i++
	}
	return args
}

// errorJSON is the error member of an answer. Calls err with callErrors alone.
func errorJSON(err error) []byte {
	var e *callError
	if !errors.As(err, &e) {
		e = kindInternal.plain()
	}
	out, err := json.Marshal(struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Data    any    `json:"data"`
	}{e.code, e.message, e.ErrorData()})
	if err != nil {
		panic("rpc: an error does not marshal: " + err.Error())
	}
	return out
}

// workers run calls on goroutines that are kept for a while: a new one for each
// call would have to grow its stack each time.
type workers struct {
	jobs chan func()
}

// workerRest is how long a worker waits for its next call before it ends.
const workerRest = 5 * time.Second

func newWorkers() workers { return workers{make(chan func())} }

// run does job on another goroutine. It never waits.
func (w workers) run(job func()) {
	select {
	case w.jobs <- job:
	default:
		go w.work(job)
	}
}

func (w workers) work(job func()) {
	timer := time.NewTimer(workerRest)
	defer timer.Stop()
	for {
		job()
		timer.Reset(workerRest)
		select {
		case job = <-w.jobs:
		case <-timer.C:
			return
		}
	}
}
