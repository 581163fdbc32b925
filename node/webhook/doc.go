// Package webhook posts what happens on the ledger to servers of the operator's
// choice, signed, in order, and at least once.
//
// # What is sent
//
// A POST with a Delivery as JSON: notices as subscriptions have them, each with the
// cursor behind it, and the cursor behind them all. The header Tallystick-Signature is
//
//	t=<Unix seconds>,v1=<hex of HMAC-SHA256(secret, "<Unix seconds>.<body>")>
//
// so that the receiver knows that the node has sent it, and when (Verify). An answer
// of 2xx takes the delivery over. Everything else, a redirect and the lack of an answer
// among it, is a failure, after which the same is sent again, later and later, for
// ever: nothing is ever passed over.
//
// # At least once
//
// The cursor of a webhook stands in a file, which is written, and on the disk, after
// the receiver has taken the delivery over and before the next is sent. A node that
// dies between the two sends once more what was taken, perhaps together with what
// follows it. So a receiver keeps the cursor of the last notice that it has handled,
// in one step with what it made of it, and passes over notices that are not behind it.
//
// Each webhook is one goroutine that reads the feed at its receiver's pace. Nothing is
// queued but the delivery that is being sent, which is bounded. The addresses are the
// operator's own configuration: no client of the node can name one.
package webhook
