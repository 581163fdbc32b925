package node

import (
	"fmt"
	"time"

	"github.com/tallystick/tallystick/app"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/node/index"
	"github.com/tallystick/tallystick/rpc"
	"github.com/tallystick/tallystick/rpc/wire"
)

func (b *backend) Places(q rpc.PlaceQuery) ([]rpc.Place, error) {
	found, err := b.index.Places(index.Query{
		Account: q.Account, Asset: q.Asset, Reference: q.Reference,
		From: index.Place(q.From), To: index.Place(q.To), Descending: q.Descending, Limit: q.Limit,
	})
	places := make([]rpc.Place, len(found))
	for i, at := range found {
		places[i] = rpc.Place(at)
	}
	return places, err
}

func (b *backend) DoneAt(at rpc.Place) (*rpc.Done, error) {
	if at.Index == rpc.OwnEvents {
		return b.ownEvents(at.Height)
	}
	receipt, err := b.index.ReceiptAt(index.Place(at))
	if err != nil || receipt == nil {
		return nil, err
	}
	return &rpc.Done{
		Height: at.Height, Hash: receipt.BlockHash, Time: ledger.UnixTime(receipt.BlockTime),
		Receipts: []*wire.Receipt{receipt}, Events: []ledger.Event{},
	}, nil
}

// ownEvents is what a block did by itself; nil where that is nothing.
func (b *backend) ownEvents(height ledger.Height) (*rpc.Done, error) {
	if height == 0 {
		return b.genesis, nil
	}
	events, err := b.index.BlockEvents(height)
	if err != nil || len(events) == 0 {
		return nil, err
	}
	block, err := b.index.Block(height)
	if err != nil || block == nil {
		return nil, err
	}
	return &rpc.Done{Height: height, Hash: block.Hash, Time: block.Time, Receipts: []*wire.Receipt{}, Events: events}, nil
}

// noBlocksAfter is for how long a transaction must have waited without a block
// until that is said to be the reason. An idle network makes blocks when
// something comes, and one with validators missing makes them more slowly.
const noBlocksAfter = 10 * time.Second

// prospects are what the application's are to clients.
var prospects = map[app.Prospect]string{
	app.ProspectNext: wire.PendingNext, app.ProspectQueued: wire.PendingQueued, app.ProspectPaced: wire.PendingPaced,
	app.ProspectNew: wire.PendingNew, app.ProspectDoubted: wire.PendingDoubted,
}

func (b *backend) Pending(q rpc.PendingQuery) (*rpc.Pending, error) {
	list, total, err := b.app.Outlooks(q.Sender, q.After, q.Limit)
	if err != nil {
		return nil, fmt.Errorf("what waits: %w", err)
	}
	out := &rpc.Pending{Total: total, Items: make([]rpc.PendingTx, len(list))}
	catchingUp, now := b.catchingUp(), time.Now()
	quiet := now.Sub(b.committed())
	for i, o := range list {
		out.Items[i] = rpc.PendingTx{
			Tx: o.Tx, Seq: o.Seq, Since: o.Since, Reason: pendingReason(o.Prospect, catchingUp, min(quiet, now.Sub(o.Since))),
		}
	}
	return out, nil
}

// pendingReason is why a transaction waits of which the application says prospect,
// and during which there was no block for the time quiet.
func pendingReason(prospect app.Prospect, catchingUp bool, quiet time.Duration) string {
	switch {
	case catchingUp:
		return wire.PendingCatchingUp
	case quiet > noBlocksAfter:
		return wire.PendingNoBlocks
	}
	return prospects[prospect]
}
