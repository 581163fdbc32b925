package network

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tallystick/tallystick/client"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// payer pays one unit after the other through the client, until told to stop.
type payer struct {
	account int
	paid    int
	err     error
}

func (p *payer) work(ctx context.Context, n *Network, c *client.Client, stop *atomic.Bool, receipts *atomic.Int64) {
	signer := client.NewLocalSigner(key(p.account))
	for !stop.Load() {
		nonce := ledger.Nonce(p.paid)
		body, err := c.Build(ctx, signer.Address(), &ledger.Transfer{Legs: []ledger.Leg{
			{From: signer.Address(), To: address((p.account + 8) % accounts), Asset: n.Ledger.Settlement, Amount: ledger.NewAmount(1)},
		}}, client.BuildOptions{Nonce: &nonce})
		if err == nil {
			err = p.pay(ctx, c, body, signer)
		}
		if err != nil {
			p.err = fmt.Errorf("payment %d of account %d: %w", p.paid, p.account, err)
			return
		}
		p.paid++
		receipts.Add(1)
	}
}

// pay makes one payment, which must be applied.
func (p *payer) pay(ctx context.Context, c *client.Client, body ledger.Body, signer client.Signer) error {
	tx, err := c.Sign(ctx, body, ledger.SchemeTypedData, signer)
	if err != nil {
		return err
	}
	receipt, err := c.SubmitAndWait(ctx, tx.Raw)
	switch {
	case err != nil:
		return err
	case receipt.Hash != tx.Hash || receipt.Status != "applied":
		return fmt.Errorf("the receipt is %+v", receipt)
	}
	return nil
}

// Who pays through the client with several nodes notices nothing of nodes that
// die in the middle of a call and come back: each payment gives its receipt, and
// happens once.
func TestClientOutlivesNodes(t *testing.T) {
	t.Parallel()
	n := New(t, 4, Options{})
	n.StartAll()
	random := Random(t)
	urls := make([]string, len(n.validators))
	for i, v := range n.validators {
		urls[i] = []string{"http://", "ws://"}[i%2] + v.rpc
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c, err := client.Dial(ctx, urls...)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()

	var stop atomic.Bool
	var receipts atomic.Int64
	var all sync.WaitGroup
	payers := make([]payer, 8)
	for i := range payers {
		payers[i].account = i
		all.Go(func() { payers[i].work(ctx, n, c, &stop, &receipts) })
	}
	more := func() {
		want := receipts.Load() + 20
		n.Until(patience, "20 more payments", func() error {
			if got := receipts.Load(); got < want {
				return fmt.Errorf("there are %d of %d", got, want)
			}
			return nil
		})
	}
	for range Rounds(t, 1, 3, 40) {
		more()
		dead := random.IntN(4)
		n.Kill(dead)
		more()
		n.Start(dead)
		n.WaitCaughtUp(dead)
	}
	stop.Store(true)
	all.Wait()
	var failures []error
	for i := range payers {
		failures = append(failures, payers[i].err)
	}
	if err := errors.Join(failures...); err != nil {
		t.Fatal(err)
	}
	n.paidOnce(payers)
	n.SameChain(n.All()...)
	t.Logf("%d transfers in %d blocks", receipts.Load(), n.Height())
}

// paidOnce checks on every validator that each payment has moved one unit, once.
func (n *Network) paidOnce(payers []payer) {
	n.t.Helper()
	n.WaitCaughtUp(n.All()...)
	for v := range n.validators {
		for _, p := range payers {
			for _, want := range []struct {
				account int
				balance uint64
				nonce   uint64
			}{{p.account, funds - uint64(p.paid), uint64(p.paid)}, {(p.account + 8) % accounts, funds + uint64(p.paid), 0}} {
				var b wire.Balance
				var a wire.Account
				err := errors.Join(
					n.RPC(v).Read(context.Background(), &b, Ask("ledger_getBalance", address(want.account), n.Ledger.Settlement)),
					n.RPC(v).Read(context.Background(), &a, Ask("ledger_getAccount", address(want.account))))
				if err != nil || b.Available != ledger.NewAmount(want.balance) || a.NextNonce != want.nonce {
					n.t.Errorf("%s: account %d has %s and the next nonce %d, want %d and %d; %v", n.validators[v].name(),
						want.account, b.Available, a.NextNonce, want.balance, want.nonce, err)
				}
			}
		}
	}
}
