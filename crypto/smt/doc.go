// Package smt is the sparse Merkle tree over the ledger's state table.
//
// It turns a table of keys and values into one 32-byte root that commits to
// all of it, and makes short proofs that a key has a value, or that it has
// none. Any ics23 library checks those proofs with its own SmtSpec.
//
// # The tree
//
// The path of a key is SHA-256(key), read as 256 bits, the most significant
// bit of the first byte first; 0 is left, 1 is right. With H for SHA-256 and ‖
// for concatenation:
//
//	leaf(key, value)   = H(0x00 ‖ H(key) ‖ H(value))
//	inner(left, right) = H(0x01 ‖ left ‖ right)
//	empty              = 32 zero bytes
//
// The subtree at a given prefix of bits hashes to
//
//   - empty, when no key's path starts with that prefix;
//   - that key's leaf, when exactly one does: the leaf is hoisted, so its hash
//     does not depend on its depth;
//   - inner of the subtrees at prefix‖0 and prefix‖1, when two or more do.
//
// The root is the subtree at the empty prefix. It depends on the content alone
// and never on the history: deleting a key gives the root of a tree that never
// held it. Keys are 1 to MaxKeyLength bytes, values at least one byte.
//
// A worked example: H("a") starts with the bits 1100 and H("b") with 0011.
// The tree of {"a": x} has the root leaf("a", x). Adding "b" gives
// inner(leaf("b", y), leaf("a", x)). Deleting "a" leaves leaf("b", y).
//
// # Versions
//
// A Tree holds a head and the recent versions before it. Stage computes what
// the next version would be, without changing anything; Commit makes that the
// head; Prune forgets the oldest. Every version still held can be proved from,
// while others are staged and committed.
//
// # Memory
//
// Nodes are immutable once committed. A version shares with the one before it
// every node that its changes did not reach, and remembers those it replaced,
// which are reused once no earlier version is held. Nodes and raw keys lie in
// large pieces of memory without pointers, addressed by 32-bit handles, so the
// garbage collector has next to nothing to look at.
//
// The package does no I/O and keeps no values: a proof asks its caller for
// them. The tree is derived data; Build makes it again from the table.
package smt
