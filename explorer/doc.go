// Package explorer is the readers' door: everything that a ledger's blocks say,
// in tables that can be asked any question.
//
// Its index is built from committed blocks alone, which a Source supplies: the
// node in its own process, or a node elsewhere over JSON-RPC. It never stands on
// the way of consensus, may be deleted at any time, and may lag; it always says by
// how much. Below this package, store is the database (SQLite or PostgreSQL),
// index follows the chain and writes, and query reads.
//
// The tables hold what the events say, and nothing else: that events suffice is a
// rule of the ledger. What they come to is compared with proofs of the node's own
// state, and a difference is recorded and shown, never mended.
package explorer
