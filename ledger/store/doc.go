// Package store keeps the committed state of the ledger: a flat table of keys
// and values on disk, and over it the tree whose root is the application's
// hash.
//
// # What it is trusted with
//
// The table is the only durable truth about the state. A commit that was
// answered without error survives power loss; a commit that was not leaves
// either the old state or the new one, whole. The tree (package smt) is derived
// from the table, held in memory, made again at opening and checked against the
// committed root. Losing the directory loses nothing that the chain's blocks
// cannot give again.
//
// # Heights
//
// Each commit makes one height. The table holds the latest, and beside it lies,
// for each of the last HistoryHeights heights, an undo record: the old values
// of the keys that the height changed. A View reads the state as of its own
// height by looking at the table first and at the undo records above its height
// second; see View. So reading never waits for a commit, nor a commit for a
// reader: both only take locks that are held for some instructions.
//
// # The commit point
//
// Commit writes the changes, the undo record, the root and the head record as
// one synced batch. That write is the only commit point. What can go wrong
// before and after it is written down there.
//
// # Use
//
//	s, err := store.Open(dir, store.Options{})
//	result, err := ledger.Apply(net, block, s.Latest())
//	staged, err := s.Stage(result.Changes) // staged.Root() is the next root
//	err = s.Commit(block.Height, block.Time, staged)
//
// Only one process may have a store open. The package starts no goroutine that
// outlives a call, writes no log, and knows nothing of what keys and values
// mean. docs/FORMATS.md has its disk format ("The store on disk").
package store
