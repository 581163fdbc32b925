// Package client is the Go client of a Tallystick network: it builds, signs
// and submits transactions, waits for their receipts, and reads the ledger.
//
// # Several nodes
//
// Dial takes the addresses of one or more nodes of the same network, over
// HTTP or WebSocket, and refuses nodes of different networks. Reads go to one
// node, and move to the next when it does not answer or says that it cannot
// for now. The node that gave a receipt serves the reads that follow, so that
// they see its effects.
//
// # Exactly once
//
// A transaction's bytes hold the sender and a nonce that can be spent once. So
// sending the same bytes again, to the same or to another node, does no harm,
// and SubmitAndWait does so until it has the receipt, or a refusal, or its
// context ends. What it must never do is sign again under another nonce: then
// both could be committed. When an attempt ended in doubt, the error says so
// (Error.Pending) and holds the hash to ask for.
//
// # Following
//
// Follow reads the ledger as one stream of what happened, each notice with the
// cursor behind it, and goes on from there by itself when a connection or a node
// is lost. A program that stores the cursor together with what it makes of the
// notice sees everything once, whatever ends in between.
//
// # Errors
//
// Every error about a call is an *Error with a stable name. A transaction that
// was committed and refused is no error: its receipt says why.
//
// All methods may be used by many goroutines. Nothing is retried for ever: the
// context bounds every call.
package client
