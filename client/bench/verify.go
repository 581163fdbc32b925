package bench

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"sync"
	"time"

	"github.com/holiman/uint256"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Difference is one thing that a node has otherwise than it must.
type Difference struct {
	Node string // its address
	What string // which thing
	Have string // what the node says
	Want string // what the receipts say, or another node
}

// Bounds of a verification.
const (
	// catchUp is how long nodes may take to reach the height of the last receipt.
	catchUp = 2 * time.Minute
	// poll is the time between two looks at their heights.
	poll = 100 * time.Millisecond
	// readers is how many accounts are read from one node at a time.
	readers = 8
	// maxBlocks bounds the blocks that are compared; of more, the newest.
	maxBlocks = 5000
	// maxDifferences bounds the list of differences.
	maxDifferences = 100
)

// verifier compares all nodes with the book at one height.
type verifier struct {
	client *client.Client
	plan   *plan
	book   *book
	from   ledger.Height // compare blocks from here
	settle func(context.Context, ledger.Height)
	stage  func(string, int, int)
	height ledger.Height // at which balances are compared

	mu          sync.Mutex
	differences []Difference
}

// run returns the differences, sorted, at most maxDifferences of them.
func (v *verifier) run(ctx context.Context) ([]Difference, error) {
	if err := v.reach(ctx); err != nil {
		return nil, err
	}
	// A transaction that was lost may have been committed since.
	v.settle(ctx, v.height)
	if err := v.eachNode(ctx, v.balances); err != nil {
		return nil, err
	}
	if err := v.blocks(ctx); err != nil {
		return nil, err
	}
	sort.Slice(v.differences, func(i, j int) bool {
		a, b := v.differences[i], v.differences[j]
		return a.What < b.What || (a.What == b.What && a.Node < b.Node)
	})
	return v.differences, nil
}

// reach waits until every node is at or past the highest receipt, and sets the
// height: that of the node that is furthest behind then, so that all have it.
func (v *verifier) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, catchUp)
	defer cancel()
	want := max(v.book.height, v.from)
	lowest := ledger.Height(0)
	for i, u := range v.client.URLs() {
		for {
			v.stage("wait for nodes", i, len(v.client.URLs()))
			status, err := v.client.At(i).Status(ctx)
			if err == nil && ledger.Height(status.Height) >= want {
				if at := ledger.Height(status.Height); i == 0 || at < lowest {
					lowest = at
				}
				break
			}
			select {
			case <-time.After(poll):
			case <-ctx.Done():
				if err == nil {
					err = fmt.Errorf("it is at height %d", status.Height)
				}
				return fmt.Errorf("node %s did not reach height %d, that of the last receipt: %w", u, want, err)
			}
		}
	}
	v.height = lowest
	return nil
}

// eachNode runs f for every node at the same time, and joins the errors.
func (v *verifier) eachNode(ctx context.Context, f func(context.Context, int) error) error {
	problems := make([]error, len(v.client.URLs()))
	var running sync.WaitGroup
	for i := range problems {
		running.Go(func() { problems[i] = f(ctx, i) })
	}
	running.Wait()
	return errors.Join(problems...)
}

// balances reads every account from one node.
func (v *verifier) balances(ctx context.Context, node int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var running sync.WaitGroup
	for range readers {
		running.Go(func() {
			for i := range next {
				if err := v.account(ctx, node, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := range v.plan.accounts {
		if node == 0 && i%100 == 0 {
			v.stage("verify balances", i, len(v.plan.accounts))
		}
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	running.Wait()
	return context.Cause(ctx)
}

// account compares one account on one node.
func (v *verifier) account(ctx context.Context, node, i int) error {
	address := v.plan.accounts[i].address
	have := map[crypto.Address]wire.AssetBalance{}
	found, err := v.client.At(node).Account(ctx, address, &v.height)
	var e *client.Error
	if err != nil && (!errors.As(err, &e) || e.Name != client.NameNotFound) {
		return err
	}
	if err == nil {
		for _, b := range found.Balances {
			have[b.Asset] = b
		}
	}
	want, err := v.expected(i)
	if err != nil {
		return err
	}
	for asset, b := range want {
		v.compare(node, address, asset, have[asset], b)
		delete(have, asset)
	}
	for asset, b := range have {
		v.compare(node, address, asset, b, wire.AssetBalance{})
	}
	return nil
}

// expected is what account i must have, by the receipts.
func (v *verifier) expected(i int) (map[crypto.Address]wire.AssetBalance, error) {
	a := &v.plan.accounts[i]
	want := map[crypto.Address]wire.AssetBalance{}
	for _, b := range a.others {
		want[b.Asset] = b
	}
	sum, change := a.opening.Uint256(), v.book.change[i]
	if change < 0 {
		sum.Sub(sum, uint256.NewInt(uint64(-change)))
	} else {
		sum.Add(sum, uint256.NewInt(uint64(change)))
	}
	amount, ok := ledger.AmountFromUint256(sum)
	if !ok {
		return nil, fmt.Errorf("account %s: by the receipts it has paid more than it had (%s, change %d)", a.address, a.opening, change)
	}
	want[v.plan.address] = wire.AssetBalance{Available: amount}
	return want, nil
}

func (v *verifier) compare(node int, account, asset crypto.Address, have, want wire.AssetBalance) {
	if have.Available != want.Available {
		v.differ(node, fmt.Sprintf("balance of %s, asset %s", account, asset), have.Available.String(), want.Available.String())
	}
	if have.Held != want.Held {
		v.differ(node, fmt.Sprintf("held of %s, asset %s", account, asset), have.Held.String(), want.Held.String())
	}
}

func (v *verifier) differ(node int, what, have, want string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.differences) < maxDifferences {
		v.differences = append(v.differences, Difference{Node: v.client.URLs()[node], What: what, Have: have, Want: want})
	}
}

// blocks compares every block of the run between the nodes: its hash, which
// covers the root of the state before it, and its transactions.
func (v *verifier) blocks(ctx context.Context) error {
	first := max(v.from, 1)
	if v.height > first+maxBlocks {
		first = v.height - maxBlocks
	}
	chains := make([][]*wire.Block, len(v.client.URLs()))
	err := v.eachNode(ctx, func(ctx context.Context, node int) error {
		for h := first; h <= v.height; h++ {
			if node == 0 {
				v.stage("verify blocks", int(h-first), int(v.height-first))
			}
			block, err := v.client.At(node).BlockAt(ctx, h)
			if err != nil {
				return err
			}
			chains[node] = append(chains[node], block)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for node := 1; node < len(chains); node++ {
		for i, block := range chains[node] {
			v.compareBlocks(node, block, chains[0][i])
		}
	}
	return nil
}

func (v *verifier) compareBlocks(node int, have, want *wire.Block) {
	if have.Hash != want.Hash {
		v.differ(node, fmt.Sprintf("hash of block %d", want.Height), have.Hash.String(), want.Hash.String())
	}
	if have.AppHash != want.AppHash {
		v.differ(node, fmt.Sprintf("app hash in block %d", want.Height), have.AppHash.String(), want.AppHash.String())
	}
	if len(have.Transactions) != len(want.Transactions) {
		v.differ(node, fmt.Sprintf("number of transactions in block %d", want.Height),
			fmt.Sprint(len(have.Transactions)), fmt.Sprint(len(want.Transactions)))
	}
}
