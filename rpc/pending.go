package rpc

import (
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// PendingQuery asks for a part of what waits on the node, in the order in which
// it came.
type PendingQuery struct {
	Sender *crypto.Address // whose transactions; nil: everybody's
	After  uint64          // the Seq of the last that is known already; 0: none
	Limit  int             // at least 1
}

// Pending is what waits on the node.
type Pending struct {
	Total int // of all senders
	Items []PendingTx
}

// PendingTx is a transaction that waits.
type PendingTx struct {
	Tx     *ledger.Tx // shared: not to be changed
	Seq    uint64     // its place in the order of arrival, from 1
	Since  time.Time  // when it came to this node
	Reason string     // why it is in no block yet: one of wire.PendingReasons
}
