// Package index follows a chain and writes the explorer's tables.
//
// It reads one block after another from a Source, takes the block's events apart,
// and writes what they say and what they come to. While it is behind, many blocks
// go into one transaction of the database; at the head, each block into its own.
// The cursor moves in that same transaction, so each block is indexed exactly once,
// wherever the process ends: it starts again from the cursor. How blocks are
// gathered makes no difference to the rows.
//
// An event that cannot have happened, or that this program does not know, stops the
// index and is told of: it never guesses. From time to time it compares balances,
// supplies and accounts with proofs of the node's state, and records what differs.
package index
