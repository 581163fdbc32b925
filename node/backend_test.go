package node

import (
	"errors"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/mempool"
	cmttypes "github.com/cometbft/cometbft/types"

	"github.com/tallystick/tallystick/rpc"
)

// fullPool takes nothing, as CometBFT's mempool when it is full: that one does
// not ask first whether it knows the bytes.
type fullPool struct{}

func (fullPool) CheckTx(cmttypes.Tx, func(*abci.ResponseCheckTx), mempool.TxInfo) error {
	return mempool.ErrMempoolIsFull{NumTxs: 1, MaxTxs: 1}
}

// What is committed may be sent again, even to a node that can take nothing.
func TestSubmitAgainToAFullPool(t *testing.T) {
	t.Parallel()
	net := newTestnet(t, 1)
	net.startAll()
	net.commit(0, 0)
	full := *net.nodes[0].backend
	full.pool = fullPool{}
	old, fresh := net.transfer(full.net, 0), net.transfer(full.net, 1)
	for name, catchingUp := range map[string]bool{"a full pool": false, "catching up": true} {
		full.catchingUp = func() bool { return catchingUp }
		if v, err := full.Submit(t.Context(), old.Raw); err != nil || v.Hash != old.Hash || v.Code != 0 {
			t.Errorf("%s: a committed transaction again: %v, %v", name, v, err)
		}
		want := rpc.ErrPoolFull
		if catchingUp {
			want = rpc.ErrCatchingUp
		}
		if _, err := full.Submit(t.Context(), fresh.Raw); !errors.Is(err, want) {
			t.Errorf("%s: a new transaction: %v, want %v", name, err, want)
		}
	}
}
