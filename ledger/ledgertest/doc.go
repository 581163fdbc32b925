// Package ledgertest helps to test the ledger and what is built on it. It is
// for tests only.
//
//   - Key, Address: people by name, always the same ones.
//   - State: committed state in memory, a Reader.
//   - Chain: a ledger that runs blocks and, after every one of them, checks
//     the invariants that no block may break (invariants.go lists them).
//   - Model: a second implementation of the rules, written from their
//     description alone with maps and math/big, slow and obvious. It shares
//     nothing with the ledger but the types of transactions and codes.
//   - RunScenarios: stories in text files, with what came of them.
//   - ParseTypedData: what a wallet shows, read back into a body.
package ledgertest
