// Package client is the Go client of a Tallystick network: it builds, signs
// and submits transactions, waits for their receipts, and reads the ledger.
//
// # Building and signing
//
// Build fills in nonce and last moment. Sign has Signers sign: keys in memory
// (LocalSigner), key files (KeystoreSigner), hardware modules and key services
// (ExternalSigner), or any other with an address and a way to sign 32 bytes.
// What they answer with is checked before it is used.
//
// # Several nodes
//
// Dial takes the addresses of one or more nodes of the same network, over
// HTTP or WebSocket, and refuses nodes of different networks. Reads go to one
// node, and move to the next when it does not answer or says that it cannot
// for now, is of another network or no node at all. A node that was away at
// Dial is asked for its network before it is believed. The node that gave a
// receipt serves the reads that follow, so that they see its effects.
//
// # Exactly once
//
// A transaction's bytes hold the sender and a nonce that can be spent once. So
// sending the same bytes again, to the same or to another node, does no harm,
// and SubmitAndWait does so until it has the receipt, or a refusal, or its
// context ends. Keep the signed bytes until then: with them anybody can go on,
// after a crash too. What must never be done is to sign again under another
// nonce: then both could be committed. When an attempt ended in doubt, the error
// says so (Error.Pending) and holds the hash to ask for (Error.Submitted).
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
