// Package app is the ledger as CometBFT sees it: an ABCI 2.0 application,
// and nothing but. It decides nothing itself. The rules are package ledger's,
// the durable state is package ledger/store's; this package calls them at the
// right moment, from the right goroutine, and not more often than needed.
//
// # One block's way
//
//   - Admit and Offer let a transaction wait on this node, from a client or a
//     peer: what could not stand in the next block stops here. At most one
//     transaction of a sender and nonce waits on a node. CometBFT's mempool has
//     none of them: it holds Token as long as any waits.
//   - PrepareProposal picks a block from what waits. ProcessProposal judges a
//     block that somebody proposed. Both ask ledger.BlockCheck, on committed
//     state and the block's time alone, so that every honest node answers alike.
//   - ProcessProposal begins to execute what it accepts, in the background.
//     FinalizeBlock joins that execution, or makes its own when another block
//     won. Until Commit everything is in memory.
//   - Commit hands changes, height, time and root to the store, which writes
//     them in one synced batch. That is the only persistence. Then the new
//     state is published to admission and Query, and what waits and has become
//     impossible is let go: nothing else is judged again.
//
// InitChain persists nothing either: the genesis state is held in memory,
// block 1 is executed on top of it, and both are committed together.
//
// # Goroutines
//
// Admission, Query, Info and the accessors may run on any goroutines at once, and
// never wait for a block: they read the committed state behind an atomic
// pointer. The consensus methods take one mutex and so run one at a time.
// ClientCreator connects CometBFT without any further lock.
//
// # Errors
//
// A verdict about a transaction is a ledger.Code, in codespace "ledger". A Go
// error is a failure of the machine: it is kept (Err), announced (Failed) and
// returned, after which every consensus method returns it again and nothing
// more is written.
package app
