package app

import (
	"context"
	"sync/atomic"

	abcicli "github.com/cometbft/cometbft/abci/client"
	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/libs/service"
	"github.com/cometbft/cometbft/proxy"
)

// ClientCreator connects CometBFT with the application in the same process.
// Its clients add no lock of their own: CometBFT's would make gossiped
// transactions wait for each other.
func (a *Application) ClientCreator() proxy.ClientCreator { return clientCreator{a} }

type clientCreator struct{ app *Application }

// NewABCIClient implements proxy.ClientCreator.
func (c clientCreator) NewABCIClient() (abcicli.Client, error) {
	l := &client{Application: c.app}
	l.BaseService = *service.NewBaseService(nil, "applicationClient", l)
	return l, nil
}

// client passes calls on to the application, which locks where it must.
type client struct {
	service.BaseService
	abci.Application
	callback atomic.Pointer[abcicli.Callback]
}

var _ abcicli.Client = (*client)(nil)

// SetResponseCallback implements abcicli.Client. The mempool sets it once.
func (c *client) SetResponseCallback(cb abcicli.Callback) { c.callback.Store(&cb) }

// CheckTxAsync implements abcicli.Client. It answers before it returns: the
// caller's goroutine does the work, so that admission is as parallel as its
// callers are.
func (c *client) CheckTxAsync(ctx context.Context, req *abci.RequestCheckTx) (*abcicli.ReqRes, error) {
	res, err := c.CheckTx(ctx, req)
	if err != nil {
		return nil, err
	}
	request, response := abci.ToRequestCheckTx(req), abci.ToResponseCheckTx(res)
	if cb := c.callback.Load(); cb != nil {
		(*cb)(request, response)
	}
	answered := abcicli.NewReqRes(request)
	answered.Response = response
	answered.InvokeCallback() // marks it answered: a callback set later runs at once
	answered.Done()
	return answered, nil
}

// Error implements abcicli.Client. Calls in a process do not get lost.
func (c *client) Error() error { return nil }

// Flush implements abcicli.Client. Nothing is buffered.
func (c *client) Flush(context.Context) error { return nil }

// Echo implements abcicli.Client.
func (c *client) Echo(_ context.Context, message string) (*abci.ResponseEcho, error) {
	return &abci.ResponseEcho{Message: message}, nil
}
