package eth

import (
	"fmt"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Content is everything that is known of one block.
type Content struct {
	Height    ledger.Height
	Hash      crypto.Hash
	Parent    crypto.Hash // of block 1: the hash of block 0; of block 0: zero
	Time      ledger.UnixTime
	Proposer  []byte      // address of the consensus key, 20 bytes; empty for block 0
	AppHash   crypto.Hash // of the header: the state's root after the block before
	SizeBytes uint64

	Events   []ledger.Event  // of the block itself; they come before its transactions
	Receipts []*wire.Receipt // one for each transaction, in order
	Raw      [][]byte        // the transactions' bytes, in order
}

// check refuses a content whose parts are not of one block.
func (c *Content) check() error {
	if len(c.Receipts) != len(c.Raw) {
		return fmt.Errorf("block %d: %d receipts for %d transactions", c.Height, len(c.Receipts), len(c.Raw))
	}
	for i, r := range c.Receipts {
		if int(r.Index) != i {
			return fmt.Errorf("block %d: receipt %d stands where %d must", c.Height, r.Index, i)
		}
	}
	return nil
}
