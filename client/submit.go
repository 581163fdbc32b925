package client

import (
	"context"
	"errors"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Sign signs body with every key under scheme. The error is that of Rejected.
func (c *Client) Sign(body ledger.Body, scheme ledger.Scheme, keys ...*crypto.PrivateKey) (*ledger.Tx, error) {
	tx, code := ledger.Sign(c.network, body, scheme, keys...)
	if code != ledger.Applied {
		return nil, Rejected(code)
	}
	return tx, nil
}

// Times of SubmitAndWait.
const (
	// oneWait is how long one node is asked to wait for a receipt before the
	// bytes go to the next.
	oneWait = 20 * time.Second
	// answerSlack is what a node may need beyond the wait it was asked for.
	answerSlack = 5 * time.Second
	// firstPause is how long to wait after all nodes failed once; it doubles up
	// to lastPause.
	firstPause = 50 * time.Millisecond
	lastPause  = 2 * time.Second
)

// Submit hands signed bytes to a node, and to the next when one fails, and
// returns their hash when they are admitted. The error is an *Error with the
// hash set; its Pending tells whether they may be committed all the same.
func (c *Client) Submit(ctx context.Context, raw []byte) (crypto.Hash, error) {
	hash := crypto.Keccak256(raw)
	start, doubt := int(c.current.Load()), false
	var failure *Error
	for i := range c.nodes {
		var got crypto.Hash
		err := c.nodes[(start+i)%len(c.nodes)].attempt(ctx, patience, &got, "ledger_sendRawTransaction", wire.Bytes(raw))
		if err == nil {
			return hash, nil
		}
		if failure = c.failed(ctx, err, hash, &doubt); !failure.Temporary() {
			break
		}
	}
	return hash, failure
}

// SubmitTypedData is Submit for a body and signatures that a wallet made, which
// the node puts in order and encodes. It is sent to one node, once.
func (c *Client) SubmitTypedData(ctx context.Context, body ledger.Body, signatures []wire.Signature) (crypto.Hash, error) {
	var hash crypto.Hash
	n := c.nodes[c.current.Load()]
	err := n.attempt(ctx, patience, &hash, "ledger_sendTransaction", wire.SignedTransaction{Tx: body, Signatures: signatures})
	return hash, err
}

// SubmitAndWait submits signed bytes and returns their receipt. It sends the
// same bytes to one node after the other until one gives the receipt or refuses
// them, or ctx ends. The error is an *Error with the hash set; its Pending
// tells whether the transaction may be committed all the same.
func (c *Client) SubmitAndWait(ctx context.Context, raw []byte) (*wire.Receipt, error) {
	return c.wait(ctx, crypto.Keccak256(raw), "ledger_sendRawTransactionSync", wire.Bytes(raw))
}

// WaitReceipt waits for the receipt of a transaction that was submitted before,
// until ctx ends.
func (c *Client) WaitReceipt(ctx context.Context, hash crypto.Hash) (*wire.Receipt, error) {
	return c.wait(ctx, hash, "ledger_waitReceipt", hash)
}

// wait calls a waiting method on one node after the other.
func (c *Client) wait(ctx context.Context, hash crypto.Hash, method string, what any) (*wire.Receipt, error) {
	start, doubt, pause := int(c.current.Load()), false, firstPause
	for i := 1; ; i++ {
		next := (start + i - 1) % len(c.nodes)
		receipt, err := c.nodes[next].waitReceipt(ctx, method, what)
		if err == nil {
			c.current.Store(int32(next))
			return receipt, nil
		}
		failure := c.failed(ctx, err, hash, &doubt)
		if !failure.Temporary() {
			if receipt := c.search(ctx, hash, doubt); receipt != nil {
				return receipt, nil
			}
			return nil, failure
		}
		if i%len(c.nodes) != 0 {
			continue
		}
		select {
		case <-time.After(pause):
			pause = min(2*pause, lastPause)
		case <-ctx.Done():
			return nil, ended(ctx, hash, doubt)
		}
	}
}

// waitReceipt is one waiting call to one node.
func (n *node) waitReceipt(ctx context.Context, method string, what any) (*wire.Receipt, error) {
	limit := oneWait
	if deadline, ok := ctx.Deadline(); ok {
		limit = max(min(limit, time.Until(deadline)), time.Millisecond)
	}
	var receipt *wire.Receipt
	err := n.attempt(ctx, limit+answerSlack, &receipt, method, what, limit.Milliseconds())
	if err == nil && receipt == nil {
		err = badAnswer(n.url, errors.New("null in place of a receipt"))
	}
	return receipt, err
}

// failed completes the error of an attempt to submit. doubt remembers whether
// this or an earlier attempt may have been taken.
func (c *Client) failed(ctx context.Context, err error, hash crypto.Hash, doubt *bool) *Error {
	var e *Error
	if !errors.As(err, &e) {
		e = asError(ctx, "", err)
	}
	*doubt = *doubt || e.doubtful()
	if ctx.Err() != nil {
		return ended(ctx, hash, *doubt)
	}
	out := *e
	if out.Hash == nil {
		out.Hash = &hash
	}
	if *out.Hash == hash {
		out.Pending = *doubt
	}
	return &out
}

// ended is the error for a submission whose context has ended.
func ended(ctx context.Context, hash crypto.Hash, doubt bool) *Error {
	return &Error{Name: NameTimeout, Message: "the receipt did not come in time", Hash: &hash, Pending: doubt, cause: ctx.Err(),
		Hint: "wait for it again, or submit the same bytes again: that does no harm"}
}

// search looks on every node for the receipt of a transaction that one node
// refused after an earlier attempt ended in doubt: it may have been committed
// between the two.
func (c *Client) search(ctx context.Context, hash crypto.Hash, doubt bool) *wire.Receipt {
	if !doubt {
		return nil
	}
	for i := range c.nodes {
		if receipt, err := c.At(i).Receipt(ctx, hash); err == nil && receipt != nil {
			return receipt
		}
	}
	return nil
}
