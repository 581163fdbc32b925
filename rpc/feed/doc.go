// Package feed reads the ledger as one stream of what happened, for whoever
// follows it: subscriptions over WebSocket, Ethereum's filters, webhooks.
//
// # The stream
//
// It is the blocks in order. In each come the events of the block itself (of what
// fell due; at height 0, of what the network began with), then the receipts of
// its transactions in order. A place in it is a wire.Cursor, (height, index). The
// stream is the same on every node and never changes, so a reader that goes on
// from the cursor of what it saw last, here or on another node, misses nothing
// and sees nothing twice. A filter leaves things out and changes no cursor.
//
// # Pull
//
// Nothing is pushed and nothing is queued for a reader. Each has a cursor and
// takes block after block at its own pace (Reader). One goroutine waits for the
// chain to grow and wakes the readers, a few at a time, so that consensus never
// stands behind a thousand of them. A reader that is slow costs what its cursor
// takes.
//
// Blocks that were read are kept, up to a bound in bytes (Feed.Block): what is
// asked of a block by many (its JSON, which accounts and assets it touches) is
// made once, when it is first asked.
package feed
