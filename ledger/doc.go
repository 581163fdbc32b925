// Package ledger is the replicated state machine: what a transaction is, when
// it may stand in a block, and what it does to the accounts, assets and
// balances that every node keeps.
//
// The package is pure. It reads committed state through Reader, and answers
// with values: the results of a block's transactions and the sorted changes
// to write. It has no files, clock, randomness, goroutines or logging, and no
// map order reaches an output; two nodes given the same block and the same
// state answer with the same bytes on any machine and any build.
//
// # A transaction's way
//
//  1. Decode takes raw bytes (an EIP-2718 envelope) and checks all that bytes
//     alone can show: canonical form, this network, limits.
//  2. Tx.RecoverSigners recovers the keys that signed. It is the one costly
//     step and a pure function of the bytes, so callers may run it early, in
//     parallel, and remember it.
//  3. Includable judges the transaction on a state and a block time: may it
//     stand in a block now? The same rule serves admission, proposing,
//     voting and execution. What fails it changes nothing and spends nothing.
//  4. Apply runs a block. Each includable transaction spends its nonce and is
//     then applied, or refused with one stable Code and no other effect.
//
// # Errors
//
// A Code is consensus data: a verdict about a transaction. A Go error is a
// failure of the machine beneath (a Reader that could not read, a record that
// does not decode) and must stop the node. The two are never mixed.
//
// Every byte format of the package is specified in docs/FORMATS.md.
package ledger
