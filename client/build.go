package client

import (
	"context"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
)

// DefaultValidFor is how long a transaction may be included unless it is said
// otherwise: whoever has not seen its receipt by then knows that it never will
// be.
const DefaultValidFor = 10 * time.Minute

// BuildOptions fill in a transaction. The zero value works.
type BuildOptions struct {
	Nonce *ledger.Nonce // nil: NextNonce
	// ValidFor is the time until which it may be included, from now by this
	// machine's clock; 0: DefaultValidFor, below 0: for ever.
	ValidFor time.Duration
	Memo     string // up to ledger.MaxMemoBytes
}

// Build makes a transaction of an operation, unsigned: what Sign takes. It asks
// a node for the sender's next nonce where none is given, and judges what the
// transaction's bytes alone can show; the error is an *Error.
func (c *Client) Build(ctx context.Context, sender crypto.Address, op ledger.Operation, o BuildOptions) (ledger.Body, error) {
	body := ledger.Body{Sender: sender, Memo: o.Memo, Op: op}
	switch {
	case o.ValidFor == 0:
		body.ValidUntil = ledger.UnixTime(time.Now().Add(DefaultValidFor).Unix())
	case o.ValidFor > 0:
		body.ValidUntil = ledger.UnixTime(time.Now().Add(o.ValidFor).Unix())
	}
	if o.Nonce != nil {
		body.Nonce = *o.Nonce
	} else {
		next, err := c.NextNonce(ctx, sender)
		if err != nil {
			return ledger.Body{}, err
		}
		body.Nonce = next
	}
	if code := ledger.CheckBody(c.network, &body); code != ledger.Applied {
		return ledger.Body{}, Rejected(code)
	}
	return body, nil
}
