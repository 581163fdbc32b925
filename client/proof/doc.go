// Package proof checks a receipt proof: that a transaction is in a network's chain,
// and what became of it, for who trusts neither the node nor the explorer that gave
// the proof.
//
// Verify follows the chain of hashes and signatures, with CometBFT's own rules:
//
//  1. The transaction is a leaf under the DataHash of its block's header.
//  2. Its outcome (code, body hash, events) is, by its SHA-256, in the result that is
//     the leaf at the same place under the LastResultsHash of the next header.
//  3. The next header names the first by its hash.
//  4. More than two thirds of the power of the next header's validators signed it.
//
// What is left to trust is who these validators are. A Trust says what is known of that:
// the genesis document, or the hash of a set of validators from elsewhere. Proven says
// how far it reaches. Two things are never shown: that the chain did not go on another
// way for somebody else (more than a third of the power would have had to sign twice),
// and what became of the transaction's effects later.
//
// The package reads no network and no clock. It takes any bytes without panicking, and
// refuses a proof in which a single value was changed.
package proof
