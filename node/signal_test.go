package node

import (
	"context"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/mempool"
	"github.com/cometbft/cometbft/types"

	"github.com/tallystick/tallystick/app"
)

// tokens is a mempool that says what it was asked for.
type tokens struct {
	offered chan string
	removed []types.TxKey
}

func (p *tokens) CheckTx(tx types.Tx, _ func(*abci.ResponseCheckTx), _ mempool.TxInfo) error {
	p.offered <- string(tx)
	return mempool.ErrTxInCache // an error is no reason to stop
}

func (p *tokens) RemoveTxByKey(key types.TxKey) error {
	p.removed = append(p.removed, key)
	return mempool.ErrTxNotFound
}

// Raising never blocks, is never lost, and leads to one offer of the token at
// least; lowering takes away what was offered.
func TestSignal(t *testing.T) {
	pool := &tokens{offered: make(chan string)}
	s := newSignal(pool)
	s.Raise()
	s.Raise() // nobody reads yet
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		s.run(ctx)
		close(ended)
	}()
	if got := <-pool.offered; got != string(app.Token) {
		t.Errorf("%q was offered", got)
	}
	s.Raise()
	<-pool.offered
	s.Lower()
	if len(pool.removed) != 1 || pool.removed[0] != types.Tx(app.Token).Key() {
		t.Errorf("removed %v", pool.removed)
	}
	cancel()
	<-ended
}
