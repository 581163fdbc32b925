// Package rpc serves wallets and back offices: JSON-RPC 2.0 over HTTP POST
// and over WebSocket on the same address, single calls and batches.
//
// # How a message is answered
//
//  1. The transport (http.go, websocket.go) takes a whole message within its
//     limit and deadline.
//  2. screen (screen.go) judges the envelope: UTF-8, syntax, batch length,
//     version, id, method and number of parameters. A message that is in
//     order goes on byte for byte. A call that is not becomes a call of the
//     internal method that answers with the error, in its place in the batch.
//     This is also where rpc.discover becomes rpc_discover, because the
//     library below cannot route a dot.
//  3. go-ethereum's rpc server dispatches to the methods of ledgerAPI, ethAPI
//     and the smaller ones, one goroutine a call (a batch is one goroutine), and writes the
//     responses.
//  4. Every method runs inside Server.answer, which takes a place among the
//     concurrent or the waiting calls, catches panics, turns errors into the
//     one error type, and counts.
//
// methods.go is the table of methods. From it and the wire types the OpenRPC
// document is generated (openrpc.go), which rpc_discover returns.
//
// # Errors
//
// Every error has a code, a message that says what was wrong and what to do,
// and data (wire.ErrorData) with a stable name. docs/RPC.md has the table.
// Only wire.CodeUnavailable is worth sending the same bytes again. Codes and
// HTTP statuses that client libraries retry by themselves are never used for
// what a retry cannot cure.
//
// The package never reads the chain or the state itself: the node supplies a
// Backend.
package rpc
