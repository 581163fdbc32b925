package client

import (
	"context"
	"errors"
	"time"

	"github.com/tallystick/tallystick/crypto"
	"github.com/tallystick/tallystick/ledger"
	"github.com/tallystick/tallystick/rpc/wire"
)

// Times of SubmitAndWait.
const (
	// onlyWait is how long the only node there is is asked to wait for a receipt.
	onlyWait = 20 * time.Second
	// oneWait is how long one of several nodes is, before the bytes go to the
	// next: a node that hangs without a word costs so much time.
	oneWait = 5 * time.Second
	// answerSlack is what a node may need beyond the wait it was asked for.
	answerSlack = 3 * time.Second
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
		err := c.attempt(ctx, (start+i)%len(c.nodes), patience, &got, "ledger_sendRawTransaction", wire.Bytes(raw))
		if err == nil {
			return hash, nil
		}
		if failure = c.failed(ctx, err, hash, &doubt); failure.final() {
			break
		}
	}
	return hash, failure
}

// SubmitTypedData is Submit for a body and signatures that a wallet made. They
// are put in order and encoded here, so that every node is sent the same bytes.
func (c *Client) SubmitTypedData(ctx context.Context, body ledger.Body, signatures []wire.Signature) (crypto.Hash, error) {
	made := make([]ledger.Signature, len(signatures))
	for i, s := range signatures {
		signature, err := crypto.ParseSignature(s.Signature)
		if err != nil {
			return crypto.Hash{}, Rejected(ledger.CodeInvalidSignature)
		}
		made[i] = ledger.Signature{Scheme: ledger.Scheme(s.Scheme), Signature: signature}
	}
	tx, code := ledger.Build(c.network, body, made)
	if code != ledger.Applied {
		return crypto.Hash{}, Rejected(code)
	}
	return c.Submit(ctx, tx.Raw)
}

// SubmitAndWait submits signed bytes and returns their receipt. It sends the
// same bytes to one node after the other until one gives the receipt or refuses
// them, or ctx ends. A node that is dead, silent, busy, of another network or
// no node at all is passed over as long as another may do. The error is an
// *Error with the hash set; its Pending tells whether the transaction may be
// committed all the same.
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
	start, doubt := int(c.current.Load()), false
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		hope := false // that asking again helps
		var failure *Error
		for i := range c.nodes {
			next := (start + i) % len(c.nodes)
			receipt, err := c.waitOn(ctx, next, method, what)
			if err == nil {
				c.current.Store(int32(next))
				return receipt, nil
			}
			if failure = c.failed(ctx, err, hash, &doubt); failure.final() {
				break
			}
			hope = hope || failure.Temporary()
		}
		if failure.final() || !hope {
			if receipt := c.search(ctx, hash, doubt); receipt != nil {
				return receipt, nil
			}
			return nil, failure
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ended(ctx, hash, doubt)
		}
	}
}

// waitOn is one waiting call to one node.
func (c *Client) waitOn(ctx context.Context, node int, method string, what any) (*wire.Receipt, error) {
	limit := oneWait
	if len(c.nodes) == 1 {
		limit = onlyWait
	}
	if deadline, ok := ctx.Deadline(); ok {
		limit = max(min(limit, time.Until(deadline)), time.Millisecond)
	}
	var receipt *wire.Receipt
	err := c.attempt(ctx, node, limit+answerSlack, &receipt, method, what, limit.Milliseconds())
	if err == nil && receipt == nil {
		err = badAnswer(c.nodes[node].url, errors.New("null in place of a receipt"))
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
	out.Submitted = &hash
	if out.Hash == nil {
		out.Hash = &hash
	}
	// A nonce that another transaction has spent leaves none to this one. One
	// that another transaction waits with may still go to either.
	spent := out.LedgerCode == ledger.CodeNonceSpent && *out.Hash != hash
	out.Pending = *doubt && !spent
	return &out
}

// ended is the error for a submission whose context has ended.
func ended(ctx context.Context, hash crypto.Hash, doubt bool) *Error {
	return &Error{Name: NameTimeout, Message: "the receipt did not come in time", Hash: &hash, Submitted: &hash, Pending: doubt, cause: ctx.Err(),
		Hint: "wait for it again, or submit the same bytes again: that does no harm"}
}

// search looks on every node for the receipt of a transaction that one node
// refused after an earlier attempt ended in doubt: it may have been committed
// between the two.
func (c *Client) search(ctx context.Context, hash crypto.Hash, doubt bool) *wire.Receipt {
	if !doubt || ctx.Err() != nil {
		return nil
	}
	for i := range c.nodes {
		if receipt, err := c.At(i).Receipt(ctx, hash); err == nil && receipt != nil {
			return receipt
		}
	}
	return nil
}
