package node

import (
	"context"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/mempool"
	"github.com/cometbft/cometbft/types"

	"github.com/tallystick/tallystick/app"
)

// tokenPool is what signal needs of CometBFT's mempool.
type tokenPool interface {
	CheckTx(tx types.Tx, callback func(*abci.ResponseCheckTx), info mempool.TxInfo) error
	RemoveTxByKey(key types.TxKey) error
}

// signal keeps CometBFT making blocks while transactions wait: its mempool then
// holds the application's token, and otherwise nothing.
type signal struct {
	pool   tokenPool
	key    types.TxKey
	raised chan struct{} // room for one: something waits since it was last read
}

var _ app.Signal = (*signal)(nil)

func newSignal(pool tokenPool) *signal {
	return &signal{pool: pool, key: types.Tx(app.Token).Key(), raised: make(chan struct{}, 1)}
}

// Raise implements app.Signal.
func (s *signal) Raise() {
	select {
	case s.raised <- struct{}{}:
	default: // it will be read after this
	}
}

// Lower implements app.Signal. That the token is not there is no error.
func (s *signal) Lower() { _ = s.pool.RemoveTxByKey(s.key) }

// run offers the token whenever the signal was raised, until ctx ends. The
// application lets it in if something waits still. CometBFT takes it once, and
// refuses it while it is there or when the node is stopping; neither matters.
func (s *signal) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.raised:
			_ = s.pool.CheckTx(app.Token, nil, mempool.TxInfo{})
		}
	}
}
