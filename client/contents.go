package client

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Contents is a block with all that it did, gathered from all its parts; height 0 is
// what the network began with. A height that the node does not have, or no longer
// keeps, is an error with NameNotFound.
func (c *Client) Contents(ctx context.Context, height ledger.Height) (*wire.BlockContents, error) {
	var whole *wire.BlockContents
	for from := uint64(0); ; {
		part := new(wire.BlockContents)
		if err := c.read(ctx, part, "ledger_getBlockContents", uint64(height), from); err != nil {
			return nil, err
		}
		if whole == nil {
			whole = part
		} else {
			whole.Events, whole.Transactions = append(whole.Events, part.Events...), append(whole.Transactions, part.Transactions...)
		}
		if part.Next == nil {
			whole.Next = nil
			return whole, nil
		}
		if *part.Next <= from {
			return nil, fmt.Errorf("block %d: the node's parts do not go on at %d", height, *part.Next)
		}
		from = *part.Next
	}
}

// StateProof is a value of the committed state with its proof, which is not checked
// here: its root is the appHash of the next block.
func (c *Client) StateProof(ctx context.Context, key []byte) (*wire.StateProof, error) {
	var p wire.StateProof
	if err := c.read(ctx, &p, "ledger_getStateProof", wire.Bytes(key)); err != nil {
		return nil, err
	}
	return &p, nil
}

// ReceiptProof is what became of a transaction, with a proof that package client/proof
// checks; nil where no committed transaction has this hash. Until the block after the
// transaction's is there the error is Temporary, with the name notYetProvable.
func (c *Client) ReceiptProof(ctx context.Context, hash crypto.Hash) (*wire.ReceiptProof, error) {
	var p *wire.ReceiptProof
	if err := c.read(ctx, &p, "ledger_getReceiptProof", hash); err != nil {
		return nil, err
	}
	return p, nil
}
