package node

import (
	"errors"
	"net/http/httptest"
	"reflect"
	"testing"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/holiman/uint256"

	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc"
)

// go-ethereum's client reads the chain of real validators: one hash for a block
// everywhere, each the parent of the next from the genesis on, and logs that add up
// to what the state has.
func TestChainWithGoEthereum(t *testing.T) {
	t.Parallel()
	net := newTestnet(t, 2)
	net.startAll()
	var top ledger.Height
	for nonce := range ledger.Nonce(3) {
		top = net.commit(0, nonce)
	}
	backend := net.nodes[0].Backend()
	server, err := rpc.NewServer(backend, rpc.Options{Logger: testLog()})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	client, err := ethclient.Dial(web.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	last, transactions := common.Hash{}, 0
	for height := ledger.Height(0); height <= top; height++ {
		block, err := client.BlockByNumber(t.Context(), new(uint256.Int).SetUint64(uint64(height)).ToBig())
		if err != nil {
			t.Fatal(err)
		}
		done, err := backend.Done(height)
		if err != nil {
			t.Fatal(err)
		}
		if block.ParentHash() != last || block.NumberU64() != uint64(height) || block.Time() != uint64(done.Time) {
			t.Errorf("block %d: %+v after %s", height, block.Header(), last)
		}
		last, transactions = common.Hash(done.Hash), transactions+len(block.Transactions())
		if again, err := client.HeaderByHash(t.Context(), last); err != nil || again.Number.Uint64() != uint64(height) {
			t.Errorf("block %d by its hash: %v, %v", height, again, err)
		}
	}
	if transactions != 3 {
		t.Errorf("%d transactions in blocks", transactions)
	}
	addUp(t, client, backend)
	stateAt(t, backend, top)
	net.stop()
}

// addUp adds up all logs of each asset and holder, and compares with the state.
func addUp(t *testing.T, client *ethclient.Client, backend rpc.Backend) {
	t.Helper()
	logs, err := client.FilterLogs(t.Context(), ethereum.FilterQuery{FromBlock: common.Big0})
	if err != nil {
		t.Fatal(err)
	}
	lookedUp(t, client, logs)
	type holder struct{ asset, account common.Address }
	sums := map[holder]*uint256.Int{}
	of := func(asset common.Address, topic common.Hash) *uint256.Int {
		id := holder{asset, common.BytesToAddress(topic[:])}
		if sums[id] == nil {
			sums[id] = new(uint256.Int)
		}
		return sums[id]
	}
	for _, l := range logs {
		amount := new(uint256.Int).SetBytes(l.Data)
		of(l.Address, l.Topics[1]).Sub(of(l.Address, l.Topics[1]), amount)
		of(l.Address, l.Topics[2]).Add(of(l.Address, l.Topics[2]), amount)
	}
	view, err := backend.View(backend.Height())
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for id, sum := range sums {
		if id.account == (common.Address{}) {
			continue
		}
		b, err := view.Balance([20]byte(id.account), [20]byte(id.asset))
		if err != nil {
			t.Fatal(err)
		}
		if has, _ := b.Available.Add(b.Held); *has.Uint256() != *sum {
			t.Errorf("%s has %s of %s, and the logs give %s", id.account, has, id.asset, sum)
		}
		seen++
	}
	if seen < 4 {
		t.Errorf("only %d holders in %d logs", seen, len(logs))
	}
}

// lookedUp compares the logs of one asset, and of one holder, which the index finds,
// with those among all.
func lookedUp(t *testing.T, client *ethclient.Client, all []types.Log) {
	t.Helper()
	last := all[len(all)-1]
	for name, c := range map[string]struct {
		query ethereum.FilterQuery
		asked func(*types.Log) bool
	}{
		"asset": {ethereum.FilterQuery{Addresses: []common.Address{last.Address}}, func(l *types.Log) bool { return l.Address == last.Address }},
		"payer": {ethereum.FilterQuery{Topics: [][]common.Hash{nil, {last.Topics[1]}}}, func(l *types.Log) bool { return l.Topics[1] == last.Topics[1] }},
		"payee": {ethereum.FilterQuery{Topics: [][]common.Hash{nil, nil, {last.Topics[2]}}}, func(l *types.Log) bool { return l.Topics[2] == last.Topics[2] }},
	} {
		var want []types.Log
		for _, l := range all {
			if c.asked(&l) {
				want = append(want, l)
			}
		}
		c.query.FromBlock = common.Big0
		got, err := client.FilterLogs(t.Context(), c.query)
		if err != nil || !reflect.DeepEqual(got, want) || len(want) == 0 || len(want) == len(all) {
			t.Errorf("by %s: %d logs of %d, %v; want %d", name, len(got), len(all), err, len(want))
		}
	}
}

// stateAt reads states as of heights, and none that there is not.
func stateAt(t *testing.T, backend rpc.Backend, top ledger.Height) {
	t.Helper()
	for _, height := range []ledger.Height{1, top} {
		state, time, err := backend.StateAt(height)
		if err != nil {
			t.Fatal(err)
		}
		done, err := backend.Done(height)
		if params, bad := ledger.ReadParams(state); err != nil || bad != nil || time != done.Time || params.MaxBlockLegs == 0 {
			t.Errorf("height %d: %d, %v, %v", height, time, err, bad)
		}
	}
	for _, height := range []ledger.Height{0, backend.Height() + 1000} {
		if _, _, err := backend.StateAt(height); !errors.Is(err, rpc.ErrUnknownHeight) {
			t.Errorf("height %d: %v", height, err)
		}
	}
}
